/** Short and long form of a requirement are the same policy: same verdicts, whatever is asked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { startCedar } from '../../src/policy/cedar.ts';
import { compile } from '../../src/policy/compile.ts';
import { LocalTime } from '../../src/policy/context.ts';
import { EntityStore } from '../../src/policy/entities.ts';
import { Evaluator } from '../../src/policy/evaluator.ts';
import { judgeWith } from '../../src/policy/judge.ts';
import type { Live } from '../../src/policy/prepare.ts';
import { Memo } from '../../src/policy/memo.ts';
import { sliceOf } from '../../src/policy/slice.ts';
import { policyDigest } from '../../src/policy/texts.ts';
import { asks, noon, permitAll, short, texts, world } from './support/world.ts';

const cedar = startCedar();

function live(policies: string): Live {
  const { compiled, problems } = compile(() => cedar, texts(policies), world(), false);
  if (compiled === null) throw new Error(JSON.stringify(problems));
  const slices = new Map([...compiled.operations.keys()].map((name) => [name, sliceOf(compiled, name)]));
  return {
    compiled,
    store: new EntityStore(world().directory, compiled.entities),
    versions: world().versions,
    digest: policyDigest(texts(policies)),
    zone: new LocalTime('UTC'),
    profiles: {},
    memo: new Memo(),
    slice: (action) => slices.get(action),
  };
}

const conditions = fc.constantFrom(
  '',
  'when { context.input.rows > 10 }',
  'unless { context.input.rows <= 10 }',
  'when { context.input.table == "a" || context.input.rows > 100 }',
  'when { context.input has labels && context.input.labels.contains("x") } unless { context.input.table like "tmp*" }',
  'when { principal in Group::"support-agents" } // a note; with "a quote\n',
);
const ids = fc.constantFrom('r', 'a.long-id/1', 'X:y_z');
const inputs = fc.record({
  table: fc.constantFrom('a', 'b', 'tmp1'),
  rows: fc.constantFrom(0, 10, 11, 100, 101),
  labels: fc.constantFrom(null, [], ['x'], ['y', 'x']),
});

test('the short form is the long form', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ id: ids, condition: conditions }), { minLength: 1, maxLength: 3 }),
      fc.array(inputs, { minLength: 1, maxLength: 8 }),
      (policies, asked) => {
        const unique = [...new Map(policies.map((policy) => [policy.id, policy])).values()];
        const write = (lift: (id: string) => string): string =>
          permitAll +
          unique
            .map(
              ({ id, condition }) =>
                `@id("${id}") @approvers("security")\nforbid (principal, action == Action::"ops___export_rows", resource)\n${condition}\n${lift(id)};`,
            )
            .join('\n');
        const brief = live(write(() => ''));
        const long = live(write((id) => `unless { context.approvals.satisfied.contains("${id}") }`));
        assert.deepEqual(
          brief.compiled.statements.map((statement) => statement.conditions),
          long.compiled.statements.map((statement) => statement.conditions),
        );
        for (const input of asked) {
          const [a, b] = [brief, long].map((set) =>
            short(
              judgeWith(set, new Evaluator(() => cedar), {
                action: asks('ops___export_rows', input),
                nowMs: noon,
                recent: null,
              }),
            ),
          );
          assert.equal(a, b);
          assert.match(a ?? '', /^(?:allow|review:)/);
        }
      },
    ),
    { numRuns: 60 },
  );
});
