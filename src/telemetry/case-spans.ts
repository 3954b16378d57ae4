/**
 * The spans of an approval: none is open while people think. There is a short one when it opens, one for each review, one when it is
 * decided, and one for its execution; each is linked to the span of whoever asked, whose traceparent is kept with the action, and
 * lies within the span of the request that did it.
 */
import { approvalStatusOf, type Case } from '../core/case.ts';
import type { Command } from '../core/command.ts';
import type { Attributes, Tracing } from '../ports/tracing.ts';

/** Names of spans; the same words as the entries of the log. */
export const spanNames = {
  opened: 'countersign.approval.opened',
  reviewed: 'countersign.approval.reviewed',
  decided: 'countersign.approval.decided',
  execution: 'countersign.execution',
} as const;

/** Ids, and how the gate deals with it: nothing that an agent wrote but the operation's name, which is configured or pinned. */
export const attributesOf = (held: Case): Attributes => ({
  'countersign.action.id': held.asked.id,
  'countersign.operation': held.asked.action.operation,
  'countersign.agent.id': held.asked.action.agent,
  'countersign.verdict': held.asked.verdict.effect,
  ...(held.asked.mode === 'observe' ? { 'countersign.mode': 'observe' } : {}),
  ...(held.approval === null ? {} : { 'countersign.approval.id': held.approval.id }),
  ...(held.execution === null ? {} : { 'countersign.execution.id': held.execution.id }),
});

/** Makes the spans of one command that changed a case. `startMs`: when it was sent. */
export function traceCase(
  tracing: Tracing,
  command: Command,
  held: Case,
  { startMs, people }: { readonly startMs: number; readonly people: boolean },
): void {
  const { kind } = command;
  if (kind === 'ask') tracing.current.set(attributesOf(held));
  if (held.approval === null) return;
  const short = (name: string, more: Attributes): void => {
    const attributes = { ...attributesOf(held), ...more };
    tracing.start({ name, kind: 'internal', attributes, links: [held.asked.trace], startMs }).end();
  };
  const ends = held.ending !== null;
  if (kind === 'ask') short(spanNames.opened, {});
  if (kind === 'review') {
    const who = people ? held.reviews.at(-1)?.person : undefined;
    short(spanNames.reviewed, {
      'countersign.review.decision': command.proposed.decision,
      'countersign.review.channel': command.proposed.channel,
      ...(who === undefined ? {} : { 'countersign.person.id': who }),
    });
  }
  if (kind === 'review' ? ends || held.grant !== null : ends && mayEnd.has(kind))
    short(spanNames.decided, {
      'countersign.approval.status': approvalStatusOf(held, Number.NEGATIVE_INFINITY),
      ...(held.ending === null ? {} : { 'countersign.code': held.ending.code }),
    });
  // What the gate itself runs has a span while it runs (app/execute.ts).
  const reported = kind === 'outcome' && command.by.kind === 'agent';
  if (reported || kind === 'lost' || (kind === 'due' && held.execution !== null)) traceRun(tracing, held);
}

/** Commands by which an approval ends without a review. */
const mayEnd: ReadonlySet<Command['kind']> = new Set(['cancel', 'due', 'claim']);

/** A run that this gate has not seen: from its start, as the store has it. */
function traceRun(tracing: Tracing, held: Case): void {
  const { execution } = held;
  if (execution === null) return;
  const span = tracing.start({
    name: spanNames.execution,
    kind: 'internal',
    attributes: { ...attributesOf(held), 'countersign.execution.status': execution.status },
    links: [held.asked.trace],
    startMs: execution.startedAtMs,
  });
  if (execution.status !== 'succeeded') span.fail(execution.status);
  span.end(execution.endedAtMs ?? undefined);
}
