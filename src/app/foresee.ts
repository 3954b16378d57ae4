/**
 * What asking would answer, without asking: the same judgement and the same step of core as `authorize`, on rows that are only
 * read. Nothing is stored, nothing is entered in the log, nobody is told.
 *
 * Promise: as if nothing like it had been asked before. What people approved or denied earlier is no part of the answer: an
 * approval is good for one run, and only its grant gives that.
 */
import { changeConflictMs } from '../core/conflict.ts';
import type { AskCommand } from '../core/command.ts';
import type { Case } from '../core/case.ts';
import type { Loaded } from '../core/loaded.ts';
import type { Refusal } from '../core/refusal.ts';
import { err, ok, type Result } from '../core/result.ts';
import { needsOf, step } from '../core/steps/step.ts';
import { askCommandOf, askingOf, nothingSeen, type Attempt } from './authorize.ts';
import { keptChanging, Stale, whileStale } from './stale.ts';
import { auditUnavailable } from './unwritten.ts';
import type { Parts } from './parts.ts';

/** The case that asking would make; it does not exist. A refusal is what asking would be refused with. */
export async function foresee(parts: Parts, attempt: Attempt): Promise<Result<Case, Refusal>> {
  const { writable, detail } = parts.store.health();
  if (!writable) return err(auditUnavailable(detail ?? 'the store cannot be written'));
  const asking = askingOf(parts, attempt);
  const foreseen = await whileStale<Result<Case, Refusal>>(parts, async () => {
    // No upstream is read for somebody who does not ask.
    const command = await askCommandOf(parts, asking, nothingSeen);
    if (command === null) throw new TypeError('nothing was left to look at');
    const { answer } = step(command, await loadedFor(parts, command));
    if (answer.ok) {
      if (answer.value.kind !== 'case') throw new TypeError('ask answers a case');
      return ok(answer.value.case);
    }
    return answer.error.kind === 'refused' ? err(answer.error.refusal) : new Stale(attempt.operation);
  });
  return foreseen ?? err(keptChanging('ask'));
}

/** What the transaction of this command would read, but for an earlier case. */
async function loadedFor({ store }: Parts, command: AskCommand): Promise<Loaded> {
  // The time that it was judged at: what is counted is counted for it.
  const nowMs = command.asked.atMs;
  const { recent, crowd } = needsOf(command);
  const counted = recent === undefined || recent === 'of case' ? undefined : recent.operation;
  const [versions, directory, changes, delegations, stops, unsafe, glasses, rows, waits] = await Promise.all([
    store.versions(),
    store.directory(),
    store.changes(nowMs - changeConflictMs),
    store.delegations(),
    store.stops(),
    store.unsafe(),
    store.openGlasses(),
    counted === undefined ? [] : store.recent(counted),
    crowd === undefined ? null : store.crowd(crowd),
  ]);
  return {
    case: null,
    tools: [],
    link: null,
    used: false,
    recent: rows,
    crowd: waits,
    tokens: [],
    change: null,
    begun: [],
    passkeys: [],
    stops,
    unsafe,
    glasses,
    versions,
    directory,
    changes,
    delegations,
    nowMs,
    // What is foreseen is written nowhere.
    nextIndex: 0,
  };
}
