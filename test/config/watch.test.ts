/** Watching files: each change is told once it is quiet, within two seconds, whatever way it was made. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { stampOf, watchFiles } from '../../src/config/watch.ts';

async function watching(
  work: (at: {
    readonly base: string;
    readonly calls: () => number;
    readonly told: (count: number) => Promise<number>;
  }) => Promise<void>,
): Promise<void> {
  const base = mkdtempSync(join(tmpdir(), 'countersign-watch-'));
  mkdirSync(join(base, 'policies'));
  writeFileSync(join(base, 'c.yaml'), 'a');
  writeFileSync(join(base, 'policies', 'a.cedar'), 'a');
  let calls = 0;
  const watch = await watchFiles(
    () => ({ files: [join(base, 'c.yaml')], folders: [join(base, 'policies')] }),
    () => {
      calls += 1;
      return Promise.reject(new Error('what a callback throws is its own affair'));
    },
  );
  const told = async (count: number): Promise<number> => {
    const begun = performance.now();
    const passed = (): number => performance.now() - begun;
    const enough = (): boolean => calls >= count || passed() > 5000;
    while (!enough()) await wait(20);
    return passed();
  };
  try {
    await work({ base, calls: () => calls, told });
  } finally {
    await watch.stop();
    rmSync(base, { recursive: true, force: true });
  }
}

test('writing, adding, replacing, renaming and removing are told, each within two seconds', () =>
  watching(async ({ base, calls, told }) => {
    const policies = join(base, 'policies');
    const changes: readonly (() => void)[] = [
      () => writeFileSync(join(policies, 'a.cedar'), 'b'),
      () => writeFileSync(join(base, 'c.yaml'), 'b'),
      () => writeFileSync(join(policies, 'new.cedar'), ''),
      () => {
        writeFileSync(join(base, 'tmp'), 'c');
        renameSync(join(base, 'tmp'), join(base, 'c.yaml'));
      },
      () => rmSync(join(policies, 'new.cedar')),
      () => rmSync(policies, { recursive: true }),
      () => {
        mkdirSync(policies);
        writeFileSync(join(policies, 'a.cedar'), 'again');
      },
      () => writeFileSync(join(policies, 'a.cedar'), 'and again'),
    ];
    for (const [index, change] of changes.entries()) {
      change();
      const ms = await told(index + 1);
      assert.equal(calls(), index + 1, `change ${index} was told once`);
      assert.ok(ms < 2000, `change ${index} took ${ms} ms`);
    }
  }));

test('many writes in a row are one change', () =>
  watching(async ({ base, calls, told }) => {
    for (let index = 0; index < 10; index += 1) {
      writeFileSync(join(base, 'policies', 'a.cedar'), String(index));
      await wait(50);
    }
    await told(1);
    await wait(600);
    assert.equal(calls(), 1);
  }));

test('nothing is told of nothing', () =>
  watching(async ({ calls }) => {
    await wait(1500);
    assert.equal(calls(), 0);
  }));

test('a change since the files were read is told, even if it was before the watch', async () => {
  const base = mkdtempSync(join(tmpdir(), 'countersign-watch-'));
  const file = join(base, 'c.yaml');
  writeFileSync(file, 'a');
  const stamp = await stampOf(file);
  writeFileSync(file, 'changed');
  const told = Promise.withResolvers<void>();
  const watch = await watchFiles(
    () => ({ files: [file], folders: [] }),
    () => Promise.resolve(told.resolve()),
    new Map([[file, stamp]]),
  );
  await told.promise;
  await watch.stop();
  rmSync(base, { recursive: true });
});

test('whoever never stops writing keeps nobody’s change from being told', () =>
  watching(async ({ base, told }) => {
    let count = 0;
    const restless = setInterval(
      () => writeFileSync(join(base, 'policies', 'b.cedar'), String((count += 1))),
      50,
    );
    writeFileSync(join(base, 'c.yaml'), 'b');
    const passed = await told(1).finally(() => clearInterval(restless));
    assert.ok(passed < 5000, 'never quiet, never told');
  }));
