/**
 * The starter policies, each in the real engine with base.cedar: what it holds or denies, what it lets pass, and that small
 * actions cannot go round it. All of them together are a policy set too, with the configuration beside them.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseSettings } from '../../src/config.ts';
import type { Act, Facts } from '../../src/core/acts.ts';
import { asAgentId, asPersonId } from '../../src/core/ids.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { amountOf, everMinute, minuteOf, recentOf, type RecentRow } from '../../src/core/recent.ts';
import { readJson } from '../../src/core/read-json.ts';
import { startCedar } from '../../src/policy/cedar.ts';
import { createPolicyEngine } from '../../src/policy/engine.ts';
import { compileAndTry } from '../../src/policy/smoke.ts';
import type { PolicyEngine, PolicyTexts, PolicyWorld } from '../../src/ports/policy.ts';
import { short } from '../policy/support/world.ts';
import { root } from '../support/source.ts';

const folder = `${root}/examples/policies`;
const files = readdirSync(folder).filter((file) => file.endsWith('.cedar'));
const text = (file: string): string => readFileSync(`${folder}/${file}`, 'utf8');

const settings = parseSettings(text('countersign.yaml'), `${folder}/countersign.yaml`);
assert.ok(settings.ok, JSON.stringify(settings));
const { directory, operations } = settings.value.proposal;
const profiles = Object.fromEntries(
  operations.map(({ operation, profile }) => [
    operation,
    profile ?? { verb: 'Run', effect: 'execute' as const },
  ]),
);
const world: PolicyWorld = {
  directory,
  servers: [],
  tools: [],
  resourceTypes: {},
  operations: operations.map(({ operation, input, profile }) => ({
    operation,
    input,
    resourceType: profile?.resource?.type ?? null,
  })),
  profiles,
  versions: { policySet: 1, directory: 1, tools: 1 },
};
const entities = readJson(text('entities.json'));
assert.ok(entities.ok);

const textsOf = (names: readonly string[]): PolicyTexts => ({
  policies: names.map((file) => ({ file, text: text(file) })),
  schemas: [{ file: 'production-writes.cedarschema', text: text('production-writes.cedarschema') }],
  entities: entities.value,
});

const cedar = startCedar();

/** These files, live, with nothing to remark on. */
async function engineOf(...names: readonly string[]): Promise<PolicyEngine> {
  const engine = createPolicyEngine({
    prove: (candidate) => Promise.resolve(compileAndTry(() => cedar, candidate)),
    timezone: 'Europe/Berlin',
  });
  const texts = textsOf(names);
  const { problems } = await engine.check(texts, world);
  // One file alone permits nothing, as `policy check` notes.
  assert.deepEqual(
    problems.filter((one) => one.severity !== 'info'),
    [],
  );
  assert.ok((await engine.load(texts, world, null)).ok);
  return engine;
}

/** A Wednesday outside the freeze, 10 o'clock in Berlin. */
const day = Date.UTC(2026, 10, 25, 9);

interface Ask {
  readonly agent?: string;
  readonly atMs?: number;
  /** What was granted before. */
  readonly rows?: readonly RecentRow[];
}

/** The verdict, with what was granted counted as the store counts it. */
function ask(
  engine: PolicyEngine,
  operation: string,
  input: JsonObject,
  { agent = 'crm-bot', atMs = day, rows = [] }: Ask = {},
): string {
  const id = asAgentId(agent);
  const profile = profiles[operation];
  assert.ok(profile !== undefined);
  const recent = recentOf(
    rows,
    { agent: id, amount: amountOf(profile, input), countedAtMs: null },
    directory,
    atMs,
  );
  const database = typeof input['database'] === 'string' ? input['database'] : '';
  const resource =
    profile.resource === undefined
      ? { type: 'Server', id: operation.split('___')[0] ?? '' }
      : { type: profile.resource.type, id: database };
  return short(engine.judge({ agent: id, operation, input, resource }, atMs, recent));
}

const release = { service: 'shop', version: '1.2' };
const migrate = (database: string) => ({ database, name: '0042' });
const rowsOf = (rows: number, destination = 'https://files.example.com/a.csv') => ({
  table: 'customers',
  rows,
  destination,
});

test('base: permits what it lists, for its group', async () => {
  const engine = await engineOf('base.cedar');
  assert.equal(ask(engine, 'crm___get_customer', { id: 1 }), 'allow');
  assert.equal(ask(engine, 'deploy___release', release), 'allow');
  assert.equal(
    short(
      engine.judge(
        {
          agent: asAgentId('crm-bot'),
          operation: 'crm___other',
          input: {},
          resource: { type: 'Server', id: 'crm' },
        },
        day,
        null,
      ),
    ),
    'no_permit',
  );
});

test('every other starter only takes away: alone, nothing is permitted', async () => {
  for (const file of files.filter((one) => one !== 'base.cedar')) {
    const engine = await engineOf(file);
    for (const [operation, input] of [
      ['crm___get_customer', { id: 1 }],
      ['mail___send', { to: 'a@example.com', text: '' }],
    ] as const)
      assert.equal(ask(engine, operation, input), 'no_permit', `${file} ${operation}`);
  }
});

