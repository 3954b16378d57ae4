/** The contract, fifth part: what keeps agents in bounds is counted in the transaction that grants, and survives a restart. */
import assert from 'node:assert/strict';
import { everMinute, recentOf } from '../../src/core/recent.ts';
import { sha256Hex } from '../../src/core/sha256.ts';
import type { Verdict, Versions } from '../../src/core/verdict.ts';
import { caseOf, handle, hold, noOf, storeTest, value, type MakeBench, type Opened } from './bench.ts';
import * as world from './world.ts';

export function boundsContract(name: string, make: MakeBench): void {
  counts(name, make);
  inboxes(name, make);
  stops(name, make);
}

/** Allowed with the counts that the store gives now, as `app` would ask. */
async function judged({ store, versions, clock }: Opened, amount: number): Promise<Verdict> {
  const rows = await store.recent('crm___export');
  const one = { agent: world.agent, amount, countedAtMs: null };
  return {
    ...world.allow(versions),
    recent: recentOf(rows, one, await store.directory(), clock.nowMs()),
  };
}

function counts(name: string, make: MakeBench): void {
  storeTest(`${name}: grants are counted by minute and for ever, and only grants`, make, async (opened) => {
    const { store, versions, later } = opened;
    const ask = (amount: number) => world.ask(world.allow(versions), { amount, execute: true });
    value(await store.change(ask(1000)));
    value(await store.change(ask(500)));
    value(await store.change(world.ask(world.deny(versions), { amount: 9 })));
    const { review } = await hold(opened, world.ask(world.review(versions), { amount: 70 }));
    const before = await store.recent('crm___export');
    assert.equal(
      before.find((row) => row.minute === everMinute)?.sum,
      1500,
      'what is held is not granted yet',
    );
    value(await store.change(world.reviewOf(handle(review), world.rosa)));
    const rows = await store.recent('crm___export');
    assert.deepEqual(
      rows.filter((row) => row.minute === everMinute).map((row) => [row.agent, row.count, row.sum]),
      [[world.agent, 3, 1570]],
    );
    assert.equal(
      rows.filter((row) => row.minute !== everMinute).reduce((sum, row) => sum + row.sum, 0),
      1570,
    );
    assert.deepEqual(await store.recent('crm___other'), []);
    later(25 * 3_600_000);
    assert.deepEqual(
      (await store.recent('crm___export')).map((row) => row.minute),
      [everMinute],
      'a day later only the total is left',
    );
  });

  storeTest(`${name}: of many judged with the same counts, one is granted`, make, async (opened) => {
    const verdict = await judged(opened, 1000);
    const asks = Array.from({ length: 20 }, () => world.ask(verdict, { amount: 1000, execute: true }));
    const answers = await Promise.all(asks.map((ask) => opened.store.change(ask)));
    assert.deepEqual(answers.map(noOf).toSorted(), ['ok', ...Array.from({ length: 19 }, () => 'stale')]);
    const next = await judged(opened, 1000);
    assert.equal(next.recent?.agent.day.sum, 2000);
  });

  storeTest(`${name}: a sum stays at the largest exact number`, make, async ({ store, versions }) => {
    for (const amount of [Number.MAX_SAFE_INTEGER, 5])
      value(await store.change(world.ask(world.allow(versions), { amount, execute: true })));
    const rows = await store.recent('crm___export');
    assert.deepEqual([...new Set(rows.map((row) => row.sum))], [Number.MAX_SAFE_INTEGER]);
  });
}

const crowded = (versions: Versions, limits: Parameters<typeof world.ask>[1]) =>
  world.ask(world.review(versions), limits);

