/**
 * Approving one's own action, through every interface and by every detour that is known to have worked elsewhere. Each is
 * refused with the code of its rule, and each refusal is an entry of the log that a person can read.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { after, before, beforeEach, describe, test } from 'node:test';
import { authorize } from '../../src/app/authorize.ts';
import { review as reviewAs } from '../../src/app/review.ts';
import type { Delegate } from '../../src/core/action.ts';
import type { Entry } from '../../src/core/entry.ts';
import { asAgentId, asApprovalId, asDigest, asPersonId } from '../../src/core/ids.ts';
import { entryWords } from '../../src/core/render/log-words.ts';
import { newLink } from '../../src/identity/sessions.ts';
import { systemRandom } from '../../src/main.ts';
import { operations, policies, startTestGate, type Answer, type TestGate } from '../support/gate.ts';
import { root } from '../support/source.ts';

/** Sam owns both bots. Tom and Uma approve nothing; Ann is an administrator, Oz an operator. */
const config = `
people:
  - { id: sam, name: Sam Lee, groups: [data-owners] }
  - { id: rosa, name: Rosa Diaz, groups: [data-owners] }
  - { id: mia, name: Mia Chen, groups: [data-owners, security] }
  - { id: eve, name: Eve Adams, groups: [data-owners] }
  - { id: lee, name: Lee Park, groups: [security] }
  - { id: tom, name: Tom Hale }
  - { id: uma, name: Uma Roy }
  - { id: ann, name: Ann Fox, groups: [admins] }
  - { id: oz, name: Oz Tal, groups: [platform] }
agents:
  - { id: crm-bot, owners: [sam] }
  - { id: sams-other-bot, owners: [sam] }
  - { id: rosas-bot, owners: [rosa] }
roles: { operators: platform, auditors: audit }
limits: { pendingPerAgent: 100, creationsPerMinute: 1000 }
servers:
  tools: { command: ["${process.execPath}", "${join(root, 'test/enforce/mcp/support/fixture.ts')}"] }
${operations}
  shop___payout:
    input: { type: object, properties: { cents: { type: integer } }, required: [cents] }
`;

const allPolicies = `${policies}
@id("payout.owner") @title("A payout needs a data owner") @approvers("data-owners")
forbid (principal, action == Action::"shop___payout", resource);
@id("payout.security") @title("A payout needs security") @approvers("security")
forbid (principal, action == Action::"shop___payout", resource);
`;

let gate: TestGate;
const tokens: Record<string, string> = {};
const as = (name: string): string => tokens[name] ?? assert.fail(name);
before(async () => {
  gate = await startTestGate({ config, policies: allPolicies });
  for (const one of ['crm-bot', 'sams-other-bot', 'rosas-bot']) tokens[one] = await gate.token('agent', one);
  for (const one of ['sam', 'rosa', 'mia', 'eve', 'lee', 'tom', 'uma', 'ann', 'oz'])
    tokens[one] = await gate.token('person', one);
});
after(() => gate.stop());

interface Held {
  readonly action: string;
  readonly approval: string;
  readonly digest: string;
}

let cents = 200;
async function hold(operation = 'shop___refund', by = 'crm-bot'): Promise<Held> {
  cents += 1;
  const { status, body } = await gate.call(as(by), 'POST', '/v1/actions', { operation, input: { cents } });
  assert.equal(status, 202, JSON.stringify(body));
  return { action: body.id, approval: body.approval.id, digest: body.digest };
}

let held: Held;
beforeEach(async () => {
  held = await hold();
});

const review = (by: string, one = held, decision = 'approve'): Promise<Answer> =>
  gate.call(as(by), 'POST', `/v1/approvals/${one.approval}/reviews`, { decision, digest: one.digest });
const status = async (one = held): Promise<string> =>
  (await gate.call(as('crm-bot'), 'GET', `/v1/approvals/${one.approval}`)).body.status;

const entries = async (): Promise<readonly Entry[]> =>
  (await gate.gate().parts.store.entries(-1, 10_000)).map((one) => one.entry);

/** The last entry about this approval: that the attempt was refused, by this rule, in words that name who and why. */
async function refusedInLog(code: string, words: RegExp, one = held): Promise<void> {
  const entry = (await entries()).findLast((each) => each.about.approval === one.approval);
  assert.equal(entry?.type, 'review.refused');
  assert.equal(entry.data['code'], code);
  const said = entryWords(entry, await gate.gate().parts.store.directory()).text;
  assert.match(said, words);
}

