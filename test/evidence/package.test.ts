/** A package: every file is in its manifest, the manifest is signed, and making it again gives the same bytes. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { unzipSync } from 'fflate';
import { sha256Hex } from '../../src/core/sha256.ts';
import { err, ok } from '../../src/core/result.ts';
import type { Evidence } from '../../src/core/evidence/model.ts';
import type { PopulationRow } from '../../src/core/evidence/model-rows.ts';
import { packEvidence } from '../../src/evidence/package.ts';
import { manifestType } from '../../src/evidence/verify-text.ts';
import { signEnvelope } from '../../src/log/envelope.ts';
import { verifyPayload } from '../../src/log/leaf.ts';
import type { Packed, Proving } from '../../src/ports/evidence-pack.ts';
import { evidenceOf } from './support/model.ts';
import { rowsOf } from './support/rows.ts';
import { pdfAttachments, pdfText, readSheet } from './support/tools.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rows = rowsOf(450);
const evidence = evidenceOf(rows, [3, 4]);

const transparency: Proving = {
  covered: () => Promise.resolve(0),
  receipt: (index) =>
    Promise.resolve(
      index === 63
        ? err({ kind: 'not_yet', published: 3 } as const)
        : ok({ index, bundle: `{"of":${index}}`, proof: `proof ${index}\n`, action: '{"v":1}', key: 'PEM' }),
    ),
  trustedRoot: () =>
    Promise.resolve({ mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1' }),
  verifierKeys: () => Promise.resolve(['gate.corp.example+9fb1c2d3+AQ==']),
  consistency: () => Promise.resolve([new Uint8Array(32).fill(7)]),
  sign: (type, body) => signEnvelope(type, body, privateKey),
};

async function* pages(all: readonly PopulationRow[]): AsyncGenerator<readonly PopulationRow[]> {
  for (let at = 0; at < all.length; at += 200) yield await Promise.resolve(all.slice(at, at + 200));
}

async function pack(of: Evidence = evidence, all: readonly PopulationRow[] = rows): Promise<Packed> {
  const packed = await packEvidence({ evidence: of, rows: pages(all), transparency });
  assert.ok(packed.ok, JSON.stringify(packed));
  return packed.value;
}

const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

test('each file of the zip has the digest and the size that the manifest says, and none is left out', async () => {
  const packed = await pack();
  const files = unzipSync(packed.zip());
  const manifest = JSON.parse(text(files['manifest.json']));
  assert.equal(sha256Hex(text(files['manifest.json'])), packed.manifest);
  const listed = new Map(manifest.files.map((one: { name: string }) => [one.name, one]));
  assert.deepEqual(
    new Set([...listed.keys(), 'manifest.json', 'manifest.dsse.json']),
    new Set(Object.keys(files)),
  );
  for (const one of manifest.files) {
    const bytes = files[one.name];
    assert.ok(bytes !== undefined);
    assert.equal(sha256Hex(bytes), one.sha256, one.name);
    assert.equal(bytes.length, one.bytes, one.name);
  }
  assert.equal(manifest.rows, 450);
  assert.deepEqual(manifest.files.find((one: { name: string }) => one.name === 'Population.xlsx').counts, {
    rows: 450,
    asked: 450,
  });
  for (const name of [
    '00-Report.pdf',
    '02-Samples.pdf',
    'Population.xlsx',
    'Exceptions.xlsx',
    'Policy-and-roster-changes.xlsx',
    'VERIFY.txt',
    'README.txt',
    'evidence.json',
    'proofs/checkpoint-start.txt',
    'proofs/checkpoint-end.txt',
    'proofs/consistency.txt',
    'proofs/trusted_root.json',
    'proofs/log.vkeys',
    'policies/version-3/agents.cedar',
    'samples/entry-61.sigstore.json',
  ])
    assert.ok(name in files, name);
});

test('the manifest is signed by the receipt key: one byte more, and it is not', async () => {
  const files = unzipSync((await pack()).zip());
  const envelope = JSON.parse(text(files['manifest.dsse.json']));
  assert.equal(envelope.payloadType, manifestType);
  const body = Buffer.from(envelope.payload, 'base64').toString();
  assert.equal(body, text(files['manifest.json']));
  const [{ sig: signature }] = envelope.signatures;
  assert.ok(verifyPayload(body, { key: publicKey, signature, type: manifestType }));
  assert.ok(!verifyPayload(`${body} `, { key: publicKey, signature, type: manifestType }));
});

test('the population read back has as many rows as the model, and the report carries the files of proofs/', async () => {
  const files = unzipSync((await pack()).zip());
  const population = files['Population.xlsx'];
  const report = files['00-Report.pdf'];
  assert.ok(population !== undefined && report !== undefined);
  assert.equal(readSheet(population, 'Population').rows.length - 1, evidence.completeness.rows);
  const attached = pdfAttachments(report);
  const proofs = Object.keys(files).filter((name) => name.startsWith('proofs/'));
  assert.equal(attached.size, proofs.length);
  for (const name of proofs) assert.deepEqual(attached.get(name.slice('proofs/'.length)), files[name], name);
});

test('a receipt that is not there yet is said, and what cannot be read is not left out silently', async () => {
  const files = unzipSync((await pack()).zip());
  assert.ok(!('samples/entry-63.sigstore.json' in files));
  const samples = files['02-Samples.pdf'];
  assert.ok(samples !== undefined);
  assert.ok(pdfText(samples).includes('Entry 63: it is recorded, and in no signed state of the log yet'));
  assert.match(
    text(files['VERIFY.txt']),
    /cosign verify-blob-attestation --key proofs\/receipt-key-e{16}\.pem/,
  );
  assert.match(text(files['VERIFY.txt']), /sha256sum -c SHA256SUMS/);
});

test('the same input gives the same bytes, but for the signature', async () => {
  const [first, second] = [await pack(), await pack()];
  assert.equal(first.manifest, second.manifest);
  const of = (packed: Packed) => packed.files.filter((one) => one.name !== 'manifest.dsse.json');
  assert.deepEqual(of(first), of(second));
});

test('rows that are not as many as were counted give nothing', async () => {
  const packed = await packEvidence({ evidence, rows: pages(rows.slice(1)), transparency });
  // First by itself: a comparison of whole packages would take minutes to be printed.
  assert.ok(!packed.ok);
  assert.deepEqual(packed, { ok: false, error: { kind: 'miscounted', rows: 449, expected: 450 } });
});

test('more rows than a package holds are refused before anything is read', async () => {
  const many = { ...evidence, completeness: { ...evidence.completeness, rows: 300_001 } };
  const packed = await packEvidence({ evidence: many, rows: pages(rows), transparency });
  assert.deepEqual(packed, { ok: false, error: { kind: 'too_many', rows: 300_001, max: 300_000 } });
});

test('whoever stops it gets nothing, and no thread goes on', async () => {
  const ends = new AbortController();
  const making = packEvidence({
    evidence,
    rows: pages(rows),
    transparency,
    ends: ends.signal,
    tell: (what) => void (what === 'writing documents' && ends.abort()),
  });
  await assert.rejects(making, /stopped/);
});
