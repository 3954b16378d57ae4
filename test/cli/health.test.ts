/** `health`: one line and an exit code, for whatever keeps a gate running. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { test } from 'node:test';
import { inFolder, organisation, run, serving } from './run.ts';

/** Somebody at a port who answers as told. */
async function at<T>(
  answers:
    | Readonly<Record<string, readonly [status: number, body: string]>>
    | (() => readonly [status: number, body: string]),
  work: (url: string) => Promise<T>,
): Promise<T> {
  const server = createServer(({ url }, response) => {
    const [status, body] = typeof answers === 'function' ? answers() : (answers[url ?? ''] ?? [404, '']);
    response.writeHead(status, { 'content-type': 'application/json', location: '/elsewhere' }).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  try {
    return await work(`http://127.0.0.1:${address.port}`);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

const asked = async (url: string, ...more: readonly string[]): Promise<readonly [number | null, string]> => {
  const { code, out, err } = await run(['health', '--url', url, ...more]);
  return [code, out + err];
};

test('a gate that serves is alive, started and ready; one that is not there is none of them', async () => {
  await inFolder(organisation, async (folder) => {
    let url = '';
    await serving(folder, async (gate) => {
      ({ url } = gate);
      assert.deepEqual(await asked(url), [0, 'ready\n']);
      assert.deepEqual(await asked(url, '--for', 'started', '--wait', '5'), [0, 'ready\n']);
      assert.deepEqual(await asked(url, '--for', 'alive'), [0, 'ok\n']);
    });
    assert.deepEqual(await asked(url, '--for', 'alive'), [
      1,
      `no gate answers at ${url}; does it run? --url names another\n`,
    ]);
  });
});

test('broken policies: alive and started, so that nobody restarts it; not ready, and why', () =>
  inFolder({ 'countersign.yaml': organisation['countersign.yaml'] ?? '' }, (folder) =>
    serving(folder, async ({ url }) => {
      const says = 'unavailable: There is no usable policy set, so everything is denied.\n';
      assert.deepEqual(await asked(url), [1, says]);
      assert.deepEqual(await asked(url, '--for', 'started'), [0, says]);
      assert.deepEqual(await asked(url, '--for', 'alive'), [0, 'ok\n']);
    }),
  ));

test('while a gate says that it starts it is waited for, however long it takes', async () => {
  let times = 0;
  const starts = [503, JSON.stringify({ status: 'starting', why: ['x'] })] as const;
  await at(
    () => ((times += 1) < 8 ? starts : [200, JSON.stringify({ status: 'ready' })]),
    async (url) => assert.deepEqual(await asked(url, '--for', 'started', '--wait', '1'), [0, 'ready\n']),
  );
  assert.equal(times, 8);
});

test('starting and stopping are no started; whoever else is at the port is no gate, and draws nothing on the terminal', async () => {
  for (const status of ['starting', 'stopping'])
    await at({ '/readyz': [503, JSON.stringify({ status, why: ['x'] })] }, async (url) => {
      assert.deepEqual(await asked(url, '--for', 'started'), [1, `${status}: x\n`]);
    });
  await at({ '/readyz': [302, ''], '/healthz': [500, 'oh'] }, async (url) => {
    assert.deepEqual(await asked(url), [1, `no gate answers at ${url}; does it run? --url names another\n`]);
    assert.deepEqual(await asked(url, '--for', 'alive'), [
      1,
      `HTTP 500: what answers at ${url} is no gate; --url names another\n`,
    ]);
  });
  await at({ '/readyz': [503, JSON.stringify({ status: '\u001B[2J', why: ['a\nb'] })] }, async (url) => {
    const [code, says] = await asked(url);
    assert.equal(code, 1);
    assert.doesNotMatch(says.trimEnd(), /[\u001B\n]/);
  });
});

test('it waits until the gate is so', async () => {
  let asks = 0;
  const server = createServer((_request, response) => {
    asks += 1;
    response.writeHead(asks < 3 ? 503 : 200).end(JSON.stringify({ status: asks < 3 ? 'starting' : 'ready' }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const url = `http://127.0.0.1:${address.port}`;
  assert.deepEqual(await asked(url, '--wait', '60'), [0, 'ready\n']);
  assert.equal(asks, 3);
  server.close();
  server.closeAllConnections();
});

test('what is typed wrongly', async () => {
  assert.equal((await run(['health', '--for', 'well'])).code, 2);
  assert.equal((await run(['health', '--wait', 'long'])).code, 2);
});
