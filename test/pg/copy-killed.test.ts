/**
 * `store copy` killed (SIGKILL) before any statement to either database, again and again until it is through. Promise: at no moment
 * would both stores be opened, and at the end the target is the source. A seed is printed; COPY_SEED repeats it.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync } from 'node:fs';
import { randomInt } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { undoCopy } from '../../src/store/copy.ts';
import { sqliteBench } from '../store/sqlite-bench.ts';
import { postgresBench, serverUrl } from './bench.ts';
import { assertMoved, fill, openable, rigOf, type Rig } from './copy-rig.ts';

const child = join(import.meta.dirname, 'copy-child.ts');

/** Killed before statement `at`, or not at all. */
function copying(rig: Rig, at: number): Promise<{ readonly killed: boolean; readonly statements: number }> {
  return new Promise((resolve, reject) => {
    const args = [child, rig.source.directory, rig.target.url, String(at)];
    execFile(process.execPath, args, (error, out, err) => {
      if (error?.signal === 'SIGKILL') return resolve({ killed: true, statements: at });
      if (error !== null) return reject(new Error(err));
      // What copy-child.ts prints.
      const { statements, result } = JSON.parse(out) as { statements: number; result: { ok: boolean } };
      return result.ok ? resolve({ killed: false, statements }) : reject(new Error(out));
    });
  });
}

if (serverUrl === '') {
  test('PostgreSQL is there', () => {
    assert.fail('DATABASE_URL is not set: run `npm run test:pg`, which starts a PostgreSQL for these tests.');
  });
} else {
  test('killed at any moment, a copy is gone on with, and never two stores would run', async (t) => {
    const seed = Number(process.env['COPY_SEED'] ?? randomInt(2 ** 31));
    t.diagnostic(`seed ${seed}: COPY_SEED=${seed} repeats it`);
    let state = seed;
    // Park and Miller's generator: enough to choose moments with.
    const below = (max: number): number => {
      state = (state * 48_271 + 1) % 2_147_483_647;
      return state % max;
    };
    const first = await sqliteBench();
    const store = await first.open({});
    await fill(store, 3);
    await store.close();

    /** One store through kills at these moments of its runs, to the end. */
    const through = async (kills: readonly number[]): Promise<number> => {
      const folder = mkdtempSync(join(tmpdir(), 'countersign-killed-'));
      cpSync(first.directory, folder, { recursive: true });
      const rig = rigOf(await sqliteBench(folder), await postgresBench());
      try {
        for (const at of kills) {
          const { killed } = await copying(rig, at);
          const opens = await openable(rig);
          assert.ok(!(opens.source && opens.target), `both would run: killed at ${kills.join(', ')}`);
          if (!killed) assert.deepEqual(opens, { source: false, target: true });
        }
        const { statements } = await copying(rig, 0);
        await assertMoved(rig);
        return statements;
      } finally {
        await rig.source.remove();
        await rig.target.remove();
      }
    };

    try {
      const all = await through([]);
      t.diagnostic(`${all} statements in a copy`);
      // The last ones decide which store runs: each of them; and of the others some, twice.
      for (let at = all - 8; at <= all; at += 1) await through([at]);
      for (let run = 0; run < 8; run += 1) await through([1 + below(all), 1 + below(all)]);
    } finally {
      await first.remove();
    }
  });

  test('the way back, broken off between the two stores, is gone on with', async () => {
    const rig = rigOf(await sqliteBench(), await postgresBench());
    const options = { directory: rig.source.directory, url: rig.target.url, from: 'data' };
    try {
      const store = await rig.source.open({});
      await fill(store, 1);
      await store.close();
      const copied = await rig.copy();
      assert.ok(copied.ok);
      // What a crash after the target was closed leaves.
      const mark = await rig.here(async (driver) =>
        driver.query("SELECT value FROM meta WHERE key = 'moved'"),
      );
      assert.ok((await undoCopy(options)).ok);
      await rig.here(async (driver) =>
        driver.run("INSERT INTO meta (key, value) VALUES ('moved', $1)", [mark[0]?.['value'] ?? null]),
      );
      assert.deepEqual(await openable(rig), { source: false, target: false });
      assert.deepEqual(await undoCopy(options), { ok: true, value: 'opened' });
      assert.deepEqual(await openable(rig), { source: true, target: false });
      // Or forth again from there.
      assert.ok((await rig.copy()).ok);
      await assertMoved(rig);
    } finally {
      await rig.source.remove();
      await rig.target.remove();
    }
  });
}
