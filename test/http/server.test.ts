/** The one door: what every response carries, what is answered where, and how it closes. */
import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, test, type TestContext } from 'node:test';
import { sha256Hex } from '../../src/core/sha256.ts';
import { isFromElsewhere, permittedHosts } from '../../src/http/headers.ts';
import { createHttp, serve } from '../../src/http/server.ts';
import { createIdentity } from '../../src/identity/tokens.ts';
import { openGate, origin, random, type Gate } from './gate.ts';

let gate: Gate;
before(async () => {
  gate = await openGate();
});
after(() => gate.close());

const always = [
  'x-content-type-options',
  'referrer-policy',
  'x-frame-options',
  'content-security-policy',
  'cross-origin-opener-policy',
  'cross-origin-resource-policy',
  'cache-control',
];

describe('every response', () => {
  test('carries the security headers, and no permission for other origins', async () => {
    const bot = await gate.token('agent', 'bot');
    const responses = [
      await gate.send('/healthz'),
      await gate.send('/readyz'),
      await gate.send('/sign-in'),
      await gate.send('/nowhere'),
      await gate.send('/v1/actions'),
      await gate.send('/v1/actions', {
        method: 'OPTIONS',
        headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
      }),
      await gate.call('GET', '/mcp/files', bot),
      await gate.call('GET', '/v1/approvals', bot),
      await gate.send('/sign-out', { method: 'POST', headers: { origin } }),
    ];
    for (const { headers } of responses) {
      for (const name of always) assert.ok(headers.has(name), name);
      for (const [name] of headers) assert.doesNotMatch(name, /^access-control-/);
      assert.equal(headers.get('strict-transport-security'), null, 'not over HTTP');
    }
  });

  test('over HTTPS it says to stay there', async () => {
    const secure = await openGate({ origin: 'https://gate.example' });
    assert.equal(
      (await secure.send('/healthz')).headers.get('strict-transport-security'),
      'max-age=31536000',
    );
    await secure.close();
  });

  test('a page’s own policy stays', async () => {
    const pages = () =>
      Promise.resolve(new Response('x', { headers: { 'content-security-policy': "default-src 'self'" } }));
    const own = await openGate({ pages });
    assert.equal((await own.send('/inbox')).headers.get('content-security-policy'), "default-src 'self'");
    await own.close();
  });

  test('headers that cannot be changed are copied', async () => {
    const own = await openGate({
      pages: () => Promise.resolve(Response.redirect('http://localhost:7788/inbox', 303)),
    });
    const answer = await own.send('/');
    assert.equal(answer.status, 303);
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
    await own.close();
  });
});

describe('paths and methods', () => {
  test('unknown paths are problems; those of later issues are not there', async () => {
    for (const path of [
      '/nowhere',
      '/access/v1/search/subject',
      '/v1',
      '/v1/',
      '/v1/head',
      '/v1/actions/',
      '/v1/agents/bot/settle',
      '/mcp/',
    ]) {
      const answer = await gate.send(path);
      assert.ok(answer.status === 404 || answer.status === 401, path);
      if (answer.status === 404) assert.equal(answer.headers.get('content-type'), 'application/problem+json');
    }
    const pages = await openGate({ pages: () => Promise.resolve(new Response('a page')) });
    assert.equal((await pages.send('/access/v1/search/subject')).status, 404, 'no page grows there');
    await pages.close();
    assert.equal((await gate.send('/v1/agents/bot/settle', { method: 'POST' })).status, 404);
  });

  test('OPTIONS names the methods, another method is told them, HEAD is GET without its body', async () => {
    const options = await gate.send('/v1/actions', { method: 'OPTIONS' });
    assert.equal(options.status, 204);
    assert.equal(options.headers.get('allow'), 'POST, OPTIONS');
    const wrong = await gate.send('/v1/log', { method: 'POST' });
    assert.equal(wrong.status, 405);
    assert.equal(wrong.headers.get('allow'), 'GET, HEAD, OPTIONS');
    assert.equal(wrong.json['status'], 405);
    const bot = await gate.token('agent', 'bot');
    const head = await gate.call('HEAD', '/v1/approvals', bot);
    assert.equal(head.status, 200);
    assert.equal(head.text, '');
    assert.equal((await gate.send('/v1/approvals', { method: 'HEAD' })).status, 401);
  });

  test('without a token: 401 that names the scheme', async () => {
    const answer = await gate.send('/v1/approvals');
    assert.equal(answer.status, 401);
    assert.equal(answer.json['code'], 'unauthenticated');
    assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer/);
  });
});

