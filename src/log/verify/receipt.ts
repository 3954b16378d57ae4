/**
 * One receipt, with nothing else but keys: the Sigstore bundle, the tlog-proof, and consistency between two checkpoints. Pure
 * functions of what was read; a stock verifier answers the same (docs/verify.md).
 */
import { payloadType, preAuthentication } from '../../core/entry.ts';
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import { sha256Hex } from '../../core/sha256.ts';
import { bundleType } from '../bundle.ts';
import { keyOfSpki, leafBody, receiptKeyId, verifyPayload, type LeafParts } from '../leaf.ts';
import { hashBytes, hashLeaf, sameHash, verifyConsistency, verifyInclusion, type Hash } from '../merkle.ts';
import { fromBase64 } from '../note.ts';
import { readTlogProof } from '../tlog-proof.ts';
import type { Trust } from './keys.ts';
import { digestIn } from './line.ts';
import { readSigned, type SignedCheckpoint } from './signed.ts';
import { readStatement, type EntryFacts } from './statement.ts';

/** What a receipt shows. */
export interface Shown {
  readonly index: number;
  readonly checkpoint: Pick<SignedCheckpoint, 'origin' | 'size'>;
  readonly witnesses: readonly string[];
  /** What the entry says; null: the receipt has only its digest. */
  readonly facts: EntryFacts | null;
  /** SHA-256 of the statement's PAE. */
  readonly pae: string | null;
  /** Id of the receipt key. */
  readonly keyId: string | null;
  /** Whether an action's bytes were given and are those that the entry is about. */
  readonly action: boolean;
}

/** Why it shows nothing, in a sentence. */
class No extends Error {}
const must = (holds: boolean, text: string): void => {
  if (!holds) throw new No(text);
};

/** Verifies a Sigstore bundle of ours; a sentence where it does not hold. */
export function verifyBundle(
  text: string,
  trust: Trust,
  /** The exact canonical bytes of the action that it should be about; null: not compared. */
  action: Uint8Array | null,
): Shown | string {
  try {
    return bundle(text, trust, action);
  } catch (error) {
    if (error instanceof No) return error.message;
    throw error;
  }
}

function bundle(text: string, trust: Trust, action: Uint8Array | null): Shown {
  const top = objectIn(json(text), 'The receipt');
  must(top['mediaType'] === bundleType, `The receipt is no Sigstore bundle of version 0.3.`);
  const material = objectIn(top['verificationMaterial'], 'verificationMaterial');
  const entry = onlyOne(material['tlogEntries'], 'tlogEntries');
  const proof = objectIn(entry['inclusionProof'], 'inclusionProof');
  const envelope = objectIn(top['dsseEnvelope'], 'dsseEnvelope');
  const signature = textIn(onlyOne(envelope['signatures'], 'signatures')['sig'], 'sig');
  must(envelope['payloadType'] === payloadType, 'The envelope holds another kind of payload.');
  const statement = new TextDecoder('utf-8', { ignoreBOM: true }).decode(
    bytesIn(envelope['payload'], 'payload'),
  );
  must(
    Buffer.from(statement).equals(bytesIn(envelope['payload'], 'payload')),
    'The payload of the envelope is no text.',
  );
  const body = bytesIn(entry['canonicalizedBody'], 'canonicalizedBody');
  const pae = sha256Hex(preAuthentication(payloadType, statement));
  const spki = spkiIn(body);
  must(
    Buffer.compare(body, leafBody({ pae, signature, spki })) === 0,
    'The leaf in the receipt is not the one of its envelope: payload or signature were changed.',
  );
  must(
    verifyPayload(statement, { key: keyOfSpki(spki), signature }),
    'The signature over the payload does not verify.',
  );
  const keyId = receiptKeyId(spki);
  mustBeTrusted(keyId, trust);
  const index = indexIn(proof['logIndex']);
  must(entry['logIndex'] === proof['logIndex'], 'The receipt names two indexes.');
  const hashes = proof['hashes'];
  must(isJsonArray(hashes), 'hashes is missing.');
  const signed = included(
    {
      index,
      leaf: hashLeaf(body),
      proof: (isJsonArray(hashes) ? hashes : []).map((one) => bytesIn(one, 'hashes')),
      note: textIn(objectIn(proof['checkpoint'], 'checkpoint')['envelope'], 'envelope'),
    },
    trust,
  );
  must(indexIn(proof['treeSize']) === signed.size, 'The receipt names another size than its checkpoint.');
  must(
    sameHash(bytesIn(proof['rootHash'], 'rootHash'), signed.root),
    'The receipt names another root than its checkpoint.',
  );
  const facts = readStatement(statement, index);
  if (typeof facts === 'string') throw new No(`Its statement ${facts}.`);
  must(
    action === null || facts.subject === sha256Hex(action ?? ''),
    'The entry is about another action than the one you gave.',
  );
  return { ...shownOf(index, signed), facts, pae, keyId, action: action !== null };
}

/**
 * Verifies a C2SP tlog-proof; a sentence where it does not hold.
 * @param entry the leaf, or the statement that the leaf in the proof is of; null: the leaf in the proof.
 */
