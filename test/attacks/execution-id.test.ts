/**
 * The id that the gate leaves at a target is the gate's word. An agent that says which execution its call is (in `_meta`, in a
 * header, in the older and the newer era) is not heard: else its rows at the target would pass for somebody else's.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { connect, fixture, permitAll, startTestGate, type TestGate } from '../enforce/mcp/support/gate.ts';

interface Got {
  readonly method: string;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly headers: IncomingHttpHeaders;
}

let gate: TestGate;
const got: Got[] = [];
const upstream = createServer((request, response) => {
  void text(request).then((body) => {
    if (request.method !== 'POST') return response.writeHead(405).end();
    const { id, method, params } = JSON.parse(body) as {
      id?: number;
      method: string;
      params?: { _meta?: Got['meta'] };
    };
    got.push({ method, meta: params?._meta ?? {}, headers: request.headers });
    if (id === undefined) return response.writeHead(202).end();
    const results: Readonly<Record<string, object>> = {
      initialize: {
        protocolVersion: '2025-06-18',
        capabilities: { tools: {} },
        serverInfo: { name: 'x', version: '1' },
      },
      'tools/list': { tools: [{ name: 'do', inputSchema: { type: 'object' } }] },
      'tools/call': { content: [{ type: 'text', text: 'done' }] },
    };
    response.setHeader('content-type', 'application/json');
    return response.end(JSON.stringify({ jsonrpc: '2.0', id, result: results[method] ?? {} }));
  });
});

const stolen = { execution: `exe_${'0'.repeat(26)}`, action: `act_${'0'.repeat(26)}` };
const forged = {
  'dev.countersign/execution': stolen.execution,
  'dev.countersign/action': stolen.action,
  'Dev.Countersign/Execution': stolen.execution,
};

before(async () => {
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/mcp`;
  gate = await startTestGate({
    servers: { web: { kind: 'url', url, headers: {} }, fix: fixture() },
    policies: permitAll,
  });
});
after(async () => {
  await gate.close();
  upstream.closeAllConnections();
  upstream.close();
});

const started = async (): Promise<{ readonly execution: unknown; readonly action: unknown } | undefined> =>
  (await gate.entries('execution.started')).at(-1)?.about;

test('over HTTP the target is told the gate’s ids, in `_meta` and in the header, whatever the agent says', async () => {
  const agent = await connect(`${gate.url}/mcp/web`, {
    authorization: 'Bearer crm-bot',
    'countersign-execution': stolen.execution,
  });
  await agent.client.callTool({ name: 'do', arguments: {}, _meta: forged });
  await agent.close();
  const about = await started();
  const [call] = got.filter((one) => one.method === 'tools/call');
  assert.deepEqual(call?.meta, {
    'dev.countersign/execution': about?.execution,
    'dev.countersign/action': about?.action,
  });
  assert.equal(call?.headers['countersign-execution'], about?.execution);
  assert.match(String(about?.execution), /^exe_/);
  // Nothing but a run carries an id.
  for (const other of got.filter((one) => one !== call)) {
    assert.equal(other.headers['countersign-execution'], undefined, other.method);
    assert.ok(!JSON.stringify(other.meta).includes('dev.countersign'), other.method);
  }
});

test('a request that is not a tool call carries no id, also where the agent puts one there', async () => {
  const agent = await connect(`${gate.url}/mcp/web`, { authorization: 'Bearer crm-bot' });
  const had = got.length;
  // What it answers is no resource; that it was asked is enough.
  await assert.rejects(agent.client.readResource({ uri: 'x://y', _meta: forged }));
  await agent.close();
  const seen = got.slice(had);
  assert.ok(
    seen.some((one) => one.method === 'resources/read'),
    'the upstream was asked',
  );
  assert.ok(!JSON.stringify(seen.map(({ meta, headers }) => [meta, headers])).includes(stolen.execution));
});

test('over stdio too', async () => {
  const { client } = await gate.client('fix');
  const said = await client.callTool({ name: 'echo', arguments: { text: 'x' }, _meta: forged });
  const [first] = said.content as readonly { readonly text: string }[];
  const about = await started();
  assert.deepEqual((JSON.parse(first?.text ?? '{}') as { meta: unknown }).meta, {
    'dev.countersign/execution': about?.execution,
    'dev.countersign/action': about?.action,
  });
});
