/** The evidence of a scripted history, from a real store: every outcome, each check, and that the same query gives the same. */
import assert from 'node:assert/strict';
import { gatherEvidence } from '../../src/app/evidence.ts';
import { answerException, recordEvidence } from '../../src/app/evidence-made.ts';
import { asSha256Hex, type ActionId } from '../../src/core/ids.ts';
import { handle, value } from '../store/bench.ts';
import { eraseAction } from '../store/erasing.ts';
import * as world from '../store/world.ts';
import { publishAll, testKeys } from '../support/published.ts';
import { ada, check, evidenceTest, pia, policies, type Rig } from './evidence-rig.ts';

const origin = 'gate.example.com';

async function ask(rig: Rig, verdict: Rig['allow'], more: world.AskOptions = {}) {
  const command = world.ask(verdict, { atMs: rig.clock.nowMs(), ...more });
  value(await rig.store.change(command));
  return command;
}

async function run(
  rig: Rig,
  action: ActionId,
  verdict: Rig['allow'],
  status: 'succeeded' | 'failed' | null = 'succeeded',
) {
  const claim = world.claim(action, verdict);
  value(await rig.store.change(claim));
  if (status === null) return claim.execution;
  const by = { kind: 'agent', id: world.agent } as const;
  const execution = claim.execution;
  value(await rig.store.change({ kind: 'outcome', execution, by, status, detail: null, result: null }));
  return execution;
}

/** One of each. */
async function history(rig: Rig) {
  const { store, later } = rig;
  const allowed = await ask(rig, rig.allow, { execute: true, enforcement: 'mediated' });
  const execution = allowed.execution;
  assert.ok(execution !== null);
  value(
    await store.change({
      kind: 'outcome',
      execution,
      by: { kind: 'gate' },
      status: 'succeeded',
      detail: null,
      result: null,
    }),
  );
  const approved = await ask(rig, rig.review, { enforcement: 'cooperative' });
  later(60_000);
  value(await store.change(world.reviewOf(handle(approved), world.rosa)));
  await run(rig, approved.asked.id, rig.review, 'failed');
  const denied = await ask(rig, rig.review);
  value(await store.change(world.reviewOf(handle(denied), world.mia, 'deny')));
  const forbidden = await ask(rig, rig.deny);
  const cancelled = await ask(rig, rig.review);
  const by = { kind: 'agent', id: world.agent } as const;
  value(await store.change({ kind: 'cancel', approval: cancelled.approval, by, reason: 'not needed' }));
  const expired = await ask(rig, rig.review);
  later(5 * 3_600_000);
  value(await store.change({ kind: 'due', action: expired.asked.id }));
  const observed = await ask(rig, rig.deny, { mode: 'observe', execute: true });
  const lost = await ask(rig, rig.review);
  value(await store.change(world.reviewOf(handle(lost), world.rosa)));
  const lostRun = await run(rig, lost.asked.id, rig.review, null);
  value(await store.change({ kind: 'lost', execution: lostRun }));
  const settled = await ask(rig, rig.review);
  value(await store.change(world.reviewOf(handle(settled), world.rosa)));
  const settledRun = await run(rig, settled.asked.id, rig.review, null);
  value(await store.change({ kind: 'lost', execution: settledRun }));
  value(
    await store.change({
      kind: 'settle',
      execution: settledRun,
      by: pia,
      status: 'succeeded',
      reason: 'The file is there.',
    }),
  );
  const open = await ask(rig, rig.review);
  return { allowed, approved, denied, forbidden, cancelled, expired, observed, lost, settled, open };
}