export function verifyTlogProof(text: string, trust: Trust, entry: Uint8Array | null): Shown | string {
  const proof = readTlogProof(text);
  if (proof === undefined) return 'It is no tlog-proof.';
  const { index, hashes, extra, checkpoint } = proof;
  try {
    const statement = entry !== null && extra !== null && digestIn(extra) === paeOf(entry) ? entry : null;
    const leaf = statement === null ? (entry ?? extra) : extra;
    if (leaf === null) return 'The proof does not hold its leaf: give it with --entry.';
    const signed = included({ index, leaf: hashLeaf(leaf), proof: hashes, note: checkpoint }, trust);
    const read = statement === null ? null : readStatement(Buffer.from(statement).toString(), index);
    if (typeof read === 'string') return `Its statement ${read}.`;
    const { pae, signature, spki } = partsOfLeaf(leaf);
    const keyId = receiptKeyId(spki);
    mustBeTrusted(keyId, trust);
    const signs =
      statement === null ||
      verifyPayload(Buffer.from(statement).toString(), { key: keyOfSpki(spki), signature });
    must(signs, 'The signature in its leaf does not verify.');
    return { ...shownOf(index, signed), facts: read, pae, keyId, action: false };
  } catch (error) {
    if (error instanceof No) return error.message;
    throw error;
  }
}

const mustBeTrusted = (keyId: string, trust: Trust): void =>
  must(
    trust.receipt.size === 0 || trust.receipt.has(keyId),
    `It is signed by the key ${keyId}, which is not among those you gave.`,
  );

/** What a leaf is made of. The tree alone does not say that it is a leaf of ours: it holds whatever its key signed over. */
function partsOfLeaf(leaf: Uint8Array): LeafParts {
  const pae = digestIn(leaf) ?? '';
  const signature = /"content":"([A-Za-z0-9+/=]+)"/.exec(Buffer.from(leaf).toString('latin1'))?.[1] ?? '';
  const parts = { pae, signature, spki: spkiIn(leaf) };
  must(Buffer.compare(leaf, leafBody(parts)) === 0, 'Its leaf is not in the form of an entry of ours.');
  return parts;
}

const paeOf = (statement: Uint8Array): string =>
  sha256Hex(preAuthentication(payloadType, Buffer.from(statement).toString()));

const shownOf = (
  index: number,
  signed: SignedCheckpoint,
): Pick<Shown, 'index' | 'checkpoint' | 'witnesses'> => ({
  index,
  checkpoint: { origin: signed.origin, size: signed.size },
  witnesses: signed.witnesses.map(({ verifier }) => verifier.name),
});

function included(
  of: { readonly index: number; readonly leaf: Hash; readonly proof: readonly Hash[]; readonly note: string },
  trust: Trust,
): SignedCheckpoint {
  const signed = readSigned(of.note, trust);
  if (typeof signed === 'string') throw new No(`Its checkpoint ${signed}.`);
  const { size, root } = signed;
  must(
    verifyInclusion({ index: of.index, size, leaf: of.leaf, proof: of.proof, root }),
    `It is not entry ${of.index} of the tree of its checkpoint.`,
  );
  must(
    signed.witnesses.length >= trust.quorum,
    `Its checkpoint is cosigned by ${signed.witnesses.length} of the witnesses that you gave, and you want ${trust.quorum}.`,
  );
  return signed;
}

/** Whether the older checkpoint is a beginning of the newer one; a sentence where that is not shown. */
export function consistent(
  older: SignedCheckpoint,
  newer: SignedCheckpoint,
  proof: readonly Hash[],
): string | undefined {
  if (older.origin !== newer.origin) return `They are of two logs: ${older.origin} and ${newer.origin}.`;
  if (older.size > newer.size)
    return `The log had ${older.size} entries, and has ${newer.size} in the newer one: entries were removed.`;
  return verifyConsistency({
    from: older.size,
    to: newer.size,
    fromRoot: older.root,
    toRoot: newer.root,
    proof,
  })
    ? undefined
    : `The log of ${newer.size} entries does not begin with the one of ${older.size}: it was rewritten, or these are two logs.`;
}

/** Hashes of a proof, base64, one a line; undefined for anything else. */
export function hashesOf(text: string): readonly Hash[] | undefined {
  const lines = text.split('\n').filter((line) => line !== '');
  const hashes = lines.map((line) => fromBase64(line));
  const whole = hashes.filter((one): one is Hash => one?.length === hashBytes);
  return whole.length === lines.length ? whole : undefined;
}

function json(text: string): JsonValue {
  try {
    // JSON.parse answers JSON.
    return JSON.parse(text) as JsonValue;
  } catch {
    throw new No('The receipt is not JSON.');
  }
}

function objectIn(value: JsonValue | undefined, name: string): JsonObject {
  if (value === undefined || !isJsonObject(value)) throw new No(`${name} is missing, or no object.`);
  return value;
}

function onlyOne(value: JsonValue | undefined, name: string): JsonObject {
  if (value === undefined || !isJsonArray(value) || value.length !== 1)
    throw new No(`${name} must have one item.`);
  return objectIn(value[0], name);
}

function textIn(value: JsonValue | undefined, name: string): string {
  if (typeof value !== 'string') throw new No(`${name} is missing, or no text.`);
  return value;
}

function bytesIn(value: JsonValue | undefined, name: string): Uint8Array {
  const bytes = fromBase64(textIn(value, name));
  if (bytes === undefined) throw new No(`${name} is not base64.`);
  return bytes;
}

function indexIn(value: JsonValue | undefined): number {
  const text = textIn(value, 'an index');
  if (!/^(?:0|[1-9]\d{0,15})$/.test(text)) throw new No('An index is no number.');
  return Number(text);
}

/** The public key in a leaf. */
function spkiIn(leaf: Uint8Array): string {
  const spki = /"rawBytes":"([A-Za-z0-9+/=]+)"/.exec(Buffer.from(leaf).toString('latin1'))?.[1];
  try {
    keyOfSpki(spki ?? '');
  } catch {
    throw new No('The leaf names no public key.');
  }
  return spki ?? '';
}
