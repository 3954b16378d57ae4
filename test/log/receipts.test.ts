/**
 * Receipts, verified with code that is not ours: sigstore-js takes every kind of them, and refuses each one that was altered
 * anywhere. Our own reader of tlog-proofs does the same (Go's is asked in test/interop).
 */
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import type { JsonObject } from '../../src/core/json.ts';
import { checkpointOf } from '../../src/log/checkpoint.ts';
import { hashLeaf, verifyInclusion } from '../../src/log/merkle.ts';
import { readNote, verifierOf, verifyNote, vkeyOf } from '../../src/log/note.ts';
import { receiptOf } from '../../src/log/receipt.ts';
import { readTlogProof } from '../../src/log/tlog-proof.ts';
import { trustedRootOf } from '../../src/log/trusted-root.ts';
import type { Receipt } from '../../src/ports/transparency.ts';
import { note, storeTest, value, type Opened } from '../store/bench.ts';
import { sqliteBench } from '../store/sqlite-bench.ts';
import { anotherLetter } from '../support/letters.ts';
import { everyKind } from './support/every.ts';
import { newKeys, publishAll, sourceOf, witnessVkey, type TestKeys } from './support/published.ts';
import { verifyBundle } from './support/sigstore.ts';

const receiptAt = async ({ store }: Opened, index: number, quorum = 0): Promise<Receipt> => {
  const found = await receiptOf(sourceOf(store, quorum), index);
  assert.ok(found.ok, JSON.stringify(found));
  return found.value;
};

/** Whether a tlog-proof verifies: signatures of the log and of a witness, and the path from the leaf that it carries. */
function proofHolds(text: string, keys: TestKeys, vkeys: readonly string[]): boolean {
  const proof = readTlogProof(text);
  const read = readNote(proof?.checkpoint ?? '');
  if (proof?.extra == null || read === undefined) return false;
  const verifiers = vkeys.flatMap((vkey) => verifierOf(vkey) ?? []);
  const signed = verifyNote(read, verifiers);
  const checkpoint = checkpointOf(read.text);
  return (
    signed?.length === verifiers.length &&
    checkpoint?.origin === keys.origin &&
    verifyInclusion({
      index: proof.index,
      size: checkpoint.size,
      root: checkpoint.root,
      leaf: hashLeaf(proof.extra),
      proof: proof.hashes,
    })
  );
}

storeTest(
  'every kind of receipt verifies with sigstore-js, and its proof with keys alone',
  sqliteBench,
  async (opened) => {
    const { store } = opened;
    const keys = newKeys();
    const kinds = await everyKind(opened);
    await publishAll(store, keys, { cosigned: true });
    const root = trustedRootOf(await store.logKeys());
    const vkeys = [vkeyOf(keys.origin, keys.log), witnessVkey(keys)];
    assert.deepEqual([...kinds.keys()].toSorted(), [
      'action.asked',
      'approval.approved',
      'approval.cancelled',
      'approval.denied',
      'approval.expired',
      'execution.failed',
      'execution.settled',
      'execution.started',
      'execution.succeeded',
      'execution.unknown',
      'review.recorded',
    ]);
    for (const [type, index] of kinds) {
      const receipt = await receiptAt(opened, index, 1);
      verifyBundle(receipt.bundle, root, receipt.key);
      assert.ok(proofHolds(receipt.proof, keys, vkeys), type);
      const { dsseEnvelope } = JSON.parse(receipt.bundle);
      const statement = JSON.parse(Buffer.from(dsseEnvelope.payload, 'base64').toString());
      assert.equal(statement.predicate.type, type);
      assert.equal(statement.predicate.index, index);
      assert.ok(receipt.action !== null);
      assert.equal(
        statement.subject[0].digest.sha256,
        createHash('sha256').update(receipt.action).digest('hex'),
      );
    }
  },
);

/** One step of a path into JSON. */
type Step = string | number;

