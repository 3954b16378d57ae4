/** Policies as items, the texts of the tightened set, and that it permits nothing that was not permitted before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AcceptedServers, Itemised, PolicyDecision, PolicyItem } from '../../src/core/config-change.ts';
import { differenceOf, tightened, waitingOf } from '../../src/core/config-change/compare.ts';
import type { Directory } from '../../src/core/directory.ts';
import { asGroupId, asPersonId } from '../../src/core/ids.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { Verdict } from '../../src/core/verdict.ts';
import { createItems } from '../../src/policy/items.ts';
import type { PolicyTexts } from '../../src/ports/policy.ts';
import { asks, directory, engineWith, noon, permitAll, quickEngine, texts, world } from './support/world.ts';

const { itemsOf, textsWith } = createItems();

const server = (name: string): AcceptedServers['servers'][number] => ({
  name,
  upstream: { kind: 'url', url: `https://${name}.example/mcp`, headers: {} },
  pin: 'first-sight',
  mode: 'enforce',
  modes: {},
  tools: {},
});
const servers: AcceptedServers = { servers: [server('ops'), server('files')], operations: [] };

const whole = (policies: PolicyTexts, people: Directory = directory): Itemised => ({
  policies,
  items: itemsOf(policies),
  directory: people,
  servers,
});

const only = (text: string): PolicyItem => {
  const [item] = itemsOf(texts(text));
  assert.ok(item);
  return item;
};

test('lay-out, comments and the place of a policy say nothing; every token does', () => {
  const one = only(
    '@id("a") @title("T") permit (principal, action, resource) when { context.input.s == "x y" };',
  );
  const same = only(
    '// first\n@id( "a" )\n@title("T")\npermit(principal,action,resource) // here\nwhen {\n context.input.s=="x y"\n};',
  );
  assert.deepEqual([same.body, same.annotations], [one.body, one.annotations]);
  for (const text of [
    '@id("a") permit (principal, action, resource) when { context.input.s == "x  y" };',
    '@id("a") permit (principal, action, resource) when { context.input.s != "x y" };',
    '@id("a") permit (principal, action, resource) unless { context.input.s == "x y" };',
    '@id("a") permit (principal, action, resource) when { context.input.n == 9007199254740993 };',
    '@id("a") permit (principal, action, resource) when { context.input.n == 9007199254740992 };',
  ])
    assert.notEqual(only(text).body, one.body, text);
  const big = (n: string) =>
    only(`@id("a") permit (principal, action, resource) when { context.input.n == ${n} };`).body;
  assert.notEqual(big('9007199254740993'), big('9007199254740992'), 'no number is rounded');
});

test('a permit that ends in when { false } is withdrawn, and else the same', () => {
  const one = only('@id("a") permit (principal, action, resource) when { context.input.rows > 1 };');
  const gone = only(
    '@id("a") permit (principal, action, resource) when { context.input.rows > 1 } when { false };',
  );
  assert.deepEqual([one.withdrawn, gone.withdrawn, gone.body], [false, true, one.body]);
  assert.equal(only('@id("a") forbid (principal, action, resource) when { false };').withdrawn, false);
});

test('an item that cannot be read is a forbid on everything, so that its going is never harmless', () => {
  const [bad] = itemsOf(texts('permit (principal, action, resource);'));
  assert.deepEqual([bad?.effect, bad?.groups, bad?.actions], ['forbid', 'any', null]);
  const [cut] = itemsOf(texts('@id("a") permit (principal, action, resource)'));
  assert.equal(cut?.effect, 'forbid');
  const difference = differenceOf(
    whole(texts(`${permitAll}permit (principal, action, resource);`)),
    whole(texts(permitAll)),
  );
  assert.deepEqual(
    difference.map((one) => one.tightens),
    [false],
  );
});

test('the groups that a policy reads so that going out of one could loosen it', () => {
  const groups = (text: string) => only(`@id("a") ${text};`).groups;
  const approve = 'forbid (principal, action == Action::"approve", resource)';
  assert.deepEqual(groups(`${approve} when { principal in Group::"contractors" }`), ['contractors']);
  assert.deepEqual(groups(`forbid (principal in Group::"c", action == Action::"approve", resource)`), ['c']);
  assert.deepEqual(
    groups(`forbid (principal is Person in Group::"c", action == Action::"approve", resource)`),
    ['c'],
  );
  assert.deepEqual(groups(`${approve} when { principal in [Group::"a", Group::"b"] }`), ['a', 'b']);
  assert.deepEqual(groups(`${approve} unless { principal in Group::"staff" }`), [], 'it spares members');
  assert.deepEqual(groups(`${approve} when { !(principal in Group::"staff") }`), []);
  assert.deepEqual(groups(`${approve} unless { !(principal in Group::"staff") }`), ['staff']);
  assert.deepEqual(groups(`${approve} when { (principal in Group::"a") == true }`), ['a']);
  assert.deepEqual(groups(`${approve} when { if principal in Group::"a" then false else true }`), ['a']);
  assert.deepEqual(groups(`${approve} when { resource.owner in Group::"heads" }`), ['heads']);
  assert.equal(groups(`${approve} when { principal in Team::"t".group }`), 'any');
  const onAgents = 'forbid (principal, action == Action::"ops___export_rows", resource)';
  assert.deepEqual(groups(`${onAgents} when { principal in Group::"support-agents" }`), []);
  assert.deepEqual(groups(`${onAgents} when { Person::"sam" in Group::"oncall" }`), ['oncall']);
  assert.deepEqual(
    groups('permit (principal, action, resource) when { !(Person::"sam" in Group::"oncall") }'),
    ['oncall'],
  );
});

const decided = (accepted: PolicyTexts, found: PolicyTexts): PolicyTexts =>
  textsWith(accepted, found, tightened(whole(accepted), whole(found)).policies);

test('the texts of the tightened set parse to its items, and only the files that change are written anew', () => {
  const accepted: PolicyTexts = {
    policies: [
      { file: 'a.cedar', text: '// kept as it is\n@id("all") permit (principal, action, resource);\n' },
      {
        file: 'b.cedar',
        text: '// lost\n@id("gone") permit (principal, action, resource) // ends here\n;\n@id("ask") @approvers("sre") forbid (principal, action, resource);',
      },
    ],
    schemas: [{ file: 's.cedarschema', text: 'entity Team;' }],
    entities: null,
  };
  const found: PolicyTexts = {
    policies: [
      {
        file: 'b.cedar',
        text: '@id("ask") @approvers("sre") @quorum("2") forbid (principal, action, resource);',
      },
      {
        file: 'c.cedar',
        text: '@id("all") permit (principal, action, resource);\n@id("new") forbid (principal, action, resource) when { false };',
      },
    ],
    schemas: [],
    entities: [],
  };
  const set = decided(accepted, found);
  assert.deepEqual(set, {
    ...accepted,
    policies: [
      accepted.policies[0],
      {
        file: 'b.cedar',
        text: '@id("gone") permit (principal, action, resource) // ends here\n when { false };\n\n@id("ask") @approvers("sre") @quorum("2") forbid (principal, action, resource);\n',
      },
      { file: 'c.cedar', text: '@id("new") forbid (principal, action, resource) when { false };\n' },
    ],
  });
  const by = (items: readonly PolicyItem[]) => items.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  assert.deepEqual(by(itemsOf(set)), by(tightened(whole(accepted), whole(found)).items));
  const nothing: PolicyDecision = { withdraw: [], replace: [], add: [] };
  assert.equal(textsWith(accepted, found, nothing), accepted);
  assert.equal(decided(set, found), set, 'and once more changes nothing');
});

test('an added forbid is written beside what its file holds, whatever that ends with', () => {
  const accepted = texts('@id("all") permit (principal, action, resource); // no end of line');
  const found = texts(
    '@id("all") permit (principal, action, resource);\n@id("no") forbid (principal, action, resource);',
  );
  assert.deepEqual(
    itemsOf(decided(accepted, found)).map((one) => one.id),
    ['all', 'no'],
  );
});

// Random sets: few ids, so that two sets often speak of the same policy.

const actions = [
  'action',
  'action == Action::"ops___export_rows"',
  'action == Action::"ops___delete_region"',
  'action in [Action::"ops___export_rows", Action::"ops___grant_role"]',
  'action == Action::"ghost___haunt"',
  'action == Action::"ops___unseen"',
];
const conditions = [
  '',
  'when { context.input has rows && context.input.rows > 100 }',
  'unless { context.input has rows && context.input.rows > 100 }',
  'when { context.input has labels && context.input.labels.contains("a") }',
  'when { context.input has rows && context.input.rows * 4611686018427387904 > 0 }',
  'when { principal in Group::"support-agents" }',
  'when { context.input has opts && context.input.opts.dry }',
];
const asked: readonly (readonly [string, JsonObject])[] = [
  ['ops___export_rows', { table: 't', rows: 5 }],
  ['ops___export_rows', { table: 't', rows: 500 }],
  ['ops___export_rows', { table: 't', rows: 0, labels: ['a'], opts: { dry: true } }],
  ['ops___export_rows', { table: 't', rows: 'many' }],
  ['ops___export_rows', { table: 't', rows: 1, labels: 'a' }],
  ['ops___export_rows', { table: 't', rows: 1, opts: { dry: 'yes' } }],
  ['ops___grant_role', { principal: 'p', role: 'r' }],
  ['ops___delete_region', { region: 'eu' }],
  ['ops___unseen', {}],
  ['ghost___haunt', {}],
];

const policy = (id: string): fc.Arbitrary<string> =>
  fc
    .record({
      effect: fc.constantFrom('permit', 'permit', 'forbid', 'ask'),
      action: fc.constantFrom(...actions.slice(0, 4), ...actions),
      condition: fc.constantFrom(...conditions),
      approvers: fc.constantFrom('data-owners', 'sre'),
      quorum: fc.constantFrom('', ' @quorum("1")', ' @quorum("2")'),
      more: fc.constantFrom(
        '',
        '',
        ' @reason("required")',
        ' @step_up("passkey")',
        ' @channels("web")',
        ' @channels("web cli")',
      ),
      layout: fc.constantFrom('', '// a comment\n', '\n\n'),
    })
    .map((one) => {
      const ask = one.effect === 'ask' ? ` @approvers("${one.approvers}")${one.quorum}${one.more}` : '';
      const condition =
        one.action.includes('ops___export_rows"') && !one.action.includes('[')
          ? one.condition
          : one.condition.includes('input')
            ? ''
            : one.condition;
      return `${one.layout}@id("${id}")${ask}\n${one.effect === 'permit' ? 'permit' : 'forbid'} (principal, ${one.action}, resource) ${condition};\n`;
    });

const ids = ['p', 'q', 'r', 's'];
const policySets: fc.Arbitrary<readonly string[]> = fc
  .tuple(fc.subarray(ids, { minLength: 1 }), fc.tuple(...ids.map(policy)))
  .map(([chosen, all]) => all.filter((_, index) => chosen.includes(ids[index] ?? '')));
/** Two sets, of which the second shares most of the first. */
const pairs = fc
  .tuple(policySets, policySets, fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }))
  .map(([one, other, keep]) => {
    const idOf = (text: string) => /@id\("(\w)"\)/.exec(text)?.[1] ?? '';
    const mixed = ids.flatMap((id, index) => {
      const [was, is] = [one.find((text) => idOf(text) === id), other.find((text) => idOf(text) === id)];
      return (keep[index] === true ? was : is) ?? [];
    });
    return [texts(one.join('')), texts(mixed.join(''))] as const;
  });

