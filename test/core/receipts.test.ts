/** Who gets what of a receipt, case by case. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry, EntryType } from '../../src/core/entry.ts';
import type { Principal } from '../../src/core/directory.ts';
import { asActionId, asAgentId, asApprovalId, asPersonId } from '../../src/core/ids.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { formatsFor, holdsSecret, isWorthReceipt } from '../../src/core/receipts.ts';

const agent: Principal = { kind: 'agent', id: asAgentId('crm-bot') };
const person: Principal = { kind: 'person', id: asPersonId('rosa') };
const entry = (data: JsonObject = {}, more: Partial<Entry> = {}): Entry => ({
  index: 1,
  at: '2026-01-01T00:00:00.000Z',
  type: 'approval.approved',
  by: { kind: 'gate' },
  about: { action: asActionId('act_1'), approval: asApprovalId('apr_1'), execution: null },
  data,
  ...more,
});
const secret = { note: 'Bearer abcdefghijklmnopqrstuvwxyz' };

const cases: readonly (readonly [
  what: string,
  of: Entry,
  sight: Parameters<typeof formatsFor>[1],
  action: JsonObject | null,
  gets: string,
])[] = [
  ['all of it', entry(), { by: person, readsLog: false, whole: true }, {}, 'bundle proof action key'],
  [
    'without the action, where it is gone',
    entry(),
    { by: person, readsLog: false, whole: true },
    null,
    'bundle proof key',
  ],
  ['not yours to see', entry(), { by: person, readsLog: false, whole: false }, {}, 'proof key'],
  [
    'an auditor from whom a policy keeps it',
    entry(),
    { by: person, readsLog: true, whole: false },
    {},
    'proof key',
  ],
  [
    'a secret in the statement',
    entry(secret),
    { by: person, readsLog: false, whole: true },
    {},
    'proof action key',
  ],
  [
    '… for an auditor',
    entry(secret),
    { by: person, readsLog: true, whole: true },
    {},
    'bundle proof action key',
  ],
  [
    'a secret in the action',
    entry(),
    { by: person, readsLog: true, whole: true },
    { input: secret },
    'bundle proof key',
  ],
  ['an agent', entry(), { by: agent, readsLog: false, whole: true }, {}, 'proof action key'],
  [
    'an agent and its own secret',
    entry(secret),
    { by: agent, readsLog: false, whole: true },
    secret,
    'proof action key',
  ],
  ['an erased one', entry({}, { erased: true }), { by: person, readsLog: false, whole: true }, {}, ''],
  ['… for an auditor', entry({}, { erased: true }), { by: person, readsLog: true, whole: true }, {}, 'proof'],
];

for (const [what, of, sight, action, gets] of cases)
  test(`${what}: ${gets === '' ? 'nothing' : gets}`, () => {
    assert.equal(formatsFor(of, sight, action).join(' '), gets);
  });

test('the name of a public key in a passkey’s assertion is no secret; anything beside it is looked at', () => {
  const proof = { credential: 'abc', signature: 'def' };
  assert.equal(holdsSecret({ decision: 'approve', proof }), false);
  assert.equal(holdsSecret({ decision: 'approve', proof, reason: secret.note }), true);
  assert.equal(holdsSecret({ credential: 'abc' }), true);
});

test('decisions and runs are worth a receipt; what leads up to them is not', () => {
  const about = entry().about;
  const worth = (type: EntryType, approval = about.approval): boolean =>
    isWorthReceipt({ type, about: { ...about, approval } });
  assert.ok(worth('review.recorded'));
  assert.ok(worth('execution.unknown'));
  assert.ok(worth('action.asked', null), 'nobody was asked: this decided it');
  assert.ok(!worth('action.asked'), 'people were asked, and they decided it');
  for (const type of [
    'approval.opened',
    'notice.posted',
    'review.refused',
    'gate.started',
    'log.heartbeat',
  ] as const)
    assert.ok(!worth(type), type);
});