describe('MCP', () => {
  test('only an agent gets through, to a server that is configured', async () => {
    const bot = await gate.token('agent', 'bot');
    const rosa = await gate.token('person', 'rosa');
    const { via, ...to } = (await gate.call('POST', '/mcp/files', bot, {})).json;
    assert.deepEqual(to, { server: 'files', agent: 'bot' });
    assert.deepEqual(via, { kind: 'token', id: `tok_${sha256Hex(bot).slice(0, 16)}` });
    const nobody = await gate.call('POST', '/mcp/files', null, {});
    assert.equal(nobody.status, 401);
    assert.match(nobody.headers.get('www-authenticate') ?? '', /^Bearer/);
    assert.equal((await gate.call('POST', '/mcp/files', rosa, {})).json['code'], 'not_an_agent');
    for (const name of ['other', 'files/x', '%ff', ''])
      assert.equal((await gate.call('POST', `/mcp/${name}`, bot, {})).status, 404, name);
    assert.equal((await gate.call('PUT', '/mcp/files', bot, {})).status, 405);
  });

  test('a page of another origin does not, whatever token it has', async () => {
    const bot = await gate.token('agent', 'bot');
    assert.equal(
      (await gate.call('POST', '/mcp/files', bot, {}, { origin: 'https://evil.example' })).status,
      403,
    );
    assert.equal((await gate.call('POST', '/mcp/files', bot, {}, { origin: 'null' })).status, 403);
    assert.equal((await gate.call('POST', '/mcp/files', bot, {}, { origin })).status, 200);
  });
});

describe('names', () => {
  test('its own with and without the standard port; on loopback all of them, with the port', () => {
    assert.deepEqual([...permittedHosts('https://gate.example')].toSorted(), [
      'gate.example',
      'gate.example:443',
    ]);
    assert.deepEqual([...permittedHosts('https://gate.example:8443')], ['gate.example:8443']);
    assert.ok(permittedHosts('http://127.0.0.1:7788').has('localhost:7788'));
    assert.ok(!permittedHosts('http://127.0.0.1:7788').has('localhost'));
    assert.ok(permittedHosts('http://localhost').has('127.0.0.1'));
    assert.equal(isFromElsewhere(new Request(origin), permittedHosts(origin)), false);
  });
});

describe('health', () => {
  test('ready while the store can be written and there is a policy set; else 503 with words and no file name', async () => {
    const own = await openGate();
    assert.equal((await own.send('/readyz')).status, 200);
    await own.propose({}, 'permit (principal, action');
    const broken = await own.send('/readyz');
    assert.equal(broken.status, 503);
    assert.deepEqual(broken.json['why'], ['There is no usable policy set, so everything is denied.']);
    assert.equal((await own.send('/healthz')).status, 200, 'alive all the same');
    await own.close();
    const stopping = await openGate({ ready: () => 'The gate is stopping.' });
    assert.deepEqual((await stopping.send('/readyz')).json['why'], ['The gate is stopping.']);
    await stopping.close();
  });
});

