/** The contract, part about reconciliation: executions are read whole and once, of their time alone; a comparison is kept with its entry. */
import assert from 'node:assert/strict';
import { asSha256Hex } from '../../src/core/ids.ts';
import type { Ran, Reconciliation } from '../../src/core/reconcile.ts';
import type { RanPlace } from '../../src/ports/reconciliations.ts';
import type { Store } from '../../src/ports/store.ts';
import { noOf, storeTest, value, type MakeBench } from './bench.ts';
import * as world from './world.ts';

async function executionsOf(
  store: Store,
  range: { readonly fromMs: number; readonly toMs: number },
): Promise<readonly Ran[]> {
  const rows: Ran[] = [];
  for (let place: RanPlace | null = null; ;) {
    const page = await store.executionsPage(range, place);
    rows.push(...page.rows);
    if (page.next === null) return rows;
    place = page.next;
  }
}

const found = (id: string, from: string, to: string): Reconciliation => ({
  id,
  source: 'csv',
  targets: ['crm'],
  from,
  to,
  skewMs: 5000,
  rowsPerExecution: 1,
  files: [{ name: 'a.csv', sha256: asSha256Hex('0'.repeat(64)) }],
  rows: 3,
  outside: 0,
  matched: 1,
  targetOnly: { count: 2, rows: [] },
  executions: 1,
  gateOnly: { count: 0, rows: [] },
});

export function reconcileContract(name: string, make: MakeBench): void {
  storeTest(`${name}: executions of a time are read in pages, and no others`, make, async (opened) => {
    const { store, versions, clock, later } = opened;
    const execute = async (count: number): Promise<void> => {
      const commands = Array.from({ length: count }, () =>
        world.ask(world.allow(versions), { execute: true }),
      );
      for (const changed of await Promise.all(commands.map((command) => store.change(command))))
        value(changed);
    };
    await execute(1);
    later(60_000);
    const fromMs = clock.nowMs();
    await execute(1001);
    later(60_000);
    const toMs = clock.nowMs();
    await execute(1);
    value(await store.change(world.ask(world.deny(versions))));
    const rows = await executionsOf(store, { fromMs, toMs });
    assert.equal(rows.length, 1001);
    assert.equal(new Set(rows.map((row) => row.execution)).size, 1001);
    const [one] = rows;
    assert.deepEqual(
      [one?.operation, one?.agent, one?.status, one?.endedAtMs],
      ['crm___export', world.agent, 'started', null],
    );
    assert.ok(rows.every((row) => row.startedAtMs >= fromMs && row.startedAtMs < toMs));
    const { startedAtMs = 0 } = rows.at(-1) ?? {};
    const earlier = await executionsOf(store, { fromMs, toMs: startedAtMs });
    assert.ok(
      earlier.every((row) => row.startedAtMs < startedAtMs),
      'the end is exclusive',
    );
    const [soon, far] = [clock.nowMs() + 1000, clock.nowMs() + 2000];
    assert.equal((await executionsOf(store, { fromMs: 0, toMs: soon })).length, 1003);
    assert.deepEqual(await executionsOf(store, { fromMs: soon, toMs: far }), []);
  });

  storeTest(
    `${name}: a comparison is kept with its entry, by operators and nobody else`,
    make,
    async ({ store }) => {
      const from = '2026-01-01T00:00:00.000Z';
      const to = '2026-02-01T00:00:00.000Z';
      const by = { kind: 'person', id: world.oz } as const;
      value(await store.change({ kind: 'reconcile', by, found: found('rec_1', from, to) }));
      value(
        await store.change({
          kind: 'reconcile',
          by: { kind: 'operator' },
          found: found('rec_2', to, '2026-03-01T00:00:00.000Z'),
        }),
      );
      for (const other of [
        { kind: 'person', id: world.rosa },
        { kind: 'agent', id: world.agent },
        { kind: 'gate' },
      ] as const)
        assert.equal(
          noOf(await store.change({ kind: 'reconcile', by: other, found: found('rec_3', from, to) })),
          'not_permitted',
        );
      const kept = await store.reconciliation('rec_1');
      assert.deepEqual(kept, { ...found('rec_1', from, to), by, at: kept?.at });
      assert.match(kept?.at ?? '', /^\d{4}-\d\d-\d\dT/);
      assert.equal(await store.reconciliation('rec_3'), undefined);
      const ids = async (fromMs: number, toMs: number): Promise<readonly string[]> =>
        (await store.reconciliations(fromMs, toMs)).map((one) => one.id).toSorted();
      const [january, february] = [Date.parse(from), Date.parse(to)];
      assert.deepEqual(await ids(0, Number.MAX_SAFE_INTEGER), ['rec_1', 'rec_2']);
      assert.deepEqual(
        [await ids(january, february), await ids(february, february + 1), await ids(0, january)],
        [['rec_1'], ['rec_2'], []],
      );
      const entries = (await store.entries(-1, 1000))
        .map(({ entry }) => entry)
        .filter((entry) => entry.type === 'reconciliation.recorded');
      assert.deepEqual(
        entries.map((entry) => [entry.by.kind, entry.data['id'], entry.data['targetOnly']]),
        [
          ['person', 'rec_1', 2],
          ['operator', 'rec_2', 2],
        ],
      );
    },
  );
}
