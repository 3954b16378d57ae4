/**
 * Erasing payloads and holding them, by HTTP, for people. Who may is core's (core/erasure.ts); an agent that tries is refused, and
 * that is in the log.
 */

import { gateOperation } from '../../core/gate.ts';
import { asActionId, asHoldId, asPersonId, type PersonId } from '../../core/ids.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { erasureTextCharsMax, type AskedErasure, type Hold } from '../../core/retention.ts';
import { maskText } from '../../core/secrets.ts';
import { rfc3339 } from '../../core/time.ts';
import { erasePayloads, listHolds, placeHold, releaseHold } from '../../app/retention.ts';
import { recordRefusal } from '../../app/told.ts';
import { Fields, readBody } from './body.ts';
import { isId, personOf, type Call, type Handler } from './call.ts';
import { idempotencyOf } from './idempotency.ts';

/** Longest id of a person. */
const personCharsMax = 64;

/** Whoever speaks, where that is a person. An agent that would change something is in the log. */
async function speaker(call: Call): Promise<Result<PersonId, Refusal>> {
  const person = personOf(call);
  if (!person.ok && call.by.kind === 'agent' && call.request.method === 'POST') {
    const { code, detail } = person.error;
    await recordRefusal(call.parts, call.by.id, { operation: gateOperation('erase'), code, detail });
  }
  return person;
}

const holdView = ({ id, action, person, reason, placedAtMs, placedBy, released }: Hold): object => ({
  id,
  action,
  person,
  reason: maskText(reason),
  placedBy,
  placedAt: rfc3339(placedAtMs),
  released:
    released === null
      ? null
      : { by: released.by, at: rfc3339(released.atMs), reason: maskText(released.reason) },
});

/**
 * `POST /v1/log/erasures`: operators, nothing of their own. `action`, or `from` and `to` (indexes, both inclusive) for entries
 * about none; `reason`; `basis`. 200 with what was erased now: `{count, indexes}`. Again: `count` 0.
 */
export const erase: Handler = async (call) => {
  const person = await speaker(call);
  if (!person.ok) return person;
  const body = await readBody(call.request);
  if (!body.ok) return body;
  const fields = new Fields(body.value);
  const scope = scopeIn(fields);
  const reason = fields.text('reason', erasureTextCharsMax);
  const basis = fields.optionalText('basis', erasureTextCharsMax);
  const refusal = fields.refusal() ?? (scope === null ? noAction : undefined);
  if (refusal !== undefined || scope === null) return err(refusal ?? noAction);
  const idempotency = idempotencyOf(call, body.value);
  if (!idempotency.ok) return idempotency;
  const said = { scope, reason, basis, idempotency: idempotency.value };
  const erased = await erasePayloads(call.parts, person.value, said);
  return erased.ok ? ok({ status: 200, body: { ...erased.value } }) : erased;
};

const noAction = refuse('not_found', 'There is no such action.');

/** Null where it names an action that cannot be one. */
function scopeIn(fields: Fields): AskedErasure | null {
  const action = fields.optionalText('action', 80);
  if (action !== null) return isId(action, 'act') ? { kind: 'action', action: asActionId(action) } : null;
  const range = { min: 0, max: Number.MAX_SAFE_INTEGER };
  return { kind: 'entries', from: fields.whole('from', range), to: fields.whole('to', range) };
}

/** `GET /v1/log/holds`: operators and auditors. Those in force first, then the newest; at most 1,000. */
export const holds: Handler = async (call) => {
  const person = await speaker(call);
  if (!person.ok) return person;
  const listed = await listHolds(call.parts, person.value);
  return listed.ok ? ok({ status: 200, body: { items: listed.value.map(holdView) } }) : listed;
};

/** `POST /v1/log/holds`: `action` or `person`, or neither for everything; `reason`. 201 with the hold. */
export const hold: Handler = async (call) => {
  const by = await speaker(call);
  if (!by.ok) return by;
  const body = await readBody(call.request);
  if (!body.ok) return body;
  const fields = new Fields(body.value);
  const action = fields.optionalText('action', 80);
  const person = fields.optionalText('person', personCharsMax);
  const reason = fields.text('reason', erasureTextCharsMax);
  const refusal = fields.refusal();
  if (refusal !== undefined) return err(refusal);
  if (action !== null && !isId(action, 'act')) return err(noAction);
  const idempotency = idempotencyOf(call, body.value);
  if (!idempotency.ok) return idempotency;
  const placed = await placeHold(call.parts, by.value, {
    action: action === null ? null : asActionId(action),
    person: person === null ? null : asPersonId(person),
    reason,
    idempotency: idempotency.value,
  });
  return placed.ok ? ok({ status: 201, body: holdView(placed.value) }) : placed;
};

const holdForm = /^hld_[0-9a-z]{26}$/;

/** `POST /v1/log/holds/ID/release`: an operator who did not place it. Again: nothing more changes. */
export const release: Handler = async (call) => {
  const by = await speaker(call);
  if (!by.ok) return by;
  const id = call.path['hold'] ?? '';
  if (!holdForm.test(id)) return err(refuse('not_found', 'There is no such hold.'));
  const body = await readBody(call.request);
  if (!body.ok) return body;
  const fields = new Fields(body.value);
  const reason = fields.text('reason', erasureTextCharsMax);
  const refusal = fields.refusal();
  if (refusal !== undefined) return err(refusal);
  const idempotency = idempotencyOf(call, body.value);
  if (!idempotency.ok) return idempotency;
  const said = { reason, idempotency: idempotency.value };
  const released = await releaseHold(call.parts, by.value, asHoldId(id), said);
  return released.ok ? ok({ status: 200, body: holdView(released.value) }) : released;
};
