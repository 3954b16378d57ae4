/** One receipt with nothing but keys: what holds passes, and any change of it does not. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { writeBundle } from '../../src/log/bundle.ts';
import { checkpointText } from '../../src/log/checkpoint.ts';
import { leafBody, signPayload, spkiOf } from '../../src/log/leaf.ts';
import { consistencyProof, inclusionProof, type Hash } from '../../src/log/merkle.ts';
import { noteWith, signLine, verifierOf } from '../../src/log/note.ts';
import { nodesOf } from '../../src/log/tiles.ts';
import { writeTlogProof } from '../../src/log/tlog-proof.ts';
import { noTrust, type Trust } from '../../src/log/verify/keys.ts';
import {
  consistent,
  hashesOf,
  verifyBundle,
  verifyTlogProof,
  type Shown,
} from '../../src/log/verify/receipt.ts';
import { readSigned, type SignedCheckpoint } from '../../src/log/verify/signed.ts';
import { cosignedNote } from '../../src/log/verify/source.ts';
import {
  draftsOf,
  makeLog,
  newKeys,
  newWitness,
  origin,
  vkeyOfLog,
  type MadeLog,
} from './support/made-log.ts';

const keys = newKeys();
const witness = newWitness('w1.test');
const trust: Trust = { ...noTrust, log: [verifierOf(vkeyOfLog(keys)) ?? assert.fail()] };
const witnessed: Trust = { ...trust, witnesses: [verifierOf(witness.vkey) ?? assert.fail()], quorum: 1 };
const index = 77;

let log: MadeLog;
let proof: readonly Hash[];
before(async () => {
  log = await makeLog(keys, draftsOf(keys, 300), { witnesses: [witness] });
  proof = await inclusionProof(
    index,
    300,
    nodesOf((level, n) => log.tiles.get(`${level}/${n}`)),
  );
});

const newest = (): NonNullable<MadeLog['checkpoints'][number]> => log.checkpoints.at(-1) ?? assert.fail();
const leaf = (at = index): { pae: string; signature: string; spki: string } => ({
  ...(log.leaves[at] ?? assert.fail()),
  spki: spkiOf(keys.receipt),
});
const bundle = (more: Partial<Parameters<typeof writeBundle>[0]> = {}): string =>
  writeBundle({
    statement: log.rows[index]?.statement ?? '',
    leaf: leaf(),
    index,
    proof,
    checkpoint: { size: 300, root: Buffer.from(newest().root, 'base64') },
    note: cosignedNote(newest()),
    logId: 'AAAA',
    ...more,
  });
const tlogProof = (more: Partial<Parameters<typeof writeTlogProof>[0]> = {}): string =>
  writeTlogProof({
    index,
    extra: leafBody(leaf()),
    hashes: proof,
    checkpoint: cosignedNote(newest()),
    ...more,
  });

/** The sentence of what does not hold. */
const no = (answer: Shown | string): string =>
  typeof answer === 'string' ? answer : assert.fail('it holds');
const shown = (answer: Shown | string): Shown => (typeof answer === 'string' ? assert.fail(answer) : answer);

test('a bundle holds: what it says, of which log, who cosigned it', () => {
  const one = shown(verifyBundle(bundle(), witnessed, null));
  assert.deepEqual(
    [one.index, one.checkpoint, one.witnesses, one.facts?.type, one.action],
    [index, { origin, size: 300 }, ['w1.test'], log.rows[index]?.type, false],
  );
  // The subject of the made entries is the digest of their action’s name.
  const action = Buffer.from(one.facts?.action ?? '');
  assert.equal(shown(verifyBundle(bundle(), trust, action)).action, true);
  assert.match(no(verifyBundle(bundle(), trust, Buffer.from('another'))), /another action/);
});

test('whatever is changed in a bundle, it does not hold', () => {
  const other = newKeys();
  const foreign = checkpointText({ origin, size: 300, root: Buffer.from(newest().root, 'base64') });
  const statement = log.rows[index]?.statement ?? '';
  const changes: readonly (readonly [string, RegExp])[] = [
    [bundle({ statement: `${statement} ` }), /payload or signature were changed/],
    [bundle({ index: index + 1 }), /not entry 78/],
    [bundle({ proof: proof.slice(1) }), /not entry 77/],
    [bundle({ leaf: leaf(index + 1) }), /payload or signature were changed/],
    [
      bundle({ leaf: { ...leaf(), signature: signPayload(statement, other.receipt) } }),
      /signature over the payload/,
    ],
    [
      bundle({
        leaf: { ...leaf(), signature: signPayload(statement, other.receipt), spki: spkiOf(other.receipt) },
      }),
      /not entry 77/,
    ],
    [bundle({ checkpoint: { size: 299, root: Buffer.from(newest().root, 'base64') } }), /another size/],
    [bundle({ checkpoint: { size: 300, root: new Uint8Array(32) } }), /another root/],
    [
      bundle({ note: noteWith(foreign, [signLine(foreign, origin, other.log)]) }),
      /none of the keys that are trusted/,
    ],
    [bundle({ note: cosignedNote(log.checkpoints[0] ?? assert.fail()) }), /not entry 77|another size/],
    ['{}', /no Sigstore bundle/],
    ['', /not JSON/],
    ['[]', /no object/],
    ['null', /no object/],
  ];
  for (const [text, why] of changes) assert.match(no(verifyBundle(text, trust, null)), why);
  assert.match(no(verifyBundle(bundle(), noTrust, null)), /none of the keys/);
  assert.match(
    no(verifyBundle(bundle(), { ...trust, receipt: new Set(['0'.repeat(64)]) }, null)),
    /not among those you gave/,
  );
  assert.match(no(verifyBundle(bundle({ note: newest().note }), witnessed, null)), /cosigned by 0/);
});

