/** The row that every writer locks first and writes last: the log's size and its newest digest. */
import { asSha256Hex, type Sha256Hex } from '../core/ids.ts';
import { integer, text } from './columns.ts';
import { SqlFault, type Queries } from './driver.ts';

export interface HeadRow {
  readonly size: number;
  readonly head: Sha256Hex;
  /** When the last entry was written: no later entry has an earlier time. */
  readonly atMs: number;
}

export async function readHead(from: Queries, lock = ''): Promise<HeadRow> {
  const [row] = await from.query(`SELECT size, head, at_ms FROM log_head WHERE one = 1${lock}`);
  if (row === undefined) throw new SqlFault('the log has no head', 'database');
  return { size: integer(row, 'size'), head: asSha256Hex(text(row, 'head')), atMs: integer(row, 'at_ms') };
}

export const updateHead = 'UPDATE log_head SET size = $1, head = $2, at_ms = $3 WHERE one = 1';
