/**
 * What grows for ever and is found by its number: `entries` and `leaves`, which on PostgreSQL are cut into ranges of indices, and
 * so of time (docs/decisions/029-partitions.md says what is cut, and why the rest is not). SQLite keeps them whole.
 *
 * Promises: there is always room for more than a partition's worth of entries ahead of the log, or somebody is making it; making
 * it takes no lock that an action waits for, and is done by whichever gate sees first that it is needed, on a connection of its own. Making it twice harms nothing.
 */
import { integer, text } from './columns.ts';
import { SqlFault, type Driver, type Queries } from './driver.ts';

/** The tables, by `idx`; the tree has no leaf of an entry that is not there, so both are cut at the same places. */
export const partitioned = ['entries', 'leaves'] as const;
type Partitioned = (typeof partitioned)[number];

/** Rows of the first partitions: small enough for one `VACUUM` or index to be made in minutes, large enough to be few. */
export const partitionRows = 4_194_304;
/** A later partition has at least this share of all that is before it, so that their number grows by the logarithm. */
const share = 16;

/** @returns how many rows the partition that begins at an index has: a power of two from `least` on, where `least` is one. */
export const rowsFrom = (from: number, least: number): number =>
  Math.max(least, 2 ** Math.floor(Math.log2(Math.max(1, from / share))));

/** Where the first partition of a log of this size ends: at least half a partition ahead of it. */
export const firstEnd = (size: number, least: number): number =>
  Math.max(1, Math.ceil(size / least + 1 / 2)) * least;

const partitionName = (table: Partitioned, from: number): string => `${table}_p${from}`;

const selectBounds = `SELECT pg_get_expr(c.relpartbound, c.oid) AS bound
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = to_regclass($1)`;

/** The index from which on a table has no room. */
async function endOf(db: Queries, table: Partitioned): Promise<number> {
  const rows = await db.query(selectBounds, [table]);
  // FOR VALUES FROM ('0') TO ('4194304')
  const ends = rows.map((row) => Number(/ TO \('?(\d+)'?\)$/.exec(text(row, 'bound'))?.[1] ?? Number.NaN));
  const end = Math.max(...ends);
  if (!Number.isSafeInteger(end)) throw new SqlFault(`nobody knows how ${table} is cut`, 'database');
  return end;
}

/** The index from which on one of the tables has no room. */
export const roomOf = async (db: Queries): Promise<number> =>
  Math.min(...(await Promise.all(partitioned.map((table) => endOf(db, table)))));

/** Whether a log of this size has less room than it is to have. */
export const isNarrow = (size: number, room: number, least: number): boolean =>
  room - size < rowsFrom(size, least);

/**
 * Makes partitions until a log of this size has room. Outside a transaction: what a crash leaves half made is gone on with, and
 * whoever finds that another was faster looks again. @returns where the room ends now.
 */
export async function makeRoom(driver: Driver, size: number, least: number = partitionRows): Promise<number> {
  for (const table of partitioned) {
    for (let end = await endOf(driver, table); isNarrow(size, end, least);) {
      await makeNext(driver, { table, from: end, to: end + rowsFrom(end, least) });
      end = await endOf(driver, table);
    }
  }
  return roomOf(driver);
}

/**
 * `ATTACH` locks the whole table against other changes of its form, and against nothing that reads or writes. Gates that do it at
 * once are in each other's way for a moment: whoever fails looks, and tries again.
 */
