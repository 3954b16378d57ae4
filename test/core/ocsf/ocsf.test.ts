/** Every type of entry is a whole OCSF event of every version that is written, and says what the gate decided. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalize } from '../../../src/core/canonical.ts';
import type { Case } from '../../../src/core/case.ts';
import { aboutNothing, entryTypes, type Entry } from '../../../src/core/entry.ts';
import { asAgentId, asPersonId } from '../../../src/core/ids.ts';
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../../src/core/json.ts';
import { ocsfOf } from '../../../src/core/ocsf/ocsf.ts';
import { ocsfVersions, type OcsfVersion } from '../../../src/core/ocsf/versions.ts';
import { sha256Hex } from '../../../src/core/sha256.ts';
import { veiled } from '../../../src/core/sight.ts';
import { directory } from '../../support/world.ts';
import { exportProfile, scene, seen } from '../render/scenes.ts';
import { classRules, controlCaptions, everyEvent, notYet, objectRules } from './required.ts';

const secret = 'AKIAIOSFODNN7EXAMPLE';
const { held } = scene(
  {
    agent: asAgentId('crm-bot'),
    operation: 'crm___export_rows',
    resource: { type: 'Dataset', id: 'customers' },
    input: { table: 'customers', key: secret },
    session: 'run-7',
  },
  { profile: exportProfile, preview: seen('count_rows', { rows: 5204 }) },
);
const sam = { kind: 'person', id: asPersonId('sam') } as const;

const entry = (type: Entry['type'], data: JsonObject = {}, by: Entry['by'] = { kind: 'gate' }): Entry => ({
  index: 41,
  at: '2026-11-20T09:30:00.000Z',
  type,
  by,
  about: { action: held.asked.id, approval: held.approval?.id ?? null, execution: null },
  data,
});
const pae = 'a'.repeat(64);
const of = (one: Entry, version: OcsfVersion = '1.9.0', about: Case | null = held): JsonObject =>
  ocsfOf(one, { held: about, directory, version, origin: 'gate.example.com', pae });

const at = (value: JsonValue | undefined, path: string): JsonValue | undefined =>
  path
    .split('.')
    .reduce<JsonValue | undefined>((one, name) => (isJsonObject(one) ? one[name] : undefined), value);

/** Everything that the schema requires, in words of what is missing. */
function wrongIn(event: JsonObject, version: OcsfVersion): readonly string[] {
  const wrong: string[] = [];
  const rules = classRules[Number(event['class_uid'])];
  if (rules === undefined) return ['class_uid'];
  for (const name of [...everyEvent, ...rules.required]) if (event[name] === undefined) wrong.push(name);
  if (event['class_name'] !== rules.name) wrong.push('class_name');
  if (event['category_uid'] !== rules.category) wrong.push('category_uid');
  const activity = Number(event['activity_id']);
  if (event['type_uid'] !== Number(event['class_uid']) * 100 + activity) wrong.push('type_uid');
  const caption = rules.activities[activity];
  if (activity === 0 ? event['activity_name'] !== 'Unknown' : caption === undefined && activity !== 99)
    wrong.push(`activity_id ${activity}`);
  if (caption !== undefined && event['activity_name'] !== caption) wrong.push('activity_name');
  if (activity === 99 && !event['activity_name']) wrong.push('activity_name of Other');
  if (rules.atLeastOne?.every((name) => event[name] === undefined) === true) wrong.push('at least one');
  for (const [path, { required = [], atLeastOne }] of Object.entries(objectRules)) {
    const object = at(event, path);
    if (object === undefined) continue;
    for (const name of required) if (at(object, name) === undefined) wrong.push(`${path}.${name}`);
    if (atLeastOne?.every((name) => at(object, name) === undefined) === true)
      wrong.push(`${path}: at least one`);
  }
  for (const [name, captions] of Object.entries(controlCaptions)) {
    const id = event[name];
    const caption_ = (captions as Readonly<Record<number, string>>)[Number(id)];
    if (id !== undefined && event[name.replace(/_id$/, '')] !== caption_) wrong.push(name);
  }
  const profiles = at(event, 'metadata.profiles');
  const said: readonly JsonValue[] = isJsonArray(profiles) ? profiles : [];
  for (const name of notYet[version] ?? [])
    if (event[name] !== undefined || said.includes(name)) wrong.push(`${name} is not in ${version}`);
  if (said.includes('security_control') !== (event['action_id'] !== undefined))
    wrong.push('security_control');
  if (version === '1.8.0' && event['class_uid'] !== 6003 && event['message_context'] !== undefined)
    wrong.push('ai_operation of another class');
  if (at(event, 'metadata.version') !== version) wrong.push('metadata.version');
  return wrong;
}

test('every type of entry is whole in every version, with its case, veiled, without it, and erased', () => {
  for (const version of ocsfVersions)
    for (const type of entryTypes)
      for (const about of [held, veiled(held), null]) {
        assert.deepEqual(
          wrongIn(of(entry(type, {}, sam), version, about), version),
          [],
          `${type} ${version}`,
        );
        const none = { ...entry(type), about: aboutNothing, erased: true as const };
        assert.deepEqual(wrongIn(of(none, version, null), version), [], `${type} erased`);
      }
});