evidenceTest('each outcome has its row, in the order of the log, and the tables add up', async (rig) => {
  await history(rig);
  const gathered = await rig.gather();
  const { evidence } = gathered;
  const rows = await rig.rows(gathered);
  assert.deepEqual(
    rows.map((row) => [row.row, row.outcome, row.run, row.decidedBy, row.verdict]),
    [
      [1, 'allowed', 'succeeded', 'policies', 'allow'],
      [2, 'approved', 'failed', 'Rosa Diaz', 'review'],
      [3, 'denied_by_person', 'not_run', 'Mia Chen', 'review'],
      [4, 'denied_by_policy', 'not_run', 'policies', 'deny'],
      [5, 'cancelled', 'not_run', 'the agent crm-bot', 'review'],
      [6, 'expired', 'not_run', 'time', 'review'],
      [7, 'observed', 'running', 'nobody: only observed', 'deny'],
      [8, 'approved', 'unknown', 'Rosa Diaz', 'review'],
      [9, 'approved', 'succeeded', 'Rosa Diaz', 'review'],
      [10, 'open', 'not_run', null, 'review'],
    ],
  );
  const { counts, completeness } = evidence;
  const sum = (table: Readonly<Record<string, number>>): number =>
    Object.values(table).reduce((total, one) => total + one, 0);
  assert.equal(counts.rows, 10);
  for (const table of [counts.byOutcome, counts.byRun, counts.byEnforcement]) assert.equal(sum(table), 10);
  assert.deepEqual([counts.byOutcome.approved, counts.observed], [3, 1]);
  assert.deepEqual(
    [completeness.asked, completeness.rows, completeness.dense, completeness.complete],
    [10, 10, true, true],
  );
  assert.equal(completeness.entries, evidence.log.count);
  assert.ok(rows.every((row, at) => at === 0 || row.index > (rows[at - 1]?.index ?? 0)));
  assert.ok(rows.every((row) => row.entries[0] === row.index));
  assert.deepEqual(counts.failed, []);
});

evidenceTest('a row says who, what, on which grounds, when and how it ended', async (rig) => {
  const made = await history(rig);
  const [, row] = await rig.rows(await rig.gather());
  assert.ok(row);
  assert.equal(row.action, made.approved.asked.id);
  assert.equal(row.approval, made.approved.approval);
  assert.equal(row.subject, made.approved.asked.subject);
  assert.deepEqual([row.agent, row.owners, row.askedBy], ['crm-bot', ['sam'], 'agent']);
  assert.deepEqual(
    [row.operation, row.enforcement, row.mode, row.effect],
    ['crm___export', 'cooperative', 'enforce', 'export'],
  );
  assert.equal(row.policyVersion, (await rig.now()).policySet);
  assert.deepEqual(
    row.requirements.map(({ id, approvers, quorum }) => [id, approvers, quorum]),
    [['export.customers', 'data-owners', 1]],
  );
  const [review] = row.reviews;
  assert.ok(review !== undefined && review.afterMs !== null);
  assert.ok(review.afterMs >= 60_000 && review.afterMs < 120_000, String(review.afterMs));
  assert.deepEqual(
    [review.person, review.decision, review.channel, review.reason],
    ['rosa', 'approve', 'web', 'looks right'],
  );
  assert.ok(row.decidedIndex !== null && row.startedIndex !== null && row.endedIndex !== null);
  assert.ok(
    row.index < row.decidedIndex && row.decidedIndex < row.startedIndex && row.startedIndex < row.endedIndex,
  );
  assert.ok(row.decisionMs !== null && row.decisionMs >= 60_000);
  assert.ok(row.lagMs !== null && row.lagMs >= 0);
  assert.deepEqual([row.outcomeBy, row.settledBy], ['agent', null]);
  const settled = (await rig.rows(await rig.gather()))[8];
  assert.deepEqual([settled?.outcomeBy, settled?.settledBy], ['person', pia]);
});

