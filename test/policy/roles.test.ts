/** Who reads and administers is policy: the defaults say what core says, and operators narrow it by forbids, never widen it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { acts, factsOf, mayAct, theGate, type Act, type Subject } from '../../src/core/acts.ts';
import type { Case, Review } from '../../src/core/case.ts';
import type { Delegation } from '../../src/core/delegation.ts';
import type { Directory } from '../../src/core/directory.ts';
import {
  asAgentId,
  asApprovalId,
  asDelegationId,
  asDigest,
  asGroupId,
  asPersonId,
  asPolicyId,
} from '../../src/core/ids.ts';
import type { PolicyEngine } from '../../src/ports/policy.ts';
import { action, asked, requirement, reviewed } from '../support/world.ts';
import { asks, engineWith, noon, permitAll, quickEngine, texts, world } from './support/world.ts';

const peopleNames = ['p0', 'p1', 'p2', 'p3', 'p4'] as const;
const groupNames = ['g0', 'g1', 'g2'] as const;
const agentNames = ['a0', 'a1'] as const;
/** One who has left, and an agent that was removed, still stand in what was recorded. */
const anybody = fc.constantFrom(...peopleNames, 'gone').map(asPersonId);
const anyAgent = fc.constantFrom(...agentNames, 'removed').map(asAgentId);

const organisation = fc
  .record({
    people: fc.tuple(...peopleNames.map(() => fc.subarray([...groupNames]))),
    active: fc.tuple(...peopleNames.map(() => fc.boolean())),
    owners: fc.tuple(...agentNames.map(() => fc.uniqueArray(anybody, { minLength: 1, maxLength: 3 }))),
    operators: fc.constantFrom(...groupNames, null),
    auditors: fc.constantFrom(...groupNames, null),
  })
  .map(({ people, active, owners, operators, auditors }): Directory => ({
    people: peopleNames.map((id, at) => ({
      id: asPersonId(id),
      name: id,
      groups: (people[at] ?? []).map(asGroupId),
      ...(active[at] === true ? {} : { active: false as const }),
    })),
    agents: agentNames.map((id, at) => ({ id: asAgentId(id), owners: owners[at] ?? [], groups: [] })),
    roles: {
      operators: operators === null ? null : asGroupId(operators),
      auditors: auditors === null ? null : asGroupId(auditors),
    },
  }));

const needs = fc
  .uniqueArray(
    fc.record({
      id: fc.constantFrom('r0', 'r1'),
      group: fc.constantFrom(...groupNames),
      escalate: fc.option(fc.constantFrom(...groupNames)),
    }),
    { minLength: 1, maxLength: 2, selector: (one) => one.id },
  )
  .map((some) =>
    some.map(({ id, group, escalate }) =>
      requirement(id, group, {
        escalate: escalate === null ? null : { afterMs: 1, group: asGroupId(escalate) },
      }),
    ),
  );

const reviewBy = (person: Review['person'], decision: Review['decision']): Review => ({
  person,
  decision,
  digest: asDigest('sha256:0'),
  reason: null,
  unsafe: false,
  channel: 'web',
  atMs: noon,
  shown: null,
  via: null,
  proof: null,
});

const anyCase = fc
  .record({
    agent: anyAgent,
    needs,
    once: fc.uniqueArray(anybody, { maxLength: 3 }),
    reviews: fc.uniqueArray(fc.tuple(anybody, fc.constantFrom('approve' as const, 'deny' as const)), {
      maxLength: 2,
      selector: ([person]) => person,
    }),
    open: fc.boolean(),
  })
  .map(({ agent, needs: requirements, once, reviews, open }): Case => {
    const one = asked(reviewed(...requirements), action({ agent }));
    return {
      asked: one,
      approval: {
        id: asApprovalId('apr_1'),
        version: 1,
        createdAtMs: noon,
        expiresAtMs: noon + 1,
        grantMs: 1,
        approvedAtMs: null,
        eligibleThen: [{ requirement: asPolicyId('r0'), people: once }],
        conflict: [],
        deliveredAtMs: null,
        afterUnknown: null,
      },
      reviews: reviews.map(([person, decision]) => reviewBy(person, decision)),
      grant: null,
      ending: open ? null : { atMs: noon, code: 'denied', reason: null, by: { kind: 'gate' } },
      execution: null,
    };
  });

