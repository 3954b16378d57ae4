/** The contract: a grant is bound to the entry that gave it; a row that the log does not back runs nothing. */
import assert from 'node:assert/strict';
import { approved, caseOf, hold, noOf, storeTest, value, type MakeBench, type Opened } from './bench.ts';
import * as world from './world.ts';

const startedOf = async ({ store }: Opened, action: Parameters<Opened['store']['entriesAbout']>[0]) =>
  (await store.entriesAbout(action)).find(({ entry }) => entry.type === 'execution.started')?.entry;

export function grantsContract(name: string, make: MakeBench): void {
  storeTest(
    `${name}: recorded-first: a grant names the entry that gave it, and so does the run`,
    make,
    async (opened) => {
      const { store, versions } = opened;
      const review = await approved(opened);
      const { asked } = review;
      const held = caseOf(await store.change(world.claim(asked.id, asked.verdict)));
      const gave = await store.entry(held.grant?.index ?? -1);
      assert.deepEqual([gave?.entry.type, gave?.entry.about.action], ['approval.approved', asked.id]);
      const started = await startedOf(opened, asked.id);
      assert.equal(started?.data['grant'], gave?.entry.index);
      assert.ok((started?.index ?? 0) > (gave?.entry.index ?? 0), 'recorded before it ran');

      const allowed = world.ask(world.allow(versions), { execute: true });
      const ran = caseOf(await store.change(allowed));
      const asking = await store.entry(ran.grant?.index ?? -1);
      assert.deepEqual([asking?.entry.type, asking?.entry.about.action], ['action.asked', allowed.asked.id]);
      assert.equal((await startedOf(opened, allowed.asked.id))?.data['grant'], asking?.entry.index);
    },
  );

  storeTest(
    `${name}: recorded-first: a row that somebody made "approved" past the gate runs nothing`,
    make,
    async (opened) => {
      const { store, raw } = opened;
      const { held, review } = await hold(opened);
      const other = await approved(opened);
      const otherIndex = (await store.caseBy({ action: other.asked.id }))?.grant?.index ?? -1;
      const atMs = Date.now();
      const approval = JSON.stringify({ ...held.approval, approvedAtMs: atMs });
      // The index of its own question, of another action's approval, and of nothing.
      const asked = await store.entriesAbout(held.asked.id);
      for (const index of [asked[0]?.entry.index ?? 0, otherIndex, 1_000_000]) {
        await raw(
          `UPDATE actions SET state = 'ready', approval = $1, grant_expires_at_ms = $2, due_at_ms = $2, grant_index = $3 WHERE id = $4`,
          [approval, atMs + 900_000, index, held.asked.id],
        );
        assert.ok((await store.caseBy({ action: held.asked.id }))?.grant, 'the row says so');
        const answer = await store.change(world.claim(held.asked.id, review.asked.verdict));
        assert.equal(noOf(answer), 'audit_unavailable', `at ${index}`);
      }
      assert.equal((await store.caseBy({ action: held.asked.id }))?.execution, null);
      value(await store.change(world.claim(other.asked.id, other.asked.verdict)));
    },
  );
}
