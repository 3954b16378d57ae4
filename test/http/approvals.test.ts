/** Approvals and the log by HTTP: what people and agents see of them, and the decisions that end them. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { directory, inside, openGate, text, type Answer, type Gate } from './gate.ts';

let gate: Gate;
const tokens: Record<string, string> = {};
const bot = (): string => tokens['bot'] ?? '';
const as = (name: string): string => tokens[name] ?? '';

before(async () => {
  gate = await openGate();
  for (const name of ['bot', 'other-bot']) tokens[name] = await gate.token('agent', name);
  for (const name of ['sam', 'rosa', 'mia', 'oz', 'eve']) tokens[name] = await gate.token('person', name);
});
after(() => gate.close());

let cents = 5000;
/** Each test asks for another amount, so that none joins another's. */
beforeEach(() => {
  cents += 1;
});

const ask = (
  input: object = { cents },
  operation = 'billing___refund',
  headers: Record<string, string> = {},
): Promise<Answer> => gate.call('POST', '/v1/actions', bot(), { operation, input }, headers);
const review = (approval: string, by: string, body: object): Promise<Answer> =>
  gate.call('POST', `/v1/approvals/${approval}/reviews`, as(by), body);
/** The gate's time, so many minutes on. */
const minutesOn = (minutes: number): string => new Date(gate.clock.nowMs + minutes * 60_000).toISOString();
const approvalIn = (answer: Answer): string => text(inside(answer, 'approval')['id']);

describe('approvals', () => {
  test('an approval has the shape of design §8, and counts people', async () => {
    const asked = await ask({ cents }, 'billing___payout');
    const path = `/v1/approvals/${approvalIn(asked)}`;
    await review(approvalIn(asked), 'rosa', {
      decision: 'approve',
      digest: asked.json['digest'],
      reason: 'Looks right.',
    });
    const seen = await gate.call('GET', path, as('mia'));
    assert.equal(seen.status, 200, seen.text);
    assert.deepEqual(Object.keys(seen.json), [
      'id',
      'status',
      'state',
      'mode',
      'action',
      'digest',
      'requirements',
      'reviews',
      'cannotApprove',
      'url',
      'createdAt',
      'expiresAt',
      // Where people were told: for people alone.
      'told',
    ]);
    assert.deepEqual(seen.json['requirements'], [
      {
        id: 'payout',
        title: 'A payout needs two of finance',
        approvers: 'finance',
        quorum: 2,
        count: 1,
        met: false,
        stepUp: null,
        reasonRequired: false,
      },
    ]);
    assert.deepEqual(seen.json['reviews'], [
      {
        person: 'rosa',
        decision: 'approve',
        reason: 'Looks right.',
        unsafe: false,
        channel: 'api',
        at: minutesOn(0),
      },
    ]);
    assert.deepEqual(seen.json['cannotApprove'], [{ person: 'sam', why: 'owns the agent bot' }]);
    assert.equal(seen.json['digest'], asked.json['digest']);
    assert.equal(inside(seen, 'action')['digest'], asked.json['digest']);
    const done = await gate.call(
      'POST',
      `${path}/reviews`,
      as('mia'),
      { decision: 'approve', digest: asked.json['digest'] },
      { 'x-countersign-channel': 'cli' },
    );
    assert.equal(done.status, 201, done.text);
    assert.equal(done.json['status'], 'approved');
    assert.deepEqual(
      inside({ json: { only: (done.json['requirements'] as readonly never[])[0] } }, 'only')['met'],
      true,
    );
    const entries = await gate.entries('review.recorded');
    assert.equal(entries.at(-1)?.data['channel'], 'cli');
  });

  test('an agent that reads its own approval is told no explanation, and sees its input as it is', async () => {
    const asked = await ask({ cents, password: 'hunter2hunter2' });
    const seen = await gate.call('GET', `/v1/approvals/${approvalIn(asked)}`, bot());
    const action = inside(seen, 'action');
    assert.deepEqual(action['input'], { cents, password: 'hunter2hunter2' });
    for (const field of ['explanation', 'profile', 'preview', 'verdict'])
      assert.ok(!(field in action), field);
    assert.ok(
      'explanation' in
        inside(await gate.call('GET', `/v1/approvals/${approvalIn(asked)}`, as('rosa')), 'action'),
    );
  });

  test('what was met when it was approved stays met on the page, whoever leaves later', async () => {
    const asked = await ask();
    await review(approvalIn(asked), 'rosa', { decision: 'approve', digest: asked.json['digest'] });
    await gate.propose({
      directory: {
        ...directory,
        people: directory.people.map((one) => (one.id === 'rosa' ? { ...one, active: false } : one)),
      },
    });
    const seen = await gate.call('GET', `/v1/approvals/${approvalIn(asked)}`, as('mia'));
    assert.deepEqual(
      (seen.json['requirements'] as readonly { readonly count: number; readonly met: boolean }[]).map(
        ({ count, met }) => ({ count, met }),
      ),
      [{ count: 1, met: true }],
    );
    const taken = await gate.call('POST', `/v1/actions/${text(asked.json['id'])}/execution`, bot());
    assert.equal(taken.json['code'], 'policy_changed', 'but it no longer runs');
    await gate.propose({});
  });

  test('a list holds what its reader may see, newest first, page by page', async () => {
    const made: string[] = [];
    for (let n = 0; n < 3; n += 1) made.unshift(approvalIn(await ask({ cents: 900_000 + n + cents })));
    const page = await gate.call('GET', '/v1/approvals?status=pending&limit=2', as('rosa'));
    const ids = (answer: Answer): string[] =>
      (answer.json['items'] as readonly { readonly id: string }[]).map((one) => one.id);
    assert.deepEqual(ids(page), made.slice(0, 2));
    assert.equal(page.json['next'], made[1]);
    const next = await gate.call(
      'GET',
      `/v1/approvals?status=pending&limit=1&after=${text(page.json['next'])}`,
      as('rosa'),
    );
    assert.deepEqual(ids(next), made.slice(2));
    assert.deepEqual(ids(await gate.call('GET', '/v1/approvals?status=pending', as('eve'))), []);
    assert.deepEqual(ids(await gate.call('GET', '/v1/approvals', as('other-bot'))), []);
    assert.ok(ids(await gate.call('GET', '/v1/approvals', as('oz'))).length >= 3, 'auditors see all');
    assert.ok(ids(await gate.call('GET', '/v1/approvals', bot())).includes(made[0] ?? ''));
    for (const query of ['limit=0', 'limit=1001', 'limit=x', 'limit=1.5', 'status=open', 'wait=301']) {
      const path = query.startsWith('wait') ? `/v1/approvals/${made[0]}?${query}` : `/v1/approvals?${query}`;
      assert.equal((await gate.call('GET', path, as('rosa'))).json['code'], 'input_invalid', query);
    }
  });

  test('cancelling: the agent withdraws, an owner stops, an auditor only reads', async () => {
    const asked = await ask();
    const path = `/v1/approvals/${approvalIn(asked)}/cancel`;
    assert.equal((await gate.call('POST', path, as('eve'))).status, 404);
    assert.equal((await gate.call('POST', path, as('other-bot'))).status, 404);
    const done = await gate.call('POST', path, bot(), { reason: 'changed my mind' });
    assert.equal(done.status, 200, done.text);
    assert.equal(done.json['status'], 'cancelled');
    cents += 100_000;
    const second = await ask();
    assert.equal(
      (await gate.call('POST', `/v1/approvals/${approvalIn(second)}/cancel`, as('sam'))).json['status'],
      'cancelled',
    );
  });

  test('an approval that does not exist, or is none of yours, looks the same', async () => {
    const asked = await ask();
    const missing = `/v1/approvals/apr_${'0'.repeat(26)}`;
    const [theirs, none] = [
      await gate.call('GET', `/v1/approvals/${approvalIn(asked)}`, as('eve')),
      await gate.call('GET', missing, as('eve')),
    ];
    assert.equal(theirs.status, 404);
    assert.deepEqual(theirs.json, none.json);
    const digest = asked.json['digest'];
    const [reviewTheirs, reviewNone] = [
      await review(approvalIn(asked), 'eve', { decision: 'approve', digest }),
      await gate.call('POST', `${missing}/reviews`, as('eve'), { decision: 'approve', digest }),
    ];
    assert.equal(reviewTheirs.json['code'], 'not_an_approver');
    assert.deepEqual(reviewTheirs.json, reviewNone.json);
  });
});

