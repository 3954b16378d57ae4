/** Replacing the live set: at once, whole, and never through a moment without policy. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPolicyEngine } from '../../src/policy/engine.ts';
import type { PolicyEngine, PolicyTexts, PolicyWorld } from '../../src/ports/policy.ts';
import { policyDigest } from '../../src/policy/texts.ts';
import {
  asks,
  directory,
  exportRows,
  integer,
  noon,
  permitAll,
  short,
  string,
  texts,
  tool,
  world,
} from './support/world.ts';

/** As through the worker. */
async function workedEngine(set: string | PolicyTexts, in_: PolicyWorld = world()): Promise<PolicyEngine> {
  const engine = createPolicyEngine();
  assert.equal((await engine.load(typeof set === 'string' ? texts(set) : set, in_, null)).ok, true);
  return engine;
}

const action = asks('ops___export_rows', { table: 't', rows: 1 });
const forbidAll = '@id("none") @title("Nothing today") forbid (principal, action, resource);';
const at = (policySet: number) => world({ versions: { policySet, directory: 1, tools: 1 } });

test('an engine that has loaded nothing denies everything', () => {
  const engine = createPolicyEngine();
  assert.equal(short(engine.judge(action, noon, null)), 'policy_error');
  assert.match(engine.broken() ?? '', /no policy set/);
  assert.deepEqual(engine.versions(), { policySet: 0, directory: 0, tools: 0 });
});

test('the prior set judges until the new one is complete', async () => {
  const engine = await workedEngine(texts(permitAll), at(1));
  const loading = engine.load(texts(permitAll + forbidAll), at(2), null);
  const seen: string[] = [];
  const watch = setInterval(() => {
    const verdict = engine.judge(action, noon, null);
    seen.push(`${verdict.versions.policySet} ${short(verdict)}`);
  }, 1);
  await loading;
  clearInterval(watch);
  assert.equal(short(engine.judge(action, noon, null)), 'forbidden');
  assert.equal(engine.versions().policySet, 2);
  assert.deepEqual([...new Set(seen)], ['1 allow']);
  assert.ok(seen.length > 3, 'nothing was judged meanwhile');
});

test('the last load that was asked for is the one that stays', async () => {
  const engine = createPolicyEngine();
  const big = Array.from(
    { length: 150 },
    (_, index) => `@id("p${index}") permit (principal, action, resource);`,
  ).join('\n');
  await Promise.all([
    engine.load(texts(big), at(1), null),
    engine.load(texts(forbidAll), at(2), null),
    engine.load(texts(permitAll), at(3), null),
  ]);
  assert.equal(short(engine.judge(action, noon, null)), 'allow');
  assert.equal(engine.versions().policySet, 3);
});

test('a set with an error is not loaded, and the prior one stays', async () => {
  const engine = await workedEngine(texts(permitAll), at(1));
  const loaded = await engine.load(texts('permit (principal, action, resource);'), at(2), null);
  assert.deepEqual(loaded, {
    ok: false,
    error: [{ file: 'a.cedar', line: 1, message: 'a policy needs an @id("…")', severity: 'error' }],
  });
  assert.equal(short(engine.judge(action, noon, null)), 'allow');
  assert.equal(engine.versions().policySet, 1);
});

test('a broken set denies everything, and people are told file and line', async () => {
  const engine = await workedEngine(permitAll);
  await engine.load(null, at(7), 'a.cedar:3: a policy needs an @id');
  const verdict = engine.judge(action, noon, null);
  assert.equal(short(verdict), 'policy_error');
  assert.match(verdict.explanation.text, /a\.cedar:3: a policy needs an @id/);
  assert.equal(
    verdict.toldAgent,
    'The policy set cannot be evaluated; nothing runs until an operator mends it.',
  );
  assert.equal(verdict.policyDigest, null);
  assert.equal(verdict.versions.policySet, 7);
  assert.equal(engine.broken(), 'a.cedar:3: a policy needs an @id');
  assert.equal(engine.permitsQuestion(action, noon), false);
  await engine.load(texts(permitAll), at(8), null);
  assert.equal(engine.broken(), null);
  assert.equal(short(engine.judge(action, noon, null)), 'allow');
});

