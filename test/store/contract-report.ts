/** The contract, last part: what a report counts is read in pages, whole and once, and only of the time that was asked for. */
import assert from 'node:assert/strict';
import type { ReportRow } from '../../src/core/report.ts';
import type { ReportPlace } from '../../src/ports/reports.ts';
import type { Store } from '../../src/ports/store.ts';
import { reportPageMax } from '../../src/store/report-rows.ts';
import { hold, storeTest, value, type MakeBench } from './bench.ts';
import * as world from './world.ts';

/** All pages. */
async function rowsOf(
  store: Store,
  range: { readonly fromMs: number; readonly toMs: number },
): Promise<{ readonly rows: readonly ReportRow[]; readonly pages: number }> {
  const rows: ReportRow[] = [];
  let pages = 0;
  for (let place: ReportPlace | null = null; ;) {
    const page = await store.reportPage(range, place);
    pages += 1;
    rows.push(...page.rows);
    if (page.next === null) return { rows, pages };
    place = page.next;
  }
}

export function reportContract(name: string, make: MakeBench): void {
  storeTest(`${name}: a report reads what each action came to`, make, async (opened) => {
    const { store, versions, clock } = opened;
    const start = clock.nowMs();
    value(await store.change(world.ask(world.allow(versions), { execute: true })));
    value(await store.change(world.ask(world.deny(versions))));
    await hold(opened, world.ask(world.review(versions)));
    const watched = world.ask(world.review(versions));
    value(await store.change({ ...watched, asked: { ...watched.asked, mode: 'observe' } }));
    const { rows } = await rowsOf(store, { fromMs: 0, toMs: start + 86_400_000 });
    assert.deepEqual(
      rows.map((row) => [
        row.mode,
        row.verdict?.effect ?? null,
        row.passed,
        row.approval !== null,
        row.ending?.code,
      ]),
      [
        ['enforce', null, true, false, undefined],
        ['enforce', 'deny', false, false, 'forbidden'],
        ['enforce', 'review', false, true, undefined],
        ['observe', 'review', true, false, undefined],
      ],
    );
    assert.deepEqual(
      rows[2]?.approval?.eligibleThen.map((one) => one.people),
      [[world.rosa, world.mia]],
    );
  });

  storeTest(`${name}: a report is of its time, from inclusive and to exclusive`, make, async (opened) => {
    const { store, versions, clock, later } = opened;
    const times: number[] = [];
    for (let count = 0; count < 3; count += 1) {
      later(3_600_000);
      // Read once: the clock goes on.
      const atMs = clock.nowMs();
      times.push(atMs);
      const one = world.ask(world.allow(versions), { execute: true });
      value(await store.change({ ...one, asked: { ...one.asked, atMs } }));
    }
    const [first = 0, second = 0, third = 0] = times;
    const at = async (fromMs: number, toMs: number): Promise<readonly number[]> =>
      (await rowsOf(store, { fromMs, toMs })).rows.map((row) => row.atMs);
    assert.deepEqual(await at(first, third), [first, second]);
    assert.deepEqual(await at(first + 1, third + 1), [second, third]);
    assert.deepEqual(await at(third + 1, third + 1_000_000), []);
  });

  storeTest(
    `${name}: a report of more than a page has every action once`,
    make,
    async ({ store, versions, clock }) => {
      const many = reportPageMax + 50;
      const asked = Array.from({ length: many }, () => world.ask(world.allow(versions), { execute: true }));
      for (const result of await Promise.all(asked.map((one) => store.change(one)))) value(result);
      const { rows, pages } = await rowsOf(store, { fromMs: 0, toMs: clock.nowMs() + 86_400_000 });
      assert.deepEqual([rows.length, pages], [many, 2]);
    },
  );
}
