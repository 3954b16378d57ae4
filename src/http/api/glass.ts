/** Break-glass by HTTP, for people. Who may is core's (core/steps/glass.ts); an agent that tries is refused, and that is in the log. */
import {
  asGlassId,
  glassMinutesMax,
  glassOperation,
  glassReviewers,
  glassTextCharsMax,
  isOpenGlass,
  type Glass,
  type GlassId,
} from '../../core/glass.ts';
import type { Idempotency } from '../../core/command.ts';
import type { Directory, Principal } from '../../core/directory.ts';
import { asAgentId } from '../../core/ids.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { maskText } from '../../core/secrets.ts';
import { rfc3339 } from '../../core/time.ts';
import { askGlass, endGlass, listGlasses, reviewGlass } from '../../app/glass.ts';
import { glassUrl } from '../../app/notices.ts';
import { recordRefusal } from '../../app/told.ts';
import { operationCharsMax } from './ask.ts';
import { Fields, readBody } from './body.ts';
import { limitOf, type Call, type Handler, type Reply } from './call.ts';
import { idempotencyOf } from './idempotency.ts';
import { approvalView, viewerOf } from './views.ts';

type Person = Extract<Principal, { readonly kind: 'person' }>;

/** Whoever speaks, where that is a person. An agent that would change something is in the log; one that only reads changes nothing. */
async function speaker({ parts, by, request }: Call): Promise<Result<Person, Refusal>> {
  if (by.kind === 'person') return ok(by);
  const refusal = refuse('not_a_person', 'Break-glass is for people; agents have no part in it.');
  const { code, detail } = refusal;
  if (request.method === 'POST')
    await recordRefusal(parts, by.id, { operation: glassOperation, code, detail });
  return err(refusal);
}

/** As people see it who may read it. `reviewers`: who may review it, where that has not been done. */
export function glassView(
  glass: Glass,
  directory: Directory,
  at: { readonly nowMs: number; readonly origin: string },
): object {
  const { id, approval, agent, operation, fromMs, untilMs, asker, approvers, reason, ended, review } = glass;
  const { standing, people } = glassReviewers(glass, directory);
  const open = isOpenGlass(glass, at.nowMs);
  return {
    id,
    status: open ? 'open' : review === null ? 'unreviewed' : 'reviewed',
    agent,
    operation,
    from: rfc3339(fromMs),
    until: rfc3339(untilMs),
    asker,
    approvers,
    reason: maskText(reason),
    approval,
    ended:
      ended === null
        ? null
        : {
            at: rfc3339(ended.atMs),
            why: ended.why,
            by: 'id' in ended.by ? ended.by.id : ended.by.kind,
            reason: ended.reason === null ? null : maskText(ended.reason),
          },
    review:
      review === null
        ? null
        : {
            by: review.by,
            standing: review.standing,
            finding: maskText(review.finding),
            at: rfc3339(review.atMs),
          },
    ...(review === null ? { reviewers: { standing, people } } : {}),
    url: glassUrl(at.origin),
  };
}

/** `GET /v1/break-glass?after=&limit=`: those that the person had a part in or may review; operators and auditors all. Newest first. */
export const list: Handler = async (call) => {
  const person = await speaker(call);
  if (!person.ok) return person;
  const limit = limitOf(call);
  if (!limit.ok) return limit;
  const after = call.url.searchParams.get('after');
  const { parts } = call;
  const query = { limit: limit.value, ...(after === null ? {} : { after: asGlassId(after) }) };
  const [{ items, next }, directory] = await Promise.all([
    listGlasses(parts, person.value.id, query),
    parts.store.directory(),
  ]);
  const at = { nowMs: parts.clock.nowMs(), origin: parts.origin };
  return ok({
    status: 200,
    body: {
      items: items.map((one) => glassView(one, directory, at)),
      ...(next === undefined ? {} : { next }),
    },
  });
};

/** `POST /v1/break-glass`: 202 with the approval that two people decide. */
export const ask: Handler = async (call) => {
  const person = await speaker(call);
  if (!person.ok) return person;
  const body = await readBody(call.request);
  if (!body.ok) return body;
  const fields = new Fields(body.value);
  const agent = fields.text('agent', 64);
  const operation = fields.text('operation', operationCharsMax);
  const reason = fields.text('reason', glassTextCharsMax);
  const minutes = fields.whole('minutes', { min: 1, max: glassMinutesMax });
  const refusal = fields.refusal();
  if (refusal !== undefined) return err(refusal);
  const idempotency = idempotencyOf(call, body.value);
  if (!idempotency.ok) return idempotency;
  const asked = { agent: asAgentId(agent), operation, minutes, reason };
  const held = await askGlass(call.parts, person.value, asked, idempotency.value);
  if (!held.ok) return held;
  return ok({ status: 202, body: approvalView(held.value, await viewerOf(call.parts, person.value)) });
};

const glassForm = /^gls_[0-9a-z]{26}$/;

function glassIn(call: Call): Result<GlassId, Refusal> {
  const id = call.path['glass'] ?? '';
  return glassForm.test(id) ? ok(asGlassId(id)) : err(refuse('not_found', 'There is nothing of that name.'));
}

async function answered(call: Call, result: Result<Glass, Refusal>): Promise<Result<Reply, Refusal>> {
  if (!result.ok) return result;
  const { parts } = call;
  const at = { nowMs: parts.clock.nowMs(), origin: parts.origin };
  return ok({ status: 200, body: glassView(result.value, await parts.store.directory(), at) });
}

/** What both calls about one have in common: a person, the one that is meant, a body with one text, and the key of repeats. */
async function about<Text>(
  call: Call,
  textOf: (fields: Fields) => Text,
  act: (
    by: Person,
    glass: GlassId,
    text: Text,
    key: Idempotency | undefined,
  ) => Promise<Result<Glass, Refusal>>,
): Promise<Result<Reply, Refusal>> {
  const person = await speaker(call);
  if (!person.ok) return person;
  const glass = glassIn(call);
  if (!glass.ok) return glass;
  const body = await readBody(call.request);
  if (!body.ok) return body;
  const fields = new Fields(body.value);
  const text = textOf(fields);
  const refusal = fields.refusal();
  if (refusal !== undefined) return err(refusal);
  const idempotency = idempotencyOf(call, body.value);
  if (!idempotency.ok) return idempotency;
  return answered(call, await act(person.value, glass.value, text, idempotency.value));
}

/** `POST /v1/break-glass/ID/end`: whoever may stop the agent, asked for it or opens such. Again: nothing more changes. */
export const end: Handler = (call) =>
  about(
    call,
    (fields) => fields.optionalText('reason', glassTextCharsMax),
    (by, glass, reason, idempotency) => endGlass(call.parts, by, glass, { reason, idempotency }),
  );

/** `POST /v1/break-glass/ID/review`: `finding` in words, by somebody who had no part in it. */
export const review: Handler = (call) =>
  about(
    call,
    (fields) => fields.text('finding', glassTextCharsMax),
    (by, glass, finding, idempotency) => reviewGlass(call.parts, by, glass, { finding, idempotency }),
  );