function altered(json: string, path: readonly Step[], change: (value: string) => unknown): string {
  const whole = JSON.parse(json);
  // oxlint-disable-next-line typescript/no-explicit-any -- a walk into JSON whose shape the path says
  let at: any = whole;
  for (const step of path.slice(0, -1)) at = at[step];
  const last = path.at(-1) ?? '';
  assert.equal(typeof at[last], 'string', path.join('.'));
  const next = change(at[last]);
  assert.notDeepEqual(next, at[last], path.join('.'));
  at[last] = next;
  return JSON.stringify(whole);
}

/** The same length, one bit other. */
const flipped = (base64: string): string => {
  const bytes = Buffer.from(base64, 'base64');
  const at = bytes.length >> 1;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes.toString('base64');
};

const entry = ['verificationMaterial', 'tlogEntries', 0] as const;
/** Size and root beside the proof are not among them: sigstore-js takes both from the signed checkpoint, and reads neither there. */
const alterations: readonly (readonly [
  what: string,
  path: readonly Step[],
  change: (value: string) => unknown,
])[] = [
  ['payload', ['dsseEnvelope', 'payload'], flipped],
  ['payload type', ['dsseEnvelope', 'payloadType'], (type) => `${type}x`],
  ['signature', ['dsseEnvelope', 'signatures', 0, 'sig'], flipped],
  ['index of the proof', [...entry, 'inclusionProof', 'logIndex'], (index) => String(Number(index) + 1)],
  ['path', [...entry, 'inclusionProof', 'hashes', 0], flipped],
  ['leaf', [...entry, 'canonicalizedBody'], flipped],
  ['log', [...entry, 'logId', 'keyId'], flipped],
  ['key', ['verificationMaterial', 'publicKey', 'hint'], flipped],
  [
    'checkpoint',
    [...entry, 'inclusionProof', 'checkpoint', 'envelope'],
    (envelope) => envelope.replace(/\n(\d+)\n/, (_all, size: string) => `\n${Number(size) + 1}\n`),
  ],
  [
    'origin',
    [...entry, 'inclusionProof', 'checkpoint', 'envelope'],
    (envelope) => envelope.replace('gate.', 'fake.'),
  ],
  [
    'signature of the checkpoint',
    [...entry, 'inclusionProof', 'checkpoint', 'envelope'],
    (envelope) =>
      envelope.replace(/(\u2014 gate\S+ )(\S+)/, (_all, name: string, sig: string) => name + flipped(sig)),
  ],
];

storeTest('a receipt that was altered anywhere is refused', sqliteBench, async (opened) => {
  const { store } = opened;
  const keys = newKeys();
  const kinds = await everyKind(opened);
  const size = await publishAll(store, keys);
  const root = trustedRootOf(await store.logKeys());
  const index = kinds.get('review.recorded') ?? -1;
  const { bundle, key, proof } = await receiptAt(opened, index);
  for (const [what, path, change] of alterations) {
    const other = altered(bundle, path, change);
    assert.throws(() => verifyBundle(other, root, key), Error, what);
  }
  // What is altered is not what was refused for being misspelt: unaltered, the same bytes pass.
  verifyBundle(JSON.stringify(JSON.parse(bundle)), root, key);
  // Another key, another log.
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
  assert.throws(() => verifyBundle(bundle, root, other.export({ type: 'spki', format: 'pem' }).toString()));
  const elsewhere = trustedRootOf(
    (await store.logKeys()).map((one) => ({ ...one, origin: 'other.example.com' })),
  );
  assert.throws(() => verifyBundle(bundle, elsewhere, key));
  // Another entry's proof and checkpoint beside this one's statement.
  const second = JSON.parse((await receiptAt(opened, index - 1)).bundle);
  const mixed = JSON.parse(bundle);
  mixed.verificationMaterial = second.verificationMaterial;
  assert.throws(() => verifyBundle(JSON.stringify(mixed), root, key));
  // The same of the text form: every character that says something.
  const vkeys = [vkeyOf(keys.origin, keys.log)];
  assert.ok(proofHolds(proof, keys, vkeys));
  assert.ok(size > index);
  for (let at = 0; at < proof.length; at += 1) {
    const text = proof.slice(0, at) + anotherLetter(proof.charAt(at)) + proof.slice(at + 1);
    assert.ok(
      !proofHolds(text, keys, vkeys),
      `character ${at} of ${JSON.stringify(proof.slice(at, at + 20))}`,
    );
  }
});

