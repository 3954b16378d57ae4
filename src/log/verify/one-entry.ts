/** One entry: its statement, its leaf and its hash in the tree, compared with one another and with its signature. */
import type { KeyObject } from 'node:crypto';
import { payloadType, preAuthentication } from '../../core/entry.ts';
import { sha256Hex } from '../../core/sha256.ts';
import { keyOfSpki, leafBody, verifyPayload } from '../leaf.ts';
import { hashBytes, hashLeaf } from '../merkle.ts';
import { fromBase64 } from '../note.ts';
import { digestIn, type LoggedEntry } from './line.ts';
import { problem, type Problem, type ProblemCode } from './problem.ts';
import { readStatement, type EntryFacts } from './statement.ts';

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
