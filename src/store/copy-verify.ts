/**
 * Whether the target holds what the source holds: every row of every table as text, their number, `meta`, and the log's chain, computed
 * anew from what the target has. Promise: what is answered was read from both databases after everything was written.
 */
import { createHash, hash } from 'node:crypto';
import type { Key } from './copy-marks.ts';
import { Refused, type Copied, type Watched } from './copy-result.ts';
import { countRows, holdable, keyOf, readPage, rowText, shownKey, type Table } from './copy-tables.ts';
import { metaOf, rowsLike } from './copy-target.ts';
import { again, mustGoOn, patient } from './copy-again.ts';
import { SqlFault, type Driver, type Queries } from './driver.ts';
import type { HeadRow } from './head-rows.ts';
import { checkLog } from './log-check.ts';

export interface Sides {
  readonly source: Driver;
  readonly target: Driver;
  readonly signal: AbortSignal;
  readonly watch: (watched: Watched) => void;
}

const differs = (table: string, what: string): Refused => new Refused({ kind: 'differs', table, what });

/** SHA-256 over all tables' digests; throws a Refused at the first difference. */
export async function compare(
  sides: Sides,
  tables: readonly Table[],
  rows: number,
): Promise<Pick<Copied, 'digest' | 'pictures'>> {
  const digests: string[] = [];
  let before = 0;
  let replaced = 0;
  for (const table of tables) {
    const { count, digest, pictures } = await compareTable(sides, table, (done) =>
      sides.watch({ step: 'compared', done: before + done, of: rows }),
    );
    digests.push(`${table.name} ${count} ${digest}\n`);
    before += count;
    replaced += pictures;
  }
  const [here, there] = [await metaOf(sides.source), await again(() => metaOf(sides.target))];
  const meta = JSON.stringify(here);
  if (meta !== JSON.stringify(there)) throw differs('meta', 'its rows are not the same');
  const digest = hash('sha256', [...digests, `meta ${here.length} ${hash('sha256', meta)}\n`].join(''));
  return { digest, pictures: replaced };
}

async function compareTable(
  { source, target, signal }: Sides,
  table: Table,
  progress: (done: number) => void,
): Promise<{ readonly count: number; readonly digest: string; readonly pictures: number }> {
  const [ours, theirs] = [createHash('sha256'), createHash('sha256')];
  let count = 0;
  let pictures = 0;
  for (let after: Key | null = null; ;) {
    mustGoOn(signal);
    const page = await readPage(source, table, after);
    const read = page.rows.map((row) => holdable(table, row));
    for (const one of read) pictures += one.pictures;
    const rows = read.map(({ row }) => row);
    const last = rows.at(-1);
    if (last === undefined) break;
    const found = await again(() => rowsLike(target, table, rows));
    for (const row of rows) {
      const text = rowText(table, row);
      const there = found.get(JSON.stringify(keyOf(table, row)));
      if (there !== text)
        throw differs(
          table.name,
          `the row ${shownKey(table, row)} ${there === undefined ? 'is not there' : 'is another one there'}`,
        );
      ours.update(text);
      theirs.update(there);
    }
    count += rows.length;
    after = keyOf(table, last);
    progress(count);
    if (page.last) break;
  }
  const there = await countRows(patient(target, signal), table);
  if (there !== count) throw differs(table.name, `${there} rows are there instead of ${count}`);
  const [digest, other] = [ours.digest('hex'), theirs.digest('hex')];
  if (digest !== other) throw differs(table.name, 'its rows have another digest there');
  return { count, digest, pictures };
}

/** The target's log from its first entry to its head, which must be the source's. */
export async function compareLog({ target, signal, watch }: Sides, head: HeadRow): Promise<void> {
  const asked = patient(target, signal);
  let done = 0;
  const counted: Queries = {
    async query(sql, params) {
      const rows = await asked.query(sql, params);
      done = Math.min(done + rows.length, head.size);
      watch({ step: 'entries verified', done, of: head.size });
      return rows;
    },
  };
  try {
    const there = await checkLog(counted);
    if (there.size === head.size && there.head === head.head) return;
    throw differs('log_head', `the log there ends at ${there.head}, and here at ${head.head}`);
  } catch (error) {
    // It is as wrong in the source then, or was changed since it was compared; a lost connection is neither.
    if (error instanceof SqlFault && error.cause === undefined) throw differs('entries', error.message);
    throw error;
  }
}