/** Refused with the code, readable in the log, and nothing was approved. */
async function refused(by: string, code: string, words: RegExp, one = held): Promise<void> {
  const answer = await review(by, one);
  assert.equal(answer.body.code, code, JSON.stringify(answer.body));
  await refusedInLog(code, words, one);
  assert.equal(await status(one), 'pending');
}

interface Session {
  readonly cookie: string;
  readonly csrf: string;
}

async function session(person: string): Promise<Session> {
  const running = gate.gate();
  const { token, hash } = newLink(systemRandom);
  const expiresAtMs = Date.now() + 60_000;
  assert.ok(
    (await running.parts.store.change({ kind: 'link', person: asPersonId(person), hash, expiresAtMs })).ok,
  );
  const signedIn = await fetch(`${running.url}/sign-in`, {
    method: 'POST',
    headers: { origin: running.origin, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ token }).toString(),
    redirect: 'manual',
  });
  const cookie = (signedIn.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const page = await (await fetch(`${running.url}/inbox`, { headers: { cookie } })).text();
  const csrf = /name="csrf" value="([^"]+)"/.exec(page)?.[1] ?? assert.fail('no form');
  return { cookie, csrf };
}

const form = (at: Session, path: string, fields: Record<string, string>): Promise<Response> =>
  fetch(`${gate.gate().url}${path}`, {
    method: 'POST',
    headers: {
      origin: gate.gate().origin,
      cookie: at.cookie,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams({ csrf: at.csrf, ...fields }).toString(),
    redirect: 'manual',
  });

describe('the owner of the agent', () => {
  test('no-self-approval: by the API, with another token of theirs as well', async () => {
    await refused(
      'sam',
      'no_self_approval',
      /^A review of the action act_\w+ by Sam Lee was refused \(no_self_approval\): owns the agent crm-bot\.$/,
    );
    tokens['sam, again'] = await gate.token('person', 'sam');
    await refused('sam, again', 'no_self_approval', /Sam Lee was refused \(no_self_approval\)/);
  });

  test('no-self-approval: with a second account at a provider, which is the same person', async () => {
    const account = { kind: 'oidc', issuer: 'https://id.example', subject: 'sam-private' } as const;
    const way = { via: { kind: 'account', account }, countsFromMs: 0, authAtMs: 0 } as const;
    const result = await reviewAs(
      gate.gate().parts,
      { kind: 'person', id: asPersonId('sam'), way },
      asApprovalId(held.approval),
      {
        decision: 'approve',
        digest: asDigest(held.digest),
        reason: null,
        unsafe: false,
        channel: 'web',
        shownWhole: true,
      },
    );
    assert.ok(!result.ok && result.error.code === 'no_self_approval');
    await refusedInLog('no_self_approval', /Sam Lee/);
  });

  test('no-self-approval: by the page’s form, where no button is offered and the reason is said first', async () => {
    const sam = await session('sam');
    const page = await (
      await fetch(`${gate.gate().url}/approvals/${held.approval}`, { headers: { cookie: sam.cookie } })
    ).text();
    assert.ok(!page.includes('id="approve"'));
    assert.match(page, /Cannot approve[\s\S]*Sam Lee[\s\S]*owns the agent crm-bot/);
    const posted = await form(sam, `/approvals/${held.approval}/review`, {
      decision: 'approve',
      digest: held.digest,
    });
    assert.equal(posted.status, 403);
    assert.match(await posted.text(), /no_self_approval/);
    await refusedInLog('no_self_approval', /Sam Lee/);
    assert.equal(await status(), 'pending');
  });

  test('no-self-approval: from the command line, which says before that they cannot', async () => {
    const cli = async (...args: string[]): Promise<readonly [number | null, string, string]> => {
      const child = spawn(
        process.execPath,
        [join(root, 'src/cli.ts'), 'approvals', ...args, '--url', gate.gate().url],
        {
          env: { PATH: process.env['PATH'], HOME: process.env['HOME'], COUNTERSIGN_TOKEN: as('sam') },
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      );
      const [out, err] = await Promise.all([textOf(child.stdout), textOf(child.stderr), once(child, 'exit')]);
      return [child.exitCode, out, err];
    };
    const [, shown] = await cli('show', held.approval);
    assert.match(shown, /sam cannot approve: owns the agent crm-bot/);
    const [code, , err] = await cli('approve', held.approval, '--digest', held.digest);
    assert.equal(code, 1);
    assert.match(err, /\(no_self_approval\)/);
    await refusedInLog('no_self_approval', /Sam Lee/);
    assert.equal(await status(), 'pending');
  });
});

describe('roles', () => {
  test('an administrator and an operator approve nothing that they are not asked', async () => {
    await refused('ann', 'not_an_approver', /Ann Fox was refused \(not_an_approver\)/);
    await refused('oz', 'not_an_approver', /Oz Tal was refused \(not_an_approver\)/);
  });
});

describe('programs', () => {
  test('people-only: no token of an agent reviews: its own, one of the same owner, one of an approver', async () => {
    for (const bot of ['crm-bot', 'sams-other-bot', 'rosas-bot'])
      await refused(
        bot,
        'not_a_person',
        new RegExp(`A review of .* by the agent ${bot} was refused \\(not_a_person\\)`),
      );
  });

  test('people-only: no tool offered over MCP decides, and none that is called so', async () => {
    const { url } = gate.gate();
    const rpc = async (method: string, params: object, id: number, more: Record<string, string> = {}) => {
      const response = await fetch(`${url}/mcp/tools`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${as('crm-bot')}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...more,
        },
        body: JSON.stringify({ jsonrpc: '2.0', id, method, params }),
      });
      return { session: response.headers.get('mcp-session-id') ?? '', text: await response.text() };
    };
    const hello = await rpc(
      'initialize',
      { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bot', version: '1' } },
      1,
    );
    const at = { 'mcp-session-id': hello.session, 'mcp-protocol-version': '2025-06-18' };
    const listed = await rpc('tools/list', {}, 2, at);
    assert.match(listed.text, /"echo"/);
    assert.ok(!/"name":"[^"]*(approve|review|countersign|delegat)/i.test(listed.text), listed.text);
    for (const [index, name] of ['approve', 'gate___approve', 'tools___approve', 'reviews'].entries()) {
      const called = await rpc(
        'tools/call',
        { name, arguments: { approval: held.approval, decision: 'approve', digest: held.digest } },
        10 + index,
        at,
      );
      assert.match(called.text, /"error"|"isError":true/, name);
    }
    const methods = await rpc('approvals/review', { approval: held.approval, decision: 'approve' }, 20, at);
    assert.match(methods.text, /"error"/);
    assert.equal(await status(), 'pending');
    assert.equal(
      (await entries()).filter(
        (one) => one.about.approval === held.approval && one.type.startsWith('review.'),
      ).length,
      0,
    );
  });

  test('people-only: asking AuthZEN about it decides nothing, and no name of an action is one that reviews', async () => {
    for (const name of ['approve', 'gate___approve', 'review']) {
      const { body } = await gate.call(as('crm-bot'), 'POST', '/access/v1/evaluation', {
        subject: { type: 'Agent', id: 'crm-bot' },
        action: { name },
        resource: { type: 'Approval', id: held.approval },
        context: { input: { decision: 'approve', digest: held.digest } },
      });
      assert.notEqual(body.decision, true, name);
    }
    assert.equal(await status(), 'pending');
  });

  test('people-only: an agent arranges no absence', async () => {
    const answer = await gate.call(as('crm-bot'), 'POST', '/v1/delegations', {
      to: 'tom',
      until: new Date(Date.now() + 3_600_000).toISOString(),
    });
    assert.equal(answer.body.code, 'not_permitted');
    assert.deepEqual(await gate.gate().parts.store.delegations(), []);
  });
});

