/** A gate says that it lives whatever else it is at. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepAlive } from '../../src/app/alive.ts';
import { gateLimits } from '../../src/core/runner.ts';
import { executionIdOf } from '../../src/core/ids.ts';
import { ok, err } from '../../src/core/result.ts';

const settle = async (): Promise<void> => {
  for (let n = 0; n < 20; n += 1) await new Promise((resolve) => setImmediate(resolve));
};
const body = () => ({
  host: 'h',
  pid: 1,
  url: 'http://h',
  version: '0.1.0',
  schema: 6,
  config: null,
  current: true,
});

test('a gate beats while it gives up what many dead gates ran, and gives up no more once nothing can be written', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const said: string[] = [];
  const orphans = Array.from({ length: 1000 }, (_, n) => executionIdOf(Buffer.alloc(16, n)));
  let [beats, asked, fails] = [0, 0, false];
  const { promise: stuck, resolve: unstick } = Promise.withResolvers<undefined>();
  const alive = await keepAlive({
    gate: 'g',
    body,
    say: (line) => said.push(line),
    store: {
      shared: true,
      beat: () => Promise.resolve([]).finally(() => (beats += 1)),
      leave: () => Promise.resolve(),
      orphans: () => Promise.resolve(orphans),
      change: async () => {
        asked += 1;
        await stuck;
        return fails ? err({ kind: 'fault', detail: 'no' }) : ok({ kind: 'done' });
      },
    },
  });
  for (let n = 0; n < 5; n += 1) {
    t.mock.timers.tick(gateLimits.beatMs);
    await settle();
  }
  assert.equal(beats, 6);
  assert.ok(asked > 0 && asked < orphans.length, 'a part of them at once, and once');
  const first = asked;
  fails = true;
  unstick(undefined);
  await settle();
  assert.equal(asked, first, 'the rest waits for the next turn');
  fails = false;
  t.mock.timers.tick(gateLimits.beatMs);
  await settle();
  assert.equal(asked, first + orphans.length);
  assert.match(said.join(' '), /Running on gates that are gone: 1000/);
  const stopping = alive.stop();
  await stopping;
});