const rank = (verdict: Verdict): number => ({ allow: 2, review: 1, deny: 0 })[verdict.effect];

/** That everything the looser one asks of people, the stricter one asks too, and no less. */
function asksNoLess(before: Verdict, after: Verdict): boolean {
  if (before.effect !== 'review' || after.effect !== 'review') return true;
  return before.requirements.every((one) =>
    after.requirements.some(
      (now) =>
        now.id === one.id &&
        now.approvers === one.approvers &&
        now.quorum >= one.quorum &&
        (one.stepUp === null || now.stepUp === one.stepUp) &&
        (!one.reasonRequired || now.reasonRequired) &&
        (one.channels === null || now.channels?.every((channel) => one.channels?.includes(channel)) === true),
    ),
  );
}

const recentNone = null;

test('a tightened set permits nothing that was not permitted, for random sets and the real engine', async () => {
  let [tried, changed] = [0, 0];
  await fc.assert(
    fc.asyncProperty(pairs, async ([accepted, found]) => {
      const engine = quickEngine();
      if (accepted.policies[0]?.text === '' || found.policies[0]?.text === '') return;
      if (!(await engine.check(accepted, world())).ok || !(await engine.check(found, world())).ok) return;
      const { policies: decision, items } = tightened(whole(accepted), whole(found));
      const set = textsWith(accepted, found, decision);
      const byId = (list: readonly PolicyItem[]) => list.toSorted((a, b) => (a.id < b.id ? -1 : 1));
      assert.deepEqual(byId(itemsOf(set)), byId(items), 'what is written is what was decided');
      const { ok, problems } = await engine.check(set, world());
      assert.ok(ok, JSON.stringify(problems));
      const [before, after] = [await engineWith(accepted), await engineWith(set)];
      for (const [operation, input] of asked) {
        const [was, is] = [before, after].map((one) => one.judge(asks(operation, input), noon, recentNone));
        assert.ok(was && is);
        assert.ok(
          rank(is) <= rank(was),
          `${operation} ${JSON.stringify(input)}: ${was.effect} became ${is.effect}\n${accepted.policies[0]?.text}\n--- found\n${found.policies[0]?.text}\n--- set\n${JSON.stringify(set.policies)}`,
        );
        assert.ok(asksNoLess(was, is), `${operation} asks less`);
      }
      tried += 1;
      if (set !== accepted) changed += 1;
      // Once more changes nothing, and what then tightens needs nobody.
      const again = tightened(whole(set), whole(found));
      assert.deepEqual(again.policies, { withdraw: [], replace: [], add: [] });
      assert.equal(
        waitingOf(differenceOf(whole(set), whole(found))).length,
        waitingOf(differenceOf(whole(accepted), whole(found))).length,
      );
    }),
    { numRuns: 120 },
  );
  assert.ok(tried > 60, `only ${tried} pairs could be judged`);
  assert.ok(changed > 20, `only ${changed} pairs tightened anything`);
});

