/** The webhook: a real receiver checks what is sent, and answers in every way that receivers do. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { retryAfterMaxMs, retryAfterMs } from '../../src/channels/retry-after.ts';
import { createWebhook, judge, webhookRequest } from '../../src/channels/webhook.ts';
import { channelContract, denied, escalating, execution, heldCase, secretInput, told } from './contract.ts';

const secret = `whsec_${Buffer.from('a key of thirty-two bytes, or so').toString('base64')}`;

type Answer = (response: ServerResponse) => void;
interface Received {
  readonly headers: IncomingMessage['headers'];
  readonly method: string | undefined;
  readonly body: string;
}

/** A receiver on a port of its own. */
async function receiver(answer: Answer = (response) => response.writeHead(204).end()) {
  const got: Received[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      got.push({ headers: request.headers, method: request.method, body });
      answer(response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return {
    url: `http://127.0.0.1:${address.port}/hook`,
    got,
    end: async () => {
      server.closeAllConnections();
      if (server.listening) await new Promise((done) => server.close(done));
    },
  };
}

channelContract('webhook', async () => {
  const at = await receiver();
  return {
    channel: createWebhook({ url: at.url, secret }, () => 5000),
    received: () => at.got.map((one) => one.body),
    breakDown: at.end,
    end: at.end,
  };
});

test('the signature is that of Standard Webhooks, as its receivers compute it', async () => {
  const at = await receiver();
  const nowMs = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
  await createWebhook({ url: at.url, secret }, () => nowMs).deliver(told());
  await at.end();
  const [one] = at.got;
  assert.ok(one !== undefined);
  const { headers, body, method } = one;
  assert.equal(method, 'POST');
  assert.equal(headers['content-type'], 'application/cloudevents+json');
  assert.equal(headers['webhook-id'], 'ntc_1');
  assert.equal(headers['webhook-timestamp'], String(Math.floor(nowMs / 1000)));
  const key = Buffer.from(secret.slice(6), 'base64');
  const expected = createHmac('sha256', key)
    .update(`ntc_1.${headers['webhook-timestamp']}.${body}`)
    .digest('base64');
  assert.equal(headers['webhook-signature'], `v1,${expected}`);
});

test('receivers verify it with the library, and see when a byte of it or the secret is another', async () => {
  const request = webhookRequest({ url: 'http://localhost/', secret }, told(), Date.now());
  const body = await request.text();
  const headers = Object.fromEntries(request.headers);
  const event = new Webhook(secret).verify(body, headers) as Record<string, unknown>;
  assert.equal(event['type'], 'dev.countersign.approval.opened');
  assert.throws(() => new Webhook(secret).verify(body.replace('pending', 'approved'), headers), /signature/);
  const other = `whsec_${Buffer.from('another key of thirty-two bytes.').toString('base64')}`;
  assert.throws(() => new Webhook(other).verify(body, headers), /signature/);
});

test('the vector of the Standard Webhooks libraries', () => {
  // From their reference implementations' tests: this secret, id, time and body give this signature.
  const key = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64');
  const content = 'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}';
  assert.equal(
    createHmac('sha256', key).update(content).digest('base64'),
    'g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  );
});

test('a secret that is no whsec_ is taken as it is written', async () => {
  const request = webhookRequest({ url: 'http://localhost/', secret: 'plain' }, told(), 5000);
  const body = await request.text();
  const expected = createHmac('sha256', 'plain').update(`ntc_1.5.${body}`).digest('base64');
  assert.equal(request.headers.get('webhook-signature'), `v1,${expected}`);
});

test('the body names what receivers need, and nothing of the input', async () => {
  const body = await webhookRequest({ url: 'http://localhost/', secret }, told(), 0).text();
  assert.deepEqual(JSON.parse(body), {
    specversion: '1.0',
    id: 'ntc_1',
    source: 'http://localhost:7788',
    type: 'dev.countersign.approval.opened',
    subject: 'apr_1',
    time: '1970-01-01T00:00:01.000Z',
    datacontenttype: 'application/json',
    data: {
      approval: 'apr_1',
      url: 'http://localhost:7788/approvals/apr_1',
      headline: 'Export 5,204 rows of customers · prod',
      operation: 'crm___export_rows',
      agent: 'crm-bot',
      expiresAt: '1970-01-01T04:00:00.000Z',
      status: 'pending',
      state: 'pending',
      approvers: ['data-owners'],
      owners: [{ id: 'sam', name: 'Sam Lee' }],
    },
  });
  assert.ok(!body.includes(secretInput));
  const closed = await webhookRequest(
    { url: 'http://localhost/', secret },
    told({ kind: 'approval.closed', case: heldCase(denied) }),
    0,
  ).text();
  assert.match(closed, /"type":"dev.countersign.approval.closed".*"status":"denied"/);
});

test('an escalation names its groups whose time has come, and an outcome what became of the run', async () => {
  const bodyFor = async (more: Parameters<typeof told>[0]): Promise<Record<string, unknown>> =>
    (
      JSON.parse(await webhookRequest({ url: 'http://localhost/', secret }, told(more), 0).text()) as {
        data: Record<string, unknown>;
      }
    ).data;
  const held = escalating(heldCase());
  const at = async (nowMs: number): Promise<unknown> =>
    (await bodyFor({ kind: 'approval.escalated', case: held, nowMs }))['escalatedTo'];
  assert.deepEqual(await at(600_000), ['oncall']);
  assert.deepEqual(await at(1_200_000), ['oncall', 'leads']);
  const ran = await bodyFor({ kind: 'execution.ended', case: heldCase({ execution }) });
  assert.deepEqual(
    [ran['status'], ran['state'], ran['owners']],
    ['approved', 'failed', [{ id: 'sam', name: 'Sam Lee' }]],
  );
});

test('a repeat keeps its id, so that receivers can drop it', () => {
  const at = (nowMs: number) => webhookRequest({ url: 'http://localhost/', secret }, told(), nowMs).headers;
  assert.equal(at(0).get('webhook-id'), at(9000).get('webhook-id'));
  assert.notEqual(at(0).get('webhook-timestamp'), at(9000).get('webhook-timestamp'));
});

test('answers are judged: 2xx is delivered; 4xx is our fault, but 408 and 429; 5xx may pass', () => {
  const verdicts = [200, 202, 204, 400, 401, 404, 408, 410, 429, 500, 503].map((status) => {
    const result = judge(status, 'webhook');
    return [status, result.ok ? 'ok' : result.error.retryable ? 'again' : 'stop'];
  });
  assert.deepEqual(verdicts, [
    [200, 'ok'],
    [202, 'ok'],
    [204, 'ok'],
    [400, 'stop'],
    [401, 'stop'],
    [404, 'stop'],
    [408, 'again'],
    [410, 'stop'],
    [429, 'again'],
    [500, 'again'],
    [503, 'again'],
  ]);
});

test('what arrived is proven, and what did not says whether anything else would', async () => {
  const at = await receiver();
  const channel = createWebhook({ url: at.url, secret }, () => 0);
  assert.deepEqual(await channel.deliver(told()), { ok: true, value: [{ to: 'webhook', ref: null }] });
  await at.end();
  const gone = await channel.deliver(told());
  assert.ok(!gone.ok && gone.error.retryable && gone.error.whole === true);
  assert.match(gone.error.detail, /ECONNREFUSED/);
});

test('a receiver that wants to be left alone is, with everything; nobody else is', async () => {
  const deliver = async (status: number, headers: Record<string, string>) => {
    const at = await receiver((response) => response.writeHead(status, headers).end());
    const result = await createWebhook({ url: at.url, secret }, () => 0).deliver(told());
    await at.end();
    assert.ok(!result.ok);
    return result.error;
  };
  for (const status of [429, 503])
    assert.deepEqual(await deliver(status, { 'retry-after': '7' }), {
      detail: `the receiver answered ${status}`,
      retryable: true,
      retryAfterMs: 7000,
      whole: true,
    });
  for (const [status, headers] of [
    [429, {}],
    [429, { 'retry-after': 'soon' }],
    [500, { 'retry-after': '7' }],
  ] as const) {
    const error = await deliver(status, headers);
    assert.deepEqual([error.retryable, error.retryAfterMs, error.whole], [true, undefined, undefined]);
  }
});

test('Retry-After: seconds or an HTTP date, and never longer than the bound', () => {
  const nowMs = Date.UTC(1994, 10, 6, 8, 49, 0);
  assert.equal(retryAfterMs('120', nowMs), 120_000);
  assert.equal(retryAfterMs('Sun, 06 Nov 1994 08:49:37 GMT', nowMs), 37_000);
  assert.equal(retryAfterMs('0', nowMs), 1000);
  assert.equal(retryAfterMs('Sun, 06 Nov 1994 08:40:00 GMT', nowMs), 1000);
  for (const long of ['999999999999', '9'.repeat(400), 'Fri, 31 Dec 9999 23:59:59 GMT'])
    assert.equal(retryAfterMs(long, nowMs), retryAfterMaxMs);
  for (const none of [null, '', '-5', '1.5', '0x10', 'later', 'Nov 6 1994', '2030-01-01T00:00:00Z'])
    assert.equal(retryAfterMs(none, nowMs), undefined, String(none));
});

test('a redirect is not followed: the notice goes nowhere else', async () => {
  const other = await receiver();
  const at = await receiver((response) => response.writeHead(307, { location: other.url }).end());
  const result = await createWebhook({ url: at.url, secret }, () => 0).deliver(told());
  await Promise.all([at.end(), other.end()]);
  assert.ok(!result.ok && result.error.retryable);
  assert.match(result.error.detail, /307, and redirects are not followed/);
  assert.equal(at.got.length, 1);
  assert.equal(other.got.length, 0);
});
