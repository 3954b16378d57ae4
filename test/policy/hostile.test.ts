/** Policy text that hurts Cedar's wasm: `check` says no, and the live engine does not notice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isTrap, startCedar } from '../../src/policy/cedar.ts';
import { createPolicyEngine } from '../../src/policy/engine.ts';
import { prove } from '../../src/policy/prove.ts';
import { asks, noon, permitAll, short, texts, world } from './support/world.ts';

const when = (body: string): string =>
  `@id("h") permit (principal, action == Action::"ops___export_rows", resource) when { ${body} };`;
const hostile: readonly (readonly [name: string, text: string])[] = [
  ['150 brackets', when(`${'('.repeat(150)}true${')'.repeat(150)}`)],
  ['2,000 brackets', when(`${'('.repeat(2000)}true${')'.repeat(2000)}`)],
  ['a chain of 400', when(Array(400).fill('true').join('&&'))],
  ['a chain of 1,300', when(Array(1300).fill('true').join('||'))],
  ['400 conditionals', when(`${'if true then '.repeat(400)}true${' else true'.repeat(400)}`)],
  ['3,900 attributes', when(`context${'.a'.repeat(3900)}`)],
  ['3,000 negations', when(`${'!'.repeat(3000)}true`)],
  ['nested sets', when(`${'['.repeat(1000)}${']'.repeat(1000)} == []`)],
  ['a megabyte of brackets', '('.repeat(1_000_000)],
  ['a megabyte of quotes', '"'.repeat(1_000_001)],
  ['a long title', `@id("h") @title("${'x'.repeat(9000)}") permit (principal, action, resource);`],
];

async function workedEngine(): Promise<ReturnType<typeof createPolicyEngine>> {
  const engine = createPolicyEngine();
  await engine.load(texts(permitAll), world(), null);
  return engine;
}

const action = asks('ops___export_rows', { table: 't', rows: 1 });

test('hostile texts are refused with a place, and the live set judges on', async () => {
  const engine = await workedEngine();
  const answers = await Promise.all(
    hostile.map(async ([name, text]) => ({
      name,
      ...(await engine.check(texts(permitAll + text), world())),
    })),
  );
  for (const { name, ok, problems } of answers) {
    assert.equal(ok, false, name);
    assert.ok(
      problems.some(
        (problem) => problem.severity === 'error' && problem.file === 'a.cedar' && problem.line > 0,
      ),
      `${name}: ${JSON.stringify(problems)}`,
    );
    assert.ok(JSON.stringify(problems).length < 5000, `${name}: the problem is as long as the text`);
  }
  assert.equal(short(engine.judge(action, noon, null)), 'allow');
});

test('hostile texts are as harmless when they are loaded unchecked', async () => {
  const engine = await workedEngine();
  for (const [name, text] of hostile.slice(0, 6))
    assert.equal((await engine.load(texts(permitAll + text), world(), null)).ok, false, name);
  assert.equal(short(engine.judge(action, noon, null)), 'allow');
});

test('hostile types, entities and inputs are refused', async () => {
  const engine = createPolicyEngine();
  const deep = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
  const bad = [
    texts(permitAll, { schema: `entity D = { a: ${'Set<'.repeat(3000)}String${'>'.repeat(3000)} };` }),
    texts(permitAll, { schema: 'type A = B; type B = A; entity D = { a: A };' }),
    texts(permitAll, {
      schema: 'entity D = { a: String };',
      entities: [{ uid: { type: 'D', id: '1' }, attrs: { a: JSON.parse(deep(2000)) } }],
    }),
  ];
  for (const set of bad) assert.equal((await engine.check(set, world())).ok, false);
});

test('a worker that runs out of time is a problem, not a crash', async () => {
  const { compiled, problems } = await prove({ texts: texts(permitAll), world: world(), contain: false }, 1);
  assert.equal(compiled, null);
  assert.match(problems[0]?.message ?? '', /more than 0\.001 s/);
});

test('an instance that trapped is replaced; what was asked meanwhile is denied', async () => {
  let started = 0;
  let trapped = false;
  const engine = createPolicyEngine({
    start: () => {
      started += 1;
      const cedar = startCedar();
      return {
        ...cedar,
        statefulIsAuthorized: (call) => {
          if (trapped) return cedar.statefulIsAuthorized(call);
          trapped = true;
          // Overruns the wasm's stack: every later call of this instance throws.
          for (let run = 0; run < 2; run += 1)
            cedar.policyToJson(when(`${'('.repeat(3000)}true${')'.repeat(3000)}`));
          throw new TypeError('did not trap');
        },
      };
    },
  });
  await engine.load(texts(permitAll), world(), null);
  assert.equal(short(engine.judge(action, noon, null)), 'policy_error');
  assert.equal(short(engine.judge(action, noon, null)), 'allow');
  assert.equal(started, 2);
});

test('a new instance shares nothing with one that trapped', () => {
  const broken = startCedar();
  assert.throws(() => broken.policyToJson(when(`${'('.repeat(3000)}true${')'.repeat(3000)}`)), isTrap);
  const fresh = startCedar();
  assert.equal(fresh.policyToJson(when('true')).type, 'success');
});
