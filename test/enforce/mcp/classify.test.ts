/** What one message of an agent is. Pure. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, JsonValue } from '../../../src/core/json.ts';
import { classify, metaUpstream } from '../../../src/enforce/mcp/classify.ts';

const request = (method: string, params?: JsonValue, id: JsonValue = 1): JsonObject => ({
  jsonrpc: '2.0',
  id,
  method,
  ...(params === undefined ? {} : { params }),
});
const refusal = (
  message: JsonValue,
): { readonly id: unknown; readonly code: number; readonly data: unknown } | string => {
  const one = classify(message);
  return one.kind === 'refuse' ? { id: one.id, code: one.error.code, data: one.error.data } : one.kind;
};

test('a tool call is parsed once: name, input, and what our _meta says', () => {
  const meta = {
    'dev.countersign/reason': 'why',
    'dev.countersign/session': 's',
    'dev.countersign/run': 'r',
    progressToken: 7,
    'x.y/z': 1,
  };
  assert.deepEqual(
    classify(
      request('tools/call', { name: 'a', arguments: { b: [1] }, _meta: meta, task: { ttl: 1 } }, 'id'),
    ),
    {
      kind: 'call',
      id: 'id',
      call: {
        name: 'a',
        input: { b: [1] },
        reason: 'why',
        session: 's',
        run: 'r',
        progressToken: 7,
        meta: { progressToken: 7 },
      },
    },
  );
});

test('absent arguments are none', () => {
  const one = classify(request('tools/call', { name: 'a' }));
  assert.ok(one.kind === 'call');
  assert.deepEqual(one.call, {
    name: 'a',
    input: {},
    reason: null,
    session: null,
    run: null,
    progressToken: null,
    meta: undefined,
  });
});

const badCalls: readonly (readonly [string, JsonValue])[] = [
  ['no name', {}],
  ['a name that is no text', { name: 1 }],
  ['arguments that are a list', { name: 'a', arguments: [] }],
  ['arguments that are null', { name: 'a', arguments: null }],
  ['arguments that are a text', { name: 'a', arguments: '{}' }],
  ['_meta that is a text', { name: 'a', _meta: 'x' }],
  ['a reason that is an object', { name: 'a', _meta: { 'dev.countersign/reason': {} } }],
  ['a reason that is too long', { name: 'a', _meta: { 'dev.countersign/reason': 'x'.repeat(2001) } }],
  ['a session that is a number', { name: 'a', _meta: { 'dev.countersign/session': 1 } }],
  ['a run that is too long', { name: 'a', _meta: { 'dev.countersign/run': 'x'.repeat(201) } }],
  ['a progress token that is an object', { name: 'a', _meta: { progressToken: {} } }],
];
for (const [what, params] of badCalls) {
  test(`a tool call with ${what} is refused with a code`, () => {
    assert.deepEqual(refusal(request('tools/call', params)), {
      id: 1,
      code: -32602,
      data: { code: 'input_invalid' },
    });
  });
}

test('batches are refused, however they look', () => {
  for (const batch of [[], [request('ping')], [request('tools/call', { name: 'a' }), request('ping')]])
    assert.deepEqual(refusal(batch), { id: null, code: -32600, data: undefined });
});

test('what is no JSON-RPC 2.0 message is refused', () => {
  for (const message of [
    null,
    1,
    'x',
    {},
    { jsonrpc: '1.0', id: 1, method: 'ping' },
    { jsonrpc: '2.0', id: null, method: 'ping' },
    { jsonrpc: '2.0', id: 1.5, method: 'ping' },
    { jsonrpc: '2.0', id: {}, method: 'ping' },
    { jsonrpc: '2.0', id: 1, method: 2 },
    { jsonrpc: '2.0', id: 1 },
    { jsonrpc: '2.0', id: 1, result: {}, error: {} },
  ]) {
    const one = refusal(message);
    assert.ok(typeof one === 'object' && one.code === -32600, JSON.stringify(message));
  }
  assert.deepEqual(refusal(request('ping', [])), { id: 1, code: -32602, data: undefined });
});

test('known requests pass; all others are refused, whatever an upstream might make of them', () => {
  for (const method of [
    'ping',
    'resources/list',
    'resources/templates/list',
    'resources/read',
    'resources/subscribe',
    'resources/unsubscribe',
    'prompts/list',
    'prompts/get',
    'completion/complete',
    'logging/setLevel',
  ])
    assert.equal(classify(request(method)).kind, 'pass', method);
  for (const method of [
    'tools/Call',
    'tools/call/',
    'tasks/result',
    'tasks/list',
    'server/discover',
    'sampling/createMessage',
    'notifications/x',
    '',
    'constructor',
    '__proto__',
  ])
    assert.deepEqual(refusal(request(method, {})), { id: 1, code: -32601, data: undefined }, method);
  assert.equal(classify(request('tools/list')).kind, 'list');
  assert.equal(classify(request('initialize', {})).kind, 'initialize');
});

test('requests that pass carry only the _meta that may go upstream', () => {
  assert.deepEqual(classify(request('resources/read', { uri: 'a', _meta: { 'x.y/z': 1 } })), {
    kind: 'pass',
    id: 1,
    method: 'resources/read',
    params: { uri: 'a' },
  });
  assert.deepEqual(
    classify(request('resources/read', { uri: 'a', _meta: { progressToken: 'p', 'x.y/z': 1 } })),
    {
      kind: 'pass',
      id: 1,
      method: 'resources/read',
      params: { uri: 'a', _meta: { progressToken: 'p' } },
    },
  );
});

test('_meta: protocol, progress and trace, and nothing that looks like them', () => {
  const kept = {
    progressToken: 1,
    'io.modelcontextprotocol/related-task': { taskId: 'x' },
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    tracestate: 'a=b',
    baggage: 'c=d',
  };
  const dropped = {
    'dev.countersign/run': '1',
    'io.modelcontextprotocol.evil/x': 1,
    'xio.modelcontextprotocol/x': 1,
    Traceparent: 1,
    reason: 'x',
  };
  assert.deepEqual(metaUpstream({ ...kept, ...dropped }), kept);
  assert.equal(metaUpstream(dropped), undefined);
  const malformed = { traceparent: '00-1', tracestate: 'b', baggage: `a=${'x'.repeat(9000)}` };
  assert.equal(metaUpstream(malformed), undefined, 'what is not of the standard’s form');
});

test('notifications, cancellations and answers', () => {
  const told = (method: string, params?: JsonObject): JsonObject => ({
    jsonrpc: '2.0',
    method,
    ...(params === undefined ? {} : { params }),
  });
  assert.equal(classify(told('notifications/initialized')).kind, 'notification');
  for (const other of ['roots/list_changed', 'x', 'anything/delete', 'tools/call'])
    assert.equal(classify(told(`notifications/${other}`)).kind, 'ignore', other);
  assert.deepEqual(classify(told('notifications/cancelled', { requestId: 'x' })), {
    kind: 'cancel',
    request: 'x',
    params: { requestId: 'x' },
  });
  assert.equal(classify(told('notifications/cancelled', {})).kind, 'ignore');
  // A call without an id would run without an answer: it is no request, and does nothing.
  assert.equal(classify(told('tools/call', { name: 'a' })).kind, 'ignore');
  const answer = { jsonrpc: '2.0', id: 3, result: { roots: [] } };
  assert.deepEqual(classify(answer), { kind: 'answer', id: 3, answer });
  assert.equal(classify({ jsonrpc: '2.0', id: 3, error: { code: 1, message: 'x' } }).kind, 'answer');
});
