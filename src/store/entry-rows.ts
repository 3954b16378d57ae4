/**
 * Writing the entries of one transaction. Over a network each statement costs a round trip while every other writer waits, so
 * there they are kept back and go many in a statement; where the database is in this process, each goes at once.
 */
import { put, type Driver, type SqlValue } from './driver.ts';

const columns = 'idx, at_ms, type, action_ord, stray_action, statement, pae, head';
const width = 8;

/** Entries of one statement: few sizes, so that few statements are prepared. */
const sizes = [64, 16, 4, 1] as const;

const insertOf = (size: number): string => {
  const row = (at: number): string =>
    `(${Array.from({ length: width }, (_, column) => `$${at * width + column + 1}`).join(', ')})`;
  return `INSERT INTO entries (${columns}) VALUES ${Array.from({ length: size }, (_, at) => row(at)).join(', ')}`;
};
const inserts: ReadonlyMap<number, string> = new Map(sizes.map((size) => [size, insertOf(size)]));

export class EntryRows {
  readonly #driver: Driver;
  #rows: (readonly SqlValue[])[] = [];

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  /** @param row the values of an entry, in the order of the columns. */
  async add(row: readonly SqlValue[]): Promise<void> {
    this.#rows.push(row);
    if (this.#driver.dialect.kind === 'sqlite' || this.#rows.length >= sizes[0]) await this.write();
  }

  /** Sends what was kept back. */
  async write(): Promise<void> {
    const rows = this.#rows;
    this.#rows = [];
    for (let at = 0; at < rows.length;) {
      const size = sizes.find((one) => one <= rows.length - at) ?? 1;
      await put(this.#driver, inserts.get(size) ?? insertOf(size), rows.slice(at, at + size).flat());
      at += size;
    }
  }

  /** What was kept back belongs to what was rolled back. */
  forget(): void {
    this.#rows = [];
  }
}
