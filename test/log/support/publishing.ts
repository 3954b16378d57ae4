/** A store and whoever publishes it, in a folder of its own: for tests below a whole gate. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../src/ports/clock.ts';
import type { Store } from '../../../src/ports/store.ts';
import { memoryIn } from '../../../src/log/given.ts';
import { keysFolder } from '../../../src/log/key-files.ts';
import { keysFrom } from '../../../src/log/keys.ts';
import { checkpointOf } from '../../../src/log/checkpoint.ts';
import { hashLeaf, leafBodyOf, rootOf } from './tree.ts';
import { readNote, verifierOf, verifyNote, vkeyOf } from '../../../src/log/note.ts';
import { keyOfSpki } from '../../../src/log/leaf.ts';
import { keepPublished, type Publisher } from '../../../src/log/publish.ts';
import { until } from '../../store/bench.ts';
import { sqliteBench, type SqliteBench } from '../../store/sqlite-bench.ts';

export interface Publishing extends SqliteBench {
  readonly folder: string;
  readonly lines: readonly string[];
  readonly clock: Clock & { later(ms: number): void };
  publish(
    store: Store,
    how?: { readonly base?: string; readonly folder?: string | null; readonly holder?: string },
  ): Promise<Publisher>;
}

export async function publishing(): Promise<Publishing> {
  const bench = await sqliteBench();
  const lines: string[] = [];
  let offset = 0;
  const clock = { nowMs: () => Date.now() + offset, later: (ms: number) => void (offset += ms) };
  return {
    ...bench,
    folder: keysFolder(bench.directory),
    lines,
    clock,
    publish: (store, { base = 'audit.example.com', folder = keysFolder(bench.directory), holder } = {}) =>
      keepPublished({
        store,
        clock,
        base,
        keys: keysFrom(folder ?? keysFolder(bench.directory), { log: null, logBefore: null, receipt: null }),
        memory: memoryIn(folder),
        settings: { heartbeatMs: 3_600_000 },
        holder: holder ?? randomUUID(),
        say: (line) => void lines.push(line),
      }),
  };
}

/** Waits until everything that is committed is in a checkpoint that may be given out. */
export async function allPublished(store: Store, publisher: Publisher): Promise<void> {
  await until('published', async () => publisher.given?.size === (await store.head()).size);
}

/** Recomputes the tree from the entries and leaves, and compares it with the newest checkpoint, whose signature is verified. */
export async function assertTree(store: Store, origin: string): Promise<void> {
  const checkpoint = await store.newestCheckpoint();
  assert.ok(checkpoint !== undefined);
  assert.equal(checkpoint.origin, origin);
  const keys = await store.logKeys();
  const verifiers = keys.flatMap((key) =>
    key.use === 'log' && key.origin === origin ? [verifierOf(vkeyOf(origin, keyOfSpki(key.spki)))] : [],
  );
  const note = readNote(checkpoint.note);
  assert.ok(note !== undefined);
  const verified = verifyNote(
    note,
    verifiers.filter((one) => one !== undefined),
  );
  assert.ok(verified !== null && verified.length > 0, 'signed');
  const hashes: Uint8Array[] = [];
  for (let from = 0; from < checkpoint.size;) {
    const leaves = await store.leaves(from, 4096);
    assert.ok(leaves.length > 0, 'leaves');
    for (const leaf of leaves) {
      if (leaf.index >= checkpoint.size) break;
      assert.equal(leaf.index, hashes.length);
      hashes.push(hashLeaf(leafBodyOf(leaf, keys)));
    }
    from = hashes.length;
  }
  const told = checkpointOf(note.text);
  assert.equal(told?.size, checkpoint.size);
  assert.deepEqual(Buffer.from(told?.root ?? []), Buffer.from(rootOf(hashes)));
}
