/**
 * Running what the gate asked for itself in the very transaction of its last approval: approved, run and done, or nothing of
 * it. Which operation does what is decided in `carryOut`; a change of the configuration is none of these (steps/config.ts).
 */
import { gateExecutionId } from '../gate-operations.ts';
import { glassOperation } from '../glass.ts';
import type { Case, Execution } from '../case.ts';
import type { EntryDraft } from '../entry.ts';
import type { Loaded, Step, Write } from '../loaded.ts';
import type { Refusal } from '../refusal.ts';
import { changed, closedNotices, ended, entryOf } from './common.ts';
import { openGlass } from './glass-open.ts';

/** Its last approval has come: what is done with it, and written with it. `refusal`: it cannot be done (any more). */
export type CarriedOut =
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | {
      readonly kind: 'done';
      /** One sentence: the execution's detail. */
      readonly detail: string;
      readonly writes: readonly Write[];
      readonly entries: readonly EntryDraft[];
      readonly notices: Step['notices'];
    };

/** Undefined for what is not done at once. */
export const carryOut = (approved: Case, loaded: Loaded): CarriedOut | undefined =>
  approved.asked.action.operation === glassOperation ? openGlass(approved, loaded) : undefined;

/**
 * The case with its run, started and over at once: approved, granted, run and done in one transaction.
 * @param held before the review. `approved`: with it, and with its grant. `recorded`: entries of the review and of the approval.
 */
export function ranAtOnce(
  held: Case,
  { approved, recorded }: { readonly approved: Case; readonly recorded: readonly EntryDraft[] },
  out: CarriedOut,
  nowMs: number,
): Step {
  const gate = { kind: 'gate' } as const;
  if (out.kind === 'refused') {
    const { code, detail } = out.refusal;
    const { approval, reviews } = approved;
    const over = ended(
      { ...held, reviews, approval: approval === null ? null : { ...approval, approvedAtMs: null } },
      { atMs: nowMs, code, reason: detail, by: gate },
    );
    const denied = entryOf(over, 'approval.denied', gate, { code, reason: detail });
    const [review] = recorded;
    return changed(held, over, [...(review === undefined ? [] : [review]), denied], closedNotices(held));
  }
  const execution: Execution = {
    id: gateExecutionId(approved.asked.id),
    status: 'started',
    startedAtMs: nowMs,
    endedAtMs: null,
    outcomeBy: null,
    detail: null,
    result: null,
  };
  const grant = approved.grant === null ? null : { ...approved.grant, consumedAtMs: nowMs };
  const started: Case = { ...approved, grant, execution };
  const done: Case = {
    ...started,
    execution: {
      ...execution,
      status: 'succeeded',
      endedAtMs: nowMs,
      outcomeBy: 'gate',
      detail: out.detail,
    },
  };
  const { digest, action } = held.asked;
  const run = { digest, enforcement: action.enforcement, grant: approved.grant?.index };
  const step = changed(held, done, [
    ...recorded,
    entryOf(started, 'execution.started', gate, run),
    ...out.entries,
    entryOf(done, 'execution.succeeded', gate, { outcomeBy: 'gate', detail: out.detail }),
  ]);
  return {
    ...step,
    // Each as the store's own guards want it: a grant is there before it is consumed, a run before it is over.
    writes: [
      { row: 'case', before: held, next: approved },
      { row: 'case', before: approved, next: started },
      { row: 'case', before: started, next: done },
      ...out.writes,
    ],
    notices: [...closedNotices(held), ...out.notices],
  };
}
