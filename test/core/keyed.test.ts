/** Names and keys of an action, made at once, are those that are made one by one: they are compared across restarts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { identify, identifyKeyed, joinKeyOf, likeKeyOf, type Action } from '../../src/core/action.ts';
import { asActionId, asAgentId, asPersonId, asSha256Hex } from '../../src/core/ids.ts';
import type { JsonObject } from '../../src/core/json.ts';

const text = fc.string({ unit: 'grapheme' });
const orNull = fc.option(text);
const hash = asSha256Hex('0'.repeat(64));
const actions = fc
  .record({ agent: text, session: orNull, by: orNull, operation: text, type: text, id: text, reason: orNull })
  .chain((one) =>
    fc.dictionary(text, fc.jsonValue()).map((input): Action => ({
      v: 1,
      agent: asAgentId(one.agent),
      session: one.session,
      startedBy: one.by === null ? null : asPersonId(one.by),
      delegation: one.by === null ? [] : [{ kind: 'person', id: asPersonId(one.by) }],
      operation: one.operation,
      resource: { type: one.type, id: one.id },
      input: input as JsonObject, // fast-check makes JSON values
      target: { kind: 'http', profile: hash, declaration: hash },
      enforcement: 'mediated',
      reason: one.reason,
      salt: hash,
    })),
  );

test('names and keys made at once are those made one by one', () => {
  fc.assert(
    fc.property(actions, orNull, fc.uint8Array({ minLength: 32, maxLength: 32 }), (action, run, key) => {
      const id = asActionId('act_1');
      assert.deepEqual(identifyKeyed(key, id, action, run), {
        identified: identify(id, action),
        joinKey: joinKeyOf(key, action, run),
        likeKey: likeKeyOf(key, action),
      });
    }),
  );
});

test('what is no JSON has no name', () => {
  const [action] = fc.sample(actions, 1);
  assert.ok(action);
  const none = { ...action, session: undefined } as unknown as Action; // as a bug of ours could make it
  assert.throws(() => identifyKeyed(new Uint8Array(32), asActionId('act_1'), none, null), TypeError);
});
