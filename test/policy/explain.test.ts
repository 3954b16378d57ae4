/** Explanations: the clauses that made the difference, with the values on both sides; and what the agent is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../src/core/json.ts';
import type { Verdict } from '../../src/core/verdict.ts';
import { asks, engineWith, exportRows, noon, permitAll, string, tool, world } from './support/world.ts';

const exports = (rest: string, head = ''): string =>
  `${permitAll} @id("export") @title("Bulk export needs a data owner") @approvers("data-owners") ${head} forbid (principal, action == Action::"ops___export_rows", resource) ${rest};`;

async function judged(
  set: string,
  input: JsonObject = {},
  operation = 'ops___export_rows',
  tools = [exportRows],
): Promise<Verdict> {
  return (await engineWith(set, world({ tools }))).judge(
    asks(operation, { table: 'customers', rows: 5204, ...input }),
    noon,
    null,
  );
}
const clauses = (verdict: Verdict) =>
  verdict.explanation.clauses.map(({ text, left, right }) => [text, left, right]);

test('a comparison with both its values', async () => {
  const verdict = await judged(exports('when { context.input.rows > 1000 }'));
  assert.equal(
    verdict.explanation.text,
    '“Bulk export needs a data owner” applies because context.input.rows > 1000 (5204 > 1000).',
  );
  assert.deepEqual(verdict.explanation.policies, [
    { id: 'export', title: 'Bulk export needs a data owner', effect: 'forbid' },
  ]);
  assert.deepEqual(verdict.explanation.clauses, [
    { policy: 'export', text: 'context.input.rows > 1000', left: '5204', right: '1000' },
  ]);
  assert.deepEqual(verdict.explanation.wouldAllow, []);
});

const leaves: readonly (readonly [
  rest: string,
  clauses: readonly (readonly [string, string | null, string | null])[],
  input?: JsonObject,
])[] = [
  [
    'when { context.input.rows > 1000 && context.input.table == "customers" }',
    [
      ['context.input.rows > 1000', '5204', '1000'],
      ['context.input.table == "customers"', '"customers"', '"customers"'],
    ],
  ],
  [
    'when { context.input.rows > 9000 || context.input.table like "cust*" }',
    [['context.input.table like "cust*"', '"customers"', '"cust*"']],
  ],
  [
    'when { context.input.table == "customers" || context.input.rows > 1000 }',
    [['context.input.table == "customers"', '"customers"', '"customers"']],
  ],
  [
    'unless { context.input has labels && context.input.labels.contains("x") }',
    [['!(context.input has labels)', null, null]],
  ],
  ['unless { context.input.rows <= 1000 }', [['context.input.rows > 1000', '5204', '1000']]],
  [
    'unless { context.input.rows <= 1000 || context.input.table == "tmp" }',
    [
      ['context.input.rows > 1000', '5204', '1000'],
      ['context.input.table != "tmp"', '"customers"', '"tmp"'],
    ],
  ],
  [
    'unless { context.input.rows > 10 && context.input.table == "tmp" }',
    [['context.input.table != "tmp"', '"customers"', '"tmp"']],
  ],
  ['when { !(context.input.rows < 6) }', [['context.input.rows >= 6', '5204', '6']]],
  [
    'unless { ["a", "b"].contains(context.input.table) }',
    [['!["a", "b"].contains(context.input.table)', '["a", "b"]', '"customers"']],
  ],
  [
    'when { if context.input has labels then context.input.labels.contains("x") else context.input.rows > 5 }',
    [
      ['!(context.input has labels)', null, null],
      ['context.input.rows > 5', '5204', '5'],
    ],
  ],
  [
    'when { principal in Group::"support-agents" }',
    [['principal in Group::"support-agents"', 'Agent::"crm-bot"', 'Group::"support-agents"']],
  ],
  ['when { resource is Server }', [['resource is Server', 'Server::"ops"', 'Server']]],
  [
    'when { context.input has labels && context.input.labels.containsAny(["x", "y"]) }',
    [
      ['context.input has labels', null, null],
      ['context.input.labels.containsAny(["x", "y"])', '["y", "z"]', '["x", "y"]'],
    ],
    { labels: ['y', 'z'] },
  ],
  [
    'when { context.system.now > datetime("2026-01-01") }',
    [['context.system.now > datetime("2026-01-01")', '2026-11-22T12:00:00.000Z', '2026-01-01T00:00:00.000Z']],
  ],
  [
    'when { decimal("1.50").greaterThan(decimal("-0.25")) }',
    [['decimal("1.50").greaterThan(decimal("-0.25"))', '1.5', '-0.25']],
  ],
  ['when { !ip("10.0.0.1").isLoopback() }', [['!ip("10.0.0.1").isLoopback()', null, null]]],
  ['', []],
];

for (const [rest, expected, input] of leaves) {
  test(`the clauses of: ${rest === '' ? 'no condition' : rest}`, async () => {
    const verdict = await judged(exports(rest), input);
    assert.equal(verdict.effect, 'review');
    assert.deepEqual(clauses(verdict), expected);
  });
}

test('an allow tells which policy permits, and why', async () => {
  const verdict = await judged(
    '@id("p") @title("Small exports") permit (principal, action, resource) when { context.input has rows && context.input.rows < 9000 };',
  );
  assert.equal(
    verdict.explanation.text,
    '“Small exports” permits this because context.input.rows < 9000 (5204 < 9000).',
  );
  assert.equal(verdict.toldAgent, 'Permitted.');
});

test('a denial without a permit has no policies', async () => {
  const verdict = await judged('@id("p") permit (principal in Group::"others", action, resource);');
  assert.deepEqual([verdict.explanation.policies, verdict.explanation.clauses], [[], []]);
  assert.equal(verdict.explanation.text, 'No policy permits ops___export_rows for crm-bot.');
  assert.equal(verdict.toldAgent, 'No policy permits this action.');
});

test('two policies make two sentences', async () => {
  const verdict = await judged(
    `${exports('when { context.input.rows > 1000 }')} @id("b") @approvers("security") @quorum("2") forbid (principal, action, resource);`,
  );
  assert.equal(
    verdict.explanation.text,
    '“b” applies. “Bulk export needs a data owner” applies because context.input.rows > 1000 (5204 > 1000).',
  );
  assert.equal(
    verdict.toldAgent,
    'This action needs approval by security (2 people) and data-owners (1 person).',
  );
});

test('two policies that ask one group name it once, with the larger quorum', async () => {
  const verdict = await judged(
    `${exports('when { context.input.rows > 1000 }')} @id("b") @approvers("data-owners") @quorum("2") forbid (principal, action, resource);`,
  );
  assert.equal(verdict.toldAgent, 'This action needs approval by data-owners (2 people).');
});

test('the agent is told no values and no thresholds, unless the policy says so', async () => {
  const told = async (head: string, rest = 'when { context.input.rows > 1000 }') =>
    (await judged(exports(rest, head))).toldAgent;
  assert.equal(await told(''), 'This action needs approval by data-owners (1 person).');
  assert.equal(
    await told('@tell_agent("Ask for fewer rows.")'),
    'This action needs approval by data-owners (1 person). Ask for fewer rows.',
  );
  assert.equal(
    await told('@tell_agent'),
    'This action needs approval by data-owners (1 person). “Bulk export needs a data owner” applies because context.input.rows > 1000 (5204 > 1000).',
  );
});

test('of a forbid the agent is told the title', async () => {
  const told = async (head: string) =>
    (
      await judged(
        `${permitAll} @id("f") ${head} forbid (principal, action, resource) when { context.input has rows && context.input.rows > 7 };`,
      )
    ).toldAgent;
  assert.equal(await told('@title("Not today")'), 'Not today.');
  assert.equal(await told(''), 'A policy forbids this action.');
  assert.equal(
    await told('@title("Not today") @tell_agent'),
    '“Not today” forbids this because context.input.rows > 7 (5204 > 7).',
  );
  assert.equal(await told('@title("Not today") @tell_agent("Try on Monday.")'), 'Try on Monday.');
});

test('of an error the agent is told what it can mend, and no more', async () => {
  const misfit = await judged(exports('when { context.input.rows > 1000 }'), { rows: 'many' });
  assert.equal(misfit.toldAgent, 'The input does not fit: input.rows is not an integer.');
  const failed = await judged(
    exports('when { context.input.rows * context.input.rows * context.input.rows > 1000 }'),
    { rows: 2 ** 50 },
  );
  assert.equal(
    failed.toldAgent,
    'The policy set cannot be evaluated; nothing runs until an operator mends it.',
  );
  assert.match(failed.explanation.text, /export: .*overflow/);
});

test('values are masked, cut, and hidden characters shown', async () => {
  const tools = [tool('send', { password: string, text: string })];
  const set = `${permitAll} @id("f") forbid (principal, action == Action::"ops___send", resource) when { context.input has password && context.input.password != "x" && context.input has text && context.input.text != "y" };`;
  const values = async (input: JsonObject) =>
    clauses(await judged(set, input, 'ops___send', tools)).map(([, left]) => left ?? '');
  const secret = 'hunter2hunter2';
  const token = `ghp_${'a1B2'.repeat(9)}`;
  const [, password = '', , text = ''] = await values({ password: secret, text: `${token} \u202Eabc` });
  assert.ok(!password.includes(secret), password);
  assert.ok(!text.includes(token) && text.includes('⟨U+202E⟩'), text);
  const [, , , long = ''] = await values({ password: secret, text: '😀'.repeat(500) });
  assert.ok(long.length <= 130 && long.isWellFormed() && long.endsWith('…'), long);
});
