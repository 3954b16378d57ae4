/**
 * Proofs of inclusion as text (C2SP tlog-proof): index, audit path and the cosigned checkpoint, to verify offline with keys of the
 * log and of its witnesses. The `extra` line holds the leaf, which is digests and a signature; whoever holds the proof alone,
 * because the payload is erased or not theirs to see, can still hash it.
 */
import { fromBase64 } from './note.ts';
import { hashBytes, type Hash } from './merkle.ts';

export interface TlogProof {
  readonly index: number;
  /** Not authenticated by the format: it counts only where its leaf hash is the one that is proven. Null: none. */
  readonly extra: Uint8Array | null;
  /** The audit path, from the leaf up (RFC 6962, section 2.1.1). */
  readonly hashes: readonly Hash[];
  /** The signed note, as it is. */
  readonly checkpoint: string;
}

const header = 'c2sp.org/tlog-proof@v1';
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

export const writeTlogProof = ({ index, extra, hashes, checkpoint }: TlogProof): string =>
  [
    header,
    ...(extra === null ? [] : [`extra ${base64(extra)}`]),
    `index ${index}`,
    ...hashes.map(base64),
    '',
    checkpoint,
  ].join('\n');

/** Hashes of a path: a tree of more leaves than a safe integer counts has no more. */
const hashesMax = 64;

/** Reads one; undefined for what is none. Nothing is verified by reading. */
export function readTlogProof(text: string): TlogProof | undefined {
  const split = text.indexOf('\n\n');
  const [first, ...lines] = text.slice(0, Math.max(0, split)).split('\n');
  if (split < 0 || first !== header) return undefined;
  const extra = lines[0]?.startsWith('extra ') === true ? fromBase64(lines[0].slice(6)) : null;
  if (extra === undefined) return undefined;
  const [indexLine = '', ...path] = extra === null ? lines : lines.slice(1);
  const index = Number(/^index (0|[1-9]\d{0,15})$/.exec(indexLine)?.[1] ?? 'none');
  if (!Number.isSafeInteger(index) || path.length > hashesMax) return undefined;
  const hashes: Hash[] = [];
  for (const line of path) {
    const hash = fromBase64(line);
    if (hash?.length !== hashBytes) return undefined;
    hashes.push(hash);
  }
  return { index, extra, hashes, checkpoint: text.slice(split + 2) };
}
