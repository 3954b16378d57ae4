/**
 * The formats that can never change, byte for byte, with keys that are fixed here: whoever kept a receipt, a checkpoint or a key
 * verifies it with code that was written for these bytes. A test that fails here says that receipts in the world would break.
 */
import assert from 'node:assert/strict';
import { createPrivateKey, hash, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { emptyHead, seal } from '../../src/core/entry.ts';
import { asActionId, asApprovalId, asPersonId, asSha256Hex } from '../../src/core/ids.ts';
import { writeBundle } from '../../src/log/bundle.ts';
import { checkpointText } from '../../src/log/checkpoint.ts';
import { keyOfSpki, leafBody, receiptKeyId, spkiOf, verifyPayload } from '../../src/log/leaf.ts';
import { logIdOf } from '../../src/log/log-id.ts';
import { hashLeaf, hashNode } from '../../src/log/merkle.ts';
import { cosignLine, noteWith, signLine, vkeyOf } from '../../src/log/note.ts';
import { readTlogProof, writeTlogProof } from '../../src/log/tlog-proof.ts';

/** The Ed25519 key whose 32 bytes are all this one (RFC 8410). */
const ed25519 = (byte: string): KeyObject =>
  createPrivateKey({
    key: Buffer.from(`302e020100300506032b657004220420${byte.repeat(32)}`, 'hex'),
    format: 'der',
    type: 'pkcs8',
  });
const origin = 'gate.example.com';
const log = ed25519('01');
const witness = { name: 'witness.example', key: ed25519('02'), seconds: 1_795_000_000 };

/** The P-256 key of RFC 6979, appendix A.2.5; its SubjectPublicKeyInfo. */
const spki =
  'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Z5A/4QCLi8maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==';
/** Of that key over the statement below; ECDSA is not deterministic, so it is kept. */
const signature =
  'MEQCIEaJ9KQMdfynsQxOaZtw1OkTLpJ1g1c9boU0EZ4Al94tAiBfBcvkMCvVU8vnB8oHnHpbhqe1gTcUeqB4bAuVbMcT3g==';

const { statement, pae } = seal(
  {
    type: 'review.recorded',
    by: { kind: 'person', id: asPersonId('rosa') },
    about: { action: asActionId('act_1'), approval: asApprovalId('apr_1'), execution: null },
    subject: asSha256Hex('ab'.repeat(32)),
    data: { decision: 'approve', reason: 'Zürich, ok' },
  },
  { index: 1, atMs: Date.UTC(2026, 10, 22, 12), salt: '5a'.repeat(32), head: emptyHead },
);
const leaf = { pae, signature, spki };
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64');

/** A tree of two: another leaf, and this one. */
const sibling = hashLeaf(Buffer.from('another'));
const root = hashNode(sibling, hashLeaf(leafBody(leaf)));
const text = checkpointText({ origin, size: 2, root });
const note = noteWith(text, [signLine(text, origin, log), cosignLine(text, witness)]);

const body =
  '{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{"data":{"algorithm":"SHA2_256","digest":"MNIbkEWKWX13BZbJD67Xil5w4jsX/64ZDjB0+53Ej1M="},"signature":{"content":"MEQCIEaJ9KQMdfynsQxOaZtw1OkTLpJ1g1c9boU0EZ4Al94tAiBfBcvkMCvVU8vnB8oHnHpbhqe1gTcUeqB4bAuVbMcT3g==","verifier":{"keyDetails":"PKIX_ECDSA_P256_SHA_256","publicKey":{"rawBytes":"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Z5A/4QCLi8maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ=="}}}}}}';
const rootBase64 = 'qOAS1I7dlVaQTXiUcA+4WK7pr9B86zqyi7WDtunU+8g=';
const noteText =
  'gate.example.com\n2\nqOAS1I7dlVaQTXiUcA+4WK7pr9B86zqyi7WDtunU+8g=\n\n— gate.example.com aWu1dIjTuC6c/t/5sED+cyRR6Sen80jyfEwqccHKRHtA6rn41jazk8mBQV2cDrYNcpTZ5wPS+UeS1W+Ril6W+laEiw4=\n— witness.example MXa9RQAAAABq/YbAmwmXF3G8kqMyv2fjKpIKaXO4Rry5zX0Uxhy5RXXUVRKZwLlNNztnhqrozjj/Y53q4s3AuiqnbSZNGTJf8NLvAw==\n';

test('a statement and its digest', () => {
  assert.equal(
    statement,
    '{"_type":"https://in-toto.io/Statement/v1","predicate":{"about":{"action":"act_1","approval":"apr_1","execution":null},"at":"2026-11-22T12:00:00.000Z","by":{"id":"rosa","kind":"person"},"data":{"decision":"approve","reason":"Zürich, ok"},"index":1,"salt":"5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a","type":"review.recorded","v":1},"predicateType":"https://countersign.dev/predicate/entry/v1","subject":[{"digest":{"sha256":"abababababababababababababababababababababababababababababababab"},"name":"action"}]}',
  );
  assert.equal(pae, '30d21b90458a597d770596c90faed78a5e70e23b17ffae190e3074fb9dc48f53');
});

test('a leaf and its hash', () => {
  assert.ok(verifyPayload(statement, { key: keyOfSpki(spki), signature }), 'the kept signature fits');
  assert.equal(Buffer.from(leafBody(leaf)).toString(), body);
  assert.equal(
    hex(hashLeaf(leafBody(leaf))),
    'd4401243c2e457ec45b0bb21ba7e5f5183f022097d90bf6f271105cf32ec9e3c',
  );
  assert.equal(hex(hashLeaf(new Uint8Array())), hash('sha256', Buffer.from([0])));
  assert.equal(receiptKeyId(spki), hash('sha256', Buffer.from(spki, 'base64')));
  assert.equal(spkiOf(keyOfSpki(spki)), spki);
});

test('verifier keys of a log and of a witness, and the log’s name in bundles', () => {
  assert.equal(vkeyOf(origin, log), 'gate.example.com+696bb574+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c');
  assert.equal(
    vkeyOf(witness.name, witness.key, 4),
    'witness.example+3176bd45+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU',
  );
  assert.equal(logIdOf({ origin, spki: spkiOf(log) }), 'aWu1dLoWs14c1pCVYsDrV5iyQYbvd3ChjQuJ33hAUPI=');
});

test('a checkpoint with its cosignature', () => {
  assert.equal(base64(root), rootBase64);
  assert.equal(note, noteText);
});

test('a tlog-proof', () => {
  const written = writeTlogProof({ index: 1, extra: leafBody(leaf), hashes: [sibling], checkpoint: note });
  assert.equal(
    written,
    `c2sp.org/tlog-proof@v1\nextra ${base64(body)}\nindex 1\n${base64(sibling)}\n\n${noteText}`,
  );
  assert.deepEqual(readTlogProof(written), {
    index: 1,
    extra: Buffer.from(body),
    hashes: [Buffer.from(sibling)],
    checkpoint: noteText,
  });
  assert.equal(
    writeTlogProof({ index: 0, extra: null, hashes: [], checkpoint: 'x\n' }),
    'c2sp.org/tlog-proof@v1\nindex 0\n\nx\n',
  );
});

test('a bundle', () => {
  const logId = logIdOf({ origin, spki: spkiOf(log) });
  const checkpoint = { size: 2, root };
  const written = writeBundle({ statement, leaf, index: 1, proof: [sibling], checkpoint, note, logId });
  assert.deepEqual(JSON.parse(written), {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: {
      publicKey: { hint: 'Wnp4zKSg9CDZvGK7Zpw8J1njn3I9OuENy+DwgVoH7NQ=' },
      tlogEntries: [
        {
          logIndex: '1',
          logId: { keyId: logId },
          kindVersion: { kind: 'hashedrekord', version: '0.0.2' },
          inclusionProof: {
            logIndex: '1',
            rootHash: rootBase64,
            treeSize: '2',
            hashes: [base64(sibling)],
            checkpoint: { envelope: noteText },
          },
          canonicalizedBody: base64(body),
        },
      ],
    },
    dsseEnvelope: {
      payload: base64(statement),
      payloadType: 'application/vnd.in-toto+json',
      signatures: [{ sig: signature }],
    },
  });
});