evidenceTest(
  'checks pass where everything is there, and cooperative runs never pass as executed after',
  async (rig) => {
    await history(rig);
    const rows = await rig.rows(await rig.gather());
    const of = (at: number): readonly string[] =>
      (rows[at]?.checks ?? []).map(({ name, result }) => `${name}:${result}`);
    assert.deepEqual(of(0), [
      'decided_before_started:passed',
      'decided_before_executed:passed',
      'approver_is_not_requester:not_applicable',
      'approver_was_eligible:not_applicable',
      'quorum_was_met:not_applicable',
      'exactly_what_was_approved:passed',
      'policy_was_in_force:passed',
      'ran_once:passed',
    ]);
    assert.deepEqual(of(1), [
      'decided_before_started:passed',
      'decided_before_executed:unknown',
      'approver_is_not_requester:passed',
      'approver_was_eligible:passed',
      'quorum_was_met:passed',
      'exactly_what_was_approved:passed',
      'policy_was_in_force:passed',
      'ran_once:passed',
    ]);
    assert.equal(
      check(rows[6], 'decided_before_started'),
      'not_applicable',
      'observed: nothing had to be decided',
    );
    assert.equal(check(rows[3], 'decided_before_started'), 'not_applicable', 'it did not run');
  },
);

evidenceTest('exceptions have stable names, with rows and answers of management', async (rig) => {
  await history(rig);
  const before = await rig.gather();
  const names = before.evidence.exceptions.map(({ name }) => name);
  const rows = await rig.rows(before);
  assert.ok(names.includes('cooperative/crm___export'));
  assert.ok(names.includes('observe/crm___export'));
  assert.ok(names.includes(`in-doubt/${rows[6]?.startedIndex}`));
  assert.equal(names.filter((name) => name.startsWith('unknown-outcome/')).length, 2);
  // Rosa and mia answered within milliseconds but for the first; a denial is no approval.
  assert.equal(names.filter((name) => name.startsWith('fast-approval/')).length, 2);
  assert.equal(names.filter((name) => name.startsWith('machine/')).length, 1, 'the directory of the bench');
  const exception = names.find((name) => name.startsWith('unknown-outcome/')) ?? '';
  const rosa = { kind: 'person', id: world.mia } as const;
  const refused = await answerException(rig, rosa, { exception, text: 'Looked at.' });
  assert.equal(refused.ok ? null : refused.error.code, 'not_permitted');
  const oz = { kind: 'person', id: ada } as const;
  for (const bad of ['nonsense', 'unknown-outcome/x', 'unknown-outcome/-1', 'downtime/01', `leaver/a b`]) {
    const wrong = await answerException(rig, oz, { exception: bad, text: 'x' });
    assert.equal(wrong.ok ? null : wrong.error.code, 'input_invalid', bad);
  }
  assert.equal((await answerException(rig, oz, { exception, text: ' ' })).ok, false);
  assert.equal((await answerException(rig, oz, { exception, text: 'é'.repeat(2001) })).ok, false);
  const agent = await answerException(rig, { kind: 'agent', id: world.agent }, { exception, text: 'x' });
  assert.equal(agent.ok ? null : agent.error.code, 'not_a_person');
  assert.ok((await answerException(rig, oz, { exception, text: 'We called the bank.' })).ok);
  assert.ok((await answerException(rig, oz, { exception: 'downtime/99999', text: 'None.' })).ok);
  const after = (await rig.gather({ toMs: before.evidence.period.toMs })).evidence;
  assert.deepEqual(
    after.exceptions.find(({ name }) => name === exception)?.answers.map((one) => [one.text, one.by]),
    [['We called the bank.', 'oz']],
  );
  assert.deepEqual(
    after.otherAnswers.map((one) => one.exception),
    ['downtime/99999'],
  );
  assert.deepEqual(
    after.exceptions.map(({ name }) => name),
    names,
  );
});

evidenceTest('the same query gives the same, whatever happened since', async (rig) => {
  await history(rig);
  const first = await rig.gather();
  const { evidence } = first;
  const rows = await rig.rows(first);
  assert.match(
    evidence.command,
    /^countersign evidence --from 1970-01-01T00:00:00\.000Z --to \S+ --as-of \d+$/,
  );
  assert.ok((await recordEvidence(rig, evidence, asSha256Hex('a'.repeat(64)))).ok);
  await ask(rig, rig.allow, { execute: true });
  await rig.accept('policies', { ...policies, entities: [1] });
  const again = await rig.gather(evidence.query);
  const { madeAtMs: _one, ...same } = evidence;
  const { madeAtMs: _other, ...anew } = again.evidence;
  assert.deepEqual(anew, same);
  assert.deepEqual(await rig.rows(again), rows);
  const made = (await rig.store.entries(-1, 1000))
    .map(({ entry }) => entry)
    .find((one) => one.type === 'evidence.made');
  assert.deepEqual(
    [made?.data['rows'], made?.data['manifest'], made?.by],
    [10, 'a'.repeat(64), { kind: 'person', id: ada }],
  );
  const later = await rig.gather({ toMs: evidence.period.toMs });
  assert.equal(later.evidence.counts.rows, 11);
});

