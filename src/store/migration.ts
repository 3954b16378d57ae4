/** What a version of the tables is. */
import type { Dialect, Driver } from './driver.ts';

/** From the version before it to this one. */
export interface Migration {
  readonly version: number;
  readonly statements: (dialect: Dialect) => readonly string[];
  /** What SQL alone cannot do, after the statements; a new store, having no rows yet, goes without. */
  readonly fill?: (driver: Driver) => Promise<void>;
  /** The tables that it adds, but for `meta`. */
  readonly tables: readonly string[];
}
