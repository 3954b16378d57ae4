/** What an auditor who only has the documents must be able to find: rows behind each exception, what came of a break-glass, tries that failed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gatherEvidence } from '../../src/app/evidence.ts';
import type { Evidence } from '../../src/core/evidence/model.ts';
import { selectionWords } from '../../src/core/evidence/selection.ts';
import type { PopulationRow } from '../../src/core/evidence/model-rows.ts';
import { asPersonId } from '../../src/core/ids.ts';
import { handle, value } from '../store/bench.ts';
import { eraseAction } from '../store/erasing.ts';
import * as world from '../store/world.ts';
import { scene, type Scene } from '../support/glass.ts';
import { publishAll, testKeys } from '../support/published.ts';
import { evidenceTest, pia, type Rig } from './evidence-rig.ts';

async function made(
  one: Scene,
): Promise<{ readonly evidence: Evidence; readonly rows: readonly PopulationRow[] }> {
  const { parts } = one.gate.gate();
  const query = {
    fromMs: 0,
    toMs: Date.now() + 1e9,
    asOf: null,
    samples: { kind: 'rows', rows: [1] },
  } as const;
  const generator = { name: 'countersign', version: '0' };
  const by = { kind: 'person', id: asPersonId('ada') } as const;
  const gathered = await gatherEvidence(parts, query, { by, generator, quorum: 1 });
  assert.ok(gathered.ok, JSON.stringify(gathered));
  const rows: PopulationRow[] = [];
  for await (const page of gathered.value.pages()) rows.push(...page);
  return { evidence: gathered.value.evidence, rows };
}

test('a break-glass says who opened it, who ended it and what its reviewer found; else that nobody reviewed it', async (t) => {
  const one = await scene(t);
  const glass = await one.open();
  assert.equal((await one.ask(900)).body.state, 'ready');
  const unreviewed = (await made(one)).evidence.exceptions.find(({ kind }) => kind === 'break-glass');
  assert.match(unreviewed?.text ?? '', /asked for by Rosa Diaz, approved by Mia Chen and Lee Park/);
  assert.match(unreviewed?.text ?? '', /Nobody reviewed it within the period\./);
  assert.equal(unreviewed?.toMs, null);
  const end = await one.as('oz', 'POST', `/v1/break-glass/${glass}/end`, { reason: 'mended' });
  assert.equal(end.status, 200);
  const finding = { finding: 'As said, one customer.' };
  assert.equal((await one.as('ada', 'POST', `/v1/break-glass/${glass}/review`, finding)).status, 200);
  const reviewed = (await made(one)).evidence.exceptions.find(({ kind }) => kind === 'break-glass');
  assert.match(
    reviewed?.text ?? '',
    / Ended .+ by Oz Tal\. Reviewed .+ by Ada Berg \(independent\): As said, one customer\.$/,
  );
  assert.doesNotMatch(reviewed?.text ?? '', /Nobody reviewed/);
  assert.equal(reviewed?.entries.length, 3);
  assert.deepEqual(reviewed.rows, [2]);
});

test('tries to approve one’s own, the input that was asked, and a log that begins in the period', async (t) => {
  const one = await scene(t);
  const asked = await one.ask(500, { reason: 'the customer asked' });
  const review = (who: string) =>
    one.as(who, 'POST', `/v1/approvals/${asked.body.approval.id}/reviews`, {
      decision: 'approve',
      digest: asked.body.digest,
    });
  assert.equal((await review('sam')).body.code, 'no_self_approval');
  assert.equal((await review('rosa')).status, 201);
  const { evidence, rows } = await made(one);
  assert.deepEqual(evidence.refusedReviews, [{ code: 'no_self_approval', count: 1 }]);
  assert.deepEqual(evidence.samples.chosen[0]?.asked, {
    input: '{"cents":500}',
    reason: 'the customer asked',
  });
  assert.match(
    rows[0]?.checks.find(({ name }) => name === 'approver_is_not_requester')?.why ?? '',
    /^Rosa Diaz approved\. Tied to it, and so barred: Sam Lee\.$/,
  );
  // There was nobody before the log began: that is known.
  assert.equal(evidence.controls.find(({ id }) => id === 'CC6.2')?.finding, 'no_exceptions');
  assert.deepEqual(evidence.roster.changes[0]?.lines, ['the first: 7 people and 2 agents']);
  // What verdicts name the policies by is told with their text: a row can be followed to it.
  assert.equal(evidence.policies[0]?.set, rows[0]?.policyDigest);
  assert.notEqual(evidence.policies[0]?.set, null);
  const [rosa, oz] = ['rosa', 'oz'].map((id) => evidence.access.rows.find(({ person }) => person === id));
  assert.deepEqual([rosa?.glass, oz?.glass], [true, false]);
});

const ask = async (rig: Rig, verdict: Rig['allow'], more: world.AskOptions = {}) => {
  const command = world.ask(verdict, { atMs: rig.clock.nowMs(), ...more });
  value(await rig.store.change(command));
  return command;
};

evidenceTest(
  'what the agents ran is counted by what was started, and each exception names its rows',
  async (rig) => {
    const lost = await ask(rig, rig.review, { enforcement: 'cooperative' });
    value(await rig.store.change(world.reviewOf(handle(lost), world.rosa)));
    const claim = world.claim(lost.asked.id, rig.review);
    value(await rig.store.change(claim));
    value(await rig.store.change({ kind: 'lost', execution: claim.execution }));
    await ask(rig, rig.deny, { enforcement: 'cooperative' });
    const denied = await ask(rig, rig.review, { enforcement: 'cooperative' });
    value(await rig.store.change(world.reviewOf(handle(denied), world.mia, 'deny')));
    await publishAll(rig.store, testKeys(), 'gate.example.com');
    value(await eraseAction(rig.store, pia, denied.asked.id));
    const gathered = await rig.gather();
    const rows = await rig.rows(gathered);
    const { counts, notCovered, exceptions } = gathered.evidence;
    assert.deepEqual([counts.byEnforcement.cooperative, counts.ranCooperative], [2, 1]);
    assert.ok(notCovered.some((text) => text.startsWith('1 action ran in the agents’ own processes')));
    assert.deepEqual(
      exceptions
        .filter(({ kind }) => kind === 'unknown-outcome' || kind === 'erased')
        .map((one) => [one.kind, one.rows]),
      [
        ['unknown-outcome', [1]],
        ['erased', [3]],
      ],
    );
    // Its kind outlasts its content.
    assert.deepEqual(
      [rows[2]?.outcome, rows[2]?.decidedBy],
      ['unknown', 'denied; by whom is erased or hidden'],
    );
    assert.deepEqual(counts.unsaid.decided_before_executed, [1]);
    assert.deepEqual(counts.unsaid.policy_was_in_force, [3]);
  },
);

evidenceTest('an accepted roster in which nothing changed says so', async (rig) => {
  const { body } = (await rig.store.accepted('directory')) ?? { body: null };
  await rig.accept('directory', body as object);
  const { roster } = (await rig.gather()).evidence;
  assert.deepEqual(roster.changes.at(-1)?.lines, ['nothing in it changed']);
});

test('how samples are chosen claims nothing that only the auditor knows', () => {
  const words = selectionWords({ kind: 'seed', number: '7', count: 3 }, 'cm9vdA==').join(' ');
  assert.match(words, /only the auditor knows/);
  assert.match(words, /VERIFY\.txt, step 7/);
});
