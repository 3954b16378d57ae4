/** Callbacks of a whole gate: a workflow asks, sleeps, and is woken once with what it could have read itself. */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import {
  eventually,
  operations,
  people,
  policies,
  startTestGate,
  type Answer,
  type TestGate,
} from '../support/gate.ts';
import { callbackSecret, isSigned, receiver, type Receiver } from './callback-receiver.ts';

interface Rig {
  readonly gate: TestGate;
  readonly to: Receiver;
  /** Asks for a refund as the agent, to be called back at a path of the receiver. */
  readonly ask: (cents: number, path?: string, callback?: unknown) => Promise<Answer>;
  readonly review: (asked: Answer, decision: 'approve' | 'deny') => Promise<Answer>;
  readonly read: (asked: Answer) => Promise<Answer>;
  readonly cancel: (asked: Answer) => Promise<Answer>;
  readonly entries: (type: string) => Promise<readonly { readonly data: unknown }[]>;
}

const configFor = (host: string): string =>
  `${people}${operations}
callbacks:
  hosts: ["${host}"]
  secret: ${callbackSecret}
  dangerouslyAllowPrivateAddresses: true
`;

async function rigged(
  work: (rig: Rig) => Promise<void>,
  answer?: (response: ServerResponse, times: number) => void,
): Promise<void> {
  const to = await receiver(answer);
  const gate = await startTestGate({ config: configFor(`127.0.0.1:${to.port}`) });
  const bot = await gate.token('agent', 'crm-bot');
  const rosa = await gate.token('person', 'rosa');
  try {
    await work({
      gate,
      to,
      ask: (cents, path = '/resume', callback = `http://127.0.0.1:${to.port}${path}`) =>
        gate.call(bot, 'POST', '/v1/actions', { operation: 'shop___refund', input: { cents }, callback }),
      review: (asked, decision) =>
        gate.call(rosa, 'POST', `/v1/approvals/${asked.body.approval.id}/reviews`, {
          decision,
          digest: asked.body.digest,
          reason: 'Because.',
        }),
      read: (asked) => gate.call(bot, 'GET', `/v1/actions/${asked.body.id}`),
      cancel: (asked) => gate.call(bot, 'POST', `/v1/approvals/${asked.body.approval.id}/cancel`),
      entries: async (type) => {
        const all = await gate.gate().parts.store.entries(-1, 1000);
        return all.map((one) => one.entry).filter((one) => one.type === type);
      },
    });
  } finally {
    await to.end();
    await gate.stop();
  }
}

test('approved, denied and withdrawn: each is told once, signed, as its agent would read it', () =>
  rigged(async ({ to, ask, review, read, cancel }) => {
    const endings = [
      ['ready', (asked: Answer) => review(asked, 'approve')],
      ['denied', (asked: Answer) => review(asked, 'deny')],
      ['cancelled', cancel],
    ] as const;
    for (const [index, [state, end]] of endings.entries()) {
      const asked = await ask(500 + index, `/resume/${state}?signature=a%20b`);
      assert.equal(asked.status, 202, JSON.stringify(asked.body));
      assert.equal(to.got.length, index, 'not before it ends');
      const ended = await end(asked);
      assert.ok(ended.status < 300, JSON.stringify(ended.body));
      await eventually(() => to.got.length > index, `called back: ${state}`);
      const one = to.got[index];
      assert.ok(one !== undefined && isSigned(one));
      assert.equal(one.path, `/resume/${state}?signature=a%20b`);
      const body: unknown = JSON.parse(one.body);
      assert.deepEqual(body, (await read(asked)).body);
      assert.equal((body as { state: unknown }).state, state);
    }
    const ids = new Set(to.got.map((one) => one.headers['webhook-id']));
    assert.equal(ids.size, 3);
    assert.equal(to.got.length, 3);
  }));

test('an approval that is never run calls back for the approval alone', () =>
  rigged(async ({ gate, to, ask, review, cancel, read }) => {
    const asked = await ask(500);
    await review(asked, 'approve');
    await eventually(() => to.got.length === 1, 'called back');
    await cancel(asked);
    assert.equal((await read(asked)).body.state, 'cancelled');
    // Whatever is delivered later is delivered in the order of the outbox: this one comes after all of the above.
    const next = await ask(501, '/next');
    await review(next, 'deny');
    await eventually(() => to.got.some((one) => one.path === '/next'), 'called back');
    await gate.restart();
    assert.equal(to.got.filter((one) => one.path === '/resume').length, 1);
  }));

test('a wait that nobody ends is over in time, and calls back then', () =>
  rigged(async ({ gate, to, ask, read }) => {
    await gate.setPolicies(`${policies}
      @id("quick") @title("Soon or never") @approvers("data-owners") @ttl("PT1S")
      forbid (principal, action == Action::"shop___refund", resource) when { context.input.cents == 500 };`);
    const asked = await ask(500);
    assert.equal(asked.status, 202);
    await eventually(() => to.got.length === 1, 'called back');
    const body: unknown = JSON.parse(to.got[0]?.body ?? '');
    assert.deepEqual(body, (await read(asked)).body);
    assert.equal((body as { state: unknown }).state, 'expired');
  }));