evidenceTest('only auditors and operators, and only a period', async (rig) => {
  const parts = { ...rig, policy: { narrows: () => false }, world: {}, origin: 'x' } as never;
  const gathering = { generator: { name: 'n', version: 'v' }, quorum: 1 };
  const query = { fromMs: 0, toMs: 1, asOf: null, samples: null };
  const code = async (more: object, by = ada): Promise<string> => {
    const made = await gatherEvidence(
      parts,
      { ...query, ...more },
      {
        ...gathering,
        by: { kind: 'person', id: by },
      },
    );
    return made.ok ? 'made' : made.error.code;
  };
  assert.equal(await code({}, world.mia), 'not_permitted');
  assert.equal(await code({}, 'nobody' as never), 'not_permitted');
  assert.equal(await code({}, pia), 'made');
  assert.equal(await code({ fromMs: 5, toMs: 5 }), 'input_invalid');
  assert.equal(await code({ fromMs: Number.NaN }), 'input_invalid');
  assert.equal(await code({ asOf: 1e9 }), 'input_invalid');
  assert.equal(await code({ samples: { kind: 'rows', rows: [1] } }), 'input_invalid', 'there is no such row');
  assert.equal(
    await code({ samples: { kind: 'seed', number: '7', count: 3 } }),
    'input_invalid',
    'no checkpoint',
  );
  assert.equal(await code({ samples: { kind: 'seed', number: '7; rm', count: 3 } }), 'input_invalid');
});

evidenceTest('a period has only what was asked in it; what went on is counted apart', async (rig) => {
  const held = await ask(rig, rig.review);
  rig.later(60_000);
  const fromMs = rig.clock.nowMs();
  await ask(rig, rig.allow, { execute: true });
  value(await rig.store.change(world.reviewOf(handle(held), world.rosa)));
  rig.later(60_000);
  const toMs = rig.clock.nowMs();
  await ask(rig, rig.allow, { execute: true });
  const { evidence } = await rig.gather({ fromMs, toMs });
  assert.equal(evidence.counts.rows, 1);
  assert.equal(evidence.carriedIn.count, 1);
  assert.deepEqual(
    evidence.reviewers.map((one) => [one.person, one.approved, one.timed]),
    [['rosa', 1, 1]],
  );
  assert.ok(evidence.notCovered.some((one) => one.includes('asked before the period')));
  assert.equal(evidence.policies.length, 1);
  assert.deepEqual([evidence.policies[0]?.atStart, evidence.policies[0]?.atEnd], [true, true]);
  assert.equal(evidence.policies[0]?.digestHolds, 'yes');
  assert.deepEqual(evidence.policies[0]?.texts, policies.policies);
  assert.equal(evidence.roster.changes.length, 0);
  assert.equal(evidence.roster.start?.people.length, 5);
  const first = await rig.gather({ toMs: fromMs });
  assert.deepEqual(
    (await rig.rows(first)).map((row) => row.outcome),
    ['open'],
  );
});

