/** Gates that share a database: who is there, and whose runs are whose. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExecutionId } from '../../src/core/ids.ts';
import { gateLimits } from '../../src/core/runner.ts';
import type { Store } from '../../src/ports/store.ts';
import { eventually, type TestGate } from '../support/gate.ts';
import { caseOf } from '../store/bench.ts';
import * as world from '../store/world.ts';
import { onDatabase } from './support/gates.ts';

const storeOf = (gate: TestGate): Store => gate.gate().parts.store;

/** Something that this gate runs, and that does not end by itself. */
async function running(gate: TestGate): Promise<ExecutionId> {
  const store = storeOf(gate);
  const ask = world.ask(world.allow(await store.versions()), { execute: true, enforcement: 'mediated' });
  return caseOf(await store.change(ask)).execution?.id ?? assert.fail('it runs');
}

const statusOf = async (gate: TestGate, execution: ExecutionId): Promise<string | undefined> =>
  (await storeOf(gate).caseBy({ execution }))?.execution?.status;


test('attack: a gate that starts declares nothing lost that another gate runs', () =>
  onDatabase(async (gates) => {
    const a = await gates.start();
    const execution = await running(a);
    await gates.raw(`UPDATE executions SET started_at_ms = started_at_ms - 3600000`);
    const b = await gates.start();
    assert.equal(await statusOf(b, execution), 'started');
    // Nor does it once it has been there for long enough to give somebody up.
    await gates.raw(`UPDATE gates SET steady_at_ms = steady_at_ms - ${2 * gateLimits.goneMs}`);
    const ids = (await storeOf(a).gates()).map((one) => one.id);
    assert.equal(ids.length, 2);
    assert.deepEqual(await storeOf(b).orphans(), []);
    await b.restart();
    assert.equal(await statusOf(a, execution), 'started');
    const outcome = await storeOf(a).change({
      kind: 'outcome',
      execution,
      by: { kind: 'gate' },
      status: 'succeeded',
      detail: null,
      result: null,
    });
    assert.ok(outcome.ok, JSON.stringify(outcome));
    assert.equal(await statusOf(b, execution), 'succeeded');
  }));

test('what a gate ran that is gone is unknown, as any of the others finds; a gate that stops is forgotten', () =>
  onDatabase(async (gates) => {
    const [a, b] = [await gates.start(), await gates.start()];
    const execution = await running(a);
    const dead = (await storeOf(a).gates())[0] ?? assert.fail('it is there');
    // As if it had been killed: its row stays, and nothing is heard of it.
    const theirs = `UPDATE executions SET gate = 'gte_dead', started_at_ms = started_at_ms - 60000`;
    await gates.raw(theirs);
    await gates.raw(
      `INSERT INTO gates (id, started_at_ms, steady_at_ms, seen_at_ms, body)
        SELECT 'gte_dead', started_at_ms - 60000, started_at_ms - 60000, seen_at_ms - 60000, body FROM gates WHERE id = '${dead.id}'`,
    );
    await gates.raw(
      `UPDATE gates SET steady_at_ms = steady_at_ms - 60000 WHERE id <> 'gte_dead'`,
    );
    await eventually(async () => (await statusOf(b, execution)) === 'unknown', 'it is given up');
    const types = (await storeOf(b).entries(-1, 1000)).map(({ entry }) => entry.type);
    assert.equal(types.filter((one) => one === 'execution.unknown').length, 1, 'once');
    assert.equal((await storeOf(b).gates()).length, 3, 'the dead one is shown still');
    await a.stop();
    const left = (await storeOf(b).gates()).map((one) => one.id);
    assert.ok(left.length === 2 && !left.includes(dead.id));
    const ends = (await storeOf(b).entries(-1, 1000)).filter(({ entry }) => entry.type === 'gate.stopped');
    assert.deepEqual(ends.map(({ entry }) => entry.data), [{ gate: dead.id }]);
  }));
