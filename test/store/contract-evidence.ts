/** The contract, last part: what the evidence is made of is read in order, in pieces, whole and once. */
import assert from 'node:assert/strict';
import { aboutNothing, type EntryDraft } from '../../src/core/entry.ts';
import { configDigest } from '../../src/core/steps/config.ts';
import { asJson } from '../../src/app/acceptance.ts';
import type { AboutPlace, NumberedEntry } from '../../src/ports/evidence.ts';
import type { Store } from '../../src/ports/store.ts';
import { handle, hold, storeTest, value, type MakeBench } from './bench.ts';
import * as world from './world.ts';

const note = (type: EntryDraft['type']): EntryDraft => ({
  type,
  by: { kind: 'gate' },
  about: aboutNothing,
  subject: null,
  data: {},
});

/** All pages of `limit`. */
async function aboutAll(
  store: Store,
  range: { readonly from: number; readonly to: number; readonly below: number },
  limit: number,
): Promise<readonly NumberedEntry[]> {
  const found: NumberedEntry[] = [];
  for (let after: AboutPlace | null = null; ;) {
    const page: readonly NumberedEntry[] = await store.entriesOfActions(range, after, limit);
    found.push(...page);
    const last = page.at(-1);
    if (last?.ord == null) return found;
    after = { ord: last.ord, index: last.sealed.entry.index };
  }
}

export function evidenceContract(name: string, make: MakeBench): void {
  storeTest(
    `${name}: entries of actions come together, in order, whatever the page`,
    make,
    async (opened) => {
      const { store, versions } = opened;
      const first = (await store.head()).size;
      const { held, review } = await hold(opened);
      value(await store.change(world.ask(world.allow(versions), { execute: true })));
      value(await store.change({ kind: 'record', entries: [note('log.heartbeat')] }));
      value(await store.change(world.reviewOf(handle(review), world.rosa)));
      const { size } = await store.head();
      const range = { from: first, to: size, below: size };
      const whole = await aboutAll(store, range, 1000);
      assert.deepEqual(
        whole.map(({ sealed: { entry } }) => entry.type),
        [
          'action.asked',
          'preview.read',
          'approval.opened',
          'review.recorded',
          'approval.approved',
          'action.asked',
          'execution.started',
        ],
      );
      const [one, two] = [...new Set(whole.map(({ ord }) => ord))];
      assert.equal(one, first);
      assert.ok(one !== undefined && two !== undefined && one !== null && two !== null && one < two);
      for (const limit of [1, 2, 3, 5]) assert.deepEqual(await aboutAll(store, range, limit), whole);
      // Below an index nothing later is read: what is asked for again is what was there.
      const before = await aboutAll(store, { ...range, below: first + 2 }, 1000);
      assert.deepEqual(
        before.map(({ sealed: { entry } }) => entry.index),
        [first, first + 1],
      );
      assert.deepEqual(await aboutAll(store, { ...range, from: two }, 1000), whole.slice(5));
      const all = await store.entriesIn(first, size, 1000);
      assert.deepEqual(
        all.map(({ sealed: { entry }, ord }) => [entry.index, entry.type === 'log.heartbeat' ? null : ord]),
        all.map(({ ord }, at) => [first + at, ord]),
      );
      assert.equal(all.filter(({ ord }) => ord === null).length, 1);
      assert.equal((await store.entriesIn(first, size, 2)).length, 2);
      const types = await store.entriesOfTypes(
        ['review.recorded', 'log.heartbeat'],
        { from: 0, to: size },
        10,
      );
      assert.deepEqual(
        types.map(({ entry }) => entry.type),
        ['log.heartbeat', 'review.recorded'],
      );
      assert.deepEqual(await store.entriesOfTypes([], { from: 0, to: size }, 10), []);
      assert.deepEqual(await store.entriesOfTypes(['log.heartbeat'], { from: size, to: size + 9 }, 10), []);
      const bytes = await store.askedBytes(first, size, 10);
      assert.deepEqual(
        bytes.map(({ ord, action, canonical }) => [ord, action, canonical === '']),
        [
          [one, held.asked.id, false],
          [two, whole[5]?.sealed.entry.about.action, false],
        ],
      );
      assert.equal((await store.askedBytes(first, size, 1)).length, 1);
    },
  );

  storeTest(
    `${name}: an accepted version is found by its number, and by what was in force at an index`,
    make,
    async (opened) => {
      const { store, versions } = opened;
      const start = (await store.head()).size;
      const first = await store.acceptedBefore('directory', start);
      assert.equal(first?.version, versions.directory);
      assert.equal(first.entry?.data['digest'], first.digest);
      const before = first.entry?.index ?? -1;
      assert.equal(await store.acceptedBefore('directory', before), undefined);
      assert.equal(await store.acceptedBefore('directory', 0), undefined);
      assert.equal((await store.acceptedBefore('directory', before + 1))?.version, first.version);
      value(await store.change({ kind: 'record', entries: [note('log.heartbeat')] }));
      const body = asJson({ ...world.directory, agents: [] });
      const part = { what: 'directory', body, digest: configDigest(body) } as const;
      const by = { kind: 'operator' } as const;
      value(await store.change({ kind: 'accept', how: 'machine', parts: [part], by, expected: null }));
      const second = await store.acceptedBefore('directory', (await store.head()).size);
      assert.equal(second?.how, 'machine');
      assert.deepEqual(second.body, body);
      assert.equal(
        (await store.acceptedBefore('directory', second.entry?.index ?? 0))?.version,
        first.version,
      );
      assert.deepEqual(
        (await store.acceptedVersion('directory', first.version))?.body,
        asJson(world.directory),
      );
      assert.deepEqual((await store.acceptedVersion('directory', second.version))?.body, body);
      assert.equal(await store.acceptedVersion('directory', 999), undefined);
      assert.equal(await store.acceptedBefore('servers', start), undefined);
    },
  );
}
