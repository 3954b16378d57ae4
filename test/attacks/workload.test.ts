/**
 * Attacks with agents' credentials on a whole gate: tokens of other issuers, audiences and servers, chains that somebody
 * claims or hides behind, and tokens that were taken back. The keys are real, and fetched over HTTP.
 */
import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { text } from 'node:stream/consumers';
import { asAgentId } from '../../src/core/ids.ts';
import { newToken } from '../../src/identity/tokens.ts';
import { systemRandom } from '../../src/main.ts';
import { raw, tasksCapability } from '../enforce/mcp/support/modern.ts';
import { newKey, startIssuer, type TestIssuer } from '../support/issuer.ts';
import { eventually, operations, policies, startTestGate, type TestGate } from '../support/gate.ts';

const people = `
people:
  - { id: sam, name: Sam Lee, groups: [data-owners, platform] }
  - { id: rosa, name: Rosa Diaz, groups: [data-owners] }
  - { id: mia, name: Mia Chen, groups: [data-owners] }
  - { id: lee, name: Lee Park, groups: [data-owners] }
  - { id: kim, name: Kim Ito, groups: [data-owners] }
  - { id: ada, name: Ada Berg, groups: [audit] }
agents:
  - { id: crm-bot, owners: [sam] }
  - { id: helper, owners: [rosa, mia] }
  - { id: second, owners: [sam] }
roles: { operators: platform, auditors: audit }
limits: { pendingPerAgent: 100 }
`;

/** The gate's clock and the issuer's: a test moves both. */
const clock = { aheadMs: 0, nowMs: () => Date.now() + clock.aheadMs };
let issuer: TestIssuer;
let gate: TestGate;
let upstream: Awaited<ReturnType<typeof startUpstream>>;
before(async () => {
  issuer = await startIssuer(undefined, clock.nowMs);
  upstream = await startUpstream();
  gate = await startTestGate({ config: config(), policies: policies + writing, clock });
});
after(async () => {
  await gate.stop();
  await Promise.all([issuer.close(), upstream.close()]);
});

const config = (): string => `${people}${operations}
servers:
  crm: { url: "${upstream.url}", headers: { authorization: Bearer upstream-own } }
  files: { url: "${upstream.url}" }
issuers:
  - issuer: ${issuer.url}
    authorizationServer: true
    people: { ids: { u-rosa: rosa, u-lee: lee } }
    agents:
      - { agent: crm-bot, claims: { sub: svc:crm } }
      - { agent: crm-bot, claims: { client_id: crm } }
      - { agent: helper, claims: { sub: svc:helper } }
      - { agent: second, claims: { sub: svc:second } }
`;

const writing = `
@id("write") @title("Writing needs a data owner") @approvers("data-owners")
forbid (principal, action == Action::"crm___write", resource);
`;

