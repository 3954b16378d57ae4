/**
 * Whether entries follow from the log before them: what is looked at before anything is signed. Promise: whatever a verifier would
 * say of an entry by itself, and of its place, is said here first. A leaf never leaves the tree again, so one that was signed over
 * something else would make the log broken for ever.
 */
import { chain, payloadType, preAuthentication } from '../core/entry.ts';
import { asSha256Hex, type Sha256Hex } from '../core/ids.ts';
import { sha256Hex } from '../core/sha256.ts';
import type { RawEntry } from '../ports/log-store.ts';
import { readStatement } from './verify/statement.ts';

/** The log up to an index, exclusive. */
export interface Upto {
  readonly size: number;
  readonly head: Sha256Hex;
  /** Of its last entry; 0 before the first. */
  readonly atMs: number;
}

/** The first entry that does not follow. */
export interface Wrong {
  readonly index: number;
  /** What is wrong with it: "entry 7 …". */
  readonly what: string;
}

/** Checks entries in their order, and that each row says what its statement says; null: all follow. */
export function wrongIn(entries: readonly RawEntry[], upto: Upto): Wrong | null {
  let before = upto;
  for (const entry of entries) {
    const what = whatIsWrong(entry, before);
    if (what !== null) return { index: before.size, what };
    before = { size: before.size + 1, head: entry.head, atMs: entry.atMs };
  }
  return null;
}

function whatIsWrong(entry: RawEntry, { size: index, head: before, atMs }: Upto): string | null {
  if (entry.index !== index) return 'is missing';
  if (entry.statement === '') return 'has lost its payload before it was published';
  const pae = asSha256Hex(sha256Hex(preAuthentication(payloadType, entry.statement)));
  if (pae !== entry.pae) return 'was changed';
  if (chain(before, pae) !== entry.head) return 'does not follow from the one before it';
  const read = readStatement(entry.statement, index);
  if (typeof read === 'string') return `was not written by a gate: its statement ${read}`;
  // The columns that reads go by are those of the statement.
  if (read.type !== entry.type || read.atMs !== entry.atMs) return 'says something else than its row';
  if (read.atMs < atMs) return 'is of an earlier time than the one before it';
  return read.headBefore === null || read.headBefore === before
    ? null
    : 'was written after other entries than stand before it';
}
