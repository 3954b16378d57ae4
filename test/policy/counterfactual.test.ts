/** Counterfactuals: which single change Cedar would allow, in words that are true of every value that they speak of. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../src/core/json.ts';
import type { Recent, Window } from '../../src/core/recent.ts';
import type { Verdict } from '../../src/core/verdict.ts';
import type { Judgeable, PolicyTexts, PolicyWorld } from '../../src/ports/policy.ts';
import { asks, engineWith, noon, permitAll, short, texts, world } from './support/world.ts';

interface More {
  readonly world?: Partial<PolicyWorld>;
  readonly timezone?: string;
  readonly nowMs?: number;
  readonly recent?: Recent | null;
  readonly forOperators?: boolean;
}

async function explained(set: string | PolicyTexts, action: Judgeable, more: More = {}): Promise<Verdict> {
  const engine = await engineWith(set, world(more.world), { timezone: more.timezone ?? 'UTC' });
  const nowMs = more.nowMs ?? noon;
  const verdict = engine.judge(action, nowMs, more.recent ?? null);
  return engine.explain(action, nowMs, verdict, more.forOperators);
}

const exporting = (input: JsonObject = {}): Judgeable =>
  asks('ops___export_rows', { table: 'customers', rows: 5204, ...input });

const review = (rest: string, id = 'r'): string =>
  `@id("${id}") @approvers("data-owners") forbid (principal, action == Action::"ops___export_rows", resource) ${rest};\n`;
const forbid = (rest: string, id = 'f'): string =>
  `@id("${id}") forbid (principal, action == Action::"ops___export_rows", resource) ${rest};\n`;

const told: readonly (readonly [set: string, input: JsonObject, wouldAllow: readonly string[]])[] = [
  [review('when { context.input.rows > 1000 }'), {}, ['if rows were at most 1000']],
  [review('unless { context.input.rows <= 1000 }'), {}, ['if rows were at most 1000']],
  [forbid('when { 1000 < context.input.rows }'), {}, ['if rows were at most 1000']],
  [review('when { context.input.rows < 6000 }'), {}, ['if rows were at least 6000']],
  [
    review('when { context.input.rows > 1000 || context.input.rows < 100 }'),
    {},
    ['if rows were between 100 and 1000'],
  ],
  [
    review('when { context.input.rows > 1000 && context.input.rows != 9999 }'),
    {},
    ['if rows were at most 1000', 'if rows were 9999'],
  ],
  // What another policy forbids in between is not promised.
  [
    review('when { context.input.rows > 1000 }') + forbid('when { context.input.rows == 500 }'),
    {},
    ['if rows were between 501 and 1000'],
  ],
  [
    review('when { context.input.rows > 1000 && context.input.table == "customers" }'),
    {},
    ['if rows were at most 1000', 'if table were not "customers"'],
  ],
  // Two policies stand in the way: no single change of one's own field helps.
  [
    review('when { context.input.rows > 1000 }') + review('when { context.input.table == "customers" }', 's'),
    {},
    [],
  ],
  [
    review('when { ["customers", "payroll"].contains(context.input.table) }'),
    {},
    ['if table were neither "customers" nor "payroll"'],
  ],
  [review('unless { ["tmp", "logs"].contains(context.input.table) }'), {}, ['if table were "tmp" or "logs"']],
  [review('when { context.input.table like "cust*" }'), {}, ['if table were not like "cust*"']],
  [
    review('when { context.input.table like "cust*" }') + forbid('when { context.input.table like "pay*" }'),
    {},
    ['if table were neither like "cust*" nor like "pay*"'],
  ],
  [
    review(
      'when { context.input.table like "cu*" && context.input.table like "*rs" && context.input.table != "x" }',
    ),
    {},
    ['if table were neither like "cu*" nor like "*rs"'],
  ],
  [
    review('when { context.input has labels && context.input.labels.contains("secret") }'),
    { labels: ['a', 'secret'] },
    ['if labels did not contain "secret"', 'if labels were not given'],
  ],
  [
    review('unless { context.input has labels && context.input.labels.contains("reviewed") }'),
    {},
    ['if labels contained "reviewed"'],
  ],
  [
    review('when { context.input has labels && !context.input.labels.isEmpty() }'),
    { labels: ['x'] },
    ['if labels were empty', 'if labels were not given'],
  ],
  [
    review('unless { context.input has opts && context.input.opts.dry }'),
    { opts: { dry: false } },
    ['if opts.dry were true'],
  ],
  // Arithmetic: only the very number that was tried.
  [review('when { context.input.rows * 2 > 1000 && context.input.rows > 400 }'), {}, ['if rows were 401']],
  [review('when { context.input.rows * 2 > 1000 }'), {}, []],
  [review(''), {}, []],
];

for (const [set, input, wouldAllow] of told) {
  test(`told of: ${set.trim().split('\n').join(' ')}`, async () => {
    const verdict = await explained(permitAll + set, exporting(input));
    assert.notEqual(verdict.effect, 'allow');
    assert.deepEqual(verdict.explanation.wouldAllow, wouldAllow);
  });
}

test('an allow, and what failed, are told nothing of', async () => {
  const set = permitAll + review('when { context.input.rows > 1000 }');
  assert.deepEqual((await explained(set, exporting({ rows: 5 }))).explanation.wouldAllow, []);
  const failed = await explained(set, exporting({ rows: 'many' }));
  assert.deepEqual([short(failed), failed.explanation.wouldAllow], ['policy_error', []]);
});

test('the hour and the weekday, in the configured zone', async () => {
  const hours =
    permitAll + forbid('unless { context.system.local.hour >= 9 && context.system.local.hour < 17 }');
  // 12:00 UTC on a Sunday in November.
  const tokyo = await explained(hours, exporting(), { timezone: 'Asia/Tokyo' });
  assert.deepEqual(tokyo.explanation.wouldAllow, ['if the hour in Asia/Tokyo were between 9 and 16']);
  assert.deepEqual((await explained(hours, exporting())).explanation.wouldAllow, []);
  const days = permitAll + forbid('when { context.system.local.weekday > 5 }');
  assert.deepEqual((await explained(days, exporting())).explanation.wouldAllow, [
    'if it were Monday to Friday in UTC',
  ]);
});

test('a window of time', async () => {
  const freeze = `${permitAll}${forbid('when { context.system.now >= datetime("2026-11-20") && context.system.now < datetime("2026-12-01") }')}`;
  assert.deepEqual((await explained(freeze, exporting())).explanation.wouldAllow, [
    'if it were before 2026-11-20T00:00:00.000Z',
    'if it were 2026-12-01T00:00:00.000Z or later',
  ]);
});

const windowOf = (count: number, sum: number | null): Window => ({ count, sum });
const recentOf = (count: number, sum: number | null): Recent => {
  const one = { hour: windowOf(count, sum), day: windowOf(count, sum), ever: windowOf(count, sum) };
  return { agent: one, owner: one, operation: one };
};
const summed = { profiles: { ops___export_rows: { sum: 'input.rows' } } };

test('what was granted lately counts, and a smaller action is told as what would be left', async () => {
  const set = permitAll + review('when { context.recent.owner.day.sum > 10000 }');
  const verdict = await explained(set, exporting({ rows: 1000 }), {
    world: summed,
    recent: recentOf(12, 10_400),
  });
  assert.deepEqual(verdict.explanation.clauses, [
    { policy: 'r', text: 'context.recent.owner.day.sum > 10000', left: '10400', right: '10000' },
  ]);
  assert.deepEqual(verdict.explanation.wouldAllow, [
    'if the sum by its owner’s agents within a day were at most 10000',
  ]);
  const both = await explained(
    permitAll + review('when { context.recent.owner.day.sum > 10000 && context.input.rows > 0 }'),
    exporting({ rows: 1000 }),
    { world: summed, recent: recentOf(12, 10_400) },
  );
  assert.deepEqual(both.explanation.wouldAllow, [
    'if the sum by its owner’s agents within a day were at most 10000',
    'if rows were between 0 and 600',
  ]);
});

test('a resource that the input names changes with the input', async () => {
  const set = texts(
    '@id("p") permit (principal, action, resource) when { resource.open }; ' +
      review('when { context.input.table == "payroll" || context.input.table == "customers" }'),
    {
      schema: 'entity Dataset = { open: Bool };',
      entities: [
        { uid: { type: 'Dataset', id: 'customers' }, attrs: { open: true }, parents: [] },
        { uid: { type: 'Dataset', id: 'payroll' }, attrs: { open: false }, parents: [] },
      ],
    },
  );
  const tools = {
    resourceTypes: {
      ops___export_rows: 'Dataset',
      ops___grant_role: 'Dataset',
      ops___delete_region: 'Dataset',
    },
    profiles: { ops___export_rows: { resource: { type: 'Dataset', id: 'input.table' } } },
  };
  const asked = asks(
    'ops___export_rows',
    { table: 'customers', rows: 1 },
    { type: 'Dataset', id: 'customers' },
  );
  // Any other table is another resource, of which nothing is known.
  assert.deepEqual((await explained(set, asked, { world: tools })).explanation.wouldAllow, []);
  const closed = asks('ops___export_rows', { table: 'payroll', rows: 1 }, { type: 'Dataset', id: 'payroll' });
  const verdict = await explained(
    texts(
      '@id("p") permit (principal, action, resource) when { resource.open };',
      set.schemas[0] === undefined ? {} : { schema: set.schemas[0].text, entities: set.entities },
    ),
    closed,
    { world: tools },
  );
  assert.deepEqual(
    [short(verdict), verdict.explanation.wouldAllow],
    ['no_permit', ['if resource.open were true']],
  );
});

test('of values that name another resource only those are told whose resource is permitted', async () => {
  const dataset = (id: string, open: boolean) => ({
    uid: { type: 'Dataset', id },
    attrs: { open },
    parents: [],
  });
  const set = texts(
    '@id("p") permit (principal, action, resource) when { resource.open }; ' +
      review('unless { ["payroll", "logs"].contains(context.input.table) }'),
    {
      schema: 'entity Dataset = { open: Bool };',
      entities: [dataset('customers', true), dataset('payroll', false), dataset('logs', true)],
    },
  );
  const types = Object.fromEntries(
    ['export_rows', 'grant_role', 'delete_region'].map((name) => [`ops___${name}`, 'Dataset']),
  );
  const verdict = await explained(
    set,
    asks('ops___export_rows', { table: 'customers', rows: 1 }, { type: 'Dataset', id: 'customers' }),
    {
      world: {
        resourceTypes: types,
        profiles: { ops___export_rows: { resource: { type: 'Dataset', id: 'input.table' } } },
      },
    },
  );
  assert.deepEqual(verdict.explanation.wouldAllow, ['if table were "logs"']);
});

test('no permit: the nearest ones, by what they still want', async () => {
  const set = `
@id("support.read") permit (principal in Group::"support-agents", action == Action::"ops___export_rows", resource) when { context.input.rows < 100 };
@id("finance") permit (principal in Group::"finance", action == Action::"ops___export_rows", resource) when { context.input.rows < 100 };
@id("other") permit (principal in Group::"finance", action == Action::"ops___delete_region", resource);
`;
  const verdict = await explained(set, exporting());
  assert.equal(
    verdict.explanation.text,
    'No policy permits ops___export_rows for crm-bot. Permit support.read wants context.input.rows < 100 (here 5204). Permit finance applies to agents in finance; crm-bot is not; and it wants context.input.rows < 100 (here 5204).',
  );
  assert.deepEqual(verdict.explanation.wouldAllow, ['if rows were at most 99']);
  assert.deepEqual(
    verdict.explanation.clauses.map(({ policy, left, right }) => [policy, left, right]),
    [
      ['support.read', '5204', '100'],
      ['finance', '5204', '100'],
    ],
  );
  assert.equal(verdict.toldAgent, 'No policy permits this action.');
});

test('groups of the agent are told to operators only', async () => {
  const set = '@id("support.read") permit (principal in Group::"finance", action, resource);';
  const people = await explained(set, exporting());
  assert.deepEqual(people.explanation.wouldAllow, []);
  assert.match(
    people.explanation.text,
    /Permit support\.read applies to agents in finance; crm-bot is not\.$/,
  );
  const operators = await explained(set, exporting(), { forOperators: true });
  assert.deepEqual(operators.explanation.wouldAllow, ['if crm-bot were in Group::"finance"']);
  const out = await explained(
    `${permitAll}@id("f") forbid (principal in Group::"support-agents", action, resource);`,
    exporting(),
    { forOperators: true },
  );
  assert.deepEqual(out.explanation.wouldAllow, ['if crm-bot were not in Group::"support-agents"']);
});

test('the agent is told only where the policy says @tell_agent, without a text of its own', async () => {
  const set = (head: string): string =>
    `${permitAll} @id("r") @approvers("data-owners") ${head} forbid (principal, action == Action::"ops___export_rows", resource) when { context.input.rows > 1000 };`;
  const toldAgent = async (head: string): Promise<string> =>
    (await explained(set(head), exporting())).toldAgent;
  assert.doesNotMatch(await toldAgent(''), /1000/);
  assert.doesNotMatch(await toldAgent('@tell_agent("Ask for less.")'), /1000/);
  assert.match(await toldAgent('@tell_agent'), /It would be allowed if rows were at most 1000\.$/);
});

test('a policy that keeps its threshold is not told by another one that tells its own', async () => {
  const tells = `@id("f") @tell_agent forbid (principal, action == Action::"ops___export_rows", resource) when { context.input.rows > 1000 };\n`;
  const kept = review('when { context.input.rows > 437 }', 'kept');
  const quiet = `@id("p") permit (principal, action, resource) when { context.input.rows < 438 };\n`;
  for (const set of [
    permitAll + tells + kept,
    quiet.replace('action,', 'action == Action::"ops___export_rows",') + tells,
  ]) {
    const verdict = await explained(set, exporting());
    assert.deepEqual(verdict.explanation.wouldAllow, ['if rows were at most 437'], 'people are told');
    assert.doesNotMatch(verdict.toldAgent, /437/, verdict.toldAgent);
  }
  // What it is added up to is compared too.
  const added = review('when { context.recent.agent.day.sum > 437 }', 'summed');
  const one = { count: 1, sum: 5204 };
  const scope = { hour: one, day: one, ever: one };
  const verdict = await explained(permitAll + tells + added, exporting(), {
    recent: { agent: scope, owner: scope, operation: scope },
    world: { profiles: { ops___export_rows: { sum: 'input.rows' } } },
  });
  assert.match(verdict.explanation.wouldAllow.join(), /437/, 'people are told');
  assert.doesNotMatch(verdict.toldAgent, /437/, verdict.toldAgent);
});

test('values are masked here as everywhere', async () => {
  const secret = `ghp_${'a1B2'.repeat(9)}`;
  const set = `${permitAll}@id("f") forbid (principal, action == Action::"ops___grant_role", resource) unless { context.input.role == context.input.principal };`;
  const verdict = await explained(set, asks('ops___grant_role', { principal: secret, role: 'r' }));
  assert.equal(verdict.explanation.wouldAllow.length, 2);
  assert.ok(!JSON.stringify(verdict.explanation).includes(secret), JSON.stringify(verdict.explanation));
});

test('where the set moved meanwhile nothing is told', async () => {
  const engine = await engineWith(permitAll + review('when { context.input.rows > 1000 }'));
  const verdict = engine.judge(exporting(), noon, null);
  const old = { ...verdict, versions: { ...verdict.versions, policySet: 1 } };
  assert.equal(engine.explain(exporting(), noon, old), old);
});

test('the search ends in time', async () => {
  const engine = await engineWith(permitAll + review('when { context.input.rows > 1000 }'), world(), {
    explainMsMax: -1,
  });
  const verdict = engine.judge(exporting(), noon, null);
  assert.deepEqual(engine.explain(exporting(), noon, verdict).explanation.wouldAllow, []);
});

test('whoever floods the gate with denials gets fewer of them explained', async () => {
  const set = permitAll + review('when { context.input.rows > 1000 }');
  const engine = await engineWith(set, world(), { explainMsPerSecond: 0.001 });
  const verdict = engine.judge(exporting(), noon, null);
  const one = Array.from(
    { length: 20 },
    () => engine.explain(exporting(), noon, verdict).explanation.wouldAllow,
  );
  assert.deepEqual(one.at(-1), []);
});
