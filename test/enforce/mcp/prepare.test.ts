/** A request that is made ready says nothing to the upstream until it is sent, and is sent in the place of no other. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as after } from 'node:timers/promises';
import { openHttp } from '../../../src/enforce/mcp/http.ts';
import type { Incoming } from '../../../src/enforce/mcp/message.ts';
import type { Failure, Pipe } from '../../../src/enforce/mcp/pipe.ts';

let server: Server;
let pipe: Pipe;
/** What reached the upstream's handler, and how many bytes its connections have brought. */
let heard: string[];
let sockets: { readonly bytesRead: number }[];
let answers: (Incoming | Failure)[];
let answered: (() => void) | undefined;

const asks = (id: number, text: string): string =>
  JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { text } });

beforeEach(async () => {
  [heard, answers, sockets] = [[], [], []];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      heard.push(text);
      const { id } = JSON.parse(text) as { readonly id: number };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result: {} }));
    });
  });
  server.on('connection', (socket) => sockets.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const tell = (what: Incoming | Failure): void => {
    answers.push(what);
    answered?.();
  };
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
  pipe = openHttp(
    { kind: 'url', url, headers: {} },
    { message: tell, failed: (_id, failure) => tell(failure), closed: () => undefined },
    () => undefined,
  );
});

afterEach(async () => {
  await pipe.close();
  server.closeAllConnections();
  server.close();
});

async function ask(id: number, text: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  answered = () => resolve(undefined);
  pipe.request(id, asks(id, text));
  await promise;
}

async function connected(): Promise<void> {
  while (sockets.length === 0) await after(1);
  await after(20);
}

const bytes = (): number => sockets.reduce((total, one) => total + one.bytesRead, 0);

test('nothing leaves before it is sent; then it leaves once', async () => {
  pipe.prepare?.(asks(1, 'a'));
  await connected();
  assert.deepEqual([heard, bytes()], [[], 0]);
  await ask(1, 'a');
  assert.deepEqual([heard, sockets.length], [[asks(1, 'a')], 1]);
  assert.equal(answers[0]?.kind, 'result');
});

test('another text is sent as it is, and what was ready stays behind', async () => {
  pipe.prepare?.(asks(1, 'a'));
  await connected();
  await ask(1, 'b');
  assert.deepEqual(heard, [asks(1, 'b')]);
  await pipe.close();
  await after(20);
  assert.deepEqual(heard, [asks(1, 'b')], 'closing sends nothing');
});

test('a connection that ended before anything left costs no call', async () => {
  pipe.prepare?.(asks(1, 'a'));
  await connected();
  server.closeAllConnections();
  await after(20);
  await ask(1, 'a');
  assert.deepEqual([heard, answers.map((one) => one.kind)], [[asks(1, 'a')], ['result']]);
});

test('a session or revision that changed meanwhile makes it anew', async () => {
  let named: string | undefined;
  server.on('request', (request) => (named = String(request.headers['mcp-protocol-version'])));
  pipe.prepare?.(asks(1, 'a'));
  await connected();
  pipe.agreed('2025-11-25');
  await ask(1, 'a');
  assert.deepEqual([heard, named], [[asks(1, 'a')], '2025-11-25']);
});

test('what cannot be made ready is found out where it is sent', async () => {
  const failures: Failure[] = [];
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const nowhere = openHttp(
    { kind: 'url', url: 'http://127.0.0.1:1/mcp', headers: {} },
    {
      message: () => undefined,
      failed: (_id, failure) => {
        failures.push(failure);
        resolve(undefined);
      },
      closed: () => undefined,
    },
    () => undefined,
  );
  nowhere.prepare?.(asks(1, 'a'));
  await after(20);
  nowhere.request(1, asks(1, 'a'));
  await promise;
  assert.deepEqual(
    failures.map((one) => one.kind),
    ['unsent'],
  );
  await nowhere.close();
});
