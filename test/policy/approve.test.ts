/** Who may approve is policy too: operators narrow it with forbids, and never widen it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asPersonId } from '../../src/core/ids.ts';
import type { Requirement } from '../../src/core/verdict.ts';
import type { PolicyEngine } from '../../src/ports/policy.ts';
import { asks, engineWith, noon, permitAll, quickEngine, texts, world } from './support/world.ts';

const base = `${permitAll}
@id("export") @approvers("data-owners") forbid (principal, action == Action::"ops___export_rows", resource) when { context.input.rows > 10 };
@id("large") @approvers("security") forbid (principal, action == Action::"ops___export_rows", resource) when { context.input.rows > 100 };
`;
const people = ['rosa', 'sam', 'mia', 'lee', 'stranger'].map(asPersonId);
const action = asks('ops___export_rows', { table: 't', rows: 1000 });

function wanted(engine: PolicyEngine): readonly Requirement[] {
  const verdict = engine.judge(action, noon, null);
  assert.equal(verdict.effect, 'review');
  return verdict.effect === 'review' ? verdict.requirements : [];
}

/** `rosa: export large` for each person. */
async function rows(forbids: string): Promise<readonly string[]> {
  const engine = await engineWith(base + forbids);
  return engine
    .mayApprove(action, wanted(engine), people, noon)
    .map(({ person, requirements }) => `${person}: ${requirements.join(' ')}`.trim());
}

test('without a forbid everybody may, as far as policy goes', async () => {
  assert.deepEqual(
    await rows(''),
    people.map((person) => `${person}: export large`),
  );
});

test('an unscoped policy is about what agents do, not about who approves', async () => {
  assert.deepEqual(
    await rows(
      '@id("x") @approvers("security") forbid (principal, action, resource) when { context.input has colour };',
    ),
    people.map((person) => `${person}: export large`),
  );
});

test('a forbid on approve keeps people from requirements', async () => {
  const forbid = (rest: string) =>
    rows(`@id("a") forbid (principal, action == Action::"approve", resource) ${rest};`);
  assert.deepEqual(await forbid(''), ['rosa:', 'sam:', 'mia:', 'lee:', 'stranger:']);
  assert.deepEqual(await forbid('when { principal in Group::"sre" && resource.requirement == "export" }'), [
    'rosa: export large',
    'sam: large',
    'mia: large',
    'lee: export large',
    'stranger:',
  ]);
  assert.deepEqual(await forbid('when { principal == resource.owner }'), [
    'rosa: export large',
    'sam:',
    'mia: export large',
    'lee: export large',
    'stranger:',
  ]);
  assert.deepEqual(await forbid('unless { resource.agent.owners.contains(principal) }'), [
    'rosa:',
    'sam: export large',
    'mia:',
    'lee:',
    'stranger:',
  ]);
  assert.deepEqual(
    await forbid(
      'when { resource.operation like "ops___*" && resource.agent in Group::"support-agents" && principal == Person::"lee" }',
    ),
    ['rosa: export large', 'sam: export large', 'mia: export large', 'lee:', 'stranger:'],
  );
  assert.deepEqual(
    await forbid(
      'when { resource.owner in Group::"platform" && context.system.now < datetime("2027-01-01") }',
    ),
    ['rosa:', 'sam:', 'mia:', 'lee:', 'stranger:'],
  );
});

test('an error keeps everybody from it', async () => {
  assert.deepEqual(
    await rows(
      '@id("a") forbid (principal, action == Action::"approve", resource) when { context.system.now.offset(duration("90000000000d")).offset(duration("90000000000d")) < context.system.now };',
    ),
    ['rosa:', 'sam:', 'mia:', 'lee:', 'stranger:'],
  );
});

test('a forbid on approve reads neither input nor approvals', async () => {
  const engine = quickEngine();
  for (const read of ['context.input.rows > 5', 'context.input has rows']) {
    const { ok } = await engine.check(
      texts(`${base} @id("a") forbid (principal, action == Action::"approve", resource) when { ${read} };`),
      world(),
    );
    assert.equal(ok, false, read);
  }
});

test('people-only: an agent as the principal of approve does not validate, and a permit on approve is refused', async () => {
  const engine = quickEngine();
  const problems = async (policy: string) => (await engine.check(texts(base + policy), world())).problems;
  const agent = await problems(
    '@id("a") forbid (principal == Agent::"crm-bot", action == Action::"approve", resource);',
  );
  assert.ok(
    agent.some((problem) => problem.severity === 'error' && problem.message.includes('impossible')),
    JSON.stringify(agent),
  );
  const reads = await problems(
    '@id("a") forbid (principal, action == Action::"approve", resource) when { principal.owners.contains(Person::"sam") };',
  );
  assert.ok(
    reads.some((problem) => problem.severity === 'error' && problem.message.includes('owners')),
    JSON.stringify(reads),
  );
  for (const policy of [
    '@id("a") permit (principal, action == Action::"approve", resource);',
    '@id("a") permit (principal, action in [Action::"approve", Action::"ops___export_rows"], resource);',
    '@id("a") @approvers("sre") forbid (principal, action == Action::"approve", resource);',
    '@id("a") forbid (principal, action in [Action::"approve", Action::"ops___export_rows"], resource);',
  ]) {
    assert.ok(
      (await problems(policy)).some((problem) => problem.severity === 'error'),
      policy,
    );
  }
});

test('without a set nobody may', () => {
  const engine = quickEngine();
  assert.deepEqual(engine.mayApprove(action, [], people.slice(0, 1), noon), [
    { person: 'rosa', requirements: [] },
  ]);
});
