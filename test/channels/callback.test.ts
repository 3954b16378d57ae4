/** Callbacks: what a receiver gets and can verify, and what its answers mean. Every receiver is real, on loopback. */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { createCallback, type CallbackSettings } from '../../src/channels/callback.ts';
import type { Net } from '../../src/channels/pinned-post.ts';
import type { Channel } from '../../src/ports/channel.ts';
import { callbackSecret, isSigned, names, receiver, type Receiver } from './callback-receiver.ts';
import { denied, heldCase, told } from './contract.ts';

const atMs = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const arrived = { ok: true, value: [{ to: 'callback', ref: null }] } as const;

interface Options {
  readonly callback?: string | null;
  readonly settings?: CallbackSettings | null;
  readonly net?: Net;
  readonly timeoutMs?: number;
}

const settingsFor = (...hosts: string[]): CallbackSettings => ({
  hosts,
  privateAddresses: true,
  secret: callbackSecret,
});

/** One delivery of an approval that was denied. */
function deliver(to: Receiver, options: Options = {}): ReturnType<Channel['deliver']> {
  const {
    callback = `https://wf.example.com:${to.port}/resume/7?token=x`,
    settings = settingsFor(`wf.example.com:${to.port}`),
  } = options;
  const held = heldCase(denied);
  return createCallback({
    settings,
    body: (of) => ({ operation: of.asked.action.operation, state: 'denied' }),
    nowMs: () => atMs,
    net: options.net ?? names(['127.0.0.1']),
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  }).deliver(told({ kind: 'approval.closed', case: { ...held, asked: { ...held.asked, callback } } }));
}

async function receiving(
  answer: ((response: ServerResponse, times: number) => void) | undefined,
  work: (to: Receiver) => Promise<void>,
  secure = true,
): Promise<void> {
  const to = await receiver(answer, { secure });
  try {
    await work(to);
  } finally {
    await to.end();
  }
}

test('it is posted over TLS to the name, whatever address that has, and verifies as Standard Webhooks says', () =>
  receiving(undefined, async (to) => {
    assert.deepEqual(await deliver(to), arrived);
    assert.equal(to.got.length, 1);
    const [one] = to.got;
    assert.ok(one !== undefined);
    assert.equal(one.method, 'POST');
    assert.equal(one.path, '/resume/7?token=x');
    assert.equal(one.servername, 'wf.example.com');
    assert.equal(one.headers.host, `wf.example.com:${to.port}`);
    assert.equal(one.headers['content-type'], 'application/json');
    assert.equal(one.headers['webhook-id'], 'ntc_1');
    assert.equal(one.headers['webhook-timestamp'], String(Math.floor(atMs / 1000)));
    assert.ok(isSigned(one));
    assert.deepEqual(JSON.parse(one.body), { operation: 'crm___export_rows', state: 'denied' });
  }));

test('a wildcard covers the names below it', () =>
  receiving(undefined, async (to) => {
    const result = await deliver(to, {
      callback: `https://a.flows.example.com:${to.port}/`,
      settings: settingsFor(`*.flows.example.com:${to.port}`),
    });
    assert.deepEqual(result, arrived);
    assert.equal(to.got[0]?.servername, 'a.flows.example.com');
  }));

test('a case without a callback needs nothing; where callbacks are no longer configured, it is over', () =>
  receiving(undefined, async (to) => {
    assert.deepEqual(await deliver(to, { callback: null }), { ok: true, value: [] });
    const gone = await deliver(to, { settings: null });
    assert.ok(!gone.ok && !gone.error.retryable);
    assert.match(gone.error.detail, /no callbacks are configured/);
    const delisted = await deliver(to, { settings: settingsFor('other.example.com') });
    assert.ok(!delisted.ok && !delisted.error.retryable);
    assert.match(delisted.error.detail, /not among/);
    assert.equal(to.got.length, 0);
  }));

