/** The contract, part about gates that share a store: who is there, leases, whose run is lost, what was proposed, damage. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExecutionId } from '../../src/core/ids.ts';
import { gateLimits } from '../../src/core/runner.ts';
import type { GateBody } from '../../src/ports/gates.ts';
import type { Store } from '../../src/ports/store.ts';
import { caseOf, noOf, value, type Bench, type MakeBench } from './bench.ts';
import * as world from './world.ts';

export const body = (host: string): GateBody => ({
  host,
  pid: 1,
  url: `http://${host}`,
  version: '0.1.0',
  schema: 6,
  config: null,
  current: true,
});

interface Two extends Bench {
  readonly a: Store;
  readonly b: Store;
  /** Makes what is known of a gate older. */
  readonly age: (gate: string, column: 'seen_at_ms' | 'steady_at_ms', byMs: number) => Promise<void>;
}

/** Two stores on one database, as two gates have them. */
function twoTest(name: string, make: MakeBench, work: (two: Two) => Promise<void>): void {
  test(name, async () => {
    const bench = await make();
    const a = await bench.open({ exclusive: false, gate: 'a' });
    const b = await bench.open({ exclusive: false, gate: 'b' });
    try {
      value(await a.change(world.acceptDirectory()));
      const age: Two['age'] = async (gate, column, byMs) => {
        await bench.raw(`UPDATE gates SET ${column} = ${column} - ${byMs} WHERE id = '${gate}'`);
      };
      await work({ ...bench, a, b, age });
    } finally {
      await Promise.all([a.close(), b.close()]);
      await bench.remove();
    }
  });
}

/** A mediated run of an allowed action, started through this store. */
async function started(store: Store): Promise<ExecutionId> {
  const ask = world.ask(world.allow(await store.versions()), { execute: true, enforcement: 'mediated' });
  const held = caseOf(await store.change(ask));
  return held.execution?.id ?? assert.fail('it runs');
}

/** The run has lasted for long. */
const longAgo = (bench: Bench): Promise<unknown> =>
  bench.raw(`UPDATE executions SET started_at_ms = started_at_ms - ${gateLimits.goneMs}`);

const statusOf = async (store: Store, execution: ExecutionId): Promise<string | undefined> =>
  (await store.caseBy({ execution }))?.execution?.status;

/** The contract of ports/gates.ts. */
export function gatesContract(name: string, make: MakeBench): void {
  presence(name, make);
  runs(name, make);
  leases(name, make);
  telling(name, make);
}

function presence(name: string, make: MakeBench): void {
  twoTest(`${name}: a gate is there from its first beat until it leaves`, make, async ({ a, b }) => {
    assert.deepEqual(await a.gates(), []);
    const first = await a.beat('a', body('one'));
    assert.deepEqual(
      first?.map((one) => [one.id, one.silentMs, one.body.host]),
      [['a', 0, 'one']],
    );
    const both = await b.beat('b', body('two'));
    // Where the store is locked to one process, the other is dead.
    assert.deepEqual(both?.map((one) => one.id).toSorted(), b.shared ? ['a', 'b'] : ['b']);
    assert.deepEqual((await a.gates()).map((one) => one.id).toSorted(), b.shared ? ['a', 'b'] : ['b']);
    await b.leave('b');
    assert.deepEqual(
      (await a.gates()).map((one) => one.id),
      a.shared ? ['a'] : [],
    );
  });

  twoTest(`${name}: a gate that was not heard of for a while is not steady`, make, async ({ a, age }) => {
    const begun = (await a.beat('a', body('one')))?.[0] ?? assert.fail('it is there');
    await age('a', 'steady_at_ms', 60_000);
    const still = (await a.beat('a', body('one')))?.[0] ?? assert.fail('it is there');
    assert.equal(still.steadyAtMs, begun.steadyAtMs - 60_000, 'no gap');
    await age('a', 'seen_at_ms', gateLimits.gapMsMax + 1000);
    const after = (await a.beat('a', body('other')))?.[0] ?? assert.fail('it is there');
    assert.ok(after.steadyAtMs >= begun.steadyAtMs, 'steady from now on only');
    assert.equal(after.startedAtMs, begun.startedAtMs);
    assert.equal(after.body.host, 'other');
  });

  twoTest(`${name}: who was silent for an hour is forgotten`, make, async ({ a, b, age }) => {
    await a.beat('a', body('one'));
    await age('a', 'seen_at_ms', 3_600_001);
    assert.deepEqual(
      (await b.beat('b', body('two')))?.map((one) => one.id),
      ['b'],
    );
  });
}