storeTest(
  'an entry that is in no checkpoint yet has no receipt, and one that is none has none ever',
  sqliteBench,
  async ({ store }) => {
    value(await store.change(note(1)));
    const source = sourceOf(store);
    assert.deepEqual(await receiptOf(source, 0), { ok: false, error: { kind: 'not_yet', published: 0 } });
    const size = await publishAll(store, newKeys());
    assert.ok((await receiptOf(source, size - 1)).ok);
    value(await store.change(note(2)));
    assert.deepEqual(await receiptOf(source, size), {
      ok: false,
      error: { kind: 'not_yet', published: size },
    });
    for (const index of [size + 1, -1, 0.5, Number.NaN])
      assert.deepEqual(await receiptOf(source, index), { ok: false, error: { kind: 'not_found' } });
  },
);

storeTest(
  'a receipt bears the newest checkpoint that witnesses have cosigned',
  sqliteBench,
  async (opened) => {
    const { store } = opened;
    const keys = newKeys();
    value(await store.change(note(1)));
    const sizeOf = (one: Receipt): number =>
      checkpointOf(readTlogProof(one.proof)?.checkpoint ?? '')?.size ?? 0;
    const first = await publishAll(store, keys, { cosigned: true, atMs: 1000 });
    value(await store.change(note(2)));
    const second = await publishAll(store, keys, { cosigned: true, atMs: 2000 });
    value(await store.change(note(3)));
    const third = await publishAll(store, keys, { atMs: 3000 });
    assert.equal(sizeOf(await receiptAt(opened, 0, 1)), second);
    assert.equal(sizeOf(await receiptAt(opened, 0, 0)), third, 'none is expected: the newest');
    assert.equal(sizeOf(await receiptAt(opened, 0, 2)), second, 'not enough anywhere: the most');
    assert.equal(sizeOf(await receiptAt(opened, second, 1)), third, 'covered by no cosigned one');
    assert.ok(first < second);
    // A checkpoint over more than the tree holds is of a tree that was, before something was put back.
    await opened.raw(
      `INSERT INTO checkpoints (origin, size, root, note, at_ms, cosignatures)
       SELECT origin, size + 100, root, note, at_ms + 1000, cosignatures FROM checkpoints WHERE size = $1`,
      [third],
    );
    assert.equal(sizeOf(await receiptAt(opened, 0, 0)), third);
  },
);

storeTest('what was altered in the store gets no receipt', sqliteBench, async (opened) => {
  const { store, raw } = opened;
  const kinds = await everyKind(opened);
  await publishAll(store, newKeys());
  const index = kinds.get('approval.denied') ?? -1;
  const faultOf = async (): Promise<string> => {
    const found = await receiptOf(sourceOf(store), index);
    return found.ok ? 'a receipt' : found.error.kind === 'fault' ? found.error.detail : found.error.kind;
  };
  const [row] = await raw('SELECT statement, pae FROM entries WHERE idx = $1', [index]);
  const [leaf] = await raw('SELECT signature FROM leaves WHERE idx = $1', [index]);
  const [tile] = await raw('SELECT hashes FROM tiles WHERE level = 0 AND n = 0');
  assert.equal(await faultOf(), 'a receipt');
  await raw('UPDATE entries SET statement = $1 WHERE idx = $2', [
    String(row?.['statement']).replace('denied', 'passed'),
    index,
  ]);
  assert.match(await faultOf(), /its statement is not the one that was recorded/);
  await raw('UPDATE entries SET statement = $1 WHERE idx = $2', [String(row?.['statement']), index]);
  await raw('UPDATE leaves SET signature = $1 WHERE idx = $2', [flipped(String(leaf?.['signature'])), index]);
  assert.match(await faultOf(), /not in the tree/);
  await raw('UPDATE leaves SET signature = $1 WHERE idx = $2', [String(leaf?.['signature']), index]);
  await raw('UPDATE tiles SET hashes = $1 WHERE level = 0 AND n = 0', [
    Buffer.from(String(tile?.['hashes']), 'base64').subarray(0, 64).toString('base64'),
  ]);
  assert.match(await faultOf(), /tile 0\/0 of the tree is missing/);
  await raw('UPDATE tiles SET hashes = $1 WHERE level = 0 AND n = 0', [String(tile?.['hashes'])]);
  assert.equal(await faultOf(), 'a receipt');
  // An action that is not the one which the statement names is not handed out as its subject.
  await raw(`UPDATE actions SET canonical = replace(canonical, 'crm', 'erp')`);
  const found = await receiptOf(sourceOf(store), index);
  assert.ok(found.ok && found.value.action === null);
});