const anySubject: fc.Arbitrary<Subject> = fc.oneof(
  anyCase.map((held): Subject => ({ kind: 'case', held })),
  anyAgent.map((agent): Subject => ({ kind: 'agent', agent })),
  fc.constantFrom(...peopleNames).map((person): Subject => ({ kind: 'person', person: asPersonId(person) })),
  fc.constant<Subject>({ kind: 'server', server: 'ops' }),
  fc.constant(theGate),
);

const away = fc.array(
  fc.record({ from: anybody, to: anybody, ended: fc.boolean() }).map(({ from, to, ended }): Delegation => ({
    id: asDelegationId('d'),
    from,
    to,
    atMs: 0,
    fromMs: 0,
    untilMs: noon * 2,
    endedAtMs: ended ? 1 : null,
  })),
  { maxLength: 3 },
);

test('for random organisations the default policies answer what core answers, for every act', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(
      organisation,
      fc.array(anySubject, { minLength: 3, maxLength: 6 }),
      away,
      async (directory, subjects, delegations) => {
        const engine = await engineWith(permitAll, world({ directory }));
        const now = { directory, delegations, nowMs: noon };
        for (const subject of subjects)
          for (const act of acts)
            for (const person of [...peopleNames, 'gone'].map(asPersonId)) {
              const core = mayAct(act, person, subject, now);
              const policy = engine.mayDo(person, act, factsOf(subject, now), noon);
              assert.equal(policy, core, `${person} ${act} ${JSON.stringify(subject)}`);
              seen.add(`${act} ${core}`);
            }
      },
    ),
    { numRuns: 80 },
  );
  // Both answers of every act were seen, or it proves nothing.
  for (const act of acts)
    for (const may of [true, false]) assert.ok(seen.has(`${act} ${may}`), `${act} ${may}`);
});

const people = ['rosa', 'sam', 'mia', 'lee'].map(asPersonId);
const held = (): Case => {
  const one = asked(
    reviewed(requirement('export', 'data-owners')),
    action({ operation: 'ops___export_rows' }),
  );
  return { asked: one, approval: null, reviews: [], grant: null, ending: null, execution: null };
};
const subject: Subject = { kind: 'case', held: held() };
const facts = factsOf(subject, world());

const who = (engine: PolicyEngine, act: Act): string =>
  people.filter((person) => engine.mayDo(person, act, facts, noon)).join(' ');

test('a forbid takes from some what the defaults give, and from nobody else', async () => {
  const plain = await engineWith(permitAll);
  assert.equal(who(plain, 'read_input'), 'rosa sam');
  assert.equal(plain.narrows('read_input'), false);
  const forbid = (rest: string): Promise<PolicyEngine> =>
    engineWith(`${permitAll}@id("x") forbid (principal, action == Action::"read_input", resource) ${rest};`);
  const auditors = await forbid('when { principal in context.roles.auditors && resource.server == "ops" }');
  assert.equal(auditors.narrows('read_input'), true);
  assert.equal(auditors.narrows('read'), false);
  assert.equal(who(auditors, 'read_input'), 'rosa');
  assert.equal(who(auditors, 'read'), 'rosa sam');
  assert.equal(who(await forbid('when { resource.operation == "ops___other" }'), 'read_input'), 'rosa sam');
  assert.equal(
    who(await forbid('unless { resource.approvers.contains(Group::"data-owners") }'), 'read_input'),
    'rosa sam',
  );
  assert.equal(who(await forbid('when { resource.agent in Group::"support-agents" }'), 'read_input'), '');
  assert.equal(who(await forbid('when { context.system.local.hour == 12 }'), 'read_input'), '');
});

test('a forbid that fails is a no', async () => {
  const engine = await engineWith(
    `${permitAll}@id("x") forbid (principal, action == Action::"read", resource) when { context.system.local.hour * 9223372036854775807 > 0 };`,
  );
  assert.equal(who(engine, 'read'), '');
});

test('an unscoped policy is about what agents do, and gives or takes nothing here', async () => {
  const engine = await engineWith(
    `${permitAll}@id("x") forbid (principal, action, resource) when { context.input has colour };`,
  );
  assert.equal(who(engine, 'read_input'), 'rosa sam');
  assert.equal(engine.narrows('read_input'), false);
});

