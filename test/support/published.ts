/** Publishes what a store holds, in the test's own hand: for tests of what follows the tree. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import assert from 'node:assert/strict';
import { checkpointText } from '../../src/log/checkpoint.ts';
import { hashLeaf, emptyRoot } from '../../src/log/merkle.ts';
import { leafBody, receiptKeyId, signPayload, spkiOf } from '../../src/log/leaf.ts';
import { noteWith, signLine } from '../../src/log/note.ts';
import { Edge } from '../../src/log/tiles.ts';
import type { Store } from '../../src/ports/store.ts';

export interface TestKeys {
  readonly log: KeyObject;
  readonly receipt: KeyObject;
}

export const testKeys = (): TestKeys => ({
  log: generateKeyPairSync('ed25519').privateKey,
  receipt: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
});

/** Brings the tree up to the log, and signs a checkpoint. */
export async function publishAll(
  store: Store,
  keys: TestKeys,
  origin: string,
  nowMs = Date.now(),
): Promise<void> {
  const published = await store.takeTree('test', 60_000);
  assert.ok(published);
  const edge = await Edge.of(published.size, (level, n) => store.tile(level, n));
  const spki = spkiOf(keys.receipt);
  const entries = await store.rawEntries(published.size, 1000);
  const leaves = entries.map(({ index, statement, pae }) => {
    const signature = signPayload(statement, keys.receipt);
    edge.add(hashLeaf(leafBody({ pae, signature, spki })));
    return { index, keyId: receiptKeyId(spki), signature };
  });
  const root = edge.root() ?? emptyRoot;
  const text = checkpointText({ origin, size: edge.size, root });
  const done = await store.publish({
    epoch: published.epoch,
    from: published.size,
    leaves,
    tiles: edge.changed,
    head: entries.at(-1)?.head ?? published.head,
    checkpoint: {
      origin,
      size: edge.size,
      root: Buffer.from(root).toString('base64'),
      note: noteWith(text, [signLine(text, origin, keys.log)]),
      atMs: nowMs,
    },
  });
  assert.ok(done.ok, JSON.stringify(done));
}