evidenceTest('what is erased says so, is counted, and passes no check', async (rig) => {
  const made = await history(rig);
  await publishAll(rig.store, testKeys(), origin);
  value(await eraseAction(rig.store, pia, made.approved.asked.id));
  const gathered = await rig.gather();
  const [first, row, third] = await rig.rows(gathered);
  assert.deepEqual([row?.erased, row?.outcome, row?.run], [true, 'approved', 'failed']);
  assert.deepEqual([row?.agent, row?.operation, row?.subject, row?.reviews], [null, null, null, []]);
  assert.ok(
    row?.checks.every(({ result }) => result !== 'passed'),
    JSON.stringify(row?.checks),
  );
  assert.match(row?.headline ?? '', /^Erased/);
  assert.deepEqual([first?.erased, third?.erased], [false, false]);
  const { counts, completeness, exceptions } = gathered.evidence;
  assert.deepEqual([counts.rows, counts.erased, completeness.complete], [10, 1, true]);
  assert.equal(exceptions.filter(({ kind }) => kind === 'erased').length, 1);
  assert.equal(exceptions.filter(({ kind }) => kind === 'tampered').length, 0);
});

evidenceTest('a payload that is gone without an entry that says so is tampering', async (rig) => {
  await history(rig);
  const [row] = await rig.rows(await rig.gather());
  await rig.raw("UPDATE entries SET statement = '' WHERE idx = $1", [row?.index ?? -1]);
  const gathered = await rig.gather();
  const found = gathered.evidence.exceptions.filter(({ kind }) => kind === 'tampered');
  assert.deepEqual(
    found.map(({ name }) => name),
    [`tampered/${row?.index}`],
  );
  assert.equal((await rig.rows(gathered))[0]?.outcome, 'unknown');
});

evidenceTest(
  'an altered policy text in the store is found by its digest, and passes no check',
  async (rig) => {
    await history(rig);
    await rig.raw("UPDATE accepted SET body = replace(body, 'permit', 'forbid') WHERE what = 'policies'");
    const gathered = await rig.gather();
    assert.equal(gathered.evidence.policies[0]?.digestHolds, 'no');
    for (const row of await rig.rows(gathered)) assert.notEqual(check(row, 'policy_was_in_force'), 'passed');
    assert.equal(gathered.evidence.controls.find(({ id }) => id.startsWith('CC5'))?.finding, 'exceptions');
  },
);

evidenceTest(
  'an altered directory in the store is tampering, and nobody is compared with it',
  async (rig) => {
    await history(rig);
    const { version } = (await rig.store.accepted('directory')) ?? { version: 0 };
    // As if somebody else owned the agent: then rosa could have been its owner.
    await rig.raw(
      `UPDATE accepted SET body = replace(body, '"owners":["sam"]', '"owners":["mia"]') WHERE what = 'directory' AND version = ${version}`,
    );
    const gathered = await rig.gather();
    const { exceptions, roster, controls } = gathered.evidence;
    assert.equal(exceptions.filter(({ kind }) => kind === 'tampered').length, 1);
    assert.equal(roster.end, null);
    assert.equal(controls.find(({ id }) => id === 'CC7.2')?.finding, 'exceptions');
    for (const row of await rig.rows(gathered))
      assert.notEqual(check(row, 'approver_is_not_requester'), 'passed');
  },
);

evidenceTest('the headline is made only from bytes that the log names', async (rig) => {
  await history(rig);
  const before = (await rig.rows(await rig.gather()))[0]?.headline;
  assert.match(before ?? '', /export of crm/);
  await rig.raw(
    `UPDATE actions SET canonical = '{"agent":"forged"' WHERE ord = (SELECT min(ord) FROM actions)`,
  );
  const after = (await rig.rows(await rig.gather()))[0];
  assert.equal(after?.headline, 'export of crm');
});