describe('chains', () => {
  test('no-self-approval: what a request says of who started it is refused; what is proven ties them all', async () => {
    for (const field of ['startedBy', 'delegation', 'act', 'sub']) {
      const answer = await gate.call(as('crm-bot'), 'POST', '/v1/actions', {
        operation: 'shop___refund',
        input: { cents: 5000 },
        [field]: 'rosa',
      });
      assert.equal(answer.body.code, 'input_invalid', field);
    }
    const chained = await askChained({
      startedBy: 'lee',
      delegation: [
        { kind: 'agent', id: asAgentId('rosas-bot') },
        { kind: 'person', id: asPersonId('mia') },
      ],
    });
    await refused('rosa', 'no_self_approval', /Rosa Diaz .*owns the delegating agent rosas-bot/, chained);
    await refused('mia', 'no_self_approval', /Mia Chen .*is in the delegation chain/, chained);
    await refused('sam', 'no_self_approval', /Sam Lee .*owns the agent/, chained);
  });

  test('no-self-approval: whoever started the session', async () => {
    const started = await askChained({ startedBy: 'rosa', delegation: [] });
    await refused('rosa', 'no_self_approval', /Rosa Diaz .*started the session/, started);
    assert.equal((await review('mia', started)).status, 201, 'and somebody else may');
  });
});