test('answers are judged: 2xx is done, 5xx and 429 come again, the rest is over', async () => {
  for (const [status, meaning] of [
    [200, 'done'],
    [202, 'done'],
    [400, 'over'],
    [404, 'over'],
    [410, 'over'],
    [429, 'again'],
    [500, 'again'],
    [503, 'again'],
  ] as const) {
    await receiving(
      (response) => response.writeHead(status).end('{}'),
      async (to) => {
        const result = await deliver(to);
        assert.equal(result.ok ? 'done' : result.error.retryable ? 'again' : 'over', meaning, `${status}`);
      },
    );
  }
});

test('the status counts, not the body: one without an end, and one that never comes', async () => {
  for (const write of [
    (response: ServerResponse) => {
      const more = (): void => {
        while (response.write('x'.repeat(16_384)));
        response.once('drain', more);
      };
      response.writeHead(200);
      more();
    },
    (response: ServerResponse) => response.writeHead(200).flushHeaders(),
  ]) {
    await receiving(write, async (to) => {
      assert.deepEqual(await deliver(to, { timeoutMs: 500 }), arrived);
      assert.equal(to.got.length, 1);
    });
  }
});

test('whoever does not answer, cannot be resolved or is not there is tried again', async () => {
  await receiving(
    () => undefined,
    async (to) => {
      const silent = await deliver(to, { timeoutMs: 200 });
      assert.ok(!silent.ok && silent.error.retryable);
      assert.match(silent.error.detail, /no answer within 0.2 s/);
    },
  );
  await receiving(
    (response) => response.destroy(),
    async (to) => {
      const cut = await deliver(to);
      assert.ok(!cut.ok && cut.error.retryable && cut.error.detail !== '');
    },
  );
  await receiving(undefined, async (to) => {
    const unknown = { resolve: () => Promise.reject(new Error('ENOTFOUND wf.example.com')) };
    const nowhere = await deliver(to, { net: unknown });
    assert.ok(!nowhere.ok && nowhere.error.retryable);
    assert.match(nowhere.error.detail, /ENOTFOUND/);
    const empty = await deliver(to, { net: names([]) });
    assert.ok(!empty.ok && empty.error.retryable);
    const never = { resolve: () => new Promise<never>(() => undefined) };
    const hanging = await deliver(to, { net: never, timeoutMs: 200 });
    assert.ok(!hanging.ok && hanging.error.retryable);
    const { port } = to;
    await to.end();
    const closed = await deliver({ ...to, port });
    assert.ok(!closed.ok && closed.error.retryable);
    assert.equal(to.got.length, 0);
  });
});

test('a certificate for another name is refused', () =>
  receiving(undefined, async (to) => {
    const result = await deliver(to, {
      callback: `https://other.example.com:${to.port}/`,
      settings: settingsFor(`other.example.com:${to.port}`),
    });
    assert.ok(!result.ok);
    assert.match(result.error.detail, /altnames/);
    assert.equal(to.got.length, 0);
  }));

test('a redirect is a failure: nothing goes anywhere else', async () => {
  for (const status of [301, 302, 307, 308]) {
    await receiving(
      undefined,
      (other) =>
        receiving(
          (response) => response.writeHead(status, { location: `http://127.0.0.1:${other.port}/` }).end(),
          async (to) => {
            const result = await deliver(to);
            assert.ok(!result.ok && !result.error.retryable);
            assert.match(result.error.detail, new RegExp(`answered ${status}`));
            assert.equal(to.got.length, 1);
            assert.equal(other.got.length, 0);
          },
        ),
      false,
    );
  }
});

test('plain http only where private addresses are allowed', () =>
  receiving(
    undefined,
    async (to) => {
      const callback = `http://wf.example.com:${to.port}/`;
      assert.deepEqual(await deliver(to, { callback }), arrived);
      const settings = { ...settingsFor(`wf.example.com:${to.port}`), privateAddresses: false };
      const refused = await deliver(to, { callback, settings });
      assert.ok(!refused.ok && !refused.error.retryable);
      assert.match(refused.error.detail, /https/);
      assert.equal(to.got.length, 1);
    },
    false,
  ));
