/** The part of the log that the evidence is made of: its heads, the checkpoints around it, and the keys that signed. */
import type { CheckpointRef, LogRange, Tier } from '../core/evidence/model.ts';
import type { StoredCheckpoint } from '../ports/log-store.ts';
import type { Store } from '../ports/store.ts';
import type { Indexes } from './evidence-history.ts';

type Reading = Pick<Store, 'rawEntries' | 'checkpointCovering' | 'logKeys'>;

export async function logRange(
  store: Reading,
  { from, to }: Indexes,
  { quorum, fromMs }: { readonly quorum: number; readonly fromMs: number },
): Promise<LogRange> {
  const headAt = async (index: number) =>
    index < 0 ? null : ((await store.rawEntries(index, 1))[0]?.head ?? null);
  const start = from === 0 ? undefined : await store.checkpointCovering(from);
  const end = to === 0 ? undefined : await store.checkpointCovering(to);
  const keys = await store.logKeys();
  return {
    origin: end?.origin ?? keys.find((one) => one.origin !== null)?.origin ?? null,
    from,
    to: to - 1,
    count: to - from,
    headBefore: await headAt(from - 1),
    headAfter: await headAt(to - 1),
    start: start === undefined ? null : refOf(start),
    end: end === undefined ? null : refOf(end),
    tier: tierOf(end, quorum),
    quorum,
    keys: keys.filter(
      (one) =>
        (end === undefined || one.begunAtMs <= end.atMs) &&
        (one.endedAtMs === null || one.endedAtMs >= fromMs),
    ),
  };
}

/** A witness that signed twice is one witness. */
function tierOf(end: StoredCheckpoint | undefined, quorum: number): Tier {
  if (end === undefined) return 'unpublished';
  const witnesses = new Set(end.cosignatures.map((one) => one.key));
  return witnesses.size >= Math.max(1, quorum) ? 'witnessed' : 'tamper-detecting';
}

const refOf = (one: StoredCheckpoint): CheckpointRef => ({
  origin: one.origin,
  size: one.size,
  root: one.root,
  note: one.note,
  atMs: one.atMs,
  cosignedBy: one.cosignatures.map(({ key }) => key),
  cosignatures: one.cosignatures.map((each) => each.line),
  stamp: one.stamp,
  stampedAtMs: one.stampedAtMs,
});
