/**
 * A log for tests of what is made out of one: publishes what a store holds, in one step, with keys of the test's own. It shares
 * nothing with the gate's publisher but the formats, so that a test of the formats does not depend on it.
 */
import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { LogKey } from '../../../src/core/log-key.ts';
import { emptyHead } from '../../../src/core/entry.ts';
import { checkpointText } from '../../../src/log/checkpoint.ts';
import { leafBody, receiptKeyId, signPayload, spkiOf } from '../../../src/log/leaf.ts';
import { emptyRoot, hashLeaf } from '../../../src/log/merkle.ts';
import { cosignLine, keyIdOf, noteWith, rawEd25519, signLine, vkeyOf } from '../../../src/log/note.ts';
import { Edge, nodesOf } from '../../../src/log/tiles.ts';
import type { ReceiptSource } from '../../../src/log/receipt.ts';
import type { Store } from '../../../src/ports/store.ts';

export interface TestKeys {
  readonly origin: string;
  readonly log: KeyObject;
  readonly receipt: KeyObject;
  readonly witness: { readonly name: string; readonly key: KeyObject };
}

export const newKeys = (origin = 'gate.example.com'): TestKeys => ({
  origin,
  log: generateKeyPairSync('ed25519').privateKey,
  receipt: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  witness: { name: 'witness.example', key: generateKeyPairSync('ed25519').privateKey },
});

/** The public halves, as the store keeps them. */
export const logKeysOf = ({ origin, log, receipt }: TestKeys): readonly [log: LogKey, receipt: LogKey] => [
  {
    id: keyIdOf(origin, 1, rawEd25519(log)),
    use: 'log',
    spki: spkiOf(log),
    origin,
    begunAtMs: 0,
    begunAt: 0,
    endedAtMs: null,
  },
  {
    id: receiptKeyId(spkiOf(receipt)),
    use: 'receipt',
    spki: spkiOf(receipt),
    origin: null,
    begunAtMs: 0,
    begunAt: 0,
    endedAtMs: null,
  },
];

export const witnessVkey = ({ witness }: TestKeys): string => vkeyOf(witness.name, witness.key, 4);

/** Leaves of one publishing. */
const piece = 1000;
let holders = 0;

/** Publishes all that the store holds; answers the size. @param more whether a witness cosigns it. */
export async function publishAll(
  store: Store,
  keys: TestKeys,
  more: { readonly cosigned?: boolean; readonly atMs?: number } = {},
): Promise<number> {
  for (const key of logKeysOf(keys)) {
    const done = await store.change({ kind: 'beginKey', key });
    assert.ok(done.ok, JSON.stringify(done));
  }
  holders += 1;
  const taken = await store.takeTree(`test-${process.pid}-${holders}`, 1);
  assert.ok(taken !== null, 'another holder has the tree');
  const spki = spkiOf(keys.receipt);
  const keyId = receiptKeyId(spki);
  const atMs = more.atMs ?? Date.now();
  for (let from = taken.size; ;) {
    const entries = await store.rawEntries(from, piece);
    const edge = await Edge.of(from, (level, n) => store.tile(level, n));
    const leaves = entries.map(({ index, statement, pae }) => {
      const signature = signPayload(statement, keys.receipt);
      edge.add(hashLeaf(leafBody({ pae, signature, spki })));
      return { index, keyId, signature };
    });
    const { size } = edge;
    const last = entries.length < piece;
    const root = edge.root() ?? emptyRoot;
    const text = checkpointText({ origin: keys.origin, size, root });
    const note = noteWith(text, [signLine(text, keys.origin, keys.log)]);
    const published = await store.publish({
      epoch: taken.epoch,
      from,
      leaves,
      tiles: edge.changed,
      head: entries.at(-1)?.head ?? (from === 0 ? emptyHead : (await store.published()).head),
      checkpoint: last
        ? { origin: keys.origin, size, root: Buffer.from(root).toString('base64'), note, atMs }
        : null,
    });
    assert.deepEqual(published, { ok: true, value: null });
    from = size;
    if (!last) continue;
    if (more.cosigned === true) {
      const line = cosignLine(text, { ...keys.witness, seconds: Math.floor(atMs / 1000) });
      await store.addCosignature(keys.origin, size, { key: witnessVkey(keys), line, atMs });
    }
    return size;
  }
}

export const sourceOf = (store: Store, quorum = 0): ReceiptSource => ({
  store,
  quorum,
  nodeAt: nodesOf((level, n) => store.tile(level, n)),
});