/** An MCP server that remembers every header and body that it was sent. */
async function startUpstream() {
  const seen: { readonly headers: IncomingHttpHeaders; readonly body: string }[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const body = await text(request);
      seen.push({ headers: request.headers, body });
      if (request.method !== 'POST') return void response.writeHead(405).end();
      const { id, method } = JSON.parse(body) as { id?: number; method: string };
      if (id === undefined) return void response.writeHead(202).end();
      const result =
        method === 'initialize'
          ? {
              protocolVersion: '2025-11-25',
              capabilities: { tools: {} },
              serverInfo: { name: 'crm', version: '1' },
            }
          : method === 'tools/list'
            ? { tools: ['read', 'write'].map((name) => ({ name, inputSchema: { type: 'object' } })) }
            : { content: [{ type: 'text', text: 'done' }] };
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    seen,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

const origin = (): string => gate.gate().origin;
const token = (claims: Readonly<Record<string, unknown>>, how = {}): Promise<string> =>
  issuer.sign({ aud: origin(), ...claims }, how);

const ask = (by: string, cents: number, more: Record<string, unknown> = {}) =>
  gate.call(by, 'POST', '/v1/actions', { operation: 'shop___refund', input: { cents }, ...more });

const approve = async (person: string, approval: string, digest: string) =>
  gate.call(await gate.token('person', person), 'POST', `/v1/approvals/${approval}/reviews`, {
    decision: 'approve',
    digest,
  });

const challenge = async (
  path: string,
  authorization?: string,
): Promise<{ readonly status: number; readonly header: string; readonly code: unknown }> => {
  const response = await fetch(gate.gate().url + path, {
    method: 'POST',
    headers: {
      ...(authorization === undefined ? {} : { authorization }),
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
  });
  const body = (await response.json()) as { readonly code?: unknown };
  return { status: response.status, header: response.headers.get('www-authenticate') ?? '', code: body.code };
};

test('a workload token asks as its agent; its entry says how it was authenticated and holds no token', async () => {
  const own = await token({ sub: 'svc:crm' });
  assert.equal((await ask(own, 5)).body.state, 'ready');
  const entries = (await gate.gate().parts.store.entries(-1, 1000)).map((one) => one.entry);
  const asked = entries.filter((one) => one.type === 'action.asked').at(-1);
  assert.deepEqual(asked?.by, { kind: 'agent', id: 'crm-bot' });
  assert.deepEqual(asked.data['via'], { kind: 'workload', issuer: issuer.url, subject: 'svc:crm' });
  for (const part of own.split('.').slice(1)) assert.ok(!JSON.stringify(entries).includes(part));
});

test('every forged, foreign, old or nameless token is 401 invalid_token, at /v1, /mcp and AuthZEN', async () => {
  const now = Math.floor(clock.nowMs() / 1000);
  const other = await startIssuer();
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const good = await token({ sub: 'svc:crm' });
  const bad: Readonly<Record<string, string>> = {
    none: `${part({ alg: 'none', typ: 'JWT' })}.${good.split('.')[1] ?? ''}.`,
    'other key': await token({ sub: 'svc:crm' }, { key: await newKey('one') }),
    'other issuer': await other.sign({ aud: origin(), sub: 'svc:crm' }),
    'other audience': await token({ sub: 'svc:crm', aud: 'https://elsewhere.example.com' }),
    'shared audience': await token({ sub: 'svc:crm', aud: [origin(), 'https://elsewhere.example.com'] }),
    expired: await token({ sub: 'svc:crm', exp: now - 60 }),
    'no end': await token({ sub: 'svc:crm', exp: null }),
    'not yet': await token({ sub: 'svc:crm', nbf: now + 600 }),
    'too long': await token({ sub: 'svc:crm', exp: now + 30 * 24 * 3600 }),
    'two agents': await token({ sub: 'svc:helper', client_id: 'crm' }),
    'no agent': await token({ sub: 'svc:other' }),
    'unknown actor': await token({ sub: 'u-lee', act: { sub: 'svc:crm', act: { sub: 'x' } } }),
    'unknown subject': await token({ sub: 'u-x', act: { sub: 'svc:crm' } }),
    'unknown token': newToken(systemRandom, 'agent').token,
    rubbish: 'a.b.c',
  };
  await other.close();
  for (const [name, one] of Object.entries(bad)) {
    for (const [path, metadata] of [
      ['/v1/actions', ''],
      ['/access/v1/evaluation', ''],
      ['/mcp/crm', '/mcp/crm'],
    ] as const) {
      const { status, header, code } = await challenge(path, `Bearer ${one}`);
      assert.deepEqual([status, code], [401, 'unauthenticated'], `${name} at ${path}`);
      assert.match(
        header,
        /^Bearer realm="countersign", error="invalid_token", error_description="[^"\\]+", /,
      );
      assert.ok(
        header.endsWith(`resource_metadata="${origin()}/.well-known/oauth-protected-resource${metadata}"`),
      );
    }
  }
  // no credentials at all: no error code (RFC 6750 §3.1)
  const { status, header } = await challenge('/mcp/crm');
  assert.equal(status, 401);
  assert.equal(
    header,
    `Bearer realm="countersign", resource_metadata="${origin()}/.well-known/oauth-protected-resource/mcp/crm"`,
  );
});

test('no_self_approval: who started the session, through a token for them or an actor’s chain, cannot approve', async () => {
  const claims = [
    { sub: 'u-lee', client_id: 'crm' },
    { sub: 'u-lee', act: { sub: 'svc:crm' } },
    { sub: 'svc:helper', act: { sub: 'svc:crm', act: { sub: 'u-lee' } } },
  ];
  for (const [index, one] of claims.entries()) {
    const asked = await ask(await token(one), 101 + index);
    assert.equal(asked.status, 202, JSON.stringify(asked.body));
    const refused = await approve('lee', asked.body.approval.id, asked.body.digest);
    assert.deepEqual([refused.status, refused.body.code], [403, 'no_self_approval'], JSON.stringify(one));
    // and the approval page says so before anybody tries
    const seen = await gate.call(
      await gate.token('person', 'ada'),
      'GET',
      `/v1/approvals/${asked.body.approval.id}`,
    );
    assert.ok(seen.body.cannotApprove.some((tie: { person: string }) => tie.person === 'lee'));
  }
  // the same agent for nobody: another action, and Lee may
  const own = await ask(await token({ sub: 'svc:crm' }), 101);
  assert.equal((await approve('lee', own.body.approval.id, own.body.digest)).status, 201);
});

test('no_self_approval: every owner of an agent in the chain is tied, and the owner of the one that acts', async () => {
  const asked = await ask(await token({ sub: 'svc:helper', act: { sub: 'svc:crm' } }), 120);
  for (const person of ['sam', 'rosa', 'mia']) {
    const refused = await approve(person, asked.body.approval.id, asked.body.digest);
    assert.equal(refused.body.code, 'no_self_approval', person);
  }
  assert.equal((await approve('lee', asked.body.approval.id, asked.body.digest)).status, 201);
  // two agents of one owner, one for the other: still his
  const chained = await ask(await token({ sub: 'svc:second', act: { sub: 'svc:crm' } }), 121);
  assert.equal(
    (await approve('sam', chained.body.approval.id, chained.body.digest)).body.code,
    'no_self_approval',
  );
});

test('a chain is a part of what is asked: for another person it is another action', async () => {
  const first = await ask(await token({ sub: 'u-lee', act: { sub: 'svc:crm' } }), 130);
  const again = await ask(await token({ sub: 'u-lee', act: { sub: 'svc:crm' } }), 130);
  const other = await ask(await token({ sub: 'u-rosa', act: { sub: 'svc:crm' } }), 130);
  assert.equal(again.body.id, first.body.id);
  assert.notEqual(other.body.id, first.body.id);
});

test('verified-chain: a chain in a request is refused, at every door, and nothing is asked', async () => {
  const own = await token({ sub: 'svc:crm' });
  const asked = async (): Promise<number> =>
    (await gate.gate().parts.store.entries(-1, 1000)).filter((one) => one.entry.type === 'action.asked')
      .length;
  const count = await asked();
  for (const field of [
    'act',
    'actor',
    'delegation',
    'startedBy',
    'started_by',
    'onBehalfOf',
    'on-behalf-of',
  ]) {
    const said = await ask(own, 5, { [field]: 'rosa' });
    assert.deepEqual([said.status, said.body.code], [400, 'input_invalid'], field);
    assert.match(said.body.detail, /verified token/);
  }
  const evaluation = { subject: { type: 'Agent', id: 'crm-bot' }, action: { name: 'shop___refund' } };
  for (const body of [
    { ...evaluation, context: { input: { cents: 5 }, delegation: ['rosa'] } },
    { ...evaluation, subject: { ...evaluation.subject, properties: { act: { sub: 'u-rosa' } } } },
    { ...evaluation, on_behalf_of: 'rosa' },
  ]) {
    const said = await gate.call(own, 'POST', '/access/v1/evaluation', body);
    assert.deepEqual([said.status, said.body.code], [400, 'input_invalid'], JSON.stringify(body));
  }
  for (const params of [
    { _meta: { 'dev.countersign/startedBy': 'rosa' } },
    { _meta: { delegation: [] } },
    { act: { sub: 'u-rosa' } },
  ])
    for (const modern of [false, true]) {
      const said = await mcpCall(own, params, modern);
      assert.match(said, /-32602/, JSON.stringify(params));
      assert.match(said, /verified token/);
    }
  assert.equal(await asked(), count);
});

/** One `tools/call` of the older or the newer revision; answers the text of the response. */
async function mcpCall(by: string, params: object, modern: boolean, server = 'crm'): Promise<string> {
  const url = `${gate.gate().url}/mcp/${server}`;
  const headers = {
    authorization: `Bearer ${by}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  };
  const post = (body: object, more: Record<string, string> = {}): Promise<Response> =>
    fetch(url, {
      method: 'POST',
      headers: { ...headers, ...more },
      body: JSON.stringify({ jsonrpc: '2.0', ...body }),
    });
  const call = { name: 'read', arguments: {}, ...params };
  if (modern) {
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
      ...('_meta' in params ? (params._meta as object) : {}),
    };
    const head = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'read' };
    return (await post({ id: 2, method: 'tools/call', params: { ...call, _meta: meta } }, head)).text();
  }
  const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } };
  const opened = await post({ id: 1, method: 'initialize', params: hello });
  await opened.text();
  const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
  await (await post({ method: 'notifications/initialized' }, session)).text();
  return (await post({ id: 2, method: 'tools/call', params: call }, session)).text();
}

test('a token for one MCP server opens no other, nor the API; and none goes upstream', async () => {
  const crm = await token({ sub: 'svc:crm', aud: `${origin()}/mcp/crm` });
  assert.match(await mcpCall(crm, {}, false), /done/);
  assert.match(await mcpCall(crm, {}, true), /done/);
  assert.match(await mcpCall(crm, {}, false, 'files'), /unauthenticated/);
  assert.match(await mcpCall(crm, {}, true, 'files'), /unauthenticated/);
  assert.equal((await ask(crm, 5)).status, 401);
  assert.ok(upstream.seen.length > 0);
  for (const { headers, body } of upstream.seen) {
    const all = JSON.stringify(headers) + body;
    for (const part of crm.split('.')) assert.ok(!all.includes(part));
    assert.match(headers.authorization ?? 'Bearer upstream-own', /^Bearer upstream-own$/);
  }
});

test('a person’s token opens no MCP server', async () => {
  const { status, code } = await challenge('/mcp/crm', `Bearer ${await gate.token('person', 'rosa')}`);
  assert.deepEqual([status, code], [403, 'not_an_agent']);
});

const issue = async (more: { readonly expiresAtMs?: number; readonly rotateMs?: number } = {}) => {
  const { token: secret, hash } = newToken(systemRandom, 'agent');
  const principal = { kind: 'agent', id: asAgentId('second') } as const;
  const done = await gate.gate().parts.store.change({ kind: 'token', principal, hash, ...more });
  assert.ok(done.ok, JSON.stringify(done));
  return { secret, id: `tok_${hash.slice(0, 16)}` };
};

test('token-ends: by its time, by being rotated out, and by being revoked; 401 says which', async () => {
  const hourMs = 3_600_000;
  const short = await issue({ expiresAtMs: clock.nowMs() + hourMs });
  const old = await issue();
  assert.equal((await ask(short.secret, 5)).status, 200);
  const next = await issue({ rotateMs: hourMs });
  assert.equal((await ask(old.secret, 5)).status, 200, 'until its grace is over');
  clock.aheadMs += hourMs;
  for (const one of [short, old]) {
    const { status, header } = await challenge('/v1/actions', `Bearer ${one.secret}`);
    assert.equal(status, 401);
    assert.match(header, /error="invalid_token", error_description="This token has expired; /);
  }
  assert.equal((await ask(next.secret, 5)).status, 200);
  assert.ok((await gate.gate().parts.store.change({ kind: 'revokeToken', token: next.id })).ok);
  const { status, header } = await challenge('/v1/actions', `Bearer ${next.secret}`);
  assert.equal(status, 401);
  assert.match(header, /error="invalid_token", error_description="This token was revoked; /);
});

test('token-ends: a token that is revoked while a session is open does nothing with its next message', async () => {
  const { secret, id } = await issue();
  const url = `${gate.gate().url}/mcp/crm`;
  const headers = {
    authorization: `Bearer ${secret}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  };
  const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } };
  const init = { jsonrpc: '2.0', id: 1, method: 'initialize', params: hello };
  const opened = await fetch(url, { method: 'POST', headers, body: JSON.stringify(init) });
  const session = { ...headers, 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
  await opened.text();
  const calls = upstream.seen.length;
  assert.ok((await gate.gate().parts.store.change({ kind: 'revokeToken', token: id })).ok);
  const call = { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'read', arguments: {} } };
  for (const [method, body] of [
    ['POST', JSON.stringify(call)],
    ['GET', null],
    ['DELETE', null],
  ] as const) {
    const response = await fetch(url, { method, headers: session, body });
    assert.equal(response.status, 401, method);
    await response.text();
  }
  assert.equal(upstream.seen.slice(calls).filter((one) => one.body.includes('tools/call')).length, 0);
});