async function makeNext(
  driver: Driver,
  { table, from, to }: { readonly table: Partitioned; readonly from: number; readonly to: number },
): Promise<void> {
  const name = partitionName(table, from);
  for (let tries = 1; ; tries += 1) {
    try {
      await driver.run(`CREATE TABLE IF NOT EXISTS ${name} (LIKE ${table} INCLUDING ALL)`);
      await driver.run(`ALTER TABLE ${table} ATTACH PARTITION ${name} FOR VALUES FROM (${from}) TO (${to})`);
      return;
    } catch (error) {
      if ((await endOf(driver, table)) > from) return;
      if (tries >= triesMax) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

const triesMax = 20;
const pauseMs = 50;

type Closable = Driver & { close(): Promise<void> };

/** Looks after the room of one gate's store. */
export class Room {
  readonly #open: () => Closable;
  readonly #least: number;
  readonly #closed = Promise.withResolvers<'closed'>();
  #end: number;
  #size = 0;
  #making: Promise<void> | undefined;

  /** @param end as `roomOf` says. @param open a connection to make partitions with. */
  constructor(end: number, open: () => Closable, least: number = partitionRows) {
    this.#end = end;
    this.#open = open;
    this.#least = least;
  }

  /**
   * Called before and after each flush, and with the log's size where it is known; costs a comparison, unless room must be made,
   * which nobody waits for.
   */
  look(size = 0): void {
    this.#size = Math.max(this.#size, size);
    if (this.#making === undefined && isNarrow(this.#size, this.#end, this.#least))
      this.#making = this.#make().then((made) => {
        this.#making = undefined;
        // The log may have grown by more meanwhile.
        if (made) this.look();
      });
  }

  async close(): Promise<void> {
    this.#closed.resolve('closed');
    // What is being made when it is closed may show that more is to be made; nobody waits for that.
    await this.#making;
  }

  /** Until there is room: what fails is tried again, and there is a partition's worth of room meanwhile. False: closed before. */
  async #make(): Promise<boolean> {
    for (;;) {
      try {
        const driver = this.#open();
        try {
          this.#end = await makeRoom(driver, this.#size, this.#least);
          return true;
        } finally {
          await driver.close();
        }
      } catch {
        const late = new Promise<void>((resolve) => setTimeout(resolve, againMs).unref());
        if ((await Promise.race([late, this.#closed.promise])) === 'closed') return false;
      }
    }
  }
}

/** How soon making room is tried again. */
const againMs = 1_000;

const rangeName = (table: Partitioned): string => `${table}_range`;

interface Whole {
  readonly whole: boolean;
  readonly checked: 'no' | 'not valid' | 'valid';
  readonly end: number;
}

/** How a table is now, before it was cut. */
async function wholeOf(driver: Driver, table: Partitioned, least: number): Promise<Whole> {
  const [kind] = await driver.query(
    "SELECT CASE WHEN relkind = 'r' THEN 1 ELSE 0 END AS whole FROM pg_class WHERE oid = to_regclass($1)",
    [table],
  );
  const [check] = await driver.query(
    `SELECT CASE WHEN convalidated THEN 1 ELSE 0 END AS valid, pg_get_constraintdef(oid) AS means
      FROM pg_constraint WHERE conrelid = to_regclass($1) AND conname = $2`,
    [table, rangeName(table)],
  );
  const [head] = await driver.query('SELECT size FROM log_head WHERE one = 1');
  const size = head === undefined ? 0 : integer(head, 'size');
  const end =
    check === undefined ? firstEnd(size, least) : Number(/idx < '?(\d+)/.exec(text(check, 'means'))?.[1]);
  return {
    whole: kind !== undefined && integer(kind, 'whole') === 1,
    checked: check === undefined ? 'no' : integer(check, 'valid') === 1 ? 'valid' : 'not valid',
    end,
  };
}

/**
 * Before the tables of an earlier version are cut: proves that all that is there belongs into the first partition. It reads the
 * table whole, while others read and write it, so that the cut itself reads nothing. Outside a transaction; may be done again.
 */
export async function prove(driver: Driver, least: number = partitionRows): Promise<void> {
  if (driver.dialect.kind !== 'postgres') return;
  for (const table of partitioned) {
    const { whole, checked, end } = await wholeOf(driver, table, least);
    if (!whole || checked === 'valid') continue;
    if (checked === 'no')
      await driver.run(
        `ALTER TABLE ${table} ADD CONSTRAINT ${rangeName(table)} CHECK (idx >= 0 AND idx < ${end}) NOT VALID`,
      );
    await driver.run(`ALTER TABLE ${table} VALIDATE CONSTRAINT ${rangeName(table)}`);
  }
}

/** Indexes beside the primary key, which partitions have too; what is behind `ON table`. */
const indexes: Readonly<Record<Partitioned, Readonly<Record<string, string>>>> = {
  entries: {
    entries_action: '(action_ord, idx) WHERE action_ord IS NOT NULL',
    entries_stray: '(stray_action, idx) WHERE stray_action IS NOT NULL',
  },
  leaves: {},
};

/** Makes each table the first partition of itself: names change, no row moves. In a transaction; `prove` has made it short. */
export async function cut(driver: Driver, least: number = partitionRows): Promise<void> {
  if (driver.dialect.kind !== 'postgres') return;
  for (const table of partitioned) {
    const { whole, checked, end } = await wholeOf(driver, table, least);
    if (!whole) continue;
    const first = partitionName(table, 0);
    await driver.run(`ALTER TABLE ${table} RENAME TO ${first}`);
    await driver.run(`ALTER TABLE ${first} RENAME CONSTRAINT ${table}_pkey TO ${first}_pkey`);
    for (const name of Object.keys(indexes[table]))
      await driver.run(`ALTER INDEX ${name} RENAME TO ${name.replace(table, first)}`);
    await driver.run(`CREATE TABLE ${table} (LIKE ${first}) PARTITION BY RANGE (idx)`);
    await driver.run(`ALTER TABLE ${table} ADD CONSTRAINT ${table}_pkey PRIMARY KEY (idx)`);
    for (const [name, on] of Object.entries(indexes[table]))
      await driver.run(`CREATE INDEX ${name} ON ${table} ${on}`);
    await driver.run(`ALTER TABLE ${table} ATTACH PARTITION ${first} FOR VALUES FROM (0) TO (${end})`);
    // The partition's own bounds say the same from now on.
    if (checked !== 'no') await driver.run(`ALTER TABLE ${first} DROP CONSTRAINT ${rangeName(table)}`);
  }
}
