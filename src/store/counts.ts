/**
 * Counters of one transaction: how much waits for whom, and what was granted lately. They are read once, and what is added is
 * kept until the end and written as sums: many jobs of one flush count the same agent, operation and people, and each version of
 * a row that a transaction makes is a row more on the disk.
 */
import { everMinute, minuteOf } from '../core/recent.ts';
import { integer, text } from './columns.ts';
import { put, type Driver, type Queries, type SqlValue } from './driver.ts';

/** Names in one question: few sizes, so that few statements are prepared; what is left over repeats the last name. */
const sizes = [1, 4, 16, 64] as const;
const sizeMax = 64;

const sizeFor = (count: number): number => sizes.find((size) => size >= count) ?? sizeMax;

/** How much waits for each of these; none where there is no row. */
export async function readWaiting(
  from: Queries,
  names: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for (let at = 0; at < names.length; at += sizeMax) {
    const some = names.slice(at, at + sizeMax);
    const size = sizeFor(some.length);
    const list = Array.from({ length: size }, (_, n) => `$${n + 1}`).join(', ');
    const values = Array.from({ length: size }, (_, n) => some[n] ?? some.at(-1) ?? '');
    const rows = await from.query(`SELECT who, n FROM waiting WHERE who IN (${list})`, values);
    for (const row of rows) found.set(text(row, 'who'), integer(row, 'n'));
  }
  return found;
}

const rowsOf = (count: number, width: number): string =>
  Array.from(
    { length: count },
    (_, row) =>
      `(${Array.from({ length: width }, (__, column) => `$${row * width + column + 1}`).join(', ')})`,
  ).join(', ');

const addWaiting = (count: number): string => `INSERT INTO waiting (who, n) VALUES ${rowsOf(count, 2)}
  ON CONFLICT (who) DO UPDATE SET n = waiting.n + excluded.n`;

/** The sum stays at the largest exact number instead of running over. */
const addRecent = (count: number): string => `INSERT INTO recent (operation, agent, minute, count, sum)
  VALUES ${rowsOf(count, 5)}
  ON CONFLICT (operation, agent, minute) DO UPDATE SET count = recent.count + excluded.count,
    sum = CASE WHEN recent.sum > ${Number.MAX_SAFE_INTEGER} - excluded.sum THEN ${Number.MAX_SAFE_INTEGER}
      ELSE recent.sum + excluded.sum END`;

interface Granted {
  readonly operation: string;
  readonly agent: string;
  readonly minute: number;
  readonly count: number;
  readonly sum: number;
}

export class Counts {
  readonly #driver: Driver;
  /** As read, with what was added since. */
  readonly #waiting = new Map<string, number>();
  readonly #added = new Map<string, number>();
  readonly #granted = new Map<string, Granted>();

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  /** How much waits for each of these now. */
  async waiting(names: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const unknown = [...new Set(names)].filter((name) => !this.#waiting.has(name));
    const found = await readWaiting(this.#driver, unknown);
    for (const name of unknown)
      this.#waiting.set(name, (found.get(name) ?? 0) + (this.#added.get(name) ?? 0));
    return this.#waiting;
  }

  addWaiting(name: string, step: number): void {
    this.#added.set(name, (this.#added.get(name) ?? 0) + step);
    const known = this.#waiting.get(name);
    if (known !== undefined) this.#waiting.set(name, known + step);
  }

  /** One more grant. @param amount what `context.recent` adds up; null: nothing. */
  addRecent(operation: string, agent: string, atMs: number, amount: number | null): void {
    for (const minute of [minuteOf(atMs), everMinute]) {
      const key = JSON.stringify([operation, agent, minute]);
      const before = this.#granted.get(key) ?? { operation, agent, minute, count: 0, sum: 0 };
      const sum = Math.min(before.sum + (amount ?? 0), Number.MAX_SAFE_INTEGER);
      this.#granted.set(key, { ...before, count: before.count + 1, sum });
    }
  }

  /** Sends what was added. */
  async write(): Promise<void> {
    const waiting = [...this.#added].filter(([, step]) => step !== 0);
    this.#added.clear();
    await this.#send(addWaiting, waiting);
    const granted = [...this.#granted.values()];
    this.#granted.clear();
    await this.#send(
      addRecent,
      granted.map(({ operation, agent, minute, count, sum }) => [operation, agent, minute, count, sum]),
    );
  }

  /** A savepoint was rolled back, and with it what was added. */
  forget(): void {
    this.#waiting.clear();
    this.#added.clear();
    this.#granted.clear();
  }

  async #send(insert: (count: number) => string, rows: readonly (readonly SqlValue[])[]): Promise<void> {
    for (let at = 0; at < rows.length;) {
      const size = sizes.findLast((one) => one <= rows.length - at) ?? 1;
      await put(this.#driver, insert(size), rows.slice(at, at + size).flat());
      at += size;
    }
  }
}