test('change freeze: from its first instant to before its last, and for changes only', async () => {
  const engine = await engineOf('base.cedar', 'change-freeze.cedar');
  const at = (atMs: number) => ask(engine, 'deploy___release', release, { atMs });
  assert.equal(at(Date.UTC(2026, 11, 18)), 'review:freeze.year-end');
  assert.equal(at(Date.UTC(2027, 0, 3, 23, 59, 59)), 'review:freeze.year-end');
  assert.equal(at(Date.UTC(2026, 11, 18) - 1), 'allow');
  assert.equal(at(Date.UTC(2027, 0, 4)), 'allow');
  assert.equal(ask(engine, 'crm___get_customer', { id: 1 }, { atMs: Date.UTC(2026, 11, 24) }), 'allow');
});

test('business hours: by the clock on the wall, in winter and in summer', async () => {
  const engine = await engineOf('base.cedar', 'business-hours.cedar');
  const at = (...utc: [number, number, number, number, number?]) =>
    ask(engine, 'deploy___release', release, { atMs: Date.UTC(...utc) });
  assert.equal(at(2026, 10, 25, 7), 'allow'); // Wednesday, 8 o'clock
  assert.equal(at(2026, 10, 25, 6, 59), 'review:hours.changes');
  assert.equal(at(2026, 10, 25, 16, 59), 'allow');
  assert.equal(at(2026, 10, 25, 17), 'review:hours.changes');
  assert.equal(at(2026, 6, 1, 6), 'allow'); // Wednesday, 8 o'clock in summer
  assert.equal(at(2026, 6, 1, 16), 'review:hours.changes');
  assert.equal(at(2026, 10, 27, 9), 'allow'); // Friday
  assert.equal(at(2026, 10, 28, 9), 'review:hours.changes');
  assert.equal(at(2026, 10, 29, 9), 'review:hours.changes');
  assert.equal(at(2026, 10, 30, 9), 'allow'); // Monday
});

test('production writes: what is not known to be a test is production', async () => {
  const engine = await engineOf('base.cedar', 'production-writes.cedar');
  const verdict = (database: string) => ask(engine, 'db___run_migration', migrate(database));
  assert.equal(verdict('customers-test'), 'allow');
  assert.equal(verdict('customers'), 'review:production.writes');
  for (const unknown of ['orders', 'CUSTOMERS-TEST', 'customers-test ', ''])
    assert.equal(verdict(unknown), 'review:production.writes', unknown);
});

test('bulk export: one large one is held, and so are fifty small ones', async () => {
  const engine = await engineOf('base.cedar', 'bulk-export.cedar');
  assert.equal(ask(engine, 'crm___export_rows', rowsOf(1000)), 'allow');
  assert.equal(ask(engine, 'crm___export_rows', rowsOf(1001)), 'review:export.bulk');
  // Fifty of 1,000, by two agents of one owner in turn: the sixth and all after it wait.
  let rows: readonly RecentRow[] = [];
  const verdicts = Array.from({ length: 50 }, (_, index) => {
    const atMs = day + index * 60_000;
    const agent = index % 2 === 0 ? 'crm-bot' : 'ops-bot';
    const verdict = ask(engine, 'crm___export_rows', rowsOf(1000), { agent, atMs, rows });
    if (verdict === 'allow') rows = [...rows, granted(agent, atMs, 1000)];
    return verdict;
  });
  assert.deepEqual(verdicts.slice(0, 5), Array(5).fill('allow'));
  assert.deepEqual(verdicts.slice(5), Array(45).fill('review:export.bulk'));
  // A day later there is room again.
  const tomorrow = day + 25 * 3_600_000;
  assert.equal(ask(engine, 'crm___export_rows', rowsOf(1000), { atMs: tomorrow, rows }), 'allow');
  // No number, or one that cannot be added up: no export.
  assert.equal(ask(engine, 'crm___export_rows', { table: 'customers', destination: 'x' }), 'policy_error');
  assert.equal(ask(engine, 'crm___export_rows', rowsOf(-5000)), 'policy_error');
});

const granted = (agent: string, atMs: number, sum: number): RecentRow => ({
  agent: asAgentId(agent),
  minute: minuteOf(atMs),
  count: 1,
  sum,
});

test('external destination: only what is plainly ours passes', async () => {
  const engine = await engineOf('base.cedar', 'external-destination.cedar');
  const mail = (to: string) => ask(engine, 'mail___send', { to, text: 'hello' });
  assert.equal(mail('rosa@example.com'), 'allow');
  for (const to of [
    'eve@evil.net',
    'rosa@example.com.evil.net',
    'eve@evil.net,rosa@example.com',
    'eve@evil.net;rosa@example.com',
    'eve@evil.net rosa@example.com',
    '<eve@evil.net>rosa@example.com',
    'eve@evil.net@example.com',
    'eve@notexample.com',
    'rosa@EXAMPLE.com',
    '',
  ])
    assert.equal(mail(to), 'review:external.mail', to);
  const to = (destination: string) => ask(engine, 'crm___export_rows', rowsOf(10, destination));
  assert.equal(to('https://files.example.com/a.csv'), 'allow');
  for (const destination of [
    'https://files.example.com.evil.net/a',
    'https://files.example.com@evil.net/a',
    'http://files.example.com/a',
    'https://evil.net/?https://files.example.com/',
    'a.csv',
  ])
    assert.equal(to(destination), 'review:external.export', destination);
});