function runs(name: string, make: MakeBench): void {
  twoTest(
    `${name}: what a living gate runs is not lost, whoever says so`,
    make,
    async ({ a, b, age, ...bench }) => {
      await a.beat('a', body('one'));
      await b.beat('b', body('two'));
      if (!b.shared) return assert.equal((await a.gates()).length, 1, 'there is one gate at a time');
      await age('b', 'steady_at_ms', 60_000);
      const execution = await started(a);
      await longAgo(bench);
      assert.deepEqual(await b.orphans(), []);
      assert.equal(noOf(await b.change({ kind: 'lost', execution })), 'not_permitted');
      assert.equal(noOf(await a.change({ kind: 'lost', execution })), 'not_permitted', 'nor itself');
      assert.equal(await statusOf(a, execution), 'started');
    },
  );

  twoTest(`${name}: what a gate runs that is gone is lost, once`, make, async ({ a, b, age, ...bench }) => {
    await a.beat('a', body('one'));
    const execution = await started(a);
    await b.beat('b', body('two'));
    await age('b', 'steady_at_ms', 60_000);
    if (b.shared) {
      await age('a', 'seen_at_ms', gateLimits.goneMs);
      assert.equal(noOf(await b.change({ kind: 'lost', execution })), 'not_permitted', 'it began just now');
      assert.deepEqual(await b.orphans(), []);
      await longAgo(bench);
    }
    assert.deepEqual(await b.running(), [execution]);
    if (b.shared) assert.deepEqual(await b.orphans(), [execution]);
    assert.equal(caseOf(await b.change({ kind: 'lost', execution })).execution?.status, 'unknown');
    assert.equal(noOf(await b.change({ kind: 'lost', execution })), 'not_found');
    assert.deepEqual(await b.orphans(), []);
  });

  twoTest(`${name}: who was away itself gives nobody up`, make, async ({ a, b, age, ...bench }) => {
    await a.beat('a', body('one'));
    const execution = await started(a);
    await b.beat('b', body('two'));
    if (!b.shared) return assert.equal((await a.gates()).length, 1, 'there is one gate at a time');
    await longAgo(bench);
    await age('a', 'seen_at_ms', gateLimits.goneMs);
    // It has just begun.
    assert.equal(noOf(await b.change({ kind: 'lost', execution })), 'not_permitted');
    // It was steady once, and not heard of since: the database was away from everybody.
    await age('b', 'steady_at_ms', 60_000);
    await age('b', 'seen_at_ms', gateLimits.gapMsMax + 1000);
    assert.equal(noOf(await b.change({ kind: 'lost', execution })), 'not_permitted');
    // A command line knows of nobody.
    const beside = await bench.open({ exclusive: false });
    assert.equal(noOf(await beside.change({ kind: 'lost', execution })), 'not_permitted');
    await beside.close();
    await b.beat('b', body('two'));
    assert.equal(noOf(await b.change({ kind: 'lost', execution })), 'not_permitted', 'steady since now only');
    await age('b', 'steady_at_ms', gateLimits.goneMs);
    assert.equal(noOf(await b.change({ kind: 'lost', execution })), 'ok');
  });

  twoTest(`${name}: a gate that left has no runs`, make, async ({ a, b, age, ...bench }) => {
    await a.beat('a', body('one'));
    const execution = await started(a);
    await longAgo(bench);
    await a.leave('a');
    await b.beat('b', body('two'));
    await age('b', 'steady_at_ms', gateLimits.goneMs);
    assert.equal(noOf(await b.change({ kind: 'lost', execution })), 'ok');
  });

  twoTest(
    `${name}: the gate that ran it tells how it ended, also after it was given up; nobody else does`,
    make,
    async ({ a, b, age, ...bench }) => {
      const outcome = (execution: ExecutionId) =>
        ({
          kind: 'outcome',
          execution,
          by: { kind: 'gate' },
          status: 'succeeded',
          detail: null,
          result: null,
        }) as const;
      await a.beat('a', body('one'));
      const [first, second] = [await started(a), await started(a)];
      await longAgo(bench);
      await age('a', 'seen_at_ms', gateLimits.goneMs);
      await b.beat('b', body('two'));
      await age('b', 'steady_at_ms', gateLimits.goneMs);
      for (const execution of [first, second])
        assert.equal(noOf(await b.change({ kind: 'lost', execution })), 'ok');
      assert.equal(noOf(await b.change(outcome(first))), 'grant_consumed', 'it never saw it run');
      assert.equal(caseOf(await a.change(outcome(first))).execution?.status, 'succeeded');
      const [last] = (await a.entries((await a.head()).size - 2, 1)).map(({ entry }) => entry);
      assert.deepEqual(
        [last?.type, last?.data],
        ['execution.succeeded', { outcomeBy: 'gate', detail: null, late: true }],
      );
      assert.equal(noOf(await a.change({ ...outcome(first), status: 'failed' })), 'grant_consumed');
      // What a person has settled stays settled.
      const settle = {
        kind: 'settle',
        execution: second,
        by: world.sam,
        status: 'failed',
        reason: 'seen',
      } as const;
      const settled = await a.change(settle);
      if (settled.ok) assert.equal(noOf(await a.change(outcome(second))), 'grant_consumed');
      else assert.equal(noOf(settled), 'not_permitted');
    },
  );
}