test('the operator’s own types may be called as ours are', async () => {
  const engine = await engineWith(
    texts(
      `${permitAll}@id("x") forbid (principal, action == Action::"read", resource) when { principal == Person::"rosa" };`,
      { schema: 'entity Case = { steward: Person }; entity Gate;' },
    ),
  );
  assert.equal(who(engine, 'read'), 'sam');
});

const refused: readonly (readonly [name: string, text: string, says: RegExp])[] = [
  [
    'a permit',
    '@id("x") permit (principal, action == Action::"read_log", resource);',
    /a permit on "read_log".*forbid/s,
  ],
  ['a forbid on stop', '@id("x") forbid (principal, action == Action::"stop", resource);', /anyone-may-stop/],
  [
    'a forbid on cancel',
    '@id("x") forbid (principal, action in [Action::"read", Action::"cancel"], resource);',
    /anyone-may-stop/,
  ],
  ['an agent as principal', '@id("x") forbid (principal is Agent, action == Action::"read", resource);', /./],
  [
    'an agent by name',
    '@id("x") forbid (principal == Agent::"crm-bot", action == Action::"read", resource);',
    /./,
  ],
  [
    'people to ask',
    '@id("x") @approvers("sre") forbid (principal, action == Action::"read", resource);',
    /nobody is asked/,
  ],
  [
    'an operation beside it',
    '@id("x") forbid (principal, action in [Action::"read", Action::"ops___export_rows"], resource);',
    /of their own/,
  ],
  [
    'approve beside it',
    '@id("x") forbid (principal, action in [Action::"read", Action::"approve"], resource);',
    /./,
  ],
  [
    'the input',
    '@id("x") forbid (principal, action == Action::"read", resource) when { context.input has a };',
    /there is no context.input/,
  ],
  [
    'a wrong field',
    '@id("x") forbid (principal, action == Action::"read", resource) when { resource.colour == "red" };',
    /colour/,
  ],
];
for (const [name, text, says] of refused) {
  test(`the lint refuses ${name}`, async () => {
    const { ok, problems } = await quickEngine().check(texts(permitAll + text), world());
    assert.equal(ok, false);
    assert.match(
      problems
        .filter((one) => one.severity === 'error')
        .map((one) => one.message)
        .join('\n'),
      says,
    );
  });
}

test('roles are read of operations by no policy on agents', async () => {
  const { ok, problems } = await quickEngine().check(
    texts('@id("x") permit (principal, action, resource) when { context.roles.operators == Group::"sre" };'),
    world(),
  );
  assert.equal(ok, false);
  assert.match(problems[0]?.message ?? '', /no context.roles/);
});

test('whom a forbid keeps from seeing it cannot approve it, so that people are not asked in vain', async () => {
  const base = `${permitAll}@id("export") @approvers("data-owners") forbid (principal, action == Action::"ops___export_rows", resource);\n`;
  const asking = asks('ops___export_rows', { table: 't', rows: 1 });
  for (const act of ['read', 'read_input']) {
    const engine = await engineWith(
      `${base}@id("x") forbid (principal == Person::"rosa", action == Action::"${act}", resource);`,
    );
    const rows = engine.mayApprove(asking, [requirement('export', 'data-owners')], people.slice(0, 2), noon);
    assert.deepEqual(
      rows.map((one) => `${one.person}: ${one.requirements.join(' ')}`.trim()),
      ['rosa:', 'sam: export'],
    );
  }
});

test('without a usable set one may look and stop, and sees no inputs', async () => {
  const engine = quickEngine();
  const may = acts.filter((act) => engine.mayDo(asPersonId('sam'), act, facts, noon));
  assert.deepEqual(may, ['read', 'read_gate', 'read_agent', 'read_person', 'stop', 'cancel']);
  assert.deepEqual(
    acts.filter((act) => engine.narrows(act)),
    acts.filter((act) => !may.includes(act)),
  );
  await engine.load(null, world(), 'broken');
  assert.equal(who(engine, 'read_input'), '');
});

test('the defaults are there to be read, each with its id and title', () => {
  const all = quickEngine().roles();
  assert.ok(all.length > 10);
  assert.equal(new Set(all.map((one) => one.id)).size, all.length);
  for (const one of all) {
    assert.match(one.id, /^roles\.[a-z._]+$/);
    assert.ok(one.title.length > 10 && one.text.includes(one.title) && one.text.endsWith(';'));
  }
  for (const act of acts)
    assert.ok(
      all.some((one) => one.text.includes(`Action::"${act}"`)),
      act,
    );
});