/** As an enforcement point asks, once it has verified a token that says for whom. */
async function askChained(of: {
  readonly startedBy: string;
  readonly delegation: readonly Delegate[];
}): Promise<Held> {
  const { parts } = gate.gate();
  const operation = 'shop___refund';
  const entry =
    parts.world.catalog.entries.find((one) => one.operation === operation) ?? assert.fail(operation);
  cents += 1;
  const result = await authorize(parts, {
    agent: asAgentId('crm-bot'),
    session: null,
    startedBy: asPersonId(of.startedBy),
    delegation: of.delegation,
    operation,
    resource: null,
    input: { cents },
    target: entry.target,
    enforcement: 'cooperative',
    reason: null,
    run: null,
    profile: entry.profile,
    runsNow: false,
  });
  assert.ok(result.ok, JSON.stringify(result));
  const { asked, approval } = result.value.held;
  assert.ok(approval, JSON.stringify(result.value.held.ending));
  return { action: asked.id, approval: approval.id, digest: asked.digest };
}

describe('out of office', () => {
  const inAnHour = (): string => new Date(Date.now() + 3_600_000).toISOString();
  const arrange = (from: string, to: string): Promise<Answer> =>
    gate.call(as(from), 'POST', '/v1/delegations', { to, until: inAnHour() });
  /** Ends what was arranged in a test, so that the next one begins with nobody away. */
  async function away(from: string, to: string, work: (id: string) => Promise<void>): Promise<void> {
    const made = await arrange(from, to);
    assert.equal(made.status, 201, JSON.stringify(made.body));
    try {
      await work(made.body.id);
    } finally {
      await gate.call(as(from), 'POST', `/v1/delegations/${made.body.id}/end`);
    }
  }

  test('no-self-approval: standing in for a conflicted person makes nobody an approver, and is said first', () =>
    away('sam', 'tom', async () => {
      const shown = await gate.call(as('tom'), 'GET', `/v1/approvals/${held.approval}`);
      assert.deepEqual(
        shown.body.cannotApprove.map((one: { person: string; why: string }) => `${one.person} ${one.why}`),
        ['sam owns the agent crm-bot', 'tom stands in for Sam Lee, who owns the agent crm-bot'],
      );
      await refused(
        'tom',
        'no_self_approval',
        /Tom Hale .*stands in for Sam Lee, who owns the agent crm-bot/,
      );
    }));

  test('no-self-approval: a conflicted person stands in for nobody', () =>
    away('rosa', 'sam', () => refused('sam', 'no_self_approval', /Sam Lee .*owns the agent crm-bot/)));

  test('stand-in: it is not passed on', () =>
    away('rosa', 'tom', () =>
      away('tom', 'uma', () => refused('uma', 'not_an_approver', /Uma Roy was refused \(not_an_approver\)/)),
    ));

  test('distinct-people: whoever is away and whoever stands in do not fill two places', async () => {
    const two = await holdCents(20_000);
    await away('rosa', 'tom', async () => {
      const first = await review('tom', two);
      assert.equal(first.status, 201, JSON.stringify(first.body));
      assert.equal(first.body.reviews[0].standingInFor, 'rosa');
      const said =
        (await entries()).findLast((one) => one.type === 'review.recorded') ?? assert.fail('no entry');
      assert.match(
        entryWords(said, await gate.gate().parts.store.directory()).text,
        /^Tom Hale approved the action act_\w+ for Rosa Diaz \(api\)/,
      );
      const page = await session('mia');
      const html = await (
        await fetch(`${gate.gate().url}/approvals/${two.approval}`, { headers: { cookie: page.cookie } })
      ).text();
      assert.match(html, /Tom Hale<\/strong>\s*approved for Rosa Diaz/);
      await refused('rosa', 'already_reviewed', /Rosa Diaz was refused \(already_reviewed\)/, two);
    });
  });

  test('stand-in: ended before the run, the review is worth nothing', async () => {
    await away('rosa', 'tom', async () => assert.equal((await review('tom')).status, 201));
    assert.equal(await status(), 'approved');
    const run = await gate.call(as('crm-bot'), 'POST', `/v1/actions/${held.action}/execution`);
    assert.equal(run.body.code, 'policy_changed', JSON.stringify(run.body));
    assert.equal(await status(), 'denied');
  });

  test('stand-in: nobody arranges it for somebody else, nor ends what is not theirs', async () => {
    const forged = await gate.call(as('sam'), 'POST', '/v1/delegations', {
      from_person: 'rosa',
      to: 'sam',
      until: inAnHour(),
    });
    assert.equal(forged.body.code, 'input_invalid');
    await away('rosa', 'tom', async (id) => {
      assert.equal((await gate.call(as('uma'), 'POST', `/v1/delegations/${id}/end`)).body.code, 'not_found');
      const listed = (await gate.call(as('uma'), 'GET', '/v1/delegations')).body.items;
      assert.ok(!listed.some((one: { id: string }) => one.id === id), 'nor read by whoever it does not name');
      assert.equal((await review('tom')).status, 201, 'it holds still');
    });
    const uma = await session('uma');
    const posted = await form(uma, '/account/away', { to: 'tom', from: '2026-01-01', until: '2020-01-01' });
    assert.equal(posted.status, 400);
  });
});

