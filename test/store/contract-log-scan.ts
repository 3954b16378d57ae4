/** The contract, the log in its order: filters by what an action is, pages that join without a gap, and the cases of entries. */
import assert from 'node:assert/strict';
import type { LogScan } from '../../src/ports/overview.ts';
import { handle, hold, storeTest, value, type MakeBench, type Opened } from './bench.ts';
import * as world from './world.ts';

const everything: LogScan = {
  text: null,
  type: null,
  agent: null,
  operation: null,
  person: null,
  resource: null,
  verdict: null,
  policy: null,
  fromMs: null,
  toMs: null,
  first: 0,
  until: null,
  limit: 1000,
};

/** One action that is held and denied, one that is allowed; each on a thing of its own. */
async function lived(opened: Opened) {
  const { store, versions } = opened;
  const held = world.ask(world.review(versions), {
    operation: 'crm___export',
    resource: { type: 'Dataset', id: 'customers' },
    input: { note: 'Quarterly_numbers 100%', nested: { resource: { id: 'plans', type: 'Dataset' } } },
  });
  const { review } = await hold(opened, held);
  value(await store.change(world.reviewOf(handle(review), world.rosa)));
  const allowed = world.ask(world.allow(versions), {
    operation: 'crm___read',
    resource: { type: 'Dataset', id: 'plans' },
  });
  value(await store.change(allowed));
  return { held: held.asked.id, allowed: allowed.asked.id };
}

export function logScanContract(name: string, make: MakeBench): void {
  storeTest(
    `${name}: the log in order, by resource, verdict, policy and what an action holds`,
    make,
    async (opened) => {
      const { store } = opened;
      const { held, allowed } = await lived(opened);
      const about = async (query: Partial<LogScan>) => [
        ...new Set(
          (await store.scanLog({ ...everything, ...query })).entries.map(({ entry }) => entry.about.action),
        ),
      ];
      assert.deepEqual(await about({ resource: 'customers' }), [held]);
      // A resource inside an input is none.
      assert.deepEqual(await about({ resource: 'plans' }), [allowed]);
      assert.deepEqual(await about({ resource: 'plan' }), []);
      assert.deepEqual(await about({ verdict: 'review' }), [held]);
      assert.deepEqual(await about({ verdict: 'allow' }), [allowed]);
      assert.deepEqual(await about({ verdict: 'deny' }), []);
      const policy = (await store.caseBy({ action: held }))?.asked.verdict;
      const id = policy?.effect === 'review' ? policy.requirements[0]?.id : undefined;
      assert.ok(id);
      assert.deepEqual(await about({ policy: id }), [held]);
      assert.deepEqual(await about({ policy: `${id}x` }), []);
      // Found in the action, though no entry about it says so.
      assert.deepEqual(await about({ text: 'quarterly_NUMBERS 100%' }), [held]);
      assert.deepEqual(await about({ text: 'quarterlyXnumbers' }), []);
      const all = await store.entriesAbout(held);
      assert.deepEqual(
        (await store.scanLog({ ...everything, resource: 'customers' })).entries.map((one) => one.entry.index),
        all.map((one) => one.entry.index),
        'every entry of the action, in order',
      );
    },
  );

  storeTest(
    `${name}: pages of the log in order join without a gap, whatever their size`,
    make,
    async (opened) => {
      const { store } = opened;
      await lived(opened);
      const { size } = await store.head();
      for (const limit of [1, 2, 3, size, size + 1])
        for (const filter of [{}, { verdict: 'review' }, { person: world.rosa }] as const) {
          const whole = await store.scanLog({ ...everything, ...filter });
          const seen: number[] = [];
          for (let first = 0; ;) {
            const page = await store.scanLog({ ...everything, ...filter, first, limit });
            assert.ok(page.entries.length <= limit);
            seen.push(...page.entries.map((one) => one.entry.index));
            if (!page.more) break;
            assert.ok(page.searchedTo > first, 'it goes on');
            first = page.searchedTo;
          }
          assert.deepEqual(
            seen,
            whole.entries.map((one) => one.entry.index),
          );
        }
      assert.deepEqual(
        (await store.scanLog({ ...everything, first: 2, until: 4 })).entries.map((one) => one.entry.index),
        [2, 3],
      );
      assert.deepEqual(await store.scanLog({ ...everything, first: size + 5 }), {
        entries: [],
        searchedTo: size + 5,
        more: false,
      });
    },
  );

  storeTest(`${name}: cases of several actions at once`, make, async (opened) => {
    const { store } = opened;
    const { held, allowed } = await lived(opened);
    const found = await store.casesOf([held, allowed, held]);
    assert.deepEqual(new Set(found.map((one) => one.asked.id)), new Set([held, allowed]));
    assert.deepEqual(
      found.find((one) => one.asked.id === held),
      await store.caseBy({ action: held }),
    );
    assert.deepEqual(await store.casesOf([]), []);
  });
}