test('a session belongs to whom its agent acts for: with another chain it is not there', async () => {
  const url = `${gate.gate().url}/mcp/crm`;
  const headersOf = async (claims: object) => ({
    authorization: `Bearer ${await token({ ...claims })}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  });
  const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } };
  const init = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: hello });
  const lee = await headersOf({ sub: 'u-lee', act: { sub: 'svc:crm' } });
  const opened = await fetch(url, { method: 'POST', headers: lee, body: init });
  await opened.text();
  const session = opened.headers.get('mcp-session-id') ?? '';
  const ping = JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'ping' });
  const status = async (headers: Record<string, string>): Promise<number> =>
    (await fetch(url, { method: 'POST', headers: { ...headers, 'mcp-session-id': session }, body: ping }))
      .status;
  assert.equal(await status(await headersOf({ sub: 'u-lee', act: { sub: 'svc:crm' } })), 200);
  assert.equal(await status(await headersOf({ sub: 'u-rosa', act: { sub: 'svc:crm' } })), 404);
  assert.equal(await status(await headersOf({ sub: 'svc:crm' })), 404);
});

test('an agent that is removed is refused at once, whatever its issuer signs', async () => {
  const helper = await token({ sub: 'svc:helper' });
  assert.equal((await ask(helper, 5)).status, 200);
  await gate.setConfig(
    config().replace(
      '  - { id: helper, owners: [rosa, mia] }\n',
      '  - { id: helper, owners: [rosa, mia], active: false }\n',
    ),
  );
  await eventually(async () => (await ask(helper, 5)).status === 401, 'its token is refused');
});

test('token-ends: a call that waits for people with a token that is revoked meanwhile does not run, whatever they decide', async () => {
  const { secret, id } = await issue();
  const held = mcpCall(secret, { name: 'write' }, false);
  const auditor = await gate.token('person', 'ada');
  const open = async () => {
    const list = await gate.call(auditor, 'GET', '/v1/approvals?status=pending');
    return list.body.items.find(
      (one: { action: { operation: string } }) => one.action.operation === 'crm___write',
    );
  };
  await eventually(async () => (await open()) !== undefined, 'the call is held');
  const { id: approval, digest } = await open();
  const calls = upstream.seen.length;
  assert.ok((await gate.gate().parts.store.change({ kind: 'revokeToken', token: id })).ok);
  assert.equal((await approve('rosa', approval, digest)).status, 201);
  assert.match(await held, /was revoked; nothing ran/);
  assert.equal(upstream.seen.slice(calls).filter((one) => one.body.includes('tools/call')).length, 0);
  const refused = (await gate.gate().parts.store.entries(-1, 1000)).filter(
    (one) => one.entry.type === 'execution.refused',
  );
  assert.deepEqual(
    refused.map((one) => [one.entry.about.approval, one.entry.data['code']]),
    [[approval, 'unauthenticated']],
  );
  // its agent may still run what people approved, with a token that is good
  assert.match(await mcpCall((await issue()).secret, { name: 'write' }, false), /done/);
});

test('verified-chain: a stopped agent does nothing through another one', async () => {
  const chained = () => token({ sub: 'svc:second', act: { sub: 'svc:crm' } });
  assert.equal((await ask(await chained(), 5)).status, 200);
  const stop = await gate.call(await gate.token('person', 'sam'), 'POST', '/v1/agents/second/stop', {
    reason: 'odd',
  });
  assert.equal(stop.status, 200, JSON.stringify(stop.body));
  const refused = await ask(await chained(), 5);
  assert.deepEqual([refused.status, refused.body.code], [429, 'agent_stopped']);
  assert.equal((await ask(await token({ sub: 'svc:crm' }), 5)).status, 200);
});

test('verified-chain: under one idempotency key, what was approved for one person is not handed to the session of another', async () => {
  const [lee, rosa] = [
    await token({ sub: 'u-lee', act: { sub: 'svc:crm' } }),
    await token({ sub: 'u-rosa', act: { sub: 'svc:crm' } }),
  ];
  const body = { operation: 'shop___refund', input: { cents: 4711 } };
  const keyed = (by: string) =>
    gate.call(by, 'POST', '/v1/actions', body, { 'idempotency-key': 'refund-4711' });
  const asked = await keyed(lee);
  assert.equal(asked.status, 202, JSON.stringify(asked.body));
  assert.equal((await approve('rosa', asked.body.approval.id, asked.body.digest)).status, 201);
  const other = await keyed(rosa);
  assert.deepEqual(
    [other.status, other.body.code],
    [409, 'idempotency_conflict'],
    JSON.stringify(other.body),
  );
  assert.equal((await keyed(lee)).body.id, asked.body.id, 'its own session finds it');
});

test('verified-chain, not-yours-to-see: with a token for one person an agent sees, runs and withdraws nothing of another’s', async () => {
  const [lee, rosa, own] = [
    await token({ sub: 'u-lee', client_id: 'crm' }),
    await token({ sub: 'u-rosa', client_id: 'crm' }),
    await token({ sub: 'svc:crm' }),
  ];
  const asked = await ask(lee, 4712);
  assert.equal(asked.status, 202, JSON.stringify(asked.body));
  const { id, approval, digest } = asked.body;
  const shows = async (by: string): Promise<boolean> =>
    JSON.stringify((await gate.call(by, 'GET', '/v1/approvals')).body).includes(approval.id);
  const tries = async (by: string): Promise<readonly number[]> => [
    (await gate.call(by, 'GET', `/v1/actions/${id}`)).status,
    (await gate.call(by, 'GET', `/v1/approvals/${approval.id}`)).status,
    (await gate.call(by, 'POST', `/v1/approvals/${approval.id}/cancel`)).status,
    (await gate.call(by, 'POST', `/v1/actions/${id}/execution`)).status,
  ];
  assert.deepEqual(await tries(rosa), [404, 404, 404, 404]);
  assert.deepEqual([await shows(rosa), await shows(lee), await shows(own)], [false, true, true]);
  assert.equal((await approve('rosa', approval.id, digest)).status, 201);
  assert.deepEqual(await tries(rosa), [404, 404, 404, 404], 'once it is approved, too');
  const run = await gate.call(lee, 'POST', `/v1/actions/${id}/execution`);
  assert.equal(run.status, 201, JSON.stringify(run.body));
  const outcome = (by: string) =>
    gate.call(by, 'PUT', `/v1/executions/${run.body.id}/outcome`, { status: 'failed' });
  assert.equal((await outcome(rosa)).status, 404);
  assert.equal((await outcome(lee)).status, 200);
});

test('verified-chain: with a token for one person an agent sees, runs and withdraws no task of another’s', async () => {
  const at = `${origin()}/mcp/crm`;
  const [lee, rosa] = [
    await token({ sub: 'u-lee', client_id: 'crm', aud: at }),
    await token({ sub: 'u-rosa', client_id: 'crm', aud: at }),
  ];
  const asks = async (by: string, method: string, params: object) => {
    const agent = by; // the support's name for what follows `Bearer`
    return raw(gate.gate(), 'crm', { method, params, agent, capabilities: tasksCapability });
  };
  const made = await asks(lee, 'tools/call', { name: 'write', arguments: { text: 'lee’s' } });
  const taskId = made.body.result?.taskId as string;
  assert.match(taskId ?? '', /^act_/, JSON.stringify(made.body));
  for (const method of ['tasks/get', 'tasks/cancel'])
    assert.equal((await asks(rosa, method, { taskId })).body.error?.code, -32602, method);
  assert.equal((await asks(lee, 'tasks/get', { taskId })).body.result.status, 'working');
});
