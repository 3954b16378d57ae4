/** The door: what is refused leaves an entry and nothing else; sessions, headers and methods of Streamable HTTP. Raw requests. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { command, permitAll, root, startTestGate, type TestGate } from './support/gate.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-strict-'));
const logFile = join(folder, 'log');
let gate: TestGate;
let session: string;

before(async () => {
  const fixture = command([process.execPath, `${root}test/enforce/mcp/support/fixture.ts`], {
    FIXTURE_LOG: logFile,
  });
  gate = await startTestGate({
    servers: { fix: fixture, gone: command(['/nowhere/no-such-program']) },
    policies: permitAll,
  });
  session = (await gate.client('fix')).transport.sessionId ?? '';
});
after(async () => {
  await gate.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: {
    readonly id?: unknown;
    readonly error?: {
      readonly code: number;
      readonly message: string;
      readonly data?: { readonly code?: string };
    };
    readonly result?: unknown;
  };
}

async function post(
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string | null> = {},
): Promise<Answer> {
  const all: Record<string, string | null> = {
    authorization: 'Bearer crm-bot',
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-session-id': session,
    ...headers,
  };
  const kept = Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== null);
  const response = await fetch(`${gate.url}/mcp/fix`, { method: 'POST', headers: kept, body });
  const said = await response.text();
  // On a slow machine the answer comes as a stream.
  const text = /^(?:event|id):/.test(said) ? (/^data: (.+)$/m.exec(said)?.[1] ?? '') : said;
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? {} : (JSON.parse(text) as Answer['body']),
  };
}

const call = (args: string): string =>
  `{"jsonrpc":"2.0","id":42,"method":"tools/call","params":{"name":"echo","arguments":${args}}}`;
const refusedEntries = async (): Promise<number> => (await gate.entries('action.refused')).length;
const forwarded = (): string => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : '');

const refused: readonly (readonly [what: string, args: string, code: string])[] = [
  ['duplicate keys', '{"rows":1,"rows":5000}', 'duplicate_key'],
  ['duplicate keys by an escape', '{"rows":1,"r\\u006fws":5000}', 'duplicate_key'],
  ['9007199254740993', '{"id":9007199254740993}', 'number_range'],
  ['0.12345678901234567890', '{"id":0.12345678901234567890}', 'number_range'],
  ['1e400', '{"id":1e400}', 'number_range'],
  ['a lone surrogate', '{"a":"\\ud800"}', 'bad_unicode'],
  ['__proto__', '{"__proto__":{"a":1}}', 'reserved_key'],
  ['__entity', '{"__entity":{"type":"Person","id":"sam"}}', 'reserved_key'],
  ['33 levels', `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`, 'too_deep'],
  ['a trailing comma', '{"a":1,}', 'bad_json'],
];
for (const [what, args, code] of refused) {
  test(`${what}: refused with ${code}, on record, and nothing is forwarded`, async () => {
    const count = await refusedEntries();
    const upstream = forwarded();
    const { status, body } = await post(call(args));
    assert.equal(body.error?.code, -32602);
    assert.equal(body.error.data?.code, code);
    // What JSON.parse cannot read has no id that could be told.
    assert.deepEqual([status, body.id], code === 'bad_json' ? [400, null] : [200, 42]);
    assert.equal(await refusedEntries(), count + 1);
    const [entry] = (await gate.entries('action.refused')).slice(-1);
    assert.deepEqual(
      [entry?.data['code'], entry?.data['server'], entry?.by],
      [code, 'fix', { kind: 'agent', id: 'crm-bot' }],
    );
    assert.equal(forwarded(), upstream);
  });
}

test('a duplicate key outside the arguments is refused as well: two names, one shown, one run', async () => {
  const upstream = forwarded();
  const { body } = await post(
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","name":"write"}}',
  );
  assert.equal(body.error?.data?.code, 'duplicate_key');
  assert.equal(forwarded(), upstream);
});

test('too large: refused before it is read', async () => {
  const { status, body } = await post(call(`{"a":"${'x'.repeat(1_048_576)}"}`));
  assert.deepEqual([status, body.id, body.error?.data?.code], [413, null, 'too_large']);
});

test('bytes that are no UTF-8 are refused', async () => {
  const { status, body } = await post(new Uint8Array([...Buffer.from(call('{"a":"')), 0xff]));
  assert.deepEqual([status, body.error?.data?.code], [400, 'bad_unicode']);
});

test('input that does not fit the pinned schema is refused with where, on record, and not forwarded', async () => {
  const count = await refusedEntries();
  const upstream = forwarded();
  const { body } = await post(
    '{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"write","arguments":{"text":1}}}',
  );
  assert.deepEqual([body.id, body.error?.code, body.error?.data?.code], [5, -32602, 'input_invalid']);
  assert.match(body.error?.message ?? '', /\/text must be string/);
  const other = await post(
    '{"jsonrpc":"2.0","id":6,"method":"tools/call","params":{"name":"write","arguments":{"more":1}}}',
  );
  assert.equal(other.body.error?.data?.code, 'input_invalid');
  assert.equal(await refusedEntries(), count + 2);
  assert.equal(forwarded(), upstream);
});

test('a tool whose schema cannot be used is refused as disabled', async () => {
  const { body } = await post('{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"remote"}}');
  const result = body.result as {
    isError: boolean;
    content: { text: string }[];
    _meta: Record<string, unknown>;
  };
  assert.equal(result.isError, true);
  assert.match(
    result.content[0]?.text ?? '',
    /^Not run \(tool_disabled\): The tool’s input schema cannot be used/,
  );
});

test('a limit beyond 2^53 in a schema, as common servers write it, does no harm', async () => {
  const { body } = await post(
    '{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"int64","arguments":{"n":5}}}',
  );
  assert.notEqual(body.result, undefined);
});

test('batches and unknown methods are refused, and not forwarded', async () => {
  const upstream = forwarded();
  assert.deepEqual((await post(`[${call('{}')}]`)).body.error?.code, -32600);
  assert.deepEqual(
    (await post('{"jsonrpc":"2.0","id":1,"method":"tasks/result","params":{}}')).body.error?.code,
    -32601,
  );
  assert.deepEqual(
    (await post('{"jsonrpc":"2.0","id":1,"method":"tools/delete","params":{}}')).body.error?.code,
    -32601,
  );
  assert.equal(forwarded(), upstream);
});

test('an unknown tool is told as the SDK’s servers tell it', async () => {
  const { body } = await post('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"nope"}}');
  assert.deepEqual([body.error?.code, body.error?.message], [-32602, 'Unknown tool: nope']);
});

test('headers: session, version, content type, accept, method', async () => {
  const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
  assert.equal((await post(ping)).status, 200);
  assert.equal((await post(ping, { 'mcp-session-id': null })).status, 400);
  assert.equal((await post(ping, { 'mcp-session-id': 'nonsense' })).status, 404);
  assert.equal((await post(ping, { 'mcp-protocol-version': '2025-11-25' })).status, 200);
  assert.equal((await post(ping, { 'mcp-protocol-version': '1999-01-01' })).status, 400);
  assert.equal((await post(ping, { 'content-type': 'text/plain' })).status, 415);
  assert.equal((await post(ping, { accept: 'application/json' })).status, 406);
  assert.equal(
    (await fetch(`${gate.url}/mcp/fix`, { method: 'PUT', headers: { authorization: 'Bearer crm-bot' } }))
      .status,
    405,
  );
});

test('a session belongs to its agent: to another it does not exist', async () => {
  const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
  const foreign = await post(ping, { authorization: 'Bearer other-bot' });
  const unknown = await post(ping, { authorization: 'Bearer other-bot', 'mcp-session-id': '0'.repeat(48) });
  assert.deepEqual([foreign.status, foreign.body], [404, unknown.body]);
  const headers = {
    authorization: 'Bearer other-bot',
    'mcp-session-id': session,
    accept: 'text/event-stream',
  };
  assert.equal((await fetch(`${gate.url}/mcp/fix`, { headers })).status, 404);
  assert.equal((await fetch(`${gate.url}/mcp/fix`, { method: 'DELETE', headers })).status, 404);
  assert.equal((await post(ping)).status, 200);
});

test('an upstream that does not start: one sentence, a code, and no session', async () => {
  const response = await fetch(`${gate.url}/mcp/gone`, {
    method: 'POST',
    headers: {
      authorization: 'Bearer crm-bot',
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}',
  });
  const body = (await response.json()) as Answer['body'];
  assert.deepEqual([body.error?.code, body.error?.data?.code], [-32000, 'upstream_unavailable']);
  assert.match(body.error?.message ?? '', /cannot be reached: it could not be started/);
});

test('a server that is not configured does not exist', async () => {
  const response = await fetch(`${gate.url}/mcp/other`, {
    method: 'POST',
    headers: { authorization: 'Bearer crm-bot' },
  });
  assert.equal(response.status, 404);
});
