/**
 * The golden table of verdicts: each row is what a set says of an action. The traps that were measured in Cedar's wasm
 * (forbids that error are skipped, escapes in its JSON, wrong types) must all come out as denials.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, JsonValue } from '../../src/core/json.ts';
import type { PolicyWorld } from '../../src/ports/policy.ts';
import { asks, engineWith, noon, permitAll, short, texts, world } from './support/world.ts';

const cases = `
@id("read") permit (principal in Group::"support-agents", action, resource);
@id("export") @title("Bulk export needs a data owner") @approvers("data-owners")
forbid (principal, action == Action::"ops___export_rows", resource) when { context.input.rows > 1000 };
@id("export.never") @title("Payroll is never exported")
forbid (principal, action == Action::"ops___export_rows", resource) when { context.input.table == "payroll" };
@id("export.label") @approvers("security") @quorum("2")
forbid (principal, action == Action::"ops___export_rows", resource)
when { context.input has labels && context.input.labels.contains("secret") };
@id("grant") @approvers("security") @quorum("2")
forbid (principal, action == Action::"ops___grant_role", resource) when { ["admin", "owner"].contains(context.input.role) };
@id("delete") forbid (principal, action == Action::"ops___delete_region", resource);
`;

interface Row {
  readonly name: string;
  readonly operation?: string;
  readonly input?: JsonObject;
  readonly verdict: string;
}

const rows = (count: JsonValue, more: JsonObject = {}): JsonObject => ({ table: 't', rows: count, ...more });

const table: readonly Row[] = [
  { name: 'a small export', input: rows(5), verdict: 'allow' },
  { name: 'at the threshold', input: rows(1000), verdict: 'allow' },
  { name: 'above it', input: rows(1001), verdict: 'review:export' },
  {
    name: 'two requirements, in order of id',
    input: rows(1001, { labels: ['x', 'secret'] }),
    verdict: 'review:export,export.label',
  },
  { name: 'a requirement and a plain forbid', input: rows(1001, { table: 'payroll' }), verdict: 'forbidden' },
  {
    name: 'the admin role',
    operation: 'ops___grant_role',
    input: { principal: 'p', role: 'admin' },
    verdict: 'review:grant',
  },
  {
    name: 'another role',
    operation: 'ops___grant_role',
    input: { principal: 'p', role: 'viewer' },
    verdict: 'allow',
  },
  { name: 'a region', operation: 'ops___delete_region', input: { region: 'eu' }, verdict: 'forbidden' },
  {
    name: 'an operation that nobody knows, under a permit of all',
    operation: 'ops___drop',
    verdict: 'no_permit',
  },
  { name: 'a string where an integer is read', input: rows('5'), verdict: 'policy_error' },
  { name: 'a fraction where an integer is read', input: rows(5.5), verdict: 'policy_error' },
  { name: 'a number beyond 2^53', input: rows(2 ** 60), verdict: 'policy_error' },
  { name: 'not a number', input: rows(Number.NaN), verdict: 'policy_error' },
  { name: 'a list where an integer is read', input: rows([1]), verdict: 'policy_error' },
  { name: 'null in a required field', input: rows(null), verdict: 'policy_error' },
  { name: 'a required field that is missing', input: { table: 't' }, verdict: 'policy_error' },
  { name: 'a string where a list is read', input: rows(5, { labels: 'secret' }), verdict: 'policy_error' },
  { name: 'null in a list', input: rows(5, { labels: [null] }), verdict: 'policy_error' },
  { name: 'null in an optional field is absent', input: rows(5, { labels: null }), verdict: 'allow' },
  {
    name: 'an injected entity',
    input: rows({ __entity: { type: 'Server', id: 'ops' } }),
    verdict: 'policy_error',
  },
  {
    name: 'an injected unknown',
    input: rows({ __extn: { fn: 'unknown', arg: 'rows' } }),
    verdict: 'policy_error',
  },
  {
    name: 'an injected entity in a list',
    input: rows(5, { labels: [{ __entity: { type: 'Server', id: 'x' } }] }),
    verdict: 'policy_error',
  },
  { name: 'an extra field that no policy reads', input: rows(5, { extra: { __extn: 1 } }), verdict: 'allow' },
  { name: 'a wrong type that no policy reads', input: rows(5, { opts: 'no record' }), verdict: 'allow' },
];

const engine = await engineWith(cases);

for (const { name, operation = 'ops___export_rows', input = {}, verdict } of table) {
  test(`${name}: ${verdict}`, () =>
    assert.equal(short(engine.judge(asks(operation, input), noon, null)), verdict));
}

test('a verdict carries the versions and the digest of its set', () => {
  const verdict = engine.judge(asks('ops___export_rows', rows(5)), noon, null);
  assert.deepEqual(verdict.versions, world().versions);
  assert.match(verdict.policyDigest ?? '', /^sha256:[0-9a-f]{64}$/);
});

/** One set and one action: what comes out. */
async function judged(
  policies: string,
  input: JsonObject,
  more: {
    schema?: string;
    entities?: JsonValue;
    world?: Partial<PolicyWorld>;
    resource?: { type: string; id: string };
  } = {},
): Promise<string> {
  const live = await engineWith(texts(policies, more), world(more.world));
  return short(live.judge(asks('ops___export_rows', input, more.resource), noon, null));
}