test('every single-character edit of a bundle is refused, or changes nothing that it says', () => {
  const text = bundle();
  const whole = JSON.stringify(verifyBundle(text, witnessed, null));
  // The rest are names of keys and kinds: they select and prove nothing, because the leaf holds the key itself.
  const essentials = (read: unknown): unknown => {
    // Read from what was verified.
    const { verificationMaterial, dsseEnvelope } = read as {
      verificationMaterial: { tlogEntries: Record<string, unknown>[] };
      dsseEnvelope: unknown;
    };
    const [entry] = verificationMaterial.tlogEntries;
    return [dsseEnvelope, entry?.['logIndex'], entry?.['inclusionProof'], entry?.['canonicalizedBody']];
  };
  let passed = 0;
  for (let place = 0; place < text.length; place += 1) {
    const edited = text.slice(0, place) + (text[place] === 'B' ? 'C' : 'B') + text.slice(place + 1);
    const answer = verifyBundle(edited, witnessed, null);
    if (typeof answer === 'string') continue;
    passed += 1;
    assert.equal(JSON.stringify(answer), whole, `character ${place}`);
    assert.deepEqual(essentials(JSON.parse(edited)), essentials(JSON.parse(text)), `character ${place}`);
  }
  assert.ok(passed < 200, `${passed} of ${text.length} characters`);
});

test('a tlog-proof holds for its leaf and for its statement, and for nothing else', () => {
  const statement = Buffer.from(log.rows[index]?.statement ?? '');
  assert.equal(shown(verifyTlogProof(tlogProof(), witnessed, null)).pae, log.rows[index]?.pae);
  assert.equal(shown(verifyTlogProof(tlogProof(), witnessed, statement)).facts?.index, index);
  assert.equal(shown(verifyTlogProof(tlogProof({ extra: null }), witnessed, leafBody(leaf()))).index, index);
  assert.match(no(verifyTlogProof(tlogProof({ extra: null }), witnessed, null)), /does not hold its leaf/);
  assert.match(no(verifyTlogProof(tlogProof(), witnessed, Buffer.from('else'))), /not entry 77/);
  assert.match(no(verifyTlogProof(tlogProof(), witnessed, leafBody(leaf(78)))), /not entry 77/);
  assert.match(
    no(verifyTlogProof(tlogProof({ extra: leafBody(leaf(78)) }), witnessed, null)),
    /not entry 77/,
  );
  assert.match(no(verifyTlogProof(tlogProof({ index: 78 }), witnessed, null)), /not entry 78/);
  assert.match(
    no(verifyTlogProof(tlogProof({ checkpoint: newest().note }), witnessed, null)),
    /cosigned by 0/,
  );
  assert.equal(verifyTlogProof('c2sp.org/tlog-proof@v2\n\n', trust, null), 'It is no tlog-proof.');
});

test('two checkpoints are of one log, or they are not', async () => {
  const signed = (of: MadeLog, size: number): SignedCheckpoint => {
    const read = readSigned(of.checkpoints.find((one) => one.size === size)?.note ?? '', trust);
    return typeof read === 'string' ? assert.fail(read) : read;
  };
  const hashes = await consistencyProof(
    100,
    300,
    nodesOf((level, n) => log.tiles.get(`${level}/${n}`)),
  );
  assert.equal(consistent(signed(log, 100), signed(log, 300), hashes), undefined);
  assert.match(consistent(signed(log, 300), signed(log, 100), hashes) ?? '', /entries were removed/);
  assert.match(consistent(signed(log, 200), signed(log, 300), hashes) ?? '', /does not begin with/);
  const other = await makeLog(keys, draftsOf(keys, 300), { salt: () => 'a'.repeat(64) });
  assert.match(consistent(signed(other, 100), signed(log, 300), hashes) ?? '', /does not begin with/);
  assert.equal(consistent(signed(log, 100), signed(log, 100), []), undefined);
  assert.match(consistent(signed(other, 100), signed(log, 100), []) ?? '', /does not begin with/);
  const text = hashes.map((one) => Buffer.from(one).toString('base64')).join('\n');
  assert.deepEqual(hashesOf(`${text}\n`)?.length, hashes.length);
  assert.equal(hashesOf('AAAA\n'), undefined);
});
