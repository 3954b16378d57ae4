/** backup and restore from the command line, while the gate runs. */
import assert from 'node:assert/strict';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inFolder, organisation, run, serving } from './run.ts';

test('a backup is made beside a running gate, never over a file, and is put back', () =>
  inFolder(organisation, async (folder) => {
    const none = await run(['backup', 'b.db'], { cwd: folder });
    assert.deepEqual([none.code, none.out], [1, '']);
    assert.match(none.err, /There is no store at data yet\./);
    await serving(folder, async ({ url }) => {
      const token = (await run(['token', 'person', 'sam'], { cwd: folder })).out.trim();
      const sizes = async (): Promise<number> => {
        const response = await fetch(`${url}/v1/log?limit=1000`, {
          headers: { authorization: `Bearer ${token}` },
        });
        const { items } = (await response.json()) as { readonly items: readonly unknown[] };
        return items.length;
      };
      const made = await run(['backup', 'b.db'], { cwd: folder });
      assert.deepEqual([made.code, made.out], [0, ''], made.err);
      assert.match(made.err, /Wrote b\.db\./);
      assert.equal(statSync(join(folder, 'b.db')).mode & 0o077, 0, 'only its owner may read it');
      const twice = await run(['backup', 'b.db'], { cwd: folder });
      assert.equal(twice.code, 1);
      assert.match(twice.err, /b\.db exists already/);

      const before = await sizes();
      await run(['token', 'person', 'rosa'], { cwd: folder });
      assert.equal(await sizes(), before + 1);
      const back = await run(['restore', 'b.db'], { cwd: folder });
      assert.equal(back.code, 0, back.err);
      assert.match(
        back.err,
        /Restored data from b\.db: its log has \d+ entries\. What was there before is kept as data\//,
      );
    });
    await serving(folder, () => Promise.resolve());
  }));

test('what is no backup changes nothing', () =>
  inFolder(organisation, async (folder) => {
    const missing = await run(['restore', 'b.db'], { cwd: folder });
    assert.match(missing.err, /There is no file b\.db\./);
    writeFileSync(join(folder, 'b.db'), 'no database at all, but long enough to be looked at twice or so');
    const bad = await run(['restore', 'b.db'], { cwd: folder });
    assert.equal(bad.code, 1);
    assert.match(bad.err, /^countersign: Nothing was changed: /);
    assert.ok(!existsSync(join(folder, 'data', 'restore')));
  }));
