/** Out of office by HTTP: a person names who stands in for them, and ends it. For people alone, and for themself alone. */
import type { Delegation } from '../../core/delegation.ts';
import { asDelegationId, asPersonId } from '../../core/ids.ts';
import { refuse } from '../../core/refusal.ts';
import { err, ok } from '../../core/result.ts';
import { rfc3339 } from '../../core/time.ts';
import { delegationsFor, endAway, goAway } from '../../app/absences.ts';
import { Fields, readBody } from './body.ts';
import { personOf, type Handler } from './call.ts';
import { idempotencyOf } from './idempotency.ts';

/** Longest id of a person, and longest time as text. */
const idCharsMax = 64;
const timeCharsMax = 40;
/** RFC 3339, with its offset: a time without one would mean another by the gate's place. */
const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

const view = ({ id, from, to, atMs, fromMs, untilMs, endedAtMs }: Delegation): object => ({
  id,
  from,
  to,
  begins: rfc3339(fromMs),
  until: rfc3339(untilMs),
  createdAt: rfc3339(atMs),
  endedAt: endedAtMs === null ? null : rfc3339(endedAtMs),
});

/** `GET /v1/delegations`: those that name the caller; operators, auditors and administrators see all that are not over. */
export const list: Handler = async (call) => {
  const person = personOf(call);
  if (!person.ok) return person;
  const items = (await delegationsFor(call.parts, person.value)).map(view);
  return ok({ status: 200, body: { items } });
};

/** `POST /v1/delegations` `{to, until, from?}`: who stands in for the caller, for at most 30 days. */
export const begin: Handler = async (call) => {
  const person = personOf(call);
  if (!person.ok) return person;
  if (call.by.kind !== 'person') throw new TypeError('only a person passes `personOf`');
  const body = await readBody(call.request);
  if (!body.ok) return body;
  const fields = new Fields(body.value);
  const to = fields.text('to', idCharsMax);
  const until = fields.text('until', timeCharsMax);
  const from = fields.optionalText('from', timeCharsMax);
  const refusal = fields.refusal();
  if (refusal !== undefined) return err(refusal);
  const untilMs = timeOf(until);
  const fromMs = from === null ? null : timeOf(from);
  if (untilMs === undefined || fromMs === undefined)
    return err(
      refuse('input_invalid', 'Times are RFC 3339 with an offset: 2026-12-24T18:00:00Z.', {
        pointer: untilMs === undefined ? '/until' : '/from',
      }),
    );
  const idempotency = idempotencyOf(call, body.value);
  if (!idempotency.ok) return idempotency;
  const said = { to: asPersonId(to), fromMs, untilMs, idempotency: idempotency.value };
  const made = await goAway(call.parts, call.by, said);
  return made.ok ? ok({ status: 201, body: view(made.value) }) : made;
};

/** Milliseconds since 1970; undefined for what is no such time. */
function timeOf(text: string): number | undefined {
  const ms = timeForm.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isFinite(ms) ? ms : undefined;
}

/** `POST /v1/delegations/ID/end`: at once, for both of the two and for administrators. */
export const end: Handler = async (call) => {
  const person = personOf(call);
  if (!person.ok) return person;
  const body = await readBody(call.request);
  if (!body.ok) return body;
  const refusal = new Fields(body.value).refusal();
  if (refusal !== undefined) return err(refusal);
  const idempotency = idempotencyOf(call, body.value);
  if (!idempotency.ok) return idempotency;
  const id = asDelegationId(call.path['delegation'] ?? '');
  const ended = await endAway(call.parts, person.value, id, idempotency.value);
  return ended.ok ? ok({ status: 200, body: view(ended.value) }) : ended;
};
