/** What explanations show is what was judged: the printer's text parses back, and the interpreter agrees with Cedar. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { startCedar } from '../../src/policy/cedar.ts';
import { keyOf } from '../../src/policy/entities.ts';
import { expressionOf, type Expression } from '../../src/policy/expression.ts';
import { holds, type Scene } from '../../src/policy/interpret.ts';
import { print } from '../../src/policy/print.ts';
import { Unclear, valueOfJson } from '../../src/policy/value.ts';
import { boolExpressions } from './support/expressions.ts';

const cedar = startCedar();

function parsed(text: string): Expression {
  const answer = cedar.policyToJson(`permit (principal, action, resource) when { ${text} };`);
  if (answer.type === 'failure') throw new Error(`${text}: ${answer.errors[0]?.message}`);
  const [condition] = answer.json.conditions;
  assert.ok(condition !== undefined);
  const expression = expressionOf(condition.body);
  assert.ok(expression.ok, text);
  return expression.value;
}

test('the printed text is the same expression', () => {
  fc.assert(
    fc.property(boolExpressions, (text) => {
      const expression = parsed(text);
      assert.deepEqual(parsed(print(expression)), expression);
    }),
    { numRuns: 1500 },
  );
});

const printed: readonly string[] = [
  'context.input.rows > 1000',
  '!(a && b) || c',
  'context.input["odd name"] like "a\\*b*"',
  '(if context.a then 1 else 2) + 3 == -4',
  '["a", "b"].contains(context.input.role)',
  'principal is Agent in Group::"g"',
  'context.input has a.b.c && resource has "odd name"',
  'context.system.now < datetime("2026-01-01").offset(duration("1h"))',
  'ip("10.0.0.1").isInRange(ip("10.0.0.0/8"))',
  '1 - (2 - 3) == 1 - 2 - 3',
  '(1 == 2) == (3 == 4)',
];

for (const text of printed) {
  test(`printed as written: ${text}`, () => {
    const valid = text.replaceAll(/\b([abc])\b(?= ?[&|)]|$)/g, 'context.$1');
    assert.equal(print(parsed(valid)), valid);
  });
}

const context = {
  input: { n: 4, s: 'a', b: true, l: ['a', 'b', 'a'], r: { m: 3, 'odd name': 'a' } },
  system: { now: { __extn: { fn: 'datetime', arg: '2026-11-22T12:00:00.000Z' } } },
};
const entities = [
  { uid: { type: 'Agent', id: 'bot' }, attrs: {}, parents: [{ type: 'Group', id: 'g' }] },
  {
    uid: { type: 'Folder', id: 'f' },
    attrs: { size: 7, open: false, folder: { __entity: { type: 'Folder', id: 'top' } } },
    parents: [{ type: 'Folder', id: 'mid' }],
  },
  { uid: { type: 'Folder', id: 'mid' }, attrs: {}, parents: [{ type: 'Folder', id: 'top' }] },
  { uid: { type: 'Folder', id: 'top' }, attrs: {}, parents: [] },
];
const named = (type: string, id: string) => ({ kind: 'entity', name: { type, id } }) as const;
const scene: Scene = {
  variables: {
    principal: named('Agent', 'bot'),
    action: named('Action', 'a'),
    resource: named('Folder', 'f'),
    context: valueOfJson(context),
  },
  entities: new Map(entities.map((entity) => [keyOf(entity.uid), entity])),
};

test('the interpreter agrees with Cedar', () => {
  let compared = 0;
  fc.assert(
    fc.property(boolExpressions, (text) => {
      const answer = cedar.isAuthorized({
        principal: { type: 'Agent', id: 'bot' },
        action: { type: 'Action', id: 'a' },
        resource: { type: 'Folder', id: 'f' },
        context,
        policies: { staticPolicies: { p: `permit (principal, action, resource) when { ${text} };` } },
        entities,
      });
      assert.equal(answer.type, 'success');
      if (answer.type !== 'success') return;
      const { decision, diagnostics } = answer.response;
      try {
        const value = holds(parsed(text), scene);
        assert.deepEqual(diagnostics.errors, [], text);
        assert.equal(value, decision === 'allow', text);
        compared += 1;
      } catch (error) {
        if (!(error instanceof Unclear)) throw error;
        assert.ok(diagnostics.errors.length > 0, `unclear, but Cedar knows: ${text}`);
      }
    }),
    { numRuns: 3000 },
  );
  assert.ok(compared > 2000, `only ${compared} were compared`);
});

test('what would take long is unclear', () => {
  const big: Scene = {
    ...scene,
    variables: {
      ...scene.variables,
      context: valueOfJson({ l: Array.from({ length: 1001 }, (_, index) => index), s: 'x'.repeat(10_001) }),
    },
  };
  for (const text of ['context.l.contains(5)', 'context.l == context.l', 'context.s like "*a*"']) {
    assert.throws(() => holds(parsed(text), big), Unclear, text);
  }
});
