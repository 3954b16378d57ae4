/** The checks of rows against entries that somebody may have written: what contradicts fails, and what is missing never passes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { caseEntriesOf, type Grounds } from '../../../src/core/evidence/case-entries.ts';
import { checksOf } from '../../../src/core/evidence/checks.ts';
import type { CheckName, CheckResult } from '../../../src/core/evidence/model-rows.ts';
import { rowOf } from '../../../src/core/evidence/population.ts';
import type { Seen } from '../../../src/core/evidence/read.ts';
import { asActionId, asAgentId, asDigest, asPersonId, type PersonId } from '../../../src/core/ids.ts';
import type { Entry, EntryType } from '../../../src/core/entry.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import { line } from '../../../src/core/render/shown.ts';

const [sam, rosa, mia, tom] = ['sam', 'rosa', 'mia', 'tom'].map(asPersonId) as [
  PersonId,
  PersonId,
  PersonId,
  PersonId,
];
const set = asDigest(`sha256:${'a'.repeat(64)}`);

const grounds: Grounds = {
  policyAt: () => ({ version: 3, set }),
  ownersAt: () => [sam],
  nameOf: (person) => line(person),
  glassOf: () => null,
};

const entry = (index: number, type: EntryType, by: Entry['by'], data: JsonObject): Seen => ({
  veiled: false,
  entry: {
    index,
    at: new Date(index * 1000).toISOString(),
    type,
    by,
    about: { action: asActionId('act_1'), approval: null, execution: null },
    data,
  },
});
const gate = { kind: 'gate' } as const;
const agent = { kind: 'agent', id: asAgentId('crm-bot') } as const;
const person = (id: PersonId) => ({ kind: 'person', id }) as const;

const verdict = { effect: 'review', versions: { policySet: 3, directory: 1, tools: 1 }, policyDigest: set };
const requirement = { id: 'p', title: 'P', approvers: 'g', quorum: 1, ttlMs: 1, grantMs: 1 };

/** One held, approved and run action; each part can be changed. */
function held(more: { readonly [name: string]: JsonObject } = {}, by = rosa): Seen[] {
  return [
    entry(0, 'action.asked', agent, {
      operation: 'crm___export',
      digest: 'd',
      enforcement: 'mediated',
      mode: 'enforce',
      startedBy: null,
      verdict,
      ...more['asked'],
    }),
    entry(1, 'approval.opened', gate, {
      digest: 'd',
      requirements: [requirement],
      eligible: [{ requirement: 'p', people: [rosa, mia] }],
      conflict: [{ person: sam, why: 'owns the agent crm-bot' }],
      ...more['opened'],
    }),
    entry(2, 'review.recorded', person(by), {
      decision: 'approve',
      digest: 'd',
      channel: 'web',
      ...more['review'],
    }),
    entry(3, 'approval.approved', gate, { digest: 'd', people: [by], ...more['approved'] }),
    entry(4, 'execution.started', gate, {
      digest: 'd',
      enforcement: 'mediated',
      grant: 3,
      ...more['started'],
    }),
    entry(5, 'execution.succeeded', gate, { outcomeBy: 'gate', detail: null }),
  ];
}

function results(entries: readonly Seen[], on: Grounds = grounds): Readonly<Record<CheckName, CheckResult>> {
  const found = caseEntriesOf(entries);
  assert.ok(found);
  return Object.fromEntries(checksOf(found, on).map(({ name, result }) => [name, result])) as Record<
    CheckName,
    CheckResult
  >;
}

test('what is whole passes everything', () => {
  assert.deepEqual([...new Set(Object.values(results(held())))], ['passed']);
});

test('each contradiction fails its check', () => {
  const cases: readonly (readonly [CheckName, Seen[]])[] = [
    ['decided_before_started', held({ started: { grant: 4 } })],
    ['decided_before_started', held({ started: { grant: 0 } })],
    ['decided_before_started', held({ started: { grant: 9 } })],
    ['decided_before_executed', held({ started: { grant: 9 } })],
    ['approver_is_not_requester', held({}, sam)],
    ['approver_is_not_requester', held({ asked: { startedBy: rosa } })],
    ['approver_is_not_requester', held({ opened: { conflict: [{ person: rosa }] } })],
    ['approver_is_not_requester', held({ review: { standingInFor: sam } })],
    ['approver_was_eligible', held({}, tom)],
    ['quorum_was_met', held({ opened: { requirements: [{ ...requirement, quorum: 2 }] } })],
    ['quorum_was_met', held({}, tom)],
    ['exactly_what_was_approved', held({ started: { digest: 'other' } })],
    ['exactly_what_was_approved', held({ review: { digest: 'other' } })],
    ['policy_was_in_force', held({ asked: { verdict: { ...verdict, versions: { policySet: 2 } } } })],
    ['policy_was_in_force', held({ asked: { verdict: { ...verdict, policyDigest: 'sha256:b' } } })],
    ['ran_once', [...held(), entry(6, 'execution.started', gate, { digest: 'd', grant: 3 })]],
  ];
  for (const [name, entries] of cases) assert.equal(results(entries)[name], 'failed', name);
});