describe('faults', () => {
  test('a failure of ours is a problem that tells nothing, and is reported', async () => {
    const reported: unknown[] = [];
    const own = await openGate({
      pages: () => Promise.reject(new Error('/secret/path')),
      report: (error) => reported.push(error),
    });
    const answer = await own.send('/inbox');
    assert.equal(answer.status, 500);
    assert.ok(!answer.text.includes('secret'));
    assert.equal(reported.length, 1);
    await own.close();
  });

  test('a store that cannot be written answers 503 audit_unavailable, and says nothing of its files', async () => {
    const bot = await gate.token('agent', 'bot');
    const { store } = gate.parts;
    const full = {
      ...store,
      change: () =>
        Promise.resolve({ ok: false, error: { kind: 'fault', detail: '/data: disk full' } } as const),
    };
    const identity = createIdentity({ store: full, origin, clock: gate.parts.clock, random });
    const handler = createHttp({
      parts: { ...gate.parts, store: full },
      identity,
      pages: () => Promise.resolve(undefined),
      mcp: () => Promise.reject(new Error()),
      ready: () => null,
    });
    const init = {
      method: 'POST',
      headers: { authorization: `Bearer ${bot}`, 'content-type': 'application/json' },
    };
    for (const body of [
      '{"operation":"billing___refund","input":{"cents":1}}',
      '{"operation":"billing___refund","input":{"cents":1,"cents":2}}',
    ]) {
      const answer = await handler(new Request(`${origin}/v1/actions`, { ...init, body }));
      const said = await answer.text();
      assert.ok(answer.status === 503 || answer.status === 400, said);
      assert.ok(!said.includes('disk'), said);
      if (answer.status === 503) assert.equal(answer.headers.get('retry-after'), '1');
    }
    const link = await gate.link('rosa');
    const form = {
      method: 'POST',
      headers: { origin, 'content-type': 'application/x-www-form-urlencoded' },
      body: `token=${link}`,
    };
    const refused = await handler(new Request(`${origin}/sign-in`, form));
    assert.equal(refused.status, 503);
    assert.equal(refused.headers.get('set-cookie'), null);
    assert.equal((await gate.send('/sign-in', form)).status, 303, 'the link is still good');
  });
});