const groups = ['data-owners', 'sre', 'contractors'];
const approveForbids = [
  '@id("f1") forbid (principal, action == Action::"approve", resource) when { principal in Group::"contractors" };',
  '@id("f2") forbid (principal, action == Action::"approve", resource) unless { principal in Group::"sre" };',
  '@id("f3") forbid (principal in Group::"sre", action == Action::"approve", resource) when { resource.owner in Group::"contractors" };',
  '@id("f4") forbid (principal, action == Action::"approve", resource) when { resource.requirement == "need" } unless { !(principal in Group::"data-owners") };',
];

test('with people taken out of groups, nobody may approve what they could not', async () => {
  const people = fc.tuple(...directory.people.map(() => fc.subarray(groups))).map((all) => ({
    ...directory,
    people: directory.people.map((one, index) => ({ ...one, groups: (all[index] ?? []).map(asGroupId) })),
  }));
  const need = '@id("need") @approvers("data-owners") forbid (principal, action, resource);';
  let fewer = 0;
  await fc.assert(
    fc.asyncProperty(
      people,
      people,
      fc.subarray(approveForbids),
      fc.subarray(approveForbids),
      async (before, after, had, has) => {
        const [accepted, found] = [had, has].map((some) => texts(`${permitAll}${need}\n${some.join('\n')}`));
        assert.ok(accepted && found);
        const { policies: decision, directory: tight } = tightened(
          whole(accepted, before),
          whole(found, after),
        );
        const set = textsWith(accepted, found, decision);
        const action = asks('ops___delete_region', { region: 'eu' });
        const mayApprove = async (policies: PolicyTexts, of: Directory): Promise<readonly string[]> => {
          const engine = await engineWith(policies, world({ directory: of }));
          const verdict = engine.judge(action, noon, null);
          assert.equal(verdict.effect, 'review');
          const requirements = verdict.effect === 'review' ? verdict.requirements : [];
          const members = of.people.filter((one) => one.groups.includes(asGroupId('data-owners')));
          return engine
            .mayApprove(
              action,
              requirements,
              members.map((one) => one.id),
              noon,
            )
            .filter((row) => row.requirements.length > 0)
            .map((row) => row.person);
        };
        const could = await mayApprove(accepted, before);
        const can = await mayApprove(set, tight);
        for (const person of can) assert.ok(could.includes(person), `${person} could not approve before`);
        if (can.length < could.length) fewer += 1;
      },
    ),
    { numRuns: 60 },
  );
  assert.ok(fewer > 5, `only ${fewer} pairs kept anybody from approving`);
});

test('a person who leaves a group that no forbid reads leaves it at once; one that a forbid reads waits', () => {
  const out = (people: Directory): Directory => ({
    ...people,
    people: people.people.map((one) => (one.id === asPersonId('sam') ? { ...one, groups: [] } : one)),
  });
  const accepted = texts(
    `${permitAll}@id("f") forbid (principal, action == Action::"approve", resource) when { principal in Group::"sre" };`,
  );
  const { directory: tight } = tightened(whole(accepted), whole(accepted, out(directory)));
  assert.deepEqual(tight.people.find((one) => one.id === 'sam')?.groups, ['sre']);
});