test('a forbid that errors is a denial, although Cedar allows', async () => {
  const overflow = `${permitAll} @id("f") forbid (principal, action == Action::"ops___export_rows", resource) when { context.input.rows * context.input.rows > 10 };`;
  assert.equal(await judged(overflow, rows(Number.MAX_SAFE_INTEGER)), 'policy_error');
  assert.equal(await judged(overflow, rows(2)), 'allow');
  assert.equal(await judged(overflow, rows(4)), 'forbidden');
});

test('a permit that errors is a denial as well, whatever else permits', async () => {
  const overflow = `${permitAll} @id("p") permit (principal, action == Action::"ops___export_rows", resource) when { context.input.rows * context.input.rows > 10 };`;
  assert.equal(await judged(overflow, rows(Number.MAX_SAFE_INTEGER)), 'policy_error');
});

test('an entity that an attribute names and nobody declared is a denial', async () => {
  const set = `${permitAll} @id("f") forbid (principal, action == Action::"ops___export_rows", resource) when { resource.parent.secret };`;
  const schema = 'entity Dataset = { parent: Folder }; entity Folder = { secret: Bool };';
  const dataset = (parent: string) => ({
    uid: { type: 'Dataset', id: 'd' },
    attrs: { parent: { __entity: { type: 'Folder', id: parent } } },
    parents: [],
  });
  const folder = { uid: { type: 'Folder', id: 'open' }, attrs: { secret: false }, parents: [] };
  const more = {
    schema,
    world: { resourceTypes: { ops___export_rows: 'Dataset' } },
    resource: { type: 'Dataset', id: 'd' },
  };
  assert.equal(await judged(set, rows(1), { ...more, entities: [dataset('gone'), folder] }), 'policy_error');
  assert.equal(await judged(set, rows(1), { ...more, entities: [dataset('open'), folder] }), 'allow');
  assert.equal(await judged(set, rows(1), { ...more, entities: [] }), 'policy_error');
  assert.equal(
    await judged(set, rows(1), {
      ...more,
      entities: [dataset('open'), folder],
      resource: { type: 'Server', id: 'ops' },
    }),
    'policy_error',
  );
});

test('entities that a condition looks into are known to Cedar', async () => {
  const set = `${permitAll} @id("f") forbid (principal, action == Action::"ops___export_rows", resource) when { Person::"mia" in Group::"sre" };
  @id("g") forbid (principal, action == Action::"ops___grant_role", resource) when { principal.owners.contains(Person::"sam") };`;
  assert.equal(await judged(set, rows(1)), 'forbidden');
  const live = await engineWith(set);
  assert.equal(
    short(live.judge(asks('ops___grant_role', { principal: 'p', role: 'r' }), noon, null)),
    'forbidden',
  );
});

test('the time is that of the judgement', async () => {
  const set = `${permitAll} @id("f") forbid (principal, action, resource) when { context.system.now >= datetime("2026-11-22T12:00:00Z") };`;
  const live = await engineWith(set);
  assert.equal(short(live.judge(asks('ops___export_rows', rows(1)), noon, null)), 'forbidden');
  assert.equal(short(live.judge(asks('ops___export_rows', rows(1)), noon - 1, null)), 'allow');
});

test('people are not asked in vain', async () => {
  const set = `@id("r") @approvers("data-owners") forbid (principal, action == Action::"ops___export_rows", resource);`;
  assert.equal(await judged(set, rows(1)), 'no_permit');
});

test('an agent that is not in the directory is denied', () => {
  const { agents: _gone, ...rest } = world().directory;
  return engineWith(permitAll, world({ directory: { ...rest, agents: [] } })).then((live) => {
    assert.equal(short(live.judge(asks('ops___export_rows', rows(1)), noon, null)), 'not_an_agent');
  });
});

test('a record that is compared whole has no undeclared field', async () => {
  const set = `@id("p") permit (principal, action == Action::"ops___export_rows", resource) when { context.input has opts && context.input.opts == { dry: true } };`;
  assert.equal(await judged(set, rows(1, { opts: { dry: true } })), 'allow');
  assert.equal(await judged(set, rows(1, { opts: { dry: true, force: true } })), 'policy_error');
  assert.equal(await judged(set, rows(1, { opts: { dry: true, force: null } })), 'allow');
});

test('a field that a policy asks for and the tool does not declare cannot slip by', async () => {
  const set = `${permitAll} @id("f") forbid (principal, action, resource) when { context.input has force };`;
  assert.equal(await judged(set, rows(1)), 'allow');
  assert.equal(await judged(set, rows(1, { force: true })), 'policy_error');
});

test('an operation passes nothing that its policies do not read', async () => {
  const big = 'x'.repeat(1_000_000);
  const live = await engineWith(cases);
  const start = performance.now();
  for (let run = 0; run < 20; run += 1)
    assert.equal(
      short(live.judge(asks('ops___export_rows', rows(5, { opts: { note: big } })), noon, null)),
      'allow',
    );
  assert.ok(performance.now() - start < 1000, 'Cedar got the megabyte');
});