describe('over a socket', () => {
  /** A gate that listens; its origin is known once it does. It closes with the test, whatever becomes of that. */
  async function listening(t: TestContext, more: Parameters<typeof openGate>[0] = {}) {
    let handler: (request: Request) => Promise<Response> = () => Promise.reject(new Error('not yet'));
    const served = await serve((request) => handler(request), { host: '127.0.0.1', port: 0 });
    const own = await openGate({ ...more, origin: served.url });
    handler = own.handler;
    let closing: Promise<void> | undefined;
    const close = (): Promise<void> => (closing ??= served.close());
    t.after(async () => {
      await close();
      await own.close();
    });
    return { served: { ...served, close }, own };
  }

  test('calls, forms and refusals arrive as they do without one', async (t) => {
    const { served, own } = await listening(t);
    const bot = await own.token('agent', 'bot');
    const call = (body: string | ReadableStream, more: RequestInit = {}) =>
      fetch(`${served.url}/v1/actions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${bot}`, 'content-type': 'application/json' },
        body,
        ...more,
      });
    assert.equal((await call('{"operation":"billing___refund","input":{"cents":1}}')).status, 200);
    assert.equal((await call(`{"a":"${'x'.repeat(1_048_576)}"}`)).status, 413);
    // More than once: a connection that was used before must not be reset under the next request.
    for (let n = 0; n < 6; n += 1) {
      const stream = new Blob([new Uint8Array(3_000_000).fill(0x20)]).stream();
      assert.equal(
        (await call(stream, { duplex: 'half' })).status,
        413,
        'the answer arrives although the client is still sending',
      );
    }
    const signIn = await fetch(`${served.url}/sign-in`, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin: served.url },
      body: new URLSearchParams({ token: await own.link('rosa') }),
    });
    assert.equal(signIn.status, 303, await signIn.text());
    const cookie = (signIn.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    const page = (await (await fetch(`${served.url}/probe`, { headers: { cookie } })).json()) as {
      readonly csrf: string;
    };
    const posted = await fetch(`${served.url}/probe`, {
      method: 'POST',
      headers: { cookie, origin: served.url },
      body: new URLSearchParams({ csrf: page.csrf, a: 'b' }),
    });
    // Ours: what `/probe` answers. How the person signed in is not its business here.
    const { person, csrf, body } = (await posted.json()) as Readonly<Record<string, unknown>>;
    assert.deepEqual(
      { person, csrf, body },
      { person: 'rosa', csrf: page.csrf, body: `csrf=${page.csrf}&a=b` },
    );
  });

  test('a Host that is not ours is refused, however it is sent', async (t) => {
    const { served } = await listening(t);
    const raw = (lines: readonly string[]): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = connect(served.port, '127.0.0.1', () =>
          socket.end(`${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`),
        );
        let text = '';
        socket
          .on('data', (chunk) => (text += chunk.toString()))
          .on('end', () => resolve(text.split('\r\n')[0] ?? ''))
          .on('error', reject);
      });
    const host = new URL(served.url).host;
    assert.match(await raw(['GET /sign-in HTTP/1.1', `Host: ${host}`]), / 200 /);
    assert.match(await raw(['GET /sign-in HTTP/1.1', 'Host: evil.example']), / 403 /);
    assert.match(await raw(['GET /sign-in HTTP/1.1', `Host: ${host}`, 'Host: evil.example']), / 40[03] /);
    assert.match(await raw([`GET http://evil.example/sign-in HTTP/1.1`, `Host: ${host}`]), / 403 /);
    assert.match(await raw(['GET /sign-in HTTP/1.1', 'Host: ']), / 40[03] /);
    assert.match(await raw(['GET /sign-in HTTP/1.0']), / 40[03] /);
  });

  test('a caller that hangs up ends its wait', async (t) => {
    const { served, own } = await listening(t);
    const bot = await own.token('agent', 'bot');
    const ask = {
      method: 'POST',
      headers: { authorization: `Bearer ${bot}`, 'content-type': 'application/json' },
      body: '{"operation":"billing___refund","input":{"cents":5000}}',
    };
    assert.equal((await fetch(`${served.url}/v1/actions`, ask)).status, 202);
    const watched = Promise.withResolvers<void>();
    const { waiters } = own.parts;
    const changed = waiters.changed.bind(waiters);
    Object.assign(waiters, {
      changed: (...args: Parameters<typeof changed>) => {
        args[2]?.addEventListener('abort', () => watched.resolve());
        request.destroy();
        return changed(...args);
      },
    });
    const request = httpRequest(`${served.url}/v1/actions?wait=300`, ask);
    request.on('error', () => undefined);
    request.end(ask.body);
    await watched.promise;
  });

  test('closing ends live streams, answers who waits, and refuses newcomers', async (t) => {
    const closing = new AbortController();
    const live = () =>
      Promise.resolve(
        new Response(
          new ReadableStream({
            start: (controller) => controller.enqueue(new TextEncoder().encode('data: 1\n\n')),
          }),
          {
            headers: { 'content-type': 'text/event-stream' },
          },
        ),
      );
    const { served, own } = await listening(t, { pages: live, closing: closing.signal });
    const bot = await own.token('agent', 'bot');
    const stream = await fetch(`${served.url}/events`);
    const reader = stream.body?.getReader();
    await reader?.read();
    const entered = Promise.withResolvers<void>();
    const changed = own.parts.waiters.changed.bind(own.parts.waiters);
    Object.assign(own.parts.waiters, {
      changed: (...args: Parameters<typeof changed>) => {
        entered.resolve();
        return changed(...args);
      },
    });
    const waiting = fetch(`${served.url}/v1/actions?wait=300`, {
      method: 'POST',
      headers: { authorization: `Bearer ${bot}`, 'content-type': 'application/json' },
      body: '{"operation":"billing___refund","input":{"cents":5000}}',
    });
    await entered.promise;
    closing.abort();
    const closed = served.close();
    assert.equal((await waiting).status, 202);
    assert.equal((await reader?.read())?.done, true, 'ended, not cut off');
    await closed;
    await assert.rejects(fetch(`${served.url}/healthz`));
  });

  test('a port that is taken is an error', async () => {
    const first = await serve(() => Promise.resolve(new Response()), { host: '127.0.0.1', port: 0 });
    await assert.rejects(
      serve(() => Promise.resolve(new Response()), { host: '127.0.0.1', port: first.port }),
      /EADDRINUSE/,
    );
    await first.close();
  });
});