/** Two of the data owners. */
async function holdCents(amount: number): Promise<Held> {
  const { body } = await gate.call(as('crm-bot'), 'POST', '/v1/actions', {
    operation: 'shop___refund',
    input: { cents: amount + (cents += 1) },
  });
  return { action: body.id, approval: body.approval.id, digest: body.digest };
}

describe('groups', () => {
  test('distinct-people: one person in two groups fills one of two places', async () => {
    const two = await hold('shop___payout');
    assert.equal((await review('mia', two)).status, 201);
    await refused('mia', 'already_reviewed', /Mia Chen was refused \(already_reviewed\)/, two);
    const run = await gate.call(as('crm-bot'), 'POST', `/v1/actions/${two.action}/execution`);
    assert.equal(run.body.code, 'approval_pending');
    assert.equal((await review('rosa', two)).status, 201);
    assert.equal(await status(two), 'approved');
  });

  test('no-self-approval: whoever edited the approvers’ group, until somebody else accepts that', async () => {
    const { store } = gate.gate().parts;
    const accepted = (await store.accepted('directory')) ?? assert.fail('nothing is accepted');
    const touched = [{ what: 'group', id: 'data-owners' }] as const;
    const changed = await store.change({
      kind: 'accept',
      how: 'machine',
      parts: [{ what: 'directory', body: accepted.body, digest: accepted.digest }],
      by: { kind: 'operator' },
      madeBy: { person: asPersonId('eve'), touched },
      expected: null,
    });
    assert.ok(changed.ok, JSON.stringify(changed));
    await refused('eve', 'no_self_approval', /Eve Adams .*changed the group data-owners within 7 days/);
    const shown = await gate.call(as('rosa'), 'GET', `/v1/approvals/${held.approval}`);
    assert.ok(shown.body.cannotApprove.some((one: { person: string }) => one.person === 'eve'));
    assert.equal((await review('rosa')).status, 201);
  });

  // Last, because nobody comes back.
  test('eligible-then-and-now: a person removed before the execution has approved nothing', async () => {
    assert.equal((await review('rosa')).status, 201);
    assert.equal(await status(), 'approved');
    await gate.setConfig(
      config.replace('name: Rosa Diaz, groups: [data-owners]', 'name: Rosa Diaz, groups: []'),
    );
    const run = await gate.call(as('crm-bot'), 'POST', `/v1/actions/${held.action}/execution`);
    assert.equal(run.body.code, 'policy_changed', JSON.stringify(run.body));
    const entry = (await entries()).findLast((one) => one.about.approval === held.approval);
    assert.deepEqual([entry?.type, entry?.data['code']], ['approval.denied', 'policy_changed']);
    assert.match(
      entryWords(entry ?? assert.fail('no entry'), await gate.gate().parts.store.directory()).text,
      /^The action act_\w+ was denied by the gate: .*no longer meet/,
    );
    const other = await hold();
    await refused('rosa', 'not_an_approver', /Rosa Diaz was refused \(not_an_approver\)/, other);
  });
});
