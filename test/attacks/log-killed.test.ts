/**
 * kill -9 at every step between intent, tree, grant, execution and outcome. Afterwards the log is whole and goes on under its
 * name; everything that had an effect was recorded, and published, before; what nobody knows is said to be unknown; and nothing
 * runs twice.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { asActionId } from '../../src/core/ids.ts';
import { assertLog, noOf } from '../store/bench.ts';
import * as world from '../store/world.ts';
import { allPublished, assertTree, publishing } from '../log/support/publishing.ts';

const child = fileURLToPath(new URL('./log-killed-child.ts', import.meta.url));
const publishes = ['before the tree', 'in the tree', 'given out'];

/** Each moment, and how the action stands afterwards. */
const moments: readonly (readonly [step: string, at: readonly string[], state: string | null])[] = [
  ['open', publishes, null],
  ['ask', ['before the commit'], null],
  ['ask', ['committed', ...publishes], 'pending'],
  ['approve', ['before the commit'], 'pending'],
  ['approve', ['committed', ...publishes], 'ready'],
  ['claim', ['before the commit'], 'ready'],
  ['claim', ['committed', ...publishes], 'unknown'],
  ['run', ['before the effect', 'after the effect'], 'unknown'],
  ['outcome', ['before the commit'], 'unknown'],
  ['outcome', ['committed', ...publishes], 'succeeded'],
  ['end', [''], 'succeeded'],
];

for (const [step, names, state] of moments)
  for (const name of names)
    test(`killed ${step}: ${name}`, async () => {
      const made = await publishing();
      const run = spawn(process.execPath, [child, made.directory, `${step}:${name}`], { stdio: 'inherit' });
      const [code, signal] = (await once(run, 'close')) as [number | null, string | null];
      assert.deepEqual([code, signal], [null, 'SIGKILL'], 'it ended by itself');
      const read = (file: string): string =>
        existsSync(join(made.directory, file)) ? readFileSync(join(made.directory, file), 'utf8') : '';

      const store = await made.open({});
      // What a gate does when it starts.
      const publisher = await made.publish(store, { holder: 'gate' });
      for (const execution of await store.running())
        assert.ok((await store.change({ kind: 'lost', execution })).ok);
      await allPublished(store, publisher);
      const types = await assertLog(store);
      await assertTree(store, 'audit.example.com');
      assert.equal(publisher.origin, 'audit.example.com', 'a crash burns no name');
      assert.equal(types.filter((one) => one === 'key.begun').length, 2, 'nor begins a key');
      assert.equal(publisher.problem, null);

      const id = asActionId(read('asked'));
      const held = state === null ? undefined : await store.caseBy({ action: id });
      const entries = await store.entriesAbout(id);
      const indexOf = (type: string): number =>
        entries.find(({ entry }) => entry.type === type)?.entry.index ?? -1;
      if (state === null) assert.deepEqual(entries, [], 'nothing was acknowledged, and nothing is there');
      else assert.ok(held !== undefined && indexOf('approval.opened') >= 0);
      if (held?.grant != null)
        assert.equal(held.grant.index, indexOf('approval.approved'), 'its grant is of that entry');
      const ran = read('effects') !== '';
      if (ran) assert.ok(indexOf('execution.started') > indexOf('approval.approved'), 'recorded before');
      switch (state) {
        case 'unknown':
          assert.equal(held?.execution?.status, 'unknown');
          assert.ok(indexOf('execution.unknown') > indexOf('execution.started'), 'the log says so');
          break;
        case 'succeeded':
          assert.equal(held?.execution?.status, 'succeeded');
          assert.equal(indexOf('execution.unknown'), -1);
          break;
        case null:
        case 'pending':
        case 'ready':
          assert.equal(held?.execution ?? null, null);
          assert.ok(!ran, 'nothing had an effect');
      }
      if (held !== undefined) {
        const again = noOf(await store.change(world.claim(id, held.asked.verdict)));
        assert.equal(
          again,
          state === 'ready' ? 'ok' : state === 'pending' ? 'approval_pending' : 'grant_consumed',
        );
        assert.notEqual(noOf(await store.change(world.claim(id, held.asked.verdict))), 'ok', 'never twice');
      }
      await publisher.stop();
      await store.close();
      await made.remove();
    });
