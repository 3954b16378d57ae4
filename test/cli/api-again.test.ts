/** What the command line sends to a gate that goes away: the same again, under the same key. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { test } from 'node:test';
import { apiOf } from '../../src/cli/api.ts';
import { Failure } from '../../src/cli/command.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server that answers each request with the next of these, and keeps the keys that it was sent. */
async function served(answers: readonly Answer[]) {
  const keys: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    const key = request.headers['idempotency-key'];
    const answer = answers[keys.length] ?? answers.at(-1);
    keys.push(typeof key === 'string' ? key : undefined);
    request.resume();
    request.once('end', () => answer?.(request, response));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return {
    url: `http://127.0.0.1:${address.port}`,
    keys,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

const lost: Answer = (request) => request.socket.destroy();
const stopping: Answer = (_, response) => void response.writeHead(503, { 'retry-after': '1' }).end();
const done: Answer = (_, response) => void response.end('{"done":true}');
const refused: Answer = (_, response) =>
  void response.writeHead(409).end('{"detail":"It is closed.","code":"approval_closed"}');

test('what had no answer is sent again under the same key', async () => {
  const gate = await served([lost, stopping, done]);
  try {
    assert.deepEqual(await apiOf(gate.url, 'token').post('/v1/x', { a: 1 }), { done: true });
    assert.equal(gate.keys.length, 3);
    assert.match(gate.keys[0] ?? '', /^[\w-]{36}$/);
    assert.equal(new Set(gate.keys).size, 1);
  } finally {
    gate.close();
  }
});

test('two calls have two keys', async () => {
  const gate = await served([done]);
  try {
    const api = apiOf(gate.url, 'token');
    await api.post('/v1/x', {});
    await api.post('/v1/x', {});
    assert.equal(new Set(gate.keys).size, 2);
  } finally {
    gate.close();
  }
});

test('a refusal is not asked for twice, and a gate that stays away is said to', async () => {
  const no = await served([refused]);
  const away = await served([stopping]);
  try {
    await assert.rejects(apiOf(no.url, 'token').post('/v1/x', {}), /It is closed\. \(approval_closed\)/);
    assert.equal(no.keys.length, 1);
    await assert.rejects(apiOf(away.url, 'token').post('/v1/x', {}), Failure);
    assert.equal(away.keys.length, 4);
  } finally {
    no.close();
    away.close();
  }
});