function leases(name: string, make: MakeBench): void {
  twoTest(`${name}: a lease has one holder until its time is over`, make, async ({ a, b, raw }) => {
    assert.equal(await a.leaseFree('ship', 'a'), true);
    const both = await Promise.all([a.takeLease('ship', 'a', 5000), b.takeLease('ship', 'b', 5000)]);
    assert.notEqual(both[0], both[1], 'one has it');
    const [winner, other] = both[0] ? (['a', 'b'] as const) : (['b', 'a'] as const);
    assert.equal(await a.takeLease('ship', winner, 5000), true, 'kept');
    assert.equal(await a.leaseFree('ship', other), false);
    assert.equal(await a.leaseFree('ship', winner), true);
    assert.equal(await a.takeLease('retention', other, 5000), true, 'another lease is another thing');
    await raw("UPDATE leases SET until_ms = until_ms - 5000 WHERE name = 'ship'");
    assert.equal(await a.leaseFree('ship', other), true);
    assert.equal(await b.takeLease('ship', other, 5000), true);
    assert.equal(await a.takeLease('ship', winner, 5000), false);
    assert.equal(await b.takeLease('ship', other, 0), false, 'given back');
    assert.equal(await a.takeLease('ship', winner, 5000), true);
    await a.leave(winner);
    assert.equal(await a.leaseFree('ship', other), true, 'whoever leaves holds nothing');
  });

  twoTest(`${name}: nobody holds a lease for longer than leases last`, make, async ({ a, b, raw }) => {
    assert.equal(await a.takeLease('ship', 'a', 999_999_999), true);
    await raw("UPDATE leases SET until_ms = until_ms + 600000 WHERE name = 'ship'");
    assert.equal(await b.takeLease('ship', 'b', 5000), true, 'the clock was put back since');
  });
}

function telling(name: string, make: MakeBench): void {
  twoTest(`${name}: damage is told to all, until it is mended`, make, async ({ a, b }) => {
    assert.equal(await a.damage(), null);
    assert.ok((await a.takeTree('t', 1000)) !== null);
    assert.equal(await a.setDamage('entry 7 of the log was changed'), true);
    assert.equal(await b.damage(), 'entry 7 of the log was changed');
    assert.equal(await b.setDamage(null), true);
    assert.equal(await a.damage(), null);
  });

  twoTest(
    `${name}: damage stops also the gate that tells of it, and once it is mended nobody is stopped any more`,
    make,
    async ({ a, b }) => {
      assert.ok((await a.takeTree('t', 1000)) !== null);
      const asks = async (store: Store): Promise<string> =>
        noOf(await store.change(world.ask(world.allow(await store.versions()), { execute: true })));
      // Both know the world by now.
      assert.deepEqual([await asks(a), await asks(b)], ['ok', 'ok']);
      await a.setDamage('entry 7 of the log was changed');
      assert.deepEqual([await asks(a), await asks(b)], ['fault', 'fault']);
      await a.setDamage(null);
      assert.deepEqual([await asks(a), await asks(b)], ['ok', 'ok']);
    },
  );

  twoTest(`${name}: the newest proposal is the one that was proposed last`, make, async ({ a, b }) => {
    assert.deepEqual(await a.proposals('d1'), { known: undefined, newest: undefined });
    await a.propose('d1');
    await b.propose('d2');
    const old = await a.proposals('d1');
    assert.equal(old.newest?.digest, 'd2');
    assert.ok(old.known !== undefined && old.newest !== undefined && old.known.atMs < old.newest.atMs);
    await a.propose('d1');
    assert.equal((await b.proposals('d2')).newest?.digest, 'd1');
    const again = await b.proposals('d1');
    await a.propose('d1');
    assert.deepEqual(await b.proposals('d1'), again, 'proposing the newest again changes nothing');
  });
}
