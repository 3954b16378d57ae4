/** `/readyz` says what is so, each cause by itself; `/healthz` depends on nothing. Many who ask cost no more than one. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createReadiness, type ReadinessParts } from '../../src/http/ready.ts';
import { createHttp } from '../../src/http/server.ts';
import type { Store } from '../../src/ports/store.ts';
import type { Transparency } from '../../src/ports/transparency.ts';
import { openGate, type Gate } from './gate.ts';

let gate: Gate;
before(async () => {
  gate = await openGate();
});
after(() => gate.close());

const fault = { ok: false, error: { kind: 'fault', detail: 'EIO at /var/lib/secret/place' } } as const;
const sound = { damage: () => null, keysProblem: () => null };

/** How it answers where something of it is otherwise. */
async function asked(
  store: Partial<Store> = {},
  log: Partial<Transparency> = {},
  ready: () => string | null = () => null,
): Promise<readonly [number, unknown]> {
  // Only these two of the log are asked.
  const transparency = { ...sound, ...log } as Transparency;
  const parts: ReadinessParts['parts'] = {
    ...gate.parts,
    store: { ...gate.parts.store, ...store },
    transparency,
  };
  const response = await createReadiness({ parts, ready })();
  return [response.status, await response.json()];
}

const unavailable = (...why: readonly string[]): readonly [number, unknown] => [
  503,
  { status: 'unavailable', why },
];
const unwritable = 'The store cannot be written, so nothing may run.';
const silent = 'The store does not answer, so nothing may run.';

test('ready: the store was written and read, the log is whole, its keys work, there are policies', async () => {
  assert.deepEqual(await asked(), [200, { status: 'ready' }]);
});

test('a store that takes no write, one that cannot be read, and one whose last write failed', async () => {
  assert.deepEqual(await asked({ probe: () => Promise.resolve(fault) }), unavailable(unwritable));
  assert.deepEqual(
    await asked({ damage: () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.7')) }),
    unavailable(silent),
  );
  const failed = { writable: false, detail: 'disk full at /var/lib' };
  assert.deepEqual(await asked({ health: () => failed }), unavailable(unwritable));
});

test('a store that never answers is answered for within the time, and not asked again meanwhile', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let probes = 0;
  const never = (): Promise<never> => {
    probes += 1;
    return new Promise(() => undefined);
  };
  const store = { ...gate.parts.store, probe: never };
  const ready = createReadiness({ parts: { ...gate.parts, store }, ready: () => null });
  const answers = Array.from({ length: 50 }, () => ready());
  await Promise.resolve();
  t.mock.timers.tick(3000);
  for (const answer of await Promise.all(answers)) {
    assert.equal(answer.status, 503);
    assert.deepEqual(await answer.json(), { status: 'unavailable', why: [silent] });
  }
  assert.equal(probes, 1);
});

test('a log that was altered, as this gate or another found; keys that cannot be used', async () => {
  const altered = unavailable('The stored log was altered, so nothing runs.');
  assert.deepEqual(await asked({}, { damage: () => 'entry 3 of the log was changed' }), altered);
  assert.deepEqual(await asked({ damage: () => Promise.resolve('entry 3') }), altered);
  assert.deepEqual(
    await asked({ damage: () => Promise.resolve('entry 3') }, { damage: () => 'entry 3' }),
    altered,
    'said once',
  );
  assert.deepEqual(
    await asked({}, { keysProblem: () => 'EACCES: /var/lib/countersign/log-key.pem' }),
    unavailable('The keys of the log cannot be used, so it is not signed.'),
  );
});

test('all that is wrong is said, and none of its details', async () => {
  const own = await openGate();
  await own.propose({}, 'permit (principal, action');
  const store = { ...own.parts.store, probe: () => Promise.resolve(fault) };
  const ready = createReadiness({ parts: { ...own.parts, store }, ready: () => null });
  const text = await (await ready()).text();
  assert.doesNotMatch(text, /EIO|var|cedar/);
  assert.deepEqual((JSON.parse(text) as { readonly why: readonly string[] }).why, [
    unwritable,
    'There is no usable policy set, so everything is denied.',
  ]);
  await own.close();
});

test('a gate that stops says so at once, whatever the store does', async () => {
  const never = { probe: () => new Promise<never>(() => undefined) };
  assert.deepEqual(await asked(never, {}, () => 'The gate is stopping.'), [
    503,
    { status: 'stopping', why: ['The gate is stopping.'] },
  ]);
});

test('however many ask, the store is written to once in a while; what is known is not older', async () => {
  let probes = 0;
  const store = {
    ...gate.parts.store,
    probe: () => {
      probes += 1;
      return gate.parts.store.probe();
    },
  };
  const ready = createReadiness({ parts: { ...gate.parts, store }, ready: () => null });
  const { size } = await gate.parts.store.head();
  await Promise.all(Array.from({ length: 200 }, () => ready()));
  for (let ask = 0; ask < 200; ask += 1) assert.equal((await ready()).status, 200);
  assert.ok(probes <= 3, `${probes} writes`);
  assert.equal((await gate.parts.store.head()).size, size, 'and nothing is in the log of it');
});

test('/healthz answers although the store hangs and there are no policies', async () => {
  const never = (): Promise<never> => new Promise(() => undefined);
  const store = { ...gate.parts.store, probe: never, head: never, damage: never };
  const handler = createHttp({
    parts: { ...gate.parts, store },
    identity: { bearer: never, routes: never } as never, // nobody is asked who they are
    pages: never,
    mcp: never,
    ready: () => null,
  });
  const response = await handler(new Request('http://10.1.2.3:7788/healthz'));
  assert.deepEqual([response.status, await response.json()], [200, { status: 'ok' }]);
});