function inboxes(name: string, make: MakeBench): void {
  storeTest(
    `${name}: an inbox holds what waits for its person, until it no longer does`,
    make,
    async (opened) => {
      const { store, versions } = opened;
      const ids = async (): Promise<readonly string[]> =>
        (await store.held({ status: 'pending', for: world.rosa, limit: 10 })).map((one) => one.asked.id);
      const first = await hold(opened, crowded(versions, {}));
      const second = await hold(opened, crowded(versions, {}));
      assert.deepEqual(await ids(), [second.held.asked.id, first.held.asked.id]);
      assert.deepEqual(await store.held({ status: 'pending', for: world.sam, limit: 10 }), [], 'conflicted');
      assert.deepEqual(
        (await store.crowd({ agent: world.agent, people: [world.rosa, world.sam] })).inbox.map(
          (one) => one.pending,
        ),
        [2, 0],
      );
      value(await store.change(world.reviewOf(handle(first.review), world.rosa)));
      assert.deepEqual(await ids(), [second.held.asked.id]);
      value(await store.change(world.reviewOf(handle(second.review), world.mia, 'deny')));
      assert.deepEqual(await ids(), []);
      const crowd = await store.crowd({ agent: world.agent, people: [world.rosa] });
      assert.deepEqual([crowd.pending, crowd.opened, crowd.inbox[0]?.pending], [0, 2, 0]);
    },
  );

  storeTest(
    `${name}: quotas are counted in the transaction that opens`,
    make,
    async ({ store, versions }) => {
      const asks = Array.from({ length: 40 }, () => crowded(versions, { limits: { pendingPerAgent: 5 } }));
      const answers = await Promise.all(asks.map((ask) => store.change(ask)));
      assert.equal(answers.filter((one) => noOf(one) === 'ok').length, 5);
      assert.equal(answers.filter((one) => noOf(one) === 'quota').length, 35);
      const opened = (await store.entries(-1, 1000)).filter(({ entry }) => entry.type === 'approval.opened');
      assert.equal(opened.length, 5);
    },
  );
}

function stops(name: string, make: MakeBench): void {
  storeTest(`${name}: a stop is there after a restart, and until it is lifted`, make, async (opened) => {
    const { store, versions } = opened;
    const stop = {
      kind: 'stop',
      agent: world.agent,
      by: world.oz,
      approval: null,
      reason: 'it loops',
    } as const;
    value(await store.change(stop));
    value(await store.change(stop));
    const ask = () => store.change(world.ask(world.allow(versions), { execute: true }));
    assert.equal(noOf(await ask()), 'agent_stopped');
    await store.close();
    const again = await opened.open({ clock: opened.clock });
    try {
      assert.deepEqual(
        (await again.stops()).map((one) => [one.agent, one.operation, one.kind, one.reason]),
        [[world.agent, null, 'stopped', 'it loops']],
      );
      assert.equal(noOf(await again.change(world.ask(world.allow(versions)))), 'agent_stopped');
      value(
        await again.change({ kind: 'lift', agent: world.agent, operation: null, by: world.oz, reason: null }),
      );
      assert.deepEqual(await again.stops(), []);
      value(await again.change(world.ask(world.allow(versions))));
      const types = (await again.entries(-1, 100)).map(({ entry }) => entry.type);
      assert.equal(types.filter((type) => type === 'agent.stopped').length, 1, 'stopping twice is one entry');
    } finally {
      await again.close();
    }
  });

  storeTest(`${name}: three unsafe denials pause, and lifting forgets them`, make, async (opened) => {
    const { store, versions } = opened;
    for (let n = 0; n < 3; n += 1) {
      const { review } = await hold(opened, world.ask(world.review(versions)));
      const deny = world.reviewOf(handle(review), world.rosa, 'deny');
      caseOf(await store.change({ ...deny, proposed: { ...deny.proposed, unsafe: true } }));
    }
    assert.deepEqual(
      (await store.stops()).map((one) => [one.operation, one.kind, one.by.kind]),
      [['crm___export', 'paused', 'gate']],
    );
    assert.equal((await store.unsafe()).length, 3);
    assert.equal(noOf(await store.change(world.ask(world.review(versions)))), 'operation_paused');
    value(
      await store.change({
        kind: 'lift',
        agent: world.agent,
        operation: 'crm___export',
        by: world.oz,
        reason: 'mended',
      }),
    );
    assert.deepEqual([await store.stops(), await store.unsafe()], [[], []]);
  });

  storeTest(`${name}: what is used once is used once, whoever races`, make, async ({ store, clock }) => {
    const use = () =>
      store.change({ kind: 'use', hash: sha256Hex('leg'), expiresAtMs: clock.nowMs() + 60_000 });
    const answers = await Promise.all([use(), use(), use(), use()]);
    assert.deepEqual(answers.map(noOf).toSorted(), ['input_invalid', 'input_invalid', 'input_invalid', 'ok']);
  });

  storeTest(`${name}: a callback’s notice is written once, when the wait ends`, make, async (opened) => {
    const { store, versions } = opened;
    const quiet = await hold(opened, world.ask(world.review(versions)));
    const woken = await hold(opened, world.ask(world.review(versions), { callback: 'https://wf.example/x' }));
    assert.deepEqual(await store.takeNotices('callback', 1000, 10), []);
    for (const { review } of [quiet, woken])
      value(await store.change(world.reviewOf(handle(review), world.rosa)));
    const due = await store.takeNotices('callback', 1000, 10);
    assert.deepEqual(
      due.map((one) => [one.kind, one.approval]),
      [['approval.closed', woken.review.approval]],
    );
  });
}
