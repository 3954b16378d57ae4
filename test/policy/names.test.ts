/** Which operations there are (design §5, "Names and schema"), and what questions and disabled tools are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PolicyWorld } from '../../src/ports/policy.ts';
import {
  asks,
  engineWith,
  exportRows,
  integer,
  noon,
  permitAll,
  quickEngine,
  short,
  string,
  texts,
  tool,
  world,
} from './support/world.ts';

const verdictOf = async (set: string, action: ReturnType<typeof asks>, in_?: PolicyWorld): Promise<string> =>
  short((await engineWith(set, in_)).judge(action, noon, null));

test('an operation that nothing declares is no_permit, even under a permit of all', async () => {
  assert.equal(await verdictOf(permitAll, asks('ops___unknown')), 'no_permit');
  assert.equal(await verdictOf(permitAll, asks('billing___refund')), 'no_permit');
  assert.equal(await verdictOf(permitAll, asks('approve')), 'no_permit');
  assert.equal(await verdictOf(permitAll, asks('ops___export_rows:input')), 'no_permit');
  assert.equal(await verdictOf(permitAll, asks('__proto__')), 'no_permit');
});

test('a name in a scope whose target is no server is declared by that', async () => {
  const set =
    '@id("p") permit (principal, action == Action::"billing___refund", resource); @id("f") forbid (principal, action == Action::"billing___void", resource);';
  assert.equal(await verdictOf(set, asks('billing___refund')), 'allow');
  assert.equal(await verdictOf(set, asks('billing___refund', { cents: 5, note: 'whatever' })), 'allow');
  assert.equal(await verdictOf(set, asks('billing___void')), 'forbidden');
});

test('its input is empty, so a policy cannot read it', async () => {
  const engine = quickEngine();
  const { ok, problems } = await engine.check(
    texts(
      '@id("p") permit (principal, action == Action::"billing___refund", resource) when { context.input.cents < 5 };',
    ),
    world(),
  );
  assert.equal(ok, false);
  assert.match(problems[0]?.message ?? '', /cents/);
});

test('a configured operation has the input and the resource that the configuration says', async () => {
  const operations = [
    {
      operation: 'billing___refund',
      input: { type: 'object', properties: { cents: integer, to: string }, required: ['cents'] },
      resourceType: 'Invoice',
    },
  ];
  const set =
    '@id("p") permit (principal, action == Action::"billing___refund", resource is Invoice) when { context.input.cents < 500 };';
  const refund = (cents: number, type = 'Invoice') => asks('billing___refund', { cents }, { type, id: '7' });
  assert.equal(await verdictOf(set, refund(499), world({ operations })), 'allow');
  assert.equal(await verdictOf(set, refund(500), world({ operations })), 'no_permit');
  assert.equal(await verdictOf(set, refund(499, 'Server'), world({ operations })), 'policy_error');
  assert.equal(await verdictOf(set, refund(499, 'Agent'), world({ operations })), 'policy_error');
  const wrong = (await engineWith(set, world({ operations }))).judge(refund(499, 'Server'), noon, null);
  assert.equal(
    wrong.explanation.text,
    'billing___refund is about a resource of type Invoice, not about Server::"7".',
  );
  assert.equal(wrong.toldAgent, 'The resource of this operation is of type Invoice.');
});

test('a tool that its server does not have is a warning, and no_permit', async () => {
  const set =
    '@id("p") permit (principal, action in [Action::"ops___gone", Action::"ops___export_rows"], resource);';
  assert.equal(await verdictOf(set, asks('ops___gone')), 'no_permit');
  assert.equal(await verdictOf(set, asks('ops___export_rows')), 'allow');
  const on =
    '@id("p") permit (principal, action == Action::"ops___gone", resource) when { context.input.anything.at.all > 5 };';
  assert.equal(await verdictOf(on, asks('ops___gone')), 'no_permit');
});

test('a tool that waits or is disabled is tool_disabled, and its policies stay valid', async () => {
  const set =
    '@id("p") permit (principal, action == Action::"ops___export_rows", resource) when { context.input.rows < 5 };';
  const disabled = world({ tools: [{ ...exportRows, status: 'disabled' }] });
  const waiting = world({ tools: [{ ...exportRows, status: 'waiting', definition: null, hash: null }] });
  const action = asks('ops___export_rows', { table: 't', rows: 1 });
  assert.equal(await verdictOf(set, action, disabled), 'tool_disabled');
  assert.equal(await verdictOf(set, action, waiting), 'tool_disabled');
  assert.equal(await verdictOf(set, action), 'allow');
});

test('an answer to a question is permitted only by a policy that names it', async () => {
  const asked = asks('ops___export_rows', { table: 't', rows: 1 });
  const permits = async (set: string): Promise<boolean> =>
    (await engineWith(set)).permitsQuestion(asked, noon);
  const named = '@id("q") permit (principal, action == Action::"ops___export_rows:input", resource);';
  assert.equal(await permits(permitAll), false);
  assert.equal(await permits(permitAll + named), true);
  assert.equal(await permits(`${named} @id("f") forbid (principal, action, resource);`), false);
  assert.equal(
    await permits(`${named} @id("f") forbid (principal, action == Action::"ops___export_rows", resource);`),
    true,
  );
  assert.equal(
    await permits(`${named} @id("r") @approvers("security") forbid (principal, action, resource);`),
    false,
  );
  assert.equal(await permits(named.replace(';', ' when { context.input.rows > 5 };')), false);
  const unknown = await engineWith(permitAll + named);
  assert.equal(unknown.permitsQuestion(asks('ops___other'), noon), false);
  assert.equal(quickEngine().permitsQuestion(asked, noon), false);
});

test('a tool whose name would be that of a question cannot be judged', async () => {
  const tools = [exportRows, tool('export_rows:input', {})];
  const engine = await engineWith(
    '@id("q") permit (principal, action == Action::"ops___export_rows:input", resource);',
    world({ tools }),
  );
  assert.equal(short(engine.judge(asks('ops___export_rows:input'), noon, null)), 'no_permit');
  const { problems } = await engine.check(texts(permitAll), world({ tools }));
  assert.match(problems[0]?.message ?? '', /ends? in ":input"/);
});

test('the resource of a tool is what its profile says, with attributes from entities.json', async () => {
  const set = texts(
    '@id("p") permit (principal, action, resource); @id("r") @approvers("data-owners") forbid (principal, action == Action::"ops___export_rows", resource is Dataset) when { resource has personal && resource.personal };',
    {
      schema: 'entity Environment; entity Dataset in [Environment] = { personal?: Bool };',
      entities: [
        {
          uid: { type: 'Dataset', id: 'customers' },
          attrs: { personal: true },
          parents: [{ type: 'Environment', id: 'prod' }],
        },
      ],
    },
  );
  const engine = await engineWith(set, world({ resourceTypes: { ops___export_rows: 'Dataset' } }));
  const on = (id: string) =>
    short(
      engine.judge(asks('ops___export_rows', { table: id, rows: 1 }, { type: 'Dataset', id }), noon, null),
    );
  assert.equal(on('customers'), 'review:r');
  assert.equal(on('orders'), 'allow');
});

test('a resource that needs attributes and has none is a denial that says so', async () => {
  const set = texts(permitAll, { schema: 'entity Dataset = { personal: Bool, note?: String };' });
  const engine = await engineWith(set, world({ resourceTypes: { ops___export_rows: 'Dataset' } }));
  const verdict = engine.judge(asks('ops___export_rows', {}, { type: 'Dataset', id: 'x' }), noon, null);
  assert.equal(short(verdict), 'policy_error');
  assert.equal(
    verdict.explanation.text,
    'Dataset::"x" is not in entities.json, and every Dataset needs personal.',
  );
});

test('a resource type that no file declares has no attributes', async () => {
  const set = '@id("p") permit (principal, action, resource == Dataset::"orders");';
  const in_ = world({ tools: [exportRows], resourceTypes: { ops___export_rows: 'Dataset' } });
  assert.equal(
    await verdictOf(set, asks('ops___export_rows', {}, { type: 'Dataset', id: 'orders' }), in_),
    'allow',
  );
  assert.equal(
    await verdictOf(set, asks('ops___export_rows', {}, { type: 'Dataset', id: 'customers' }), in_),
    'no_permit',
  );
});

test('a person or an agent as the resource is the one of the directory', async () => {
  const set =
    '@id("p") permit (principal, action == Action::"ops___grant_role", resource) unless { resource in Group::"security" };';
  const in_ = world({ resourceTypes: { ops___grant_role: 'Person' } });
  const to = (id: string) =>
    asks('ops___grant_role', { principal: id, role: 'viewer' }, { type: 'Person', id });
  assert.equal(await verdictOf(set, to('nora'), in_), 'allow');
  assert.equal(await verdictOf(set, to('lee'), in_), 'no_permit');
  assert.equal(await verdictOf(set, to('stranger'), in_), 'allow');
});
