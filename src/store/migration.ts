/** What a version of the tables is. */
import type { Dialect, Driver } from './driver.ts';

/** From the version before it to this one. */
export interface Migration {
  readonly version: number;
  readonly statements: (dialect: Dialect) => readonly string[];
  /** What SQL alone cannot do, after the statements; a new store, having no rows yet, goes without. */
  readonly fill?: (driver: Driver) => Promise<void>;
  /** What may take long and harms nobody: before the transaction, of a store of an earlier version only. May be done again. */
  readonly prepare?: (driver: Driver) => Promise<void>;
  /** After `fill`, of every store: what one database alone can do with its tables. */
  readonly arrange?: (driver: Driver) => Promise<void>;
  /** The tables that it adds, but for `meta`. */
  readonly tables: readonly string[];
}