describe('the log', () => {
  test('auditors read entries in order, a page at a time; nobody else does', async () => {
    await ask();
    const page = await gate.call('GET', '/v1/log?limit=3', as('oz'));
    assert.equal(page.status, 200, page.text);
    const items = page.json['items'] as readonly { readonly index: number }[];
    assert.deepEqual(
      items.map((one) => one.index),
      [0, 1, 2],
    );
    assert.deepEqual(Object.keys(items[0] ?? {}), ['index', 'at', 'type', 'by', 'about', 'data', 'sentence']);
    assert.equal(page.json['next'], 2);
    const next = await gate.call('GET', '/v1/log?after=2&limit=1', as('oz'));
    assert.equal((next.json['items'] as readonly { readonly index: number }[])[0]?.index, 3);
    const held = await ask({ cents: cents + 50_000 });
    const secret = `ghp_${'a'.repeat(36)}`;
    await gate.call('POST', `/v1/approvals/${approvalIn(held)}/cancel`, bot(), {
      reason: `leaked ${secret}`,
    });
    const all = await gate.call('GET', '/v1/log?limit=1000', as('oz'));
    assert.ok(
      all.text.includes('leaked ⟨masked: 40 characters⟩') && !all.text.includes(secret),
      'secrets are masked',
    );
    for (const name of ['rosa', 'sam', 'bot']) {
      assert.equal((await gate.call('GET', '/v1/log', as(name))).json['code'], 'not_permitted', name);
    }
  });
});
