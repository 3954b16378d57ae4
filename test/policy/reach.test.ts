/** Warnings of a set that is valid but not what somebody meant; and, beside each, what is not warned of. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PolicyTexts, PolicyWorld } from '../../src/ports/policy.ts';
import { startCedar } from '../../src/policy/cedar.ts';
import { compile } from '../../src/policy/compile.ts';
import { asks, engineWith, noon, permitAll, short, texts, world } from './support/world.ts';

const cedar = startCedar();
const said = (set: string | PolicyTexts, in_: PolicyWorld = world()): readonly string[] =>
  compile(() => cedar, typeof set === 'string' ? texts(set) : set, in_, false).problems.map(
    (one) => `${one.severity} ${one.line}: ${one.message}`,
  );

const action = 'action == Action::"ops___export_rows"';
const forbid = (rest: string): string =>
  `${permitAll}@id("f") forbid (principal, ${action}, resource) ${rest};`;

const warned: readonly (readonly [set: string, says: RegExp])[] = [
  [forbid('when { true }'), /when \{ true \} is always true: it asks for nothing/],
  [forbid('when { context.input.rows == context.input.rows }'), /always true/],
  [forbid('when { 1 == 2 }'), /(?:can never be met|impossible)/],
  [forbid('when { resource is Server }'), /always true/],
  [forbid('when { context.input has rows }'), /always true/],
  [forbid('when { context.recent.agent.day.count > 0 }'), /always true/],
  [forbid('when { context.system.local.hour < 24 }'), /always true/],
  [forbid('when { context.system.local.weekday == 0 }'), /can never be met: this policy never applies/],
  [forbid('when { context.input.rows > 10 || context.input.rows <= 10 }'), /always true/],
  [forbid('when { context.input.rows > 10 && context.input.rows < 11 }'), /can never be met/],
  [forbid('when { context.input.rows > 10 } when { context.input.rows < 5 }'), /contradict each other/],
  [forbid('when { context.input.table == "a" && context.input.table == "b" }'), /can never be met/],
  [forbid('when { context.input.table == "ab" } unless { context.input.table like "a*" }'), /contradict/],
  [forbid('when { context.input.rows > 10 } unless { true }'), /(?:can never be met|impossible)/],
  [
    forbid('when { context.input.rows > 10 } unless { context.input.rows > 5 && context.input.rows < 5 }'),
    /is never true: it excepts nothing/,
  ],
  [
    `@id("p") permit (principal, ${action}, resource) when { context.input.rows < 5 };\n@id("no") forbid (principal, action, resource);`,
    /warning 1: it never decides: "no" at a\.cedar:2 forbids all of it/,
  ],
  [
    `${permitAll}@id("r") @approvers("sre") forbid (principal, ${action}, resource);\n@id("no") forbid (principal, action in [Action::"ops___export_rows", Action::"ops___grant_role"], resource);`,
    /warning 2: it never decides: "no"/,
  ],
  [`@id("p") permit (principal in Group::"nobody", action, resource);`, /no agent is in the group "nobody"/],
  [`@id("p") permit (principal in Group::"sre", action, resource);`, /no agent is in the group "sre"/],
  [`@id("p") permit (principal == Agent::"crm", action, resource);`, /there is no agent "crm"/],
  [
    forbid('when { context.input.rows > 5 && principal in Group::"suport-agents" }'),
    /warning 2: no agent is in the group "suport-agents": principal in Group::"suport-agents" is never true/,
  ],
  [
    forbid('when { principal == Agent::"crm" }'),
    /there is no agent "crm": principal == Agent::"crm" is never/,
  ],
  [
    forbid('when { principal.owners.contains(Person::"smm") }'),
    /there is no person "smm": principal\.owners\.contains\(Person::"smm"\) is never true/,
  ],
  [
    forbid('when { resource in Server::"prod" }'),
    /nothing in entities\.json is in Server::"prod": resource in/,
  ],
  [
    `${permitAll}@id("a") forbid (principal in Group::"support-agents", action == Action::"approve", resource);`,
    /no person is in the group "support-agents"/,
  ],
  [
    `${permitAll}@id("a") forbid (principal == Person::"rose", action == Action::"approve", resource);`,
    /there is no person "rose"/,
  ],
  [
    `@id("p") permit (principal, action, resource in Server::"prod");`,
    /nothing in entities\.json is in Server::"prod"/,
  ],
  [
    forbid('when { context.recent.owner.day.sum > 5 }'),
    /context\.recent\.owner\.day\.sum is read, but no profile says what is added up \(sum: input\.…\) for ops___export_rows: whoever asks is denied/,
  ],
  [
    `@id("p") permit (principal, action == Action::"shop___refund", resource);`,
    /shop is no configured server, and shop___refund no configured operation/,
  ],
  [
    `@id("p") permit (principal, ${action}, resource);`,
    /^info 0: no policy permits ops___grant_role, ops___delete_region of ops: whoever asks is denied$/m,
  ],
];

for (const [set, says] of warned)
  test(`warned of: ${set.replace(permitAll, '').replaceAll('\n', ' ')}`, () => {
    const problems = said(set);
    assert.match(problems.join('\n'), says);
    assert.ok(!problems.some((one) => one.startsWith('error')));
  });

const quiet: readonly string[] = [
  forbid('when { context.input.rows > 10 && context.input.rows < 12 }'),
  forbid('when { context.input.rows > 10 } when { context.input.table == "a" }'),
  forbid('when { context.input has labels && context.input.labels.contains("a") }'),
  forbid('when { context.input has labels }'),
  forbid('when { principal in Group::"support-agents" || principal == Agent::"crm-bot" }'),
  forbid('when { principal.owners.contains(Person::"sam") }'),
  forbid('when { context.system.local.hour < 23 }'),
  forbid('when { context.recent.agent.day.count > 1 }'),
  forbid('when { context.input.table like "a*" && context.input.table like "*b" }'),
  forbid('when { context.input.table like "a*" } unless { context.input.table == "ab" }'),
  forbid('when { context.input has opts && context.input.opts.dry }'),
  `@id("p") permit (principal in Group::"support-agents", action, resource);`,
  `@id("p") permit (principal == Agent::"crm-bot", action, resource);`,
  // A requirement is no wall, and a forbid of something else is none for this.
  `${permitAll}@id("r") @approvers("security") forbid (principal, action, resource);`,
  `@id("p") permit (principal, action, resource);\n@id("no") forbid (principal, ${action}, resource);`,
  `${permitAll}@id("r") @approvers("security") forbid (principal, ${action}, resource);\n@id("no") forbid (principal in Group::"support-agents", action, resource);`,
];

for (const set of quiet)
  test(`not warned of: ${set.replace(permitAll, '').replaceAll('\n', ' ')}`, () =>
    assert.deepEqual(said(set), []));

test('a sum that the profile names is no warning', () => {
  const set = forbid('when { context.recent.owner.day.sum > 5 }');
  assert.deepEqual(said(set, world({ profiles: { ops___export_rows: { sum: 'input.rows' } } })), []);
});

test('a resource that entities.json knows is no warning', () => {
  const policy = '@id("p") permit (principal, action, resource in Server::"prod");';
  const entities = [
    { uid: { type: 'Server', id: 'ops' }, attrs: {}, parents: [{ type: 'Server', id: 'prod' }] },
  ];
  const set = texts(policy, { schema: 'entity Server in [Server];', entities });
  assert.ok(!said(set).some((one) => one.includes('prod')));
});

const atoms = fc.oneof(
  fc
    .tuple(fc.constantFrom('<', '<=', '>', '>=', '==', '!='), fc.constantFrom(4, 5, 6))
    .map(([op, one]) => `context.input.rows ${op} ${one}`),
  fc.constantFrom('a', 'ab').map((one) => `context.input.table == "${one}"`),
  fc.constantFrom('a*', '*b').map((one) => `context.input.table like "${one}"`),
  fc.constantFrom('true', 'context.input has labels', 'resource is Server', 'context.input has rows'),
);
const bodies = fc.letrec<{ any: string }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    atoms,
    fc.tuple(tie('any'), fc.constantFrom('&&', '||'), tie('any')).map(([a, op, b]) => `(${a} ${op} ${b})`),
    tie('any').map((a) => `!(${a})`),
  ),
})).any;

test('what is called always or never true is so, of every action that is tried', async () => {
  let told = 0;
  await fc.assert(
    fc.asyncProperty(bodies, async (body) => {
      const problems = said(forbid(`when { ${body} }`));
      const always = problems.some((one) => one.includes('always true'));
      const never = problems.some((one) => one.includes('never be met'));
      if (!always && !never) return;
      told += 1;
      const engine = await engineWith(forbid(`when { ${body} }`));
      for (const rows of [-1, 0, 3, 4, 5, 6, 7])
        for (const table of ['a', 'ab', 'axb', 'b', 'xb', ''])
          for (const labels of [null, ['x']]) {
            const answer = short(
              engine.judge(asks('ops___export_rows', { rows, table, labels }), noon, null),
            );
            assert.equal(answer, always ? 'forbidden' : 'allow', `${body} ${rows} ${table}`);
          }
    }),
    { numRuns: 250 },
  );
  assert.ok(told > 10, `hardly anything was told: ${told}`);
});
