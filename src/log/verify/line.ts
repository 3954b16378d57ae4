/**
 * One entry as a line of text: what a copy of the log holds beside its tiles. A line has exactly one form (canonical JSON), so that
 * no byte of it can be changed without changing what it says.
 *
 * `{"index":N,"key":ID,"signature":B64,"statement":TEXT}`, or, once its payload was erased,
 * `{"erased":true,"index":N,"key":ID,"pae":HEX,"signature":B64}`.
 */
import { isUtf8 } from 'node:buffer';

/** One entry with what its leaf is made of. */
export interface LoggedEntry {
  readonly index: number;
  /** The statement's exact bytes, UTF-8; empty once the payload was erased. */
  readonly statement: string;
  /** SHA-256 of the statement's PAE as it is kept beside it; null where the source keeps none but the statement. */
  readonly pae: string | null;
  /** Id of the receipt key. */
  readonly keyId: string;
  /** DER, base64. */
  readonly signature: string;
  /** What a row of the store says beside it; null elsewhere. */
  readonly row: { readonly atMs: number; readonly type: string; readonly head: string } | null;
}

/** Without its line break. */
export function lineOf({ index, statement, pae, keyId, signature }: LoggedEntry): string {
  const end = `"key":${JSON.stringify(keyId)}`;
  return statement === ''
    ? `{"erased":true,"index":${index},${end},"pae":"${pae ?? ''}","signature":${JSON.stringify(signature)}}`
    : `{"index":${index},${end},"signature":${JSON.stringify(signature)},"statement":${JSON.stringify(statement)}}`;
}

/** Reads a line; undefined for whatever `lineOf` does not write. */
export function entryOfLine(line: string): LoggedEntry | undefined {
  let read: unknown;
  try {
    read = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof read !== 'object' || read === null) return undefined;
  // Any object has properties of unknown types; each is looked at before it is used.
  const { index, key, signature, statement, pae, erased } = read as Readonly<Record<string, unknown>>;
  if (!Number.isSafeInteger(index) || typeof key !== 'string' || typeof signature !== 'string')
    return undefined;
  const gone = erased === true && typeof pae === 'string' && /^[0-9a-f]{64}$/.test(pae);
  if (!gone && (typeof statement !== 'string' || statement === '')) return undefined;
  const entry: LoggedEntry = {
    index: Number(index),
    statement: gone ? '' : String(statement),
    pae: gone ? pae : null,
    keyId: key,
    signature,
    row: null,
  };
  return entry.statement.isWellFormed() && lineOf(entry) === line ? entry : undefined;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of a line's bytes; undefined where they are not UTF-8. */
export const textOfLine = (bytes: Uint8Array): string | undefined =>
  isUtf8(bytes) ? decoder.decode(bytes) : undefined;

/** Lines without their breaks; undefined where the last one has none. */
export function linesOf(bytes: Uint8Array): readonly Uint8Array[] | undefined {
  const lines: Uint8Array[] = [];
  let from = 0;
  while (from < bytes.length) {
    const end = bytes.indexOf(10, from);
    if (end < 0) return undefined;
    lines.push(bytes.subarray(from, end));
    from = end + 1;
  }
  return lines;
}

/** Leaves in one entry bundle (C2SP tlog-tiles, "Log entries"): each with its length, 16 bits, big-endian. */
export function bundleOf(leaves: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const leaf of leaves) {
    if (leaf.length > 0xffff) throw new RangeError('a leaf has at most 65,535 bytes');
    parts.push(Uint8Array.of(leaf.length >> 8, leaf.length & 0xff), leaf);
  }
  return Buffer.concat(parts);
}

/** The leaves of an entry bundle; undefined where lengths and bytes do not fit. */
export function leavesOf(bundle: Uint8Array): readonly Uint8Array[] | undefined {
  const leaves: Uint8Array[] = [];
  let at = 0;
  while (at < bundle.length) {
    const [high, low] = [bundle[at], bundle[at + 1]];
    if (high === undefined || low === undefined) return undefined;
    const end = at + 2 + ((high << 8) | low);
    if (end > bundle.length) return undefined;
    leaves.push(bundle.subarray(at + 2, end));
    at = end;
  }
  return leaves;
}

/** The digest in a leaf, hexadecimal; null where there is none. */
export function digestIn(leaf: Uint8Array): string | null {
  const found = /"digest":"([A-Za-z0-9+/=]{44})"/.exec(Buffer.from(leaf).toString('latin1'))?.[1];
  return found === undefined ? null : Buffer.from(found, 'base64').toString('hex');
}
