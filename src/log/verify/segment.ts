/**
 * 256 entries, or the last ones: their statements, their leaves and their tile, compared with one another and with the signatures.
 * A function of bytes, so that a thread, a test or a page can run it alone. What no problem was found in is exactly what its tile
 * commits to; the rest is for `whole.ts`.
 */
import { hashBytes } from '../merkle.ts';
import { tileWidth } from '../tiles.ts';
import { entryOfLine, leavesOf, linesOf, textOfLine, type LoggedEntry } from './line.ts';
import { checkEntry } from './one-entry.ts';
import { problem, type Problem } from './problem.ts';
import type { EntryFacts } from './statement.ts';

/** As it was read. */
export interface Segment {
  /** Its number: it begins with entry n · 256. */
  readonly n: number;
  /** Entries that it must hold, 1 to 256. */
  readonly width: number;
  readonly entries:
    | { readonly kind: 'lines'; readonly bytes: Uint8Array | undefined }
    | { readonly kind: 'rows'; readonly rows: readonly LoggedEntry[] };
  /** The entry bundle; null where this source keeps none. */
  readonly bundle: Uint8Array | undefined | null;
  /** The tile of level 0, at least `width` hashes; undefined: missing. */
  readonly tile: Uint8Array | undefined;
}

/** What the log's own keys are, and which signatures are looked at. */
export interface SegmentChecks {
  /** SPKI (DER, base64) by the id of a receipt key. */
  readonly keys: ReadonlyMap<string, string>;
  /** Places in the segment whose signature is verified; null: all. */
  readonly signatures: readonly number[] | null;
}

export interface SegmentOutcome {
  readonly n: number;
  readonly problems: readonly Problem[];
  /** Leaf hashes to go on with: what most of entry, leaf and tile say, so that one of them that was changed spoils no other. */
  readonly hashes: Uint8Array;
  /** Digests to go on with, as they are kept beside the statements; may be too few. */
  readonly paes: readonly string[];
  /** Heads as rows have them; empty where the source has none. */
  readonly heads: readonly string[];
  readonly facts: readonly EntryFacts[];
  /** Whose payload is gone, with the time that a row still has; null: there is no row. */
  readonly erased: readonly (readonly [index: number, atMs: number | null])[];
  /** Signatures that were verified. */
  readonly verified: number;
  /** First and last index that each key has signed. */
  readonly signed: readonly (readonly [keyId: string, first: number, last: number])[];
}

export function checkSegment(segment: Segment, checks: SegmentChecks): SegmentOutcome {
  const { n, width } = segment;
  const first = n * tileWidth;
  const problems: Problem[] = [];
  const tile = segment.tile === undefined ? undefined : segment.tile.subarray(0, width * hashBytes);
  if (tile === undefined || tile.length < width * hashBytes)
    problems.push(
      problem(
        'tile',
        first + Math.floor((tile?.length ?? 0) / hashBytes),
        `The tile 0/${n} is missing, or has another length than it must have.`,
      ),
    );
  const leaves = segment.bundle === null ? null : (leavesOf(segment.bundle ?? new Uint8Array()) ?? []);
  if (leaves !== null && leaves.length !== width)
    problems.push(
      problem(
        'leaf',
        first + Math.min(leaves.length, width),
        `The entry bundle ${n} holds ${leaves.length} leaves, not ${width}, or its lengths do not fit.`,
      ),
    );
  const entries = entriesOf(segment, problems);
  const outcome = {
    hashes: new Uint8Array(width * hashBytes),
    paes: [] as string[],
    heads: [] as string[],
    facts: [] as EntryFacts[],
    erased: [] as (readonly [number, number | null])[],
  };
  const wanted = checks.signatures === null ? null : new Set(checks.signatures);
  const signed = new Map<string, [number, number]>();
  let verified = 0;
  for (let at = 0; at < width; at += 1) {
    const index = first + at;
    const entry = entries[at];
    const tileHash = tile?.subarray(at * hashBytes, (at + 1) * hashBytes);
    if (entry === undefined) {
      if (tileHash?.length === hashBytes) outcome.hashes.set(tileHash, at * hashBytes);
      continue;
    }
    const one = checkEntry(
      { index, entry, leaf: leaves === null ? null : leaves[at], tileHash },
      { keys: checks.keys, signature: wanted?.has(at) ?? true },
    );
    problems.push(...one.problems);
    outcome.hashes.set(one.hash, at * hashBytes);
    outcome.paes[at] = one.pae;
    if (entry.row !== null) outcome.heads[at] = entry.row.head;
    if (one.facts !== null) outcome.facts.push(one.facts);
    if (entry.statement === '') outcome.erased.push([index, entry.row?.atMs ?? null]);
    if (one.verified) verified += 1;
    const spoken = signed.get(entry.keyId);
    if (spoken === undefined) signed.set(entry.keyId, [index, index]);
    else spoken[1] = index;
  }
  return {
    ...outcome,
    n,
    problems,
    verified,
    signed: [...signed].map(([key, [from, to]]) => [key, from, to] as const),
  };
}

/** The entries by their places; what is missing or misplaced is a problem and has no place. */
function entriesOf(segment: Segment, problems: Problem[]): readonly (LoggedEntry | undefined)[] {
  const { n, width, entries } = segment;
  const first = n * tileWidth;
  const found: (LoggedEntry | undefined)[] = [];
  if (entries.kind === 'rows') {
    for (const row of entries.rows) {
      const at = row.index - first;
      if (at >= 0 && at < width && found[at] === undefined) found[at] = row;
      else if (at >= 0 && at < width)
        problems.push(problem('misplaced', row.index, `Entry ${row.index} is there twice.`));
    }
    for (let at = 0; at < width; at += 1)
      if (found[at] === undefined)
        problems.push(problem('missing', first + at, `Entry ${first + at} is missing.`));
    return found;
  }
  const lines = entries.bytes === undefined ? [] : linesOf(entries.bytes);
  if (lines === undefined) {
    problems.push(problem('unreadable', null, `The file of the entries from ${first} on is cut in a line.`));
    return [];
  }
  if (lines.length > width)
    problems.push(
      problem(
        'misplaced',
        first + width,
        `The file of the entries from ${first} on holds ${lines.length} lines, and there are ${width} such entries in the tree.`,
      ),
    );
  for (let at = 0; at < width; at += 1) {
    const line = lines[at];
    const read = line === undefined ? 'missing' : readPlace(line, first + at);
    if (typeof read !== 'string') found[at] = read;
    else
      problems.push(
        read === 'missing'
          ? problem('missing', first + at, `Entry ${first + at} is missing.`)
          : problem('unreadable', first + at, read),
      );
  }
  return found;
}

/** The entry of a line that should be the one of this index; a sentence where it is not. */
export function readPlace(line: Uint8Array, index: number): LoggedEntry | string {
  const text = textOfLine(line);
  const entry = text === undefined ? undefined : entryOfLine(text);
  if (entry === undefined) return `The line of entry ${index} is not in the form that it was written in.`;
  return entry.index === index
    ? entry
    : `Where entry ${index} should stand is entry ${entry.index}: entries were removed or put in another order.`;
}
