/**
 * Signed notes and verifier keys (C2SP signed-note), and the cosignatures of witnesses (C2SP tlog-cosignature). A note is a text
 * that ends with a line break, an empty line, and signature lines `— NAME BASE64`.
 */
import { createPublicKey, hash, sign, verify, type KeyObject } from 'node:crypto';

/** `0x01` signs the text; `0x04` (cosignature/v1) signs it with a time. Others are carried, never verified. */
export type SignatureType = 1 | 4;

export interface Verifier {
  readonly name: string;
  /** 8 hexadecimal digits. */
  readonly id: string;
  readonly type: SignatureType;
  readonly key: KeyObject;
  /** As it was written: `NAME+ID+BASE64`. */
  readonly vkey: string;
}

export interface NoteSignature {
  readonly name: string;
  /** Key id, 8 hexadecimal digits. It selects a key and proves nothing. */
  readonly id: string;
  /** What follows the key id: 64 bytes of Ed25519, or a time and 64 bytes. */
  readonly bytes: Uint8Array;
  /** The whole line, without its break. */
  readonly line: string;
}

export interface Note {
  /** Ends with a line break. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** Bytes of a note that are read; a checkpoint with twenty cosignatures has about 3 KB. */
export const noteBytesMax = 65_536;
const signaturesMax = 100;

/** DER before the 32 bytes of an Ed25519 key in a SubjectPublicKeyInfo (RFC 8410). */
const ed25519Spki = Buffer.from('302a300506032b6570032100', 'hex');

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Bytes of standard base64, exactly as it would be written; undefined for anything else. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (!base64.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** No space, no plus, not empty (C2SP signed-note). */
const isName = (name: string): boolean => name !== '' && !/[\s+]/u.test(name);

/** The 32 bytes of an Ed25519 key; private or public. */
export function rawEd25519(key: KeyObject): Uint8Array {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return publicKey.export({ type: 'spki', format: 'der' }).subarray(ed25519Spki.length);
}

/** The first four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ key), as 8 hexadecimal digits. */
export function keyIdOf(name: string, type: SignatureType, raw: Uint8Array): string {
  const bytes = Buffer.concat([Buffer.from(`${name}\n`), Buffer.from([type]), raw]);
  return hash('sha256', bytes, 'hex').slice(0, 8);
}

/** `NAME+ID+BASE64(type ‖ key)`. */
export function vkeyOf(name: string, key: KeyObject, type: SignatureType = 1): string {
  const raw = rawEd25519(key);
  return `${name}+${keyIdOf(name, type, raw)}+${Buffer.concat([Buffer.from([type]), raw]).toString('base64')}`;
}

/** Reads a verifier key; undefined for what is none, or of a type that is not known here. */
export function verifierOf(vkey: string): Verifier | undefined {
  const [name = '', id = '', ...rest] = vkey.split('+');
  const bytes = fromBase64(rest.join('+'));
  const type = bytes?.[0];
  if (!isName(name) || bytes?.length !== 33 || (type !== 1 && type !== 4)) return undefined;
  const raw = bytes.subarray(1);
  if (keyIdOf(name, type, raw) !== id) return undefined;
  const key = createPublicKey({ key: Buffer.concat([ed25519Spki, raw]), format: 'der', type: 'spki' });
  return { name, id, type, key, vkey };
}

/** Reads a note; undefined for what is none. Signatures are not verified by reading. */
export function readNote(bytes: string): Note | undefined {
  if (bytes.length > noteBytesMax || !bytes.endsWith('\n') || !bytes.isWellFormed()) return undefined;
  if (/[\0-\x09\x0b-\x1f]/.test(bytes)) return undefined;
  const split = bytes.lastIndexOf('\n\n');
  if (split < 0) return undefined;
  const lines = bytes.slice(split + 2, -1).split('\n');
  if (lines.length > signaturesMax) return undefined;
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const match = /^\u2014 ([^\s+]+) (\S+)$/u.exec(line);
    const found = fromBase64(match?.[2] ?? '!');
    if (match === null || found === undefined || found.length < 5) return undefined;
    const id = Buffer.from(found.subarray(0, 4)).toString('hex');
    signatures.push({ name: match[1] ?? '', id, bytes: found.subarray(4), line });
  }
  return { text: bytes.slice(0, split + 1), signatures };
}

/** A signature line over a text, type 0x01, without its line break. */
export function signLine(text: string, name: string, key: KeyObject): string {
  const id = Buffer.from(keyIdOf(name, 1, rawEd25519(key)), 'hex');
  return lineOf(name, Buffer.concat([id, sign(null, Buffer.from(text), key)]));
}

/** A witness's line over a checkpoint: the time in seconds goes into what is signed (C2SP tlog-cosignature). */
export function cosignLine(
  text: string,
  signer: { readonly name: string; readonly key: KeyObject; readonly seconds: number },
): string {
  const { name, key, seconds } = signer;
  const id = Buffer.from(keyIdOf(name, 4, rawEd25519(key)), 'hex');
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(seconds));
  return lineOf(name, Buffer.concat([id, time, sign(null, Buffer.from(cosigned(text, seconds)), key)]));
}

const lineOf = (name: string, bytes: Buffer): string => `\u2014 ${name} ${bytes.toString('base64')}`;
const cosigned = (text: string, seconds: number | bigint): string =>
  `cosignature/v1\ntime ${seconds}\n${text}`;

/** The note with further lines. */
export const noteWith = (text: string, lines: readonly string[]): string =>
  `${text}\n${lines.map((line) => `${line}\n`).join('')}`;

export interface Verified {
  readonly verifier: Verifier;
  /** Of a cosignature: when its witness saw it. Null for a signature of type 0x01. */
  readonly atMs: number | null;
}

/**
 * Who of these has signed. A line of a known key that does not verify makes the whole note false, as in every implementation;
 * lines of unknown keys are passed over. Null: false.
 */
export function verifyNote(note: Note, verifiers: readonly Verifier[]): readonly Verified[] | null {
  const found: Verified[] = [];
  for (const one of note.signatures) {
    const verifier = verifiers.find((each) => each.name === one.name && each.id === one.id);
    if (verifier === undefined) continue;
    const verified = verifySignature(note.text, one, verifier);
    if (verified === undefined) return null;
    if (!found.some((each) => each.verifier === verifier)) found.push(verified);
  }
  return found;
}

function verifySignature(text: string, { bytes }: NoteSignature, verifier: Verifier): Verified | undefined {
  if (verifier.type === 1) {
    if (bytes.length !== 64) return undefined;
    return verify(null, Buffer.from(text), verifier.key, bytes) ? { verifier, atMs: null } : undefined;
  }
  if (bytes.length !== 72) return undefined;
  const seconds = Buffer.from(bytes.subarray(0, 8)).readBigUInt64BE();
  if (seconds > 253_402_300_799n) return undefined; // the year 9999
  return verify(null, Buffer.from(cosigned(text, seconds)), verifier.key, bytes.subarray(8))
    ? { verifier, atMs: Number(seconds) * 1000 }
    : undefined;
}