evidenceTest('samples follow from the end checkpoint and the auditor’s number', async (rig) => {
  await history(rig);
  const unpublished = await rig.gather();
  assert.equal(unpublished.evidence.log.tier, 'unpublished');
  await publishAll(rig.store, testKeys(), origin);
  const samples = { kind: 'seed', number: '20261123', count: 4 } as const;
  const { evidence } = await rig.gather({ samples });
  assert.equal(evidence.log.tier, 'tamper-detecting');
  const { chosen, how } = evidence.samples;
  assert.equal(chosen.length, 4);
  assert.ok(how.some((one) => one.includes(evidence.log.end?.root ?? '?')));
  assert.match(evidence.command, / --sample-count 4 --number 20261123$/);
  const named = await rig.gather({ samples: { kind: 'rows', rows: [2, 2, 1] } });
  const [one, two] = named.evidence.samples.chosen;
  assert.deepEqual([one?.row.row, two?.row.row], [1, 2]);
  assert.deepEqual(
    two?.timeline.map(({ type }) => type),
    [
      'action.asked',
      'preview.read',
      'approval.opened',
      'review.recorded',
      'approval.approved',
      'execution.started',
      'execution.failed',
    ],
  );
  assert.deepEqual(two?.receipts, [two?.row.decidedIndex, two?.row.startedIndex, two?.row.endedIndex]);
  assert.equal(two?.trace?.text, 'because');
  assert.equal(two?.saw[0]?.person, 'rosa');
  // A witness makes it witnessed; the same witness twice is one.
  const end = evidence.log.end;
  assert.ok(end);
  await rig.store.addCosignature(end.origin, end.size, { key: 'w1', line: '— w1 x', atMs: 1 });
  assert.equal((await rig.gather()).evidence.log.tier, 'witnessed');
});

evidenceTest('who left, and what they did afterwards', async (rig) => {
  const { store } = rig;
  const directory = await store.directory();
  await rig.accept('directory', {
    ...directory,
    people: directory.people.filter(({ id }) => id !== world.mia),
  });
  const { evidence } = await rig.gather();
  const [leaver] = evidence.roster.leavers;
  assert.deepEqual(
    [leaver?.person, leaver?.how, leaver?.actedAfter, leaver?.stillOwns],
    ['mia', 'left', [], ['other-bot']],
  );
  assert.ok(evidence.roster.changes.at(-1)?.lines.some((one) => one.includes('Mia Chen')));
  const by = { kind: 'person', id: world.mia } as const;
  const about = { action: null, approval: null, execution: null };
  const entry = (type: 'review.recorded' | 'review.refused' | 'person.signed_out') =>
    ({ type, by, about, subject: null, data: { decision: 'approve' } }) as const;
  value(
    await store.change({
      kind: 'record',
      entries: [entry('review.recorded'), entry('review.refused'), entry('person.signed_out')],
    }),
  );
  const after = (await rig.gather()).evidence;
  assert.equal(after.roster.leavers[0]?.actedAfter.length, 1);
  assert.equal(after.roster.leavers[0]?.refusedAfter, 1);
  assert.ok(after.exceptions.some(({ name }) => name === 'leaver/mia'));
  assert.equal(after.controls.find(({ id }) => id === 'CC6.2')?.finding, 'exceptions');
});

evidenceTest('downtime, with what was under way, and who could approve and never did', async (rig) => {
  const { store } = rig;
  await history(rig);
  const gate = (type: 'gate.started' | 'gate.stopped', data: Record<string, number>) =>
    ({
      type,
      by: { kind: 'gate' },
      about: { action: null, approval: null, execution: null },
      subject: null,
      data,
    }) as const;
  value(await store.change({ kind: 'record', entries: [gate('gate.stopped', {})] }));
  rig.later(600_000);
  const { size } = await store.head();
  value(await store.change({ kind: 'record', entries: [gate('gate.started', { lost: 2, after: size })] }));
  const { evidence } = await rig.gather();
  const [down] = evidence.scope.downtimes;
  assert.deepEqual([down?.clean, down?.lost, down?.sinceIndex], [true, 2, size - 1]);
  assert.ok(down !== undefined && down.untilMs - down.sinceMs >= 600_000);
  assert.ok(evidence.exceptions.some(({ name }) => name === `downtime/${size}`));
  const access = new Map(evidence.access.rows.map((one) => [one.person, one]));
  assert.equal(access.get(world.rosa)?.approved, 3);
  assert.equal(access.get(world.mia)?.denied, 1);
  assert.equal(access.get(world.rosa)?.asked, 7);
  assert.equal(access.get(world.sam)?.asked, 0, 'the owner was never eligible');
  assert.equal(evidence.scope.operations[0]?.asked, 10);
  assert.deepEqual(evidence.agents, ['crm-bot']);
});