test('what started without an approval, or before it, fails', () => {
  const all = held();
  const unapproved = all.filter(({ entry: { type } }) => type !== 'approval.approved');
  assert.equal(results(unapproved).decided_before_started, 'failed');
  const unheld = [all[0], all[4]].filter((one) => one !== undefined);
  assert.equal(results(unheld).decided_before_started, 'failed');
  const named = [all[0], entry(4, 'execution.started', gate, { grant: 0 })].filter(
    (one) => one !== undefined,
  );
  assert.equal(results(named).decided_before_started, 'failed', 'asked was to be reviewed, and nobody was');
});

test('what is not known is unknown', () => {
  const nobody: Grounds = { ...grounds, ownersAt: () => null, policyAt: () => null };
  assert.equal(results(held(), nobody).approver_is_not_requester, 'unknown');
  assert.equal(results(held(), nobody).policy_was_in_force, 'unknown');
  assert.equal(results(held({ asked: { enforcement: 'cooperative' } })).decided_before_executed, 'unknown');
  const found = held().map((one) =>
    one.entry.type === 'action.asked' ? { ...one, entry: { ...one.entry, by: gate } } : one,
  );
  assert.equal(
    results(found).approver_is_not_requester,
    'unknown',
    'a change found on disk has no known maker',
  );
});

test('under break-glass it counts whether that was open', () => {
  const asked = { glass: 'gls_1' };
  const entries = [held({ asked })[0], entry(4, 'execution.started', gate, { digest: 'd', grant: 0 })].filter(
    (one) => one !== undefined,
  );
  const at = (glass: ReturnType<Grounds['glassOf']>) =>
    results(entries, { ...grounds, glassOf: () => glass }).decided_before_started;
  assert.equal(at(null), 'unknown');
  assert.equal(at({ openedIndex: -5, closedIndex: null }), 'passed');
  assert.equal(at({ openedIndex: -5, closedIndex: -1 }), 'failed');
  assert.equal(at({ openedIndex: 2, closedIndex: null }), 'failed');
});

const people = fc.constantFrom(sam, rosa, mia, tom);
const maybe = fc.option(people, { nil: null });

/** Entries of one action, some of them missing, erased, hidden or malformed. */
const history = fc
  .record({
    by: people,
    second: maybe,
    standsFor: maybe,
    startedBy: maybe,
    owner: maybe,
    conflict: fc.array(people, { maxLength: 3 }),
    dropped: fc.uniqueArray(fc.nat({ max: 6 }), { maxLength: 3 }),
    erased: fc.uniqueArray(fc.nat({ max: 6 }), { maxLength: 2 }),
    veiled: fc.uniqueArray(fc.nat({ max: 6 }), { maxLength: 2 }),
    malformed: fc.boolean(),
  })
  .map((one) => {
    const { by, second, standsFor, startedBy, conflict, malformed } = one;
    const approvers = [by, ...(second === null ? [] : [second])];
    const [asked, opened, review, approved, started, ended] = held(
      {
        asked: { startedBy },
        opened: { conflict: malformed ? 'x' : conflict.map((each) => ({ person: each, why: 'w' })) },
        review: standsFor === null ? {} : { standingInFor: standsFor },
        approved: { people: approvers },
      },
      by,
    );
    const other =
      second === null
        ? []
        : [entry(2, 'review.recorded', person(second), { decision: 'approve', digest: 'd' })];
    const all = [asked, opened, review, ...other, approved, started, ended].filter(
      (each) => each !== undefined,
    );
    const entries = all
      .map((each, at): Seen => {
        const { index, at: time, type } = each.entry;
        const about = { action: null, approval: null, execution: null };
        return one.erased.includes(at)
          ? { veiled: false, entry: { index, at: time, type, by: gate, about, data: {}, erased: true } }
          : { ...each, veiled: one.veiled.includes(at) };
      })
      .filter((_each, at) => at === 0 || !one.dropped.includes(at));
    return { ...one, entries, said: [...approvers, ...(standsFor === null ? [] : [standsFor])] };
  });

test('self-approval never passes, whatever is missing; nor does anything that is not there', () => {
  fc.assert(
    fc.property(history, ({ entries, said, startedBy, owner, conflict, malformed }) => {
      const on: Grounds = { ...grounds, ownersAt: () => (owner === null ? null : [owner]) };
      const found = caseEntriesOf(entries);
      assert.ok(found);
      const row = rowOf(1, found, on, { headline: null, subject: null });
      const result = row.checks.find(({ name }) => name === 'approver_is_not_requester')?.result;
      const tied = [startedBy, owner, ...(malformed ? [] : conflict)];
      if (said.some((one) => tied.includes(one))) assert.notEqual(result, 'passed');
      if (malformed || owner === null) assert.notEqual(result, 'passed');
      const gone = ['action.asked', 'approval.opened', 'approval.approved', 'review.recorded'];
      const whole = gone.every((type) =>
        entries.some((one) => one.entry.type === type && one.entry.erased !== true && !one.veiled),
      );
      if (!whole) assert.notEqual(result, 'passed');
      assert.equal(row.checks.length, 8);
    }),
    { numRuns: 3000 },
  );
});