test('what is decided at once has nothing to wait for, and calls nobody', () =>
  rigged(async ({ to, ask, review }) => {
    assert.equal((await ask(50)).status, 200);
    assert.equal((await ask(200_000)).status, 403);
    const held = await ask(500, '/held');
    await review(held, 'deny');
    await eventually(() => to.got.length > 0, 'called back');
    assert.deepEqual(
      to.got.map((one) => one.path),
      ['/held'],
    );
  }));

test('a receiver that fails is called again under the same id, until it takes it; never after that', () =>
  rigged(
    async ({ to, ask, review }) => {
      const asked = await ask(500);
      await review(asked, 'deny');
      await eventually(() => to.got.length === 2, 'called again');
      const [first, second] = to.got;
      assert.equal(first?.headers['webhook-id'], second?.headers['webhook-id']);
      assert.equal(first?.body, second?.body);
      assert.ok(second !== undefined && isSigned(second));
      const next = await ask(501, '/next');
      await review(next, 'deny');
      await eventually(() => to.got.some((one) => one.path === '/next'), 'the next one');
      assert.equal(to.got.filter((one) => one.path === '/resume').length, 2);
    },
    (response, times) => response.writeHead(times === 1 ? 503 : 204).end(),
  ));

test('a receiver that says no is given up, on record', () =>
  rigged(
    async ({ to, ask, review, entries }) => {
      const asked = await ask(500);
      await review(asked, 'deny');
      await eventually(async () => (await entries('notice.failed')).length === 1, 'given up');
      assert.equal(to.got.length, 1);
      const [failed] = await entries('notice.failed');
      assert.deepEqual(failed?.data, {
        channel: 'callback',
        kind: 'approval.closed',
        attempts: 1,
        detail: 'the receiver answered 404',
      });
    },
    (response) => response.writeHead(404).end(),
  ));

test('a receiver that hangs keeps no other waiting', () => {
  const hanging: ServerResponse[] = [];
  return rigged(
    async ({ to, ask, review }) => {
      for (const cents of [500, 501, 502]) await review(await ask(cents, '/hang'), 'deny');
      await eventually(() => hanging.length === 3, 'three hang');
      await review(await ask(503, '/quick'), 'deny');
      await eventually(() => to.got.some((one) => one.path === '/quick'), 'called back beside them');
      assert.equal(hanging.length, 3);
      for (const response of hanging) response.writeHead(204).end();
    },
    (response) => {
      if (response.req.url === '/hang') hanging.push(response);
      else response.writeHead(204).end();
    },
  );
});

test('what ended while the gate was away is told when it is back', () =>
  rigged(
    async ({ gate, to, ask, review }) => {
      const asked = await ask(500);
      await review(asked, 'approve');
      await eventually(() => to.got.length === 1, 'tried');
      await gate.restart();
      await eventually(() => to.got.length === 2, 'told again after the restart');
      assert.equal(to.got[0]?.headers['webhook-id'], to.got[1]?.headers['webhook-id']);
    },
    (response, times) => response.writeHead(times === 1 ? 503 : 204).end(),
  ));

test('the answer says where it will call, to its agent and to nobody else', () =>
  rigged(async ({ gate, to, ask }) => {
    const asked = await ask(500);
    assert.equal(asked.body.callback, `http://127.0.0.1:${to.port}/resume`);
    // Who joins is told that the first one is called.
    assert.equal((await ask(500, '/other')).body.callback, asked.body.callback);
    const rosa = await gate.token('person', 'rosa');
    const seen = await gate.call(rosa, 'GET', `/v1/actions/${asked.body.id}`);
    assert.equal(seen.status, 200);
    assert.equal(seen.body.callback, undefined);
  }));

test('a URL that is not on the list is refused when it is asked, and recorded without it', () =>
  rigged(async ({ to, ask, entries }) => {
    for (const callback of [
      `http://127.0.0.2:${to.port}/`,
      'https://evil.example/',
      `http://a:b@127.0.0.1:${to.port}/`,
      7,
    ]) {
      const asked = await ask(500, '', callback);
      assert.equal(asked.status, 400, JSON.stringify(asked.body));
      assert.equal(asked.body.code, 'input_invalid');
      assert.equal(asked.body.pointer, '/callback');
    }
    const refused = await entries('action.refused');
    assert.equal(refused.length, 4);
    assert.doesNotMatch(JSON.stringify(refused.map((one) => one.data)), /evil|127\.0\.0\.2/);
    assert.equal(to.got.length, 0);
  }));

test('where nothing is configured, it is refused with what to do', async () => {
  const gate = await startTestGate();
  const bot = await gate.token('agent', 'crm-bot');
  const asked = await gate.call(bot, 'POST', '/v1/actions', {
    operation: 'shop___refund',
    input: { cents: 500 },
    callback: 'https://wf.example.com/',
  });
  await gate.stop();
  assert.equal(asked.status, 400);
  assert.match(asked.body.detail, /an operator lists their hosts under `callbacks` in the configuration/);
});
