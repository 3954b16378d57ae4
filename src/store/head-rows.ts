/** The row that every writer locks last and writes last: the log's size and its newest digest, and what writers tell each other. */
import { asSha256Hex, type Sha256Hex } from '../core/ids.ts';
import { integer, integerOrNull, text } from './columns.ts';
import { SqlFault, type Driver, type Queries } from './driver.ts';

export interface HeadRow {
  readonly size: number;
  readonly head: Sha256Hex;
  /** When the last entry was written: no later entry has an earlier time. */
  readonly atMs: number;
  /**
   * Larger after each commit that changed the world that actions are judged in: while it stands, what was read of it holds. It is
   * no count, but as large as the time at least: a database that went back in a failover comes to no number a second time.
   */
  readonly world: number;
  /** The lowest schema whose programs may write. */
  readonly writers: number;
}

const columns = 'size, head, at_ms, world, writers';

const headOf = (row: Readonly<Record<string, string | number | null>> | undefined): HeadRow => {
  if (row === undefined) throw new SqlFault('the log has no head', 'database');
  return {
    size: integer(row, 'size'),
    head: asSha256Hex(text(row, 'head')),
    atMs: integer(row, 'at_ms'),
    world: integer(row, 'world'),
    writers: integer(row, 'writers'),
  };
};

export async function readHead(from: Queries): Promise<HeadRow> {
  const [row] = await from.query(`SELECT ${columns} FROM log_head WHERE one = 1`);
  return headOf(row);
}

/**
 * Takes the row until the end of the transaction. With the database's time, where that decides: it is read once the row is had,
 * outside of the query that waits for it, for a row that nobody changed meanwhile is not evaluated anew.
 */
export async function lockHead(
  driver: Driver,
): Promise<{ readonly head: HeadRow; readonly nowMs: number | null }> {
  const { forUpdate, nowMs } = driver.dialect;
  const [row] = await driver.query(
    `SELECT ${columns}, ${nowMs} AS now_ms FROM (SELECT ${columns} FROM log_head WHERE one = 1${forUpdate}) AS had`,
  );
  return { head: headOf(row), nowMs: row === undefined ? null : integerOrNull(row, 'now_ms') };
}

export const updateHead = 'UPDATE log_head SET size = $1, head = $2, at_ms = $3, world = $4 WHERE one = 1';

/** The values of `updateHead`. */
export const headValues = ({ size, head, atMs, world }: HeadRow): readonly (string | number)[] => [
  size,
  head,
  atMs,
  world,
];