test('people and groups are those of the last load', async () => {
  const set = texts('@id("p") permit (principal in Group::"support-agents", action, resource);');
  const engine = await workedEngine(set);
  const moved = directory.agents.map((agent) => ({ ...agent, groups: [] }));
  await engine.load(set, world({ directory: { ...directory, agents: moved } }), null);
  assert.equal(short(engine.judge(action, noon, null)), 'no_permit');
});

test('a tool that does not fit the accepted policies stops itself, not the gate', async () => {
  const set =
    texts(`${permitAll} @id("many") forbid (principal, action, resource) when { context.input has rows && context.input.rows > 5 };
@id("typed") forbid (principal, action == Action::"ops___export_rows", resource) when { context.input.table == "payroll" };`);
  const engine = await workedEngine(set, world({ tools: [exportRows] }));
  const odd = tool('odd', { rows: string });
  const in_ = world({ tools: [exportRows, odd] });
  const checked = await engine.check(set, in_);
  assert.equal(checked.ok, false);
  assert.equal((await engine.load(set, in_, null)).ok, true);
  const verdict = engine.judge(asks('ops___odd', {}), noon, null);
  assert.equal(short(verdict), 'policy_error');
  assert.match(verdict.explanation.text, /ops___odd cannot be judged: a\.cedar:2: /);
  assert.equal(short(engine.judge(action, noon, null)), 'allow');
  assert.equal(
    short(engine.judge(asks('ops___export_rows', { table: 't', rows: 6 }), noon, null)),
    'forbidden',
  );
  // The policy's own tool, accepted anew with another type.
  const changed = world({
    tools: [tool('export_rows', { table: integer, rows: integer }), tool('other', {})],
  });
  assert.equal((await engine.load(set, changed, null)).ok, true);
  assert.equal(short(engine.judge(action, noon, null)), 'policy_error');
  assert.equal(short(engine.judge(asks('ops___other'), noon, null)), 'allow');
});

test('what is wrong with a policy itself is never contained', async () => {
  const engine = createPolicyEngine();
  for (const policy of [
    '@id("x") permit (principal is Nobody, action, resource);',
    '@id("x") permit (principal, action, resource) when { principal.colour == 1 };',
  ]) {
    const loaded = await engine.load(texts(permitAll + policy), world(), null);
    // Wrong for each operation: each one is denied, or the set is.
    assert.equal(short(engine.judge(action, noon, null)), 'policy_error', policy);
    if (loaded.ok) assert.equal((await engine.check(texts(permitAll + policy), world())).ok, false);
  }
});

test('more actions than slots are judged right, in any order', async () => {
  const names = Array.from({ length: 300 }, (_, index) => `t${index}`);
  const policies = names
    .map(
      (name, index) =>
        `@id("${name}") ${index % 3 === 0 ? 'forbid' : 'permit'} (principal, action == Action::"ops___${name}", resource);`,
    )
    .join('\n');
  const engine = await workedEngine(policies, world({ tools: names.map((name) => tool(name, {})) }));
  for (let run = 0; run < 900; run += 1) {
    const index = (run * 7919) % 300;
    assert.equal(
      short(engine.judge(asks(`ops___t${index}`), noon, null)),
      index % 3 === 0 ? 'forbidden' : 'allow',
    );
  }
});

test('the digest is of the texts, whatever order they were read in', () => {
  const [a, b] = [
    { file: 'a.cedar', text: '1' },
    { file: 'b.cedar', text: '2' },
  ];
  const digest = (policies: readonly (typeof a)[], entities: null | [] = null) =>
    policyDigest({ policies, schemas: [], entities });
  assert.equal(digest([a, b]), digest([b, a]));
  assert.notEqual(digest([a, b]), digest([a]));
  assert.notEqual(
    digest([a, b]),
    digest([
      { ...a, text: '2' },
      { ...b, text: '1' },
    ]),
  );
  assert.notEqual(digest([a]), digest([a], []));
});
