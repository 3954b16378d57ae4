/**
 * A log as the gate publishes it, in a folder, for verifiers that are not ours: tiles, entry bundles and a cosigned checkpoint over
 * more entries than one tile of the second level counts; and a receipt of every kind.
 */
import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { aboutNothing } from '../../src/core/entry.ts';
import { copyLog } from '../../src/log/copy.ts';
import { receiptKeyId, spkiOf } from '../../src/log/leaf.ts';
import { vkeyOf } from '../../src/log/note.ts';
import { cosigned, receiptOf } from '../../src/log/receipt.ts';
import { readTlogProof } from '../../src/log/tlog-proof.ts';
import { storeSource } from '../../src/log/verify/store-source.ts';
import type { Store } from '../../src/ports/store.ts';
import type { Command } from '../../src/core/command.ts';
import { value, type Opened } from '../store/bench.ts';
import { sqliteBench } from '../store/sqlite-bench.ts';
import { acceptDirectory } from '../store/world.ts';
import { everyKind } from '../log/support/every.ts';
import { newKeys, publishAll, sourceOf, witnessVkey, type TestKeys } from '../log/support/published.ts';

/** More than 256 × 256: tiles of three levels. */
export const entriesMin = 66_000;
/** Entries of one commit. */
const together = 500;

export interface Fixture {
  /** `checkpoint`, `checkpoint.old`, `tile/…`: a static log; `receipts/TYPE/…`; keys and policies. */
  readonly folder: string;
  readonly keys: TestKeys;
  readonly vkey: string;
  readonly size: number;
  /** Types of entries, each with a folder of its own below `receipts`. */
  readonly kinds: readonly string[];
  readonly store: Store;
  close(): Promise<void>;
}

export async function makeFixture(folder: string): Promise<Fixture> {
  const bench = await sqliteBench();
  let offset = 0;
  const clock = { nowMs: () => Date.now() + offset };
  const store = await bench.open({ clock });
  value(await store.change(acceptDirectory()));
  const versions = await store.versions();
  const opened: Opened = { ...bench, store, versions, clock, later: (ms) => void (offset += ms) };
  const keys = newKeys();
  const kinds = await everyKind(opened);
  const before = await publishAll(store, keys, { cosigned: true });
  const old = await checkpointText(store);
  for (let n = before; n < entriesMin; n += together) value(await store.change(many(n)));
  // A partial tile at the end of each level.
  value(await store.change(many(entriesMin, 77)));
  const size = await publishAll(store, keys, { cosigned: true });
  // What a stranger gets, made by the very program: tiles, bundles, checkpoint.
  await copyLog(storeSource(store, 'the store'), folder);
  const vkey = vkeyOf(keys.origin, keys.log);
  await write(folder, 'checkpoint.old', old);
  await write(folder, 'old.size', String(before));
  await write(folder, 'log.vkey', vkey);
  await write(folder, 'witness.vkey', witnessVkey(keys));
  await write(folder, 'policy.txt', policyOf(vkey, witnessVkey(keys)));
  await write(folder, 'log.pub.pem', pemOf(spkiOf(keys.log)));
  for (const [type, index] of kinds) await writeReceipt(join(folder, 'receipts', type), store, index);
  return {
    folder,
    keys,
    vkey,
    size,
    kinds: [...kinds.keys()],
    store,
    async close() {
      await store.close();
      await bench.remove();
    },
  };
}

/** As c2sp.org/tlog-policy says it: the log, one witness, and that it counts. */
const policyOf = (log: string, witness: string): string => `log ${log}\nwitness w1 ${witness}\nquorum w1\n`;

const many = (from: number, count = together): Command => ({
  kind: 'record',
  entries: Array.from({ length: count }, (_, at) => ({
    type: 'gate.started',
    by: { kind: 'gate' },
    about: aboutNothing,
    subject: null,
    data: { n: from + at },
  })),
});

async function checkpointText(store: Store): Promise<string> {
  const newest = await store.newestCheckpoint();
  assert.ok(newest);
  return cosigned(newest);
}

export async function write(folder: string, name: string, text: string | Uint8Array): Promise<void> {
  const file = join(folder, name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}

const pemOf = (spki: string): string =>
  createPublicKey({ key: Buffer.from(spki, 'base64'), format: 'der', type: 'spki' })
    .export({ type: 'spki', format: 'pem' })
    .toString();

async function writeReceipt(folder: string, store: Store, index: number): Promise<void> {
  const found = await receiptOf(sourceOf(store, 1), index);
  assert.ok(found.ok, JSON.stringify(found));
  const { bundle, proof, action, key } = found.value;
  await write(folder, 'bundle.sigstore.json', bundle);
  await write(folder, 'proof.tlog-proof', proof);
  await write(folder, 'leaf', readTlogProof(proof)?.extra ?? '');
  await write(folder, 'action.json', action ?? '');
  await write(folder, 'receipt-key.pem', key);
}

/** The id of the key that signs receipts in a fixture. */
export const keyIdIn = ({ keys }: Fixture): string => receiptKeyId(spkiOf(keys.receipt));
