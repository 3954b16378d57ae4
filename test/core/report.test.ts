/** Reports add up, whatever rows come: each action once in the total, once under its operation, once under its day. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Mode } from '../../src/core/case.ts';
import { asAgentId, asPersonId } from '../../src/core/ids.ts';
import {
  denialsIn,
  type Report,
  type ReportRange,
  type ReportRow,
  type Tally,
} from '../../src/core/report.ts';
import { createTally, operationsShown } from '../../src/core/report-tally.ts';
import { adviceOf } from '../../src/core/report-advice.ts';
import type { Verdict } from '../../src/core/verdict.ts';
import { allowed, deniedBy, directory, requirement, reviewed } from '../support/world.ts';

const dayMs = 86_400_000;
const range: ReportRange = {
  fromMs: 0,
  toMs: 7 * dayMs,
  timezone: 'UTC',
  dayOf: (atMs) => `1970-01-0${Math.floor(atMs / dayMs) + 1}`,
};
const nowMs = 7 * dayMs;

const row = (more: Partial<ReportRow> = {}): ReportRow => ({
  agent: asAgentId('crm-bot'),
  operation: 'crm___export',
  mode: 'enforce',
  atMs: 0,
  verdict: null,
  passed: true,
  approval: null,
  ending: null,
  ...more,
});

const observedOf = (verdict: Verdict, more: Partial<ReportRow> = {}): ReportRow =>
  row({ mode: 'observe', verdict, ...more });

const owners = [asPersonId('rosa'), asPersonId('mia')];
const heldFor = (
  end: {
    readonly approvedAtMs?: number;
    readonly code?: 'denied' | 'expired' | 'cancelled' | 'policy_changed';
  },
  more: Partial<ReportRow> = {},
): ReportRow =>
  row({
    verdict: reviewed(requirement('export', 'data-owners')),
    passed: false,
    approval: {
      createdAtMs: 1000,
      approvedAtMs: end.approvedAtMs ?? null,
      expiresAtMs: 2 * dayMs,
      eligibleThen: [{ requirement: requirement('export', 'data-owners').id, people: owners }],
    },
    ending: end.code === undefined ? null : { code: end.code, atMs: 61_000 },
    ...more,
  });

function reportOf(rows: readonly ReportRow[], at = nowMs): Report {
  const tally = createTally(range, directory, at);
  for (const one of rows) tally.add(one);
  return tally.done();
}

test('each kind of action is counted as what it was, or would have been', () => {
  const report = reportOf([
    row(),
    observedOf(allowed),
    observedOf(reviewed(requirement('export', 'data-owners'))),
    observedOf(deniedBy('no_permit')),
    row({ verdict: deniedBy('forbidden'), passed: false, ending: { code: 'forbidden', atMs: 0 } }),
    heldFor({ approvedAtMs: 31_000 }),
    heldFor({ code: 'denied' }),
    heldFor({ code: 'expired' }),
    heldFor({ approvedAtMs: 31_000, code: 'expired' }),
    heldFor({ code: 'cancelled' }),
    heldFor({ code: 'policy_changed' }),
  ]);
  const { total } = report;
  assert.equal(total.actions, 11);
  assert.equal(total.observed, 3);
  assert.equal(total.allowed, 2);
  assert.deepEqual([total.asked, total.wouldAsk], [6, 1]);
  assert.deepEqual([total.denied, total.wouldDeny], [{ forbidden: 1 }, { no_permit: 1 }]);
  assert.deepEqual(total.ends, {
    approved: 2,
    denied: 1,
    expired: 1,
    cancelled: 1,
    pending: 0,
    changed: 1,
  });
  assert.deepEqual(total.took, { decisions: 3, medianMs: 30_000, slowMs: 60_000 });
});

test('what waits is pending until its time is over', () => {
  assert.equal(reportOf([heldFor({})], dayMs).total.ends.pending, 1);
  assert.equal(reportOf([heldFor({})], 3 * dayMs).total.ends.expired, 1);
});

test('whom an observed action would have asked: its approvers, without the agent’s owner', () => {
  const rows = [
    observedOf(reviewed(requirement('export', 'data-owners'))),
    observedOf(reviewed(requirement('export', 'data-owners')), { atMs: dayMs }),
    observedOf(reviewed(requirement('export', 'data-owners'), requirement('grant', 'security')), {
      atMs: dayMs,
    }),
  ];
  const report = reportOf(rows);
  assert.deepEqual(
    report.people.map(({ person, asked, busiest }) => [person, asked, busiest]),
    [
      ['mia', 3, { day: '1970-01-02', asked: 2 }],
      ['rosa', 3, { day: '1970-01-02', asked: 2 }],
      ['lee', 1, { day: '1970-01-02', asked: 1 }],
    ],
    'sam owns the agent',
  );
  assert.deepEqual(
    report.groups.map(({ group, asked, people }) => [group, asked, people]),
    [
      ['data-owners', 3, 3],
      ['security', 1, 2],
    ],
  );
  assert.deepEqual(
    report.policies.map(({ policy, asked }) => [policy, asked]),
    [
      ['export', 3],
      ['grant', 1],
    ],
  );
});

test('where too few are left to ask, enforcing would have denied', () => {
  const three = requirement('export', 'data-owners', { quorum: 3 });
  const { total, people } = reportOf([observedOf(reviewed(three))]);
  assert.deepEqual(total.wouldDeny, { nobody_left: 1 });
  assert.equal(people.length, 0, 'nobody would have been asked');
});

test('a day is counted from the first action on, and at least one', () => {
  const late = reportOf([observedOf(reviewed(requirement('export', 'security')), { atMs: 6 * dayMs })]);
  assert.equal(late.people[0]?.perDay, 1);
  const early = reportOf([observedOf(reviewed(requirement('export', 'security')))]);
  assert.equal(early.people[0]?.perDay, 1 / 7);
});

const verdicts = fc.constantFrom<Verdict>(
  allowed,
  deniedBy('no_permit'),
  deniedBy('forbidden'),
  deniedBy('policy_error'),
  reviewed(requirement('export', 'data-owners')),
  reviewed(requirement('export', 'data-owners', { quorum: 9 })),
);
const anyRow: fc.Arbitrary<ReportRow> = fc.oneof(
  fc.record({
    agent: fc.constantFrom(asAgentId('crm-bot'), asAgentId('gone-bot')),
    operation: fc.oneof(fc.constantFrom('a___b', 'c___d'), fc.string()),
    mode: fc.constantFrom<Mode>('enforce', 'observe'),
    atMs: fc.integer({ min: 0, max: 7 * dayMs - 1 }),
    verdict: fc.option(verdicts),
    passed: fc.boolean(),
    approval: fc.constant(null),
    ending: fc.option(
      fc.record({ code: fc.constantFrom('forbidden', 'expired', 'nobody_left'), atMs: fc.nat() }),
    ),
  }),
  fc
    .record({
      atMs: fc.integer({ min: 0, max: 7 * dayMs - 1 }),
      approvedAtMs: fc.option(fc.integer({ min: 1000, max: dayMs }), { nil: undefined }),
      code: fc.option(fc.constantFrom('denied', 'expired', 'cancelled', 'policy_changed'), {
        nil: undefined,
      }),
    })
    .map(({ atMs, approvedAtMs, code }) =>
      heldFor(
        { ...(approvedAtMs === undefined ? {} : { approvedAtMs }), ...(code === undefined ? {} : { code }) },
        { atMs },
      ),
    ),
);

const partsOf = (one: Tally): number =>
  one.allowed + one.asked + one.wouldAsk + denialsIn(one.denied) + denialsIn(one.wouldDeny);
const numbersOf = (one: Tally): readonly number[] => [
  one.actions,
  one.observed,
  one.allowed,
  one.asked,
  one.wouldAsk,
  denialsIn(one.denied),
  denialsIn(one.wouldDeny),
  ...Object.values(one.ends),
];
const sumOf = (all: readonly Tally[]): readonly number[] =>
  all.map(numbersOf).reduce(
    (sums, one) => sums.map((sum, index) => sum + (one[index] ?? 0)),
    Array.from({ length: 13 }, () => 0),
  );

test('whatever is counted adds up', () => {
  fc.assert(
    fc.property(fc.array(anyRow, { maxLength: 60 }), (rows) => {
      const report = reportOf(rows);
      const { total, operations, days } = report;
      assert.equal(total.actions, rows.length);
      for (const one of [total, ...operations, ...days, ...operations.flatMap((each) => each.days)]) {
        assert.equal(partsOf(one), one.actions);
        assert.equal(
          Object.values(one.ends).reduce((sum, count) => sum + count, 0),
          one.asked,
        );
      }
      assert.deepEqual(sumOf(operations), numbersOf(total));
      assert.deepEqual(sumOf(days), numbersOf(total));
      for (const one of operations) assert.deepEqual(sumOf(one.days), numbersOf(one));
      const burdens = operations
        .filter((one) => one.operation !== null)
        .map((one) => one.asked + one.wouldAsk);
      assert.deepEqual(
        burdens,
        burdens.toSorted((a, b) => b - a),
        'the heaviest first',
      );
      for (const { asked, busiest } of report.people) assert.ok(busiest.asked > 0 && busiest.asked <= asked);
      assert.ok(adviceOf(report).length > 0);
    }),
  );
});

test('an agent that makes up names does not make the report long, nor hide what asks people', () => {
  const flood = Array.from({ length: 8000 }, (_, index) =>
    row({
      operation: `x___${index}`,
      verdict: deniedBy('no_permit'),
      passed: false,
      ending: { code: 'no_permit', atMs: 0 },
    }),
  );
  const report = reportOf([...flood, heldFor({ approvedAtMs: 2000 })]);
  assert.equal(report.operations.length, operationsShown + 1);
  assert.equal(report.operations[0]?.operation, 'crm___export');
  const rest = report.operations.at(-1);
  assert.equal(rest?.operation, null);
  assert.deepEqual(sumOf(report.operations), numbersOf(report.total));
});

test('advice says what to do next, and shows no name that could write on a screen', () => {
  assert.match(adviceOf(reportOf([]))[0] ?? '', /Nothing was asked for/);
  assert.match(adviceOf(reportOf([observedOf(allowed)])).join(), /set mode: enforce/);
  const nothing = observedOf(deniedBy('no_permit'), { operation: 'x___\u001b[2Jevil' });
  const words = adviceOf(reportOf([nothing, nothing])).join();
  assert.match(words, /No policy permits x___⟨U\+001B⟩\[2Jevil \(2 times\)/);
  assert.doesNotMatch(words, /\u001b/);
  const asks = adviceOf(reportOf([observedOf(reviewed(requirement('export', 'data-owners')))])).join();
  assert.match(asks, /The policy export .* would ask people most: once, 100 % of all; mia would get up to 1/);
  const late = [heldFor({ code: 'expired' }), heldFor({ approvedAtMs: 2000 })];
  assert.match(adviceOf(reportOf(late)).join(), /1 of 2 approvals expired without an answer/);
});

test('a report over a change of policies says from when on only the latest ones count', () => {
  const by = (policyDigest: string, atMs: number): ReportRow =>
    observedOf({ ...reviewed(requirement('export', 'data-owners')), policyDigest }, { atMs });
  const since = (rows: readonly ReportRow[]): string | null => {
    const tally = createTally(range, directory, nowMs);
    for (const one of rows) tally.add(one);
    return tally.latestSince();
  };
  assert.equal(since([by('a', 1000), row({ atMs: 2000 }), by('a', 3000)]), null);
  assert.equal(
    since([by('a', 1000), by('b', 2000), row({ atMs: 3000 }), by('b', 4000)]),
    '1970-01-01T00:00:02.000Z',
  );
  assert.equal(since([by('a', 1000), by('b', 2000), by('a', 3000)]), '1970-01-01T00:00:03.000Z');
  const [first] = adviceOf(reportOf([by('a', 1000)]), '1970-01-01T00:00:02.000Z');
  assert.match(first ?? '', /--from 1970-01-01T00:00:02\.000Z$/);
});

test('enforcing is proposed where it asks least', () => {
  const asks = (operation: string): ReportRow =>
    observedOf(reviewed(requirement('export', 'data-owners')), { operation });
  const many = [asks('a___often'), asks('a___often'), asks('a___seldom')];
  assert.match(adviceOf(reportOf(many)).join(), /beginning with a___seldom/);
});
