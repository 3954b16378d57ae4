/**
 * The files of a copy of the log: their names and their forms, written and read. Layout (docs/verify.md):
 *
 *     checkpoint             the newest signed note, with its cosignatures (C2SP tlog-tiles)
 *     tile/…                 tiles and entry bundles (C2SP tlog-tiles)
 *     entries/000000.jsonl   256 entries a file, one a line (line.ts)
 *     checkpoints.jsonl      every checkpoint that was kept, with cosignatures and time stamps, one a line
 *     keys.json              the keys that have signed
 *     trusted_root.json      the root of trust for verifiers of Sigstore bundles
 *     manifest.json          SHA-256 of the files above that no tile commits to, and of README.txt
 *     README.txt
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { canonicalize } from '../../core/canonical.ts';
import type { JsonObject, JsonValue } from '../../core/json.ts';
import type { LogKey } from '../../core/log-key.ts';
import type { StoredCheckpoint } from '../../ports/log-store.ts';
import { checkpointOf } from '../checkpoint.ts';
import { readNote } from '../note.ts';
import { trustedRootOf } from '../trusted-root.ts';

/** Lies in a folder while it is being written. */
export const unfinishedName = 'UNFINISHED';
export const entriesName = (n: number): string => `entries/${String(n).padStart(6, '0')}.jsonl`;
/** The files that no tile commits to. */
export const smallFiles = [
  'README.txt',
  'checkpoint',
  'checkpoints.jsonl',
  'keys.json',
  'trusted_root.json',
] as const;

/** Bytes of a file that is read whole: 256 statements of a megabyte. */
const fileBytesMax = 512 * 1024 * 1024;

export interface Manifest {
  readonly origin: string;
  readonly size: number;
  /** Base64. */
  readonly root: string;
  /** SHA-256 by the name of a file. */
  readonly files: Readonly<Record<string, string>>;
}

export const manifestText = ({ origin, size, root, files }: Manifest): string =>
  `${canonicalize({ files, origin, root, size, v: 1 })}\n`;

/** Reads a manifest; undefined for whatever `manifestText` does not write. */
export function manifestOf(text: string): Manifest | undefined {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof read !== 'object' || read === null) return undefined;
  // Any object has properties of unknown types; each is looked at before it is used.
  const { origin, size, root, files } = read as Readonly<Record<string, unknown>>;
  if (typeof origin !== 'string' || typeof size !== 'number' || typeof root !== 'string') return undefined;
  if (!Number.isSafeInteger(size) || size < 0) return undefined;
  if (typeof files !== 'object' || files === null) return undefined;
  const named = Object.fromEntries(Object.entries(files).map(([name, digest]) => [name, String(digest)]));
  const manifest = { origin, size, root, files: named };
  return manifestText(manifest) === text ? manifest : undefined;
}

export const keysText = (keys: readonly LogKey[]): string =>
  // A LogKey is text, numbers and null.
  `${canonicalize({ keys: keys as unknown as readonly JsonObject[], v: 1 })}\n`;

export const trustedRootText = (keys: readonly LogKey[]): string =>
  `${JSON.stringify(trustedRootOf(keys), null, 2)}\n`;

/** One checkpoint as a line, without its break. */
export const checkpointLine = (kept: StoredCheckpoint): string =>
  // A StoredCheckpoint is text, numbers, null and objects of these.
  canonicalize(kept as unknown as JsonObject);

/** Reads what `checkpointLine` wrote; undefined for anything else. */
export function checkpointOfLine(line: string): StoredCheckpoint | undefined {
  let kept: Partial<StoredCheckpoint>;
  try {
    const read: unknown = JSON.parse(line);
    if (typeof read !== 'object' || read === null || canonicalize(read as JsonValue) !== line)
      return undefined;
    // Looked at below before anything of it is used.
    kept = read;
  } catch {
    return undefined;
  }
  const { origin, size, root, note, atMs, cosignatures, stamp = null, stampedAtMs = null } = kept;
  if (typeof origin !== 'string' || typeof size !== 'number' || typeof root !== 'string') return undefined;
  if (typeof note !== 'string' || typeof atMs !== 'number' || !Array.isArray(cosignatures)) return undefined;
  if (!cosignatures.every((one: unknown) => isCosignature(one))) return undefined;
  return { origin, size, root, note, atMs, cosignatures, stamp, stampedAtMs };
}

const isCosignature = (one: unknown): boolean =>
  typeof one === 'object' && one !== null && 'line' in one && typeof one.line === 'string';

/** Whoever opens a pipe for reading waits for somebody to write; Windows has no such flag, nor such pipes. */
const readNow = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** A file's bytes; undefined where there is none, or a pipe or a device, which may have no end. */
export async function bytesOf(path: string): Promise<Uint8Array | undefined> {
  let file;
  try {
    file = await open(path, readNow);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined;
    throw error;
  }
  try {
    const found = await file.stat();
    if (!found.isFile()) return undefined;
    if (found.size > fileBytesMax) throw new Error(`${path} is larger than ${fileBytesMax} bytes.`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** Bytes that are no UTF-8 become a mark that no form of ours has. */
export const textOf = (bytes: Uint8Array): string =>
  new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);

/** The newest checkpoint of the file `checkpoint`; a sentence where it is none. */
export function newestOf(bytes: Uint8Array): StoredCheckpoint | string {
  const note = textOf(bytes);
  const checkpoint = checkpointOf(readNote(note)?.text ?? '');
  if (checkpoint === undefined) return 'The file “checkpoint” is no signed checkpoint.';
  const { origin, size, root } = checkpoint;
  return {
    origin,
    size,
    root: Buffer.from(root).toString('base64'),
    note,
    atMs: 0,
    cosignatures: [],
    stamp: null,
    stampedAtMs: null,
  };
}
