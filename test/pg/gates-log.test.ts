/** The log of several gates: one publishes it, all give it out, its holder may die at any moment, and damage stops them all. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Store } from '../../src/ports/store.ts';
import { storeSource } from '../../src/log/verify/store-source.ts';
import { verifyWhole } from '../../src/log/verify/whole.ts';
import { eventually, type TestGate } from '../support/gate.ts';
import { note, noOf, value } from '../store/bench.ts';
import { childGate } from './support/child-gate.ts';
import { onDatabase, type Gates } from './support/gates.ts';

const storeOf = (gate: TestGate): Store => gate.gate().parts.store;
const logOf = (gate: TestGate) => gate.gate().parts.transparency ?? assert.fail('a gate has a log');

/** Waits until this gate gives out a checkpoint over all that there is. */
async function coversAll(gate: TestGate, what: string): Promise<number> {
  const { size } = await storeOf(gate).head();
  await eventually(async () => (await logOf(gate).covered()) >= size, what);
  return size;
}

async function verify(gate: TestGate): Promise<void> {
  await coversAll(gate, 'everything is published');
  const report = await verifyWhole(storeSource(storeOf(gate), 'the store'), {
    trust: { log: [], receipt: new Set(), witnesses: [], quorum: 0 },
    held: [],
    signatures: 'all',
  });
  if (typeof report === 'string') assert.fail(report);
  assert.deepEqual(report.problems, []);
}

const holderOf = async (gates: Gates): Promise<unknown> =>
  (await gates.raw('SELECT holder FROM log_published WHERE one = 1'))[0]?.['holder'];

test('every gate gives out what one of them has published, and is followed by another when it stops', () =>
  onDatabase(async (gates) => {
    const [a, b, c] = [await gates.start(), await gates.start(), await gates.start()];
    for (let n = 0; n < 5; n += 1) value(await storeOf(c).change(note(n)));
    for (const gate of [a, b, c]) await coversAll(gate, 'each gives it out');
    const [at, bt] = [await logOf(a).standing(), await logOf(b).standing()];
    assert.equal(at.checkpoint?.note, bt.checkpoint?.note);
    assert.ok(at.checkpoint !== null && at.origin === 'log.example.test' && bt.origin === at.origin);
    assert.deepEqual([at.problem, bt.problem], [null, null]);
    const holder = await holderOf(gates);
    // Nobody takes it over while it lives, busy or idle.
    for (let n = 0; n < 3; n += 1) {
      await new Promise((resolve) => setTimeout(resolve, 1200));
      value(await storeOf(b).change(note(n)));
      await coversAll(b, 'it goes on');
    }
    assert.equal(await holderOf(gates), holder);
    await a.stop();
    value(await storeOf(c).change(note(9)));
    await coversAll(c, 'another goes on');
    assert.notEqual(await holderOf(gates), holder);
    await verify(c);
  }));

test('kill -9 of the holder: another goes on within the lease, under the same name, and nothing is forked', () =>
  onDatabase(async (gates) => {
    const first = await gates.start();
    const config = `${first.folder}/countersign.yaml`;
    const holders = new Set<unknown>();
    let survivors: TestGate[] = [];
    for (let round = 0; round < 3; round += 1) {
      // The child is the only gate that may hold it: those before it give it back, those after it find it taken.
      const child = await childGate(config);
      for (const one of survivors) await one.stop();
      await first.gate().close();
      const b = await gates.start();
      const taken = await holderOf(gates);
      for (let n = 0; n < 20; n += 1) value(await storeOf(b).change(note(n)));
      await eventually(
        async () => (await holderOf(gates)) !== null && (await logOf(b).covered()) > 0,
        'the child publishes',
      );
      holders.add(taken);
      const killing = child.kill();
      for (let n = 0; n < 20; n += 1) value(await storeOf(b).change(note(n)));
      await killing;
      const begun = performance.now();
      await coversAll(b, 'another gate goes on');
      console.log(`# taken over after ${Math.round(performance.now() - begun)} ms`);
      survivors = [b];
    }
    const [last] = survivors;
    assert.ok(last !== undefined);
    await verify(last);
    const origins = await gates.raw('SELECT DISTINCT origin FROM checkpoints');
    assert.deepEqual(
      origins.map((one) => one['origin']),
      ['log.example.test'],
      'one name',
    );
    const sizes = await gates.raw('SELECT size FROM checkpoints GROUP BY size HAVING COUNT(*) > 1');
    assert.deepEqual(sizes, [], 'no size was signed twice');
  }));

test('attack: an entry is altered before it is published: every gate lets nothing run, until it is put back', () =>
  onDatabase(async (gates) => {
    const [a, b] = [await gates.start(), await gates.start()];
    const agent = await b.token('agent', 'crm-bot');
    const size = await coversAll(b, 'all is published');
    const ask = (gate: TestGate) =>
      gate.call(agent, 'POST', '/v1/actions', { operation: 'shop___refund', input: { cents: 5 } });
    assert.equal((await ask(b)).status, 200);
    await coversAll(b, 'all is published');
    // In one transaction with its entry, so that nobody publishes it before.
    const before = await gates.raw('SELECT size, head, at_ms FROM log_head');
    await gates.raw(
      `WITH cut AS (UPDATE log_head SET size = size - 1 WHERE one = 1 RETURNING size) SELECT size FROM cut`,
    );
    assert.ok(size > 0);
    await eventually(() => logOf(a).damage() !== null && logOf(b).damage() !== null, 'both know of it');
    for (const gate of [a, b]) {
      const answer = await ask(gate);
      assert.deepEqual(
        [answer.status, answer.body.code],
        [503, 'audit_unavailable'],
        JSON.stringify(answer.body),
      );
    }
    // A gate that starts now lets nothing run either.
    const c = await gates.start();
    assert.equal((await ask(c)).status, 503);
    await gates.raw(`UPDATE log_head SET size = ${String(before[0]?.['size'])} WHERE one = 1`);
    await eventually(() => [a, b, c].every((gate) => logOf(gate).damage() === null), 'it is mended');
    assert.equal((await ask(b)).status, 200);
    assert.equal(noOf(await storeOf(a).change(note(1))), 'ok');
  }));
