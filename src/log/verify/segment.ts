/**
 * 256 entries, or the last ones: their statements, their leaves and their tile, compared with one another and with the signatures.
 * A function of bytes, so that a thread, a test or a page can run it alone. What no problem was found in is exactly what its tile
 * commits to; the rest is for `whole.ts`.
 */
import type { KeyObject } from 'node:crypto';
import { payloadType, preAuthentication } from '../../core/entry.ts';
import { sha256Hex } from '../../core/sha256.ts';
import { keyOfSpki, leafBody, verifyPayload } from '../leaf.ts';
import { hashBytes, hashLeaf } from '../merkle.ts';
import { fromBase64 } from '../note.ts';
import { tileWidth } from '../tiles.ts';
import { digestIn, entryOfLine, leavesOf, linesOf, textOfLine, type LoggedEntry } from './line.ts';
import { problem, type Problem, type ProblemCode } from './problem.ts';
import { readStatement, type EntryFacts } from './statement.ts';

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
  readonly erased: readonly number[];
  /** Signatures that were verified. */
  readonly verified: number;
  /** First and last index that each key has signed. */
  readonly signed: readonly (readonly [keyId: string, first: number, last: number])[];
}

/** Keys once read. */
const parsed = new Map<string, KeyObject | undefined>();
function keyObject(spki: string): KeyObject | undefined {
  if (!parsed.has(spki)) {
    let key: KeyObject | undefined;
    try {
      key = keyOfSpki(spki);
    } catch {
      key = undefined;
    }
    parsed.set(spki, key);
  }
  return parsed.get(spki);
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
    erased: [] as number[],
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
    if (entry.statement === '') outcome.erased.push(index);
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

/** Everything about one entry that needs no other entry. */
export function checkEntry(
  of: {
    readonly index: number;
    readonly entry: LoggedEntry;
    /** Out of the bundle; null: this source keeps none. */
    readonly leaf: Uint8Array | undefined | null;
    readonly tileHash: Uint8Array | undefined;
  },
  checks: { readonly keys: ReadonlyMap<string, string>; readonly signature: boolean },
): {
  readonly problems: readonly Problem[];
  readonly hash: Uint8Array;
  readonly pae: string;
  readonly facts: EntryFacts | null;
  readonly verified: boolean;
} {
  const { index, entry } = of;
  const problems: Problem[] = [];
  const wrong = (code: ProblemCode, text: string): void => void problems.push(problem(code, index, text));
  const erased = entry.statement === '';
  const made = erased ? entry.pae : sha256Hex(preAuthentication(payloadType, entry.statement));
  const pae = entry.pae ?? made ?? '';
  if (made !== pae)
    wrong('altered', `Entry ${index}: its statement is not the one that its digest was made of.`);
  let facts: EntryFacts | null = null;
  if (!erased) {
    const read = readStatement(entry.statement, index);
    if (typeof read === 'string') wrong('altered', `Entry ${index}: its statement ${read}.`);
    else {
      facts = read;
      if (entry.row !== null && (entry.row.atMs !== read.atMs || entry.row.type !== read.type))
        wrong('row', `Entry ${index}: the row gives it another time or type than its statement.`);
    }
  }
  const spki = checks.keys.get(entry.keyId);
  if (spki === undefined) wrong('key', `Entry ${index} is signed by a key that the log does not name.`);
  const leaf = leafBody({ pae: made ?? '', signature: entry.signature, spki: spki ?? '' });
  const hash = hashLeaf(leaf);
  const tileHash = of.tileHash?.length === hashBytes ? of.tileHash : undefined;
  const inTile = tileHash === undefined || Buffer.compare(hash, tileHash) === 0;
  const inBundle = of.leaf === null || (of.leaf !== undefined && Buffer.compare(leaf, of.leaf) === 0);
  if (spki !== undefined && !(inTile && inBundle)) problems.push(oddOne(of, { inTile, inBundle }));
  let verified = false;
  if (checks.signature && !erased && spki !== undefined) {
    verified = true;
    const key = keyObject(spki);
    if (
      key === undefined ||
      fromBase64(entry.signature) === undefined ||
      !verifyPayload(entry.statement, { key, signature: entry.signature })
    )
      wrong('signature', `Entry ${index}: its signature is not the gate’s.`);
  }
  // What was changed here must not make what comes after it look changed: the leaf that the tree holds still has the digest.
  const goesOn = problems.length === 0 || of.leaf == null ? undefined : (digestIn(of.leaf) ?? undefined);
  const twoAgree = of.leaf !== null && inBundle && spki !== undefined;
  return {
    problems,
    hash: twoAgree ? hash : (tileHash ?? hash),
    pae: entry.pae ?? goesOn ?? pae,
    facts,
    verified,
  };
}

/** Of entry, bundle and tile at least one is not like the others: which. */
function oddOne(
  { index, leaf, tileHash }: Parameters<typeof checkEntry>[0],
  { inTile, inBundle }: { readonly inTile: boolean; readonly inBundle: boolean },
): Problem {
  if (inBundle)
    return leaf === null
      ? problem('leaf', index, `Entry ${index}: its statement or signature is not what the tree holds.`)
      : problem('tile', index, `Entry ${index}: the tree’s hash of it was changed.`);
  const kept = leaf != null && tileHash !== undefined && Buffer.compare(hashLeaf(leaf), tileHash) === 0;
  if (inTile && tileHash !== undefined)
    return problem('leaf', index, `Entry ${index}: its leaf in the entry bundle was changed.`);
  return kept
    ? problem('altered', index, `Entry ${index}: its statement or signature is not what the tree holds.`)
    : problem('leaf', index, `Entry ${index}: statement, leaf and tree do not agree.`);
}
