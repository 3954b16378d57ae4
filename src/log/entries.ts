/** What the publisher reads of the log, and the one entry that it writes by itself. */
import { aboutNothing } from '../core/entry.ts';
import { rfc3339 } from '../core/time.ts';
import { leavesPerPublishing, type LogStore, type Published, type RawEntry } from '../ports/log-store.ts';
import type { Store } from '../ports/store.ts';
import { wrongIn, type Upto, type Wrong } from './check.ts';

/** Entries in one read. */
const pageMax = 1000;

/** Entries from an index, in their order, at most `leavesPerPublishing`. */
export async function readBatch(
  store: Pick<LogStore, 'rawEntries'>,
  from: number,
): Promise<readonly RawEntry[]> {
  const entries: RawEntry[] = [];
  for (let full = true; full && entries.length < leavesPerPublishing;) {
    const wanted = Math.min(leavesPerPublishing - entries.length, pageMax);
    const page = await store.rawEntries(from + entries.length, wanted);
    entries.push(...page);
    full = page.length === wanted;
  }
  return entries;
}

/** What the entries after the published ones must follow from. */
export async function readUpto(
  store: Pick<LogStore, 'rawEntries'>,
  { size, head }: Published,
): Promise<Upto> {
  const [last] = size === 0 ? [] : await store.rawEntries(size - 1, 1);
  return { size, head, atMs: last?.atMs ?? 0 };
}

/** What is wrong in the next batch; null: nothing is. */
export const wrongAhead = async (
  store: Pick<LogStore, 'rawEntries'>,
  published: Published,
): Promise<Wrong | null> => wrongIn(await readBatch(store, published.size), await readUpto(store, published));

/** Says that the gate ran, and that nothing happened since a time; false where it could not be written. */
export async function recordHeartbeat(store: Pick<Store, 'change'>, sinceMs: number): Promise<boolean> {
  const data = { since: rfc3339(sinceMs) };
  const result = await store.change({
    kind: 'record',
    entries: [{ type: 'log.heartbeat', by: { kind: 'gate' }, about: aboutNothing, subject: null, data }],
  });
  return result.ok;
}
