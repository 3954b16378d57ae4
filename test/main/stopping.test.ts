/** The order in which a gate stops, and what its door says at each step. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Closers } from '../../src/main/closers.ts';
import { Door } from '../../src/main/door.ts';
import { Stopping, type Underway } from '../../src/main/stopping.ts';

const request = (path: string): Request => new Request(`http://127.0.0.1:7788${path}`);

interface Made {
  readonly door: Door;
  readonly stopping: Stopping;
  /** What happened, in order. */
  readonly steps: string[];
  readonly said: string[];
}

function make(waiting = 0): Made {
  const door = new Door();
  door.handler = () => Promise.resolve(new Response('served'));
  door.closed = null;
  const [steps, said]: [string[], string[]] = [[], []];
  const closers = new Closers();
  closers.add(() => steps.push('store closed'));
  closers.add(() => steps.push('gate.stopped'));
  const endStreams = (): void => void steps.push('streams ended');
  const stopping = new Stopping({ door, closers, graceMs: 60_000, waiting: () => waiting, endStreams });
  stopping.closing.signal.addEventListener('abort', () => steps.push('waits ended'));
  return { door, stopping, steps, said };
}

/** Something that runs until it is told that it has ended. */
function runs(steps: string[], cut = 0): Underway & { readonly end: () => void } {
  let running = 1;
  const { promise, resolve } = Promise.withResolvers<number>();
  return {
    running: () => running,
    handOver: (graceMs) => {
      steps.push(`waits for runs, ${graceMs} ms`);
      return promise;
    },
    end: () => {
      running = 0;
      steps.push('ran');
      resolve(cut);
    },
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('the door: alive always, ready only while it wants work, and each answer of a gate that leaves is its connection’s last', async () => {
  const door = new Door();
  const says = async (path: string): Promise<readonly unknown[]> => {
    const { status, headers } = await door.handle(request(path));
    return [status, headers.get('retry-after'), headers.get('connection')];
  };
  const body = async (): Promise<unknown> => (await door.handle(request('/readyz'))).json();
  assert.deepEqual(await says('/healthz'), [200, null, null]);
  assert.deepEqual(await says('/readyz'), [503, '1', 'close']);
  assert.deepEqual(await body(), { status: 'starting', why: ['The gate is starting.'] });
  assert.deepEqual(await says('/v1/actions'), [503, '1', 'close']);
  door.handler = ({ url }) => Promise.resolve(new Response(url));
  assert.deepEqual(await says('/v1/actions'), [503, '1', 'close'], 'built, and not opened yet');
  door.closed = null;
  assert.deepEqual(await says('/v1/actions'), [200, null, null]);
  door.leave();
  assert.equal(door.why, 'The gate is stopping.');
  assert.deepEqual(await says('/v1/actions'), [200, null, 'close'], 'served still');
  door.close();
  assert.deepEqual(await says('/v1/actions'), [503, '1', 'close']);
  assert.deepEqual(await body(), { status: 'stopping', why: ['The gate is stopping.'] });
  assert.deepEqual(await says('/healthz'), [200, null, null]);
});

test('what the door itself says is hardened as all else', async () => {
  const door = new Door();
  for (const path of ['/healthz', '/readyz', '/inbox']) {
    const { headers } = await door.handle(request(path));
    assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
    assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/, path);
  }
});

test('a response whose headers cannot be changed is served all the same', async () => {
  const door = new Door();
  door.closed = null;
  door.handler = () => Promise.resolve(Response.redirect('http://127.0.0.1:7788/inbox', 303));
  door.leave();
  assert.equal((await door.handle(request('/'))).status, 303);
});

test('it drains, hands over, waits for what runs, and only then takes the parts down', async (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  const { door, stopping, steps, said } = make(3);
  const one = runs(steps);
  stopping.add(one);
  const stopped = stopping.stop({ drainMs: 5000, say: (line) => said.push(line) });
  assert.deepEqual(said, ['stopping: no longer ready; everything is still served for 5 s']);
  assert.equal(door.why, 'The gate is stopping.');
  assert.equal(await (await door.handle(request('/v1/x'))).text(), 'served');
  t.mock.timers.tick(4999);
  await turn();
  assert.deepEqual(steps, []);
  t.mock.timers.tick(1);
  await turn();
  assert.deepEqual(steps, ['waits ended', 'streams ended', 'waits for runs, 60000 ms']);
  assert.equal((await door.handle(request('/v1/x'))).status, 503);
  assert.equal(said[1], 'stopping: 3 waits handed over');
  assert.match(said[2] ?? '', /^stopping: waiting for 1 run, at most (?:59 s|1 min) more$/);
  one.end();
  assert.deepEqual(await stopped, { handedOver: 3, cut: 0 });
  assert.deepEqual(steps.slice(3), ['ran', 'gate.stopped', 'store closed']);
});

test('without a drain, and with nothing under way, nothing is said; whoever asks again gets the same answer', async () => {
  const { stopping, steps, said } = make();
  const say = (line: string): void => void said.push(line);
  const [first, second] = await Promise.all([
    stopping.stop({ say }),
    stopping.stop({ drainMs: 60_000, say }),
  ]);
  assert.equal(first, second);
  assert.deepEqual(first, { handedOver: 0, cut: 0 });
  assert.deepEqual(steps, ['waits ended', 'streams ended', 'gate.stopped', 'store closed']);
  assert.deepEqual(said, []);
});

test('what was cut off is counted and said', async () => {
  const { stopping, steps, said } = make();
  const [one, two] = [runs(steps, 1), runs(steps, 2)];
  stopping.add(one);
  stopping.add(two);
  const stopped = stopping.stop({ say: (line) => said.push(line) });
  await turn();
  one.end();
  two.end();
  assert.deepEqual(await stopped, { handedOver: 0, cut: 3 });
  assert.equal(said.at(-1), 'stopping: 3 runs cut off after 1 min; how it ended is unknown');
});