test('the check itself finds what is missing', () => {
  const { api: _api, ...without } = of(entry('execution.started'));
  assert.deepEqual(wrongIn(without, '1.9.0'), ['api']);
  assert.deepEqual(wrongIn({ ...of(entry('execution.started')), type_uid: 600301 }, '1.9.0'), ['type_uid']);
  assert.ok(wrongIn(of(entry('execution.started')), '1.6.0').length > 3);
});

test('whatever an entry holds, it is one event', () => {
  const names = fc.constantFrom(
    'operation',
    'agent',
    'person',
    'for',
    'account',
    'verdict',
    'resource',
    'reason',
    'code',
    'glass',
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...entryTypes),
      // JSON by construction.
      fc.dictionary(names, fc.jsonValue()) as fc.Arbitrary<JsonObject>,
      (type, data) => {
        const event = of(entry(type, data), '1.9.0', null);
        assert.deepEqual(wrongIn(event, '1.9.0'), []);
        assert.equal(JSON.stringify(event).includes('undefined'), JSON.stringify(data).includes('undefined'));
      },
    ),
    { numRuns: 300 },
  );
});

const brief = (event: JsonObject): readonly unknown[] => [
  event['class_uid'],
  event['activity_id'],
  event['action_id'],
  event['disposition_id'],
  event['status_id'],
  event['is_alert'],
];

test('what the gate decided is in the words of the schema', () => {
  const asked = (effect: string, more: JsonObject = {}) =>
    entry('action.asked', { verdict: { effect }, ...more }, { kind: 'agent', id: asAgentId('crm-bot') });
  const rows: readonly (readonly [Entry, readonly unknown[]])[] = [
    [asked('allow'), [6003, 2, 1, 1, 0, false]],
    [asked('review'), [6003, 2, 0, 14, 0, false]],
    [asked('deny'), [6003, 2, 2, 2, 2, false]],
    [asked('deny', { mode: 'observe' }), [6003, 2, 1, 17, 2, false]],
    [asked('review', { glass: 'gls_1' }), [6003, 2, 1, 19, 0, true]],
    [entry('review.recorded', { decision: 'approve' }, sam), [6003, 2, 1, 8, 1, false]],
    [entry('review.recorded', { decision: 'deny' }, sam), [6003, 2, 2, 25, 1, false]],
    [entry('review.recorded', { decision: 'deny', unsafe: true }, sam), [6003, 2, 2, 25, 1, true]],
    [entry('approval.approved'), [3003, 1, 1, 8, 1, false]],
    [entry('approval.denied', {}, sam), [6003, 2, 2, 25, 2, false]],
    [entry('approval.denied', { code: 'policy_changed' }), [6003, 2, 2, 2, 2, false]],
    [entry('execution.succeeded'), [6003, 2, 1, 1, 1, false]],
    [entry('execution.unknown'), [6003, 2, 1, 1, 0, false]],
    [entry('glass.opened', { agent: 'crm-bot' }), [3005, 1, 1, 19, 1, true]],
    [entry('policies.accepted', { version: 3 }), [3004, 3, undefined, undefined, 1, undefined]],
    [entry('key.ended', { id: 'k1', use: 'log' }), [3004, 11, undefined, undefined, 1, undefined]],
    [entry('passkey.enrolled', { person: 'sam' }, sam), [3001, 10, undefined, undefined, 1, undefined]],
    [entry('agent.stopped', { agent: 'crm-bot' }, sam), [3001, 5, 2, 2, 1, false]],
  ];
  for (const [one, expected] of rows) assert.deepEqual(brief(of(one)), expected, one.type);
});

test('an event says who, what and on whose behalf, holds no secret, and names its entry', () => {
  const event = of(entry('review.recorded', { decision: 'deny', reason: `no ${secret}` }, sam));
  assert.equal(at(event, 'actor.user.uid'), 'sam');
  assert.equal(at(event, 'api.operation'), 'crm___export_rows');
  assert.equal(at(event, 'ai_agent.uid'), 'crm-bot');
  assert.equal(at(event, 'ai_agent.instance_uid'), 'run-7');
  assert.equal(at(event, 'metadata.uid'), '41');
  assert.equal(at(event, 'unmapped.countersign.digest'), pae);
  assert.match(
    JSON.stringify(event['message']),
    /^"sam denied crm-bot’s export of 5,204 rows from customers: no ⟨masked/,
  );
  assert.ok(!JSON.stringify(event).includes(secret));
  const hidden = JSON.stringify(of(entry('execution.started'), '1.9.0', veiled(held)));
  assert.doesNotMatch(hidden, /customers|5,204|run-7/);
});

test('the fingerprint is of the event itself: SHA-256 of its JCS without it', () => {
  const event = of(entry('execution.started'));
  const [one] = isJsonArray(event['attestation_list']) ? event['attestation_list'] : [];
  assert.ok(isJsonObject(one));
  const { fingerprint, ...rest } = one;
  assert.equal(at(fingerprint, 'value'), sha256Hex(canonicalize({ ...event, attestation_list: [rest] })));
});
