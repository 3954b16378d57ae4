/** What the forms of an approval's page do. Each ends in one use case of `app`, and answers with the page as it is then. */
import { asDigest, asExecutionId, asApprovalId, type ApprovalId } from '../../core/ids.ts';
import { refuse, statusOf, type Refusal } from '../../core/refusal.ts';
import { displayHash } from '../../core/render/display.ts';
import { exactOf } from '../../core/render/exact.ts';
import { ok, type Result } from '../../core/result.ts';
import type { Case } from '../../core/case.ts';
import { cancel, readHeld, review, settle } from '../../app/review.ts';
import { stopAgent } from '../../app/stops.ts';
import { assertionOf } from '../api/passkeys.ts';
import { approvalPage } from './approval.ts';
import type { Attempted } from './decide.ts';
import { jsonIn, reasonIn } from './form.ts';
import { refusalPage } from './frame.ts';
import { page, seeOther } from './responses.ts';
import type { Visit } from './visit.ts';

/** The fields of a form, each once. */
export type Fields = ReadonlyMap<string, string>;

export async function reviewed(visit: Visit, id: ApprovalId, fields: Fields): Promise<Response> {
  const decision = fields.get('decision');
  if (decision !== 'approve' && decision !== 'deny')
    return refusalPage(visit, refuse('input_invalid', 'This form names no decision; open the page again.'));
  const held = await readHeld(visit.parts, visit.by, id);
  if (!held.ok) return refusalPage(visit, held.error);
  const said = { reason: reasonIn(fields), unsafe: fields.get('unsafe') === 'yes' };
  const proof = jsonIn(fields, 'proof');
  const result = await review(visit.parts, visit.by, id, {
    ...said,
    decision,
    digest: asDigest(fields.get('digest') ?? ''),
    channel: 'web',
    // What this page would show now is what it showed: the action is immutable, and its rendering a function of it.
    shownWhole: exactOf(held.value.asked).whole,
    shown: displayHash(held.value, visit.directory),
    ...(proof === null ? {} : { assertion: assertionOf(proof) }),
    idempotency: visit.once,
  });
  return answered(visit, id, { result, attempted: { form: decision, ...said } });
}

export async function cancelled(visit: Visit, id: ApprovalId, fields: Fields): Promise<Response> {
  const result = await cancel(visit.parts, visit.by, id, {
    reason: reasonIn(fields),
    idempotency: visit.once,
  });
  return answered(visit, id, { result, attempted: { form: 'cancel', reason: null, unsafe: false } });
}

export async function settled(visit: Visit, id: string, fields: Fields): Promise<Response> {
  const status = fields.get('status');
  if (status !== 'succeeded' && status !== 'failed')
    return refusalPage(visit, refuse('input_invalid', 'This form names no outcome; open the page again.'));
  const reason = reasonIn(fields) ?? '';
  const result = await settle(visit.parts, visit.person, asExecutionId(id), {
    status,
    reason,
    idempotency: visit.once,
  });
  return answered(visit, asApprovalId(fields.get('approval') ?? ''), {
    result,
    attempted: { form: 'settle', reason, unsafe: false },
  });
}

/** Stops the agent of what is being looked at: its approvers may, as they may stop the action. */
export async function stoppedHere(visit: Visit, id: ApprovalId, fields: Fields): Promise<Response> {
  const held = await readHeld(visit.parts, visit.by, id);
  if (!held.ok) return refusalPage(visit, held.error);
  const reason = reasonIn(fields);
  const { agent } = held.value.asked.action;
  const result = await sure(fields, reason, () =>
    stopAgent(visit.parts, visit.person, agent, { reason, approval: id, idempotency: visit.once }),
  );
  return answered(visit, id, {
    result: result.ok ? ok(held.value) : result,
    attempted: { form: 'stop', reason, unsafe: false },
  });
}

/** Stopping an agent wants a tick and a reason: it is told the reason, and everything it does ends. */
export async function sure<T>(
  fields: Fields,
  reason: string | null,
  act: () => Promise<Result<T, Refusal>>,
): Promise<Result<T, Refusal>> {
  if (reason === null)
    return { ok: false, error: refuse('reason_required', 'Say why: the agent and its owners are told.') };
  if (fields.get('sure') !== 'yes')
    return {
      ok: false,
      error: refuse('input_invalid', 'Tick that you mean it: everything the agent does ends.'),
    };
  return act();
}

/** Done: back to the page by GET. Refused: the page as it is now, with the words and what was typed. */
async function answered(
  visit: Visit,
  id: ApprovalId,
  { result, attempted }: { readonly result: Result<Case, Refusal>; readonly attempted: Attempted },
): Promise<Response> {
  if (result.ok) return seeOther(`/approvals/${result.value.approval?.id ?? id}`);
  const held = await readHeld(visit.parts, visit.by, id);
  if (!held.ok) return refusalPage(visit, result.error);
  const now = { ...visit, nowMs: visit.parts.clock.nowMs() };
  return page(
    statusOf(result.error.code),
    await approvalPage(now, held.value, { ...attempted, refusal: result.error }),
  );
}