storeTest('of an erased payload the proof is left, and verifies', sqliteBench, async (opened) => {
  const { store, raw } = opened;
  const keys = newKeys();
  const index = (await everyKind(opened)).get('approval.denied') ?? -1;
  await publishAll(store, keys);
  const before = await receiptAt(opened, index);
  await raw(`UPDATE entries SET statement = '' WHERE idx = $1`, [index]);
  const after = await receiptOf(sourceOf(store), index);
  assert.ok(!after.ok && after.error.kind === 'erased');
  assert.equal(after.error.proof, before.proof);
  assert.ok(proofHolds(after.error.proof, keys, [vkeyOf(keys.origin, keys.log)]));
  // Who kept the bundle keeps the proof of what it says.
  verifyBundle(before.bundle, trustedRootOf(await store.logKeys()), before.key);
});

test('a tlog-proof has one reading', () => {
  const hash = Buffer.alloc(32, 7).toString('base64');
  const good = `c2sp.org/tlog-proof@v1\nextra YQ==\nindex 5\n${hash}\n\no\n9\n${hash}\n\n\u2014 o AAAA\n`;
  assert.deepEqual(readTlogProof(good)?.index, 5);
  for (const bad of [
    good.replace('@v1', '@v2'),
    good.replace('index 5', 'index 05'),
    good.replace('index 5', 'index -5'),
    good.replace('index 5', 'index 99999999999999999999'),
    good.replace('index 5\n', ''),
    good.replace('YQ==', 'YR=='),
    good.replace(hash, hash.slice(4)),
    good.replace(`index 5\n`, `index 5\n${`${hash}\n`.repeat(64)}`),
    good.replaceAll('\n', '\r\n'),
    '',
    'c2sp.org/tlog-proof@v1',
  ])
    assert.equal(readTlogProof(bad), undefined, JSON.stringify(bad.slice(0, 60)));
});

test('the root of trust says of every key of the log since when and until when', () => {
  const keys = newKeys();
  const spki = 'MCowBQYDK2VwAyEAWuvy0y8/o0Ydfrt2Fe/F91X/ZbbaXeM68glsVV2m0J8=';
  const made: JsonObject = trustedRootOf([
    {
      id: '2386089f',
      use: 'log',
      spki,
      origin: 'gate.example.com',
      begunAtMs: Date.UTC(2026, 0, 1),
      begunAt: 0,
      endedAtMs: null,
    },
    { id: 'x', use: 'receipt', spki: 'no', origin: null, begunAtMs: 0, begunAt: 0, endedAtMs: null },
  ]);
  assert.equal(keys.origin, 'gate.example.com');
  // As cosign 3.1.1 wrote it for the same key.
  assert.deepEqual(made, {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [
      {
        baseUrl: 'https://gate.example.com',
        hashAlgorithm: 'SHA2_256',
        publicKey: {
          rawBytes: spki,
          keyDetails: 'PKIX_ED25519',
          validFor: { start: '2026-01-01T00:00:00.000Z' },
        },
        logId: { keyId: 'I4YIn+HzZC/Y4GL9gnV0I4OU20lUbPy6vik5FFfuVNA=' },
      },
    ],
  });
});
