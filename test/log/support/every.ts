/** A store in which every kind of entry that is worth a receipt has happened, each by the step that makes it. */
import type { EntryType } from '../../../src/core/entry.ts';
import { isWorthReceipt } from '../../../src/core/receipts.ts';
import { approved, caseOf, handle, hold, value, type Opened } from '../../store/bench.ts';
import * as world from '../../store/world.ts';

/** Everything that can become of an action; answers the index of one entry of each type that is worth a receipt. */
export async function everyKind(opened: Opened): Promise<ReadonlyMap<EntryType, number>> {
  const { store, versions } = opened;
  const run = async (status: 'succeeded' | 'failed'): Promise<void> => {
    const ask = await approved(opened);
    const claimed = caseOf(await store.change(world.claim(ask.asked.id, ask.asked.verdict)));
    if (claimed.execution === null) throw new Error('it did not run');
    value(
      await store.change({
        kind: 'outcome',
        execution: claimed.execution.id,
        by: { kind: 'agent', id: world.agent },
        status,
        detail: 'as reported',
        result: null,
      }),
    );
  };
  await run('succeeded');
  await run('failed');
  // Nobody knows how it ended, until an operator says so.
  const mediated = caseOf(
    await store.change(world.ask(world.allow(versions), { enforcement: 'mediated', execute: true })),
  );
  if (mediated.execution === null) throw new Error('it did not run');
  const execution = mediated.execution.id;
  value(await store.change({ kind: 'lost', execution }));
  value(
    await store.change({
      kind: 'settle',
      execution,
      by: world.oz,
      status: 'succeeded',
      reason: 'seen there',
    }),
  );
  value(await store.change(world.ask(world.deny(versions))));
  const denied = await hold(opened);
  value(await store.change(world.reviewOf(handle(denied.review), world.rosa, 'deny')));
  const withdrawn = await hold(opened);
  if (withdrawn.held.approval === null) throw new Error('it was not held');
  value(
    await store.change({
      kind: 'cancel',
      approval: withdrawn.held.approval.id,
      by: { kind: 'agent', id: world.agent },
      reason: 'no longer needed',
    }),
  );
  const late = await hold(opened);
  opened.later(5 * 3_600_000);
  value(await store.change({ kind: 'due', action: late.held.asked.id }));
  const found = new Map<EntryType, number>();
  for (const { entry } of await store.entries(-1, 1000))
    if (isWorthReceipt(entry)) found.set(entry.type, entry.index);
  return found;
}
