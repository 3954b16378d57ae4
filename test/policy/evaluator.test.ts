/** The door to Cedar by itself: what would not fit the schema fails there too, whatever was checked before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startCedar } from '../../src/policy/cedar.ts';
import { compile } from '../../src/policy/compile.ts';
import { LocalTime, systemFields } from '../../src/policy/context.ts';
import { Evaluator, type Request } from '../../src/policy/evaluator.ts';
import { approveSliceOf, sliceOf } from '../../src/policy/slice.ts';
import { permitAll, texts, world } from './support/world.ts';

const cedar = startCedar();
const set = `${permitAll} @id("f") forbid (principal, action == Action::"ops___export_rows", resource) when { context.input.rows > 1000 };
@id("a") forbid (principal, action == Action::"approve", resource) when { principal in Group::"none" };`;
const { compiled } = compile(() => cedar, texts(set), world(), false);
assert.ok(compiled !== null);
const slice = sliceOf(compiled, 'ops___export_rows');
const approve = approveSliceOf(compiled);
assert.ok(slice !== undefined && approve !== null);
const evaluator = new Evaluator(() => cedar);

const agent = { uid: { type: 'Agent', id: 'bot' }, attrs: { owners: [] }, parents: [] };
const fits: Request = {
  principal: agent.uid,
  resource: { type: 'Server', id: 'ops' },
  context: { input: { rows: 5 } },
  entities: [agent],
};

test('a request that fits is answered', () => {
  assert.deepEqual(evaluator.evaluate(slice, fits), { kind: 'allow', determining: ['all'] });
});

const misfits: readonly (readonly [name: string, request: Partial<Request>])[] = [
  ['a wrong type', { context: { input: { rows: '5' } } }],
  ['a missing field', { context: { input: {} } }],
  ['an extra field', { context: { input: { rows: 5, more: 1 } } }],
  ['another context', { context: { input: { rows: 5 }, auth: {} } }],
  [
    'approvals where no policy reads them',
    { context: { input: { rows: 5 }, approvals: { satisfied: ['f'] } } },
  ],
  ['an unknown', { context: { input: { rows: { __extn: { fn: 'unknown', arg: 'x' } } } } }],
  ['null', { context: { input: { rows: null } } }],
  ['a lone surrogate', { resource: { type: 'Server', id: '\uD800' } }],
  ['a person as the principal', { principal: { type: 'Person', id: 'rosa' } }],
  ['another resource', { resource: { type: 'Group', id: 'g' } }],
  [
    'an entity of an unknown type',
    { entities: [agent, { uid: { type: 'X', id: 'x' }, attrs: {}, parents: [] }] },
  ],
  ['an entity twice', { entities: [agent, { ...agent, parents: [{ type: 'Group', id: 'none' }] }] }],
];

for (const [name, request] of misfits) {
  test(`it fails with ${name}`, () =>
    assert.equal(evaluator.evaluate(slice, { ...fits, ...request }).kind, 'failed'));
}

test('people-only: an agent cannot be asked about as an approver', () => {
  const owner = { type: 'Person', id: 'sam' };
  const approval = {
    uid: { type: 'Approval', id: 'r' },
    attrs: { requirement: 'r', operation: 'o', agent: { __entity: agent.uid }, owner: { __entity: owner } },
    parents: [],
  };
  const request: Request = {
    principal: owner,
    resource: approval.uid,
    context: { system: { ...systemFields(Date.UTC(2026, 10, 22, 12), new LocalTime('UTC')) } },
    entities: [approval, agent, { uid: owner, attrs: {}, parents: [] }],
  };
  assert.equal(evaluator.evaluate(approve, request).kind, 'allow');
  assert.equal(evaluator.evaluate(approve, { ...request, principal: agent.uid }).kind, 'failed');
});
