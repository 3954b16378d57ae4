/**
 * Approvals by HTTP: people read what they may, and decide with a bearer token of their own. Every decision ends in one
 * command of the store (app/review.ts); no rule about who may approve is here.
 */
import { asApprovalId, asDigest, type ApprovalId } from '../../core/ids.ts';
import type { Channel } from '../../core/case.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import { err, ok, type Result } from '../../core/result.ts';
import {
  cancel as cancelHeld,
  listHeld,
  readHeld,
  reasonCharsMax,
  review as reviewHeld,
} from '../../app/review.ts';
import { toldWhere } from '../../app/telling.ts';
import { tell, waited } from './actions.ts';
import { Fields, readBody } from './body.ts';
import { idIn, limitOf, waitMsOf, type Call, type Handler } from './call.ts';
import { idempotencyOf } from './idempotency.ts';
import { assertionOf } from './passkeys.ts';
import { approvalView, toldView, viewerOf } from './views.ts';

/** Characters of `sha256:` and 64 digits. */
const digestChars = 71;

const approvalOf = (call: Call): Result<ApprovalId, Refusal> => {
  const id = idIn(call, 'approval', 'apr');
  return id.ok ? ok(asApprovalId(id.value)) : id;
};

const statuses = ['pending', 'closed', 'all'] as const;

/** `GET /v1/approvals?status=&after=&limit=`: what the caller may see, newest first. */
export const list: Handler = async (call) => {
  const limit = limitOf(call);
  if (!limit.ok) return limit;
  const { searchParams } = call.url;
  const said = searchParams.get('status') ?? 'all';
  const status = statuses.find((one) => one === said);
  if (status === undefined)
    return err(refuse('input_invalid', `"status" must be ${statuses.join(', ')}.`, { parameter: 'status' }));
  const after = searchParams.get('after');
  const page = await listHeld(call.parts, call.by, {
    status,
    limit: limit.value,
    ...(after === null ? {} : { after: asApprovalId(after) }),
  });
  const viewer = await viewerOf(call.parts, call.by);
  const items = page.items.map((held) => approvalView(held, viewer));
  return ok({ status: 200, body: { items, ...(page.next === undefined ? {} : { next: page.next }) } });
};

/** `GET /v1/approvals/ID?wait=`. */
export const show: Handler = async (call) => {
  const waitMs = waitMsOf(call);
  if (!waitMs.ok) return waitMs;
  const id = approvalOf(call);
  if (!id.ok) return id;
  const found = await readHeld(call.parts, call.by, id.value);
  if (!found.ok) return found;
  const held = await waited(call, found.value, waitMs.value);
  const view = approvalView(held, await viewerOf(call.parts, call.by));
  const body =
    call.by.kind === 'person' ? { ...view, told: toldView(await toldWhere(call.parts, id.value)) } : view;
  await tell(call, held);
  return ok({ status: 200, body });
};

/** Our command line says so, because a policy may ask for a channel; what it proves is the same bearer token. */
function channelOf(call: Call): Result<Channel, Refusal> {
  const said = call.request.headers.get('x-countersign-channel');
  if (said === null) return ok('api');
  return said === 'cli'
    ? ok('cli')
    : err(
        refuse('input_invalid', 'X-Countersign-Channel can only be "cli".', {
          header: 'x-countersign-channel',
        }),
      );
}

/** `POST /v1/approvals/ID/reviews`. Who may review is judged by core, whoever calls: an agent is told that it is none. */
export const review: Handler = async (call) => {
  const id = approvalOf(call);
  if (!id.ok) return id;
  const channel = channelOf(call);
  if (!channel.ok) return channel;
  const body = await readBody(call.request);
  if (!body.ok) return body;
  const fields = new Fields(body.value);
  const said = {
    decision: fields.word('decision', ['approve', 'deny']),
    digest: asDigest(fields.text('digest', digestChars)),
    reason: fields.optionalText('reason', reasonCharsMax),
    unsafe: fields.flag('unsafe'),
  };
  const proof = fields.optionalObject('proof');
  const refusal = fields.refusal();
  if (refusal !== undefined) return err(refusal);
  if (said.unsafe && said.decision === 'approve') {
    return err(refuse('input_invalid', '"unsafe" belongs to a denial.', { pointer: '/unsafe' }));
  }
  const idempotency = idempotencyOf(call, body.value);
  if (!idempotency.ok) return idempotency;
  const reviewed = await reviewHeld(call.parts, call.by, id.value, {
    ...said,
    channel: channel.value,
    // Whoever calls the API shows what it got; it got the whole action.
    shownWhole: true,
    ...(proof === null ? {} : { assertion: assertionOf(proof) }),
    ...(idempotency.value === undefined ? {} : { idempotency: idempotency.value }),
  });
  if (!reviewed.ok) return reviewed;
  return ok({ status: 201, body: approvalView(reviewed.value, await viewerOf(call.parts, call.by)) });
};

/** `POST /v1/approvals/ID/cancel`: the agent withdraws, or a person stops it. */
export const cancel: Handler = async (call) => {
  const id = approvalOf(call);
  if (!id.ok) return id;
  const body = await readBody(call.request);
  if (!body.ok) return body;
  const fields = new Fields(body.value);
  const reason = fields.optionalText('reason', reasonCharsMax);
  const refusal = fields.refusal();
  if (refusal !== undefined) return err(refusal);
  const idempotency = idempotencyOf(call, body.value);
  if (!idempotency.ok) return idempotency;
  const said = { reason, ...(idempotency.value === undefined ? {} : { idempotency: idempotency.value }) };
  const cancelled = await cancelHeld(call.parts, call.by, id.value, said);
  if (!cancelled.ok) return cancelled;
  await tell(call, cancelled.value);
  return ok({ status: 200, body: approvalView(cancelled.value, await viewerOf(call.parts, call.by)) });
};