test('irreversible: what is listed waits, what is not runs', async () => {
  const engine = await engineOf('base.cedar', 'irreversible.cedar');
  assert.equal(ask(engine, 'crm___delete_customer', { id: 7 }), 'review:irreversible');
  assert.equal(ask(engine, 'db___run_migration', migrate('customers-test')), 'review:irreversible');
  assert.equal(ask(engine, 'deploy___release', release), 'allow');
});

test('first seen: the first of an agent waits, the second runs, and another agent’s first waits again', async () => {
  const engine = await engineOf('base.cedar', 'first-seen.cedar');
  const rows: readonly RecentRow[] = [
    { agent: asAgentId('crm-bot'), minute: everMinute, count: 1, sum: 0 },
    { agent: asAgentId('crm-bot'), minute: minuteOf(day) - 100_000, count: 1, sum: 0 },
  ];
  assert.equal(ask(engine, 'deploy___release', release), 'review:first-seen');
  assert.equal(ask(engine, 'deploy___release', release, { rows }), 'allow');
  assert.equal(ask(engine, 'deploy___release', release, { rows, agent: 'ops-bot' }), 'review:first-seen');
  assert.equal(ask(engine, 'crm___get_customer', { id: 1 }), 'allow');
});

test('privilege grants: two people, but for what is harmless; and never for good', async () => {
  const engine = await engineOf('base.cedar', 'privilege-grants.cedar');
  const grant = (role: string, expires?: string) =>
    ask(engine, 'iam___grant_role', { who: 'eve', role, ...(expires === undefined ? {} : { expires }) });
  assert.equal(grant('admin', '2026-12-01'), 'review:privilege.grants');
  assert.equal(grant('Viewer', '2026-12-01'), 'review:privilege.grants');
  assert.equal(grant('viewer', '2026-12-01'), 'allow');
  assert.equal(grant('admin'), 'forbidden');
  for (const never of ['', 'never', '9999-12-31']) assert.equal(grant('viewer', never), 'forbidden', never);
  const verdict = engine.judge(
    {
      agent: asAgentId('crm-bot'),
      operation: 'iam___grant_role',
      input: { who: 'eve', role: 'admin', expires: '2026-12-01' },
      resource: { type: 'Server', id: 'iam' },
    },
    day,
    null,
  );
  assert.ok(verdict.effect === 'review');
  assert.deepEqual(
    verdict.requirements.map((one) => [one.quorum, one.approvers, one.reasonRequired]),
    [[2, 'security', true]],
  );
});

test('all of them together load with the configuration beside them, and each says when, what and at what cost', async () => {
  const engine = await engineOf(...files);
  assert.equal(ask(engine, 'crm___get_customer', { id: 1 }), 'allow');
  assert.equal(
    ask(engine, 'db___run_migration', migrate('customers')),
    'review:first-seen,irreversible,production.writes',
  );
  for (const file of files) {
    const [head = ''] = text(file).split('\n\n');
    assert.match(head, /^\/\/ Starter: /, file);
    for (const part of ['Use it when', 'Change ', 'Costs '])
      assert.ok(head.includes(part), `${file}: ${part}`);
  }
});

test('roles: auditors see no inputs of HR, who is on call settles, tools are accepted by day', async () => {
  const engine = await engineOf('base.cedar', 'roles.cedar');
  const held = (server: string): Facts => ({
    kind: 'case',
    agent: asAgentId('crm-bot'),
    operation: `${server}___update`,
    server,
    resourceType: 'Server',
    approvers: [],
    asked: [],
    standIns: [],
    reviewers: [],
    approvedBy: [],
  });
  const may = (person: string, act: Act, facts: Facts, atMs = day): boolean =>
    engine.mayDo(asPersonId(person), act, facts, atMs);
  assert.equal(may('sam', 'read_input', held('crm')), true);
  assert.equal(may('sam', 'read_input', held('hr')), false);
  assert.equal(may('sam', 'read', held('hr')), true);
  // An operator who is not on call.
  assert.equal(may('sam', 'settle', held('crm')), false);
  // On call, but no operator: a forbid gives nobody anything.
  assert.equal(may('mia', 'settle', held('crm')), false);
  const server: Facts = { kind: 'server', server: 'crm' };
  assert.equal(may('sam', 'accept_tool', server), true);
  assert.equal(may('sam', 'accept_tool', server, day + 12 * 3_600_000), false);
  assert.equal(may('sam', 'stop', held('hr'), day + 12 * 3_600_000), true);
});
