/** Whether entries follow from the log before them: what is looked at before anything is signed. */
import { chain, payloadType, preAuthentication } from '../core/entry.ts';
import { asSha256Hex, type Sha256Hex } from '../core/ids.ts';
import { sha256Hex } from '../core/sha256.ts';
import { rfc3339 } from '../core/time.ts';
import type { RawEntry } from '../ports/log-store.ts';

/** The log up to an index, exclusive. */
export interface Upto {
  readonly size: number;
  readonly head: Sha256Hex;
}

/** The first entry that does not follow. */
export interface Wrong {
  readonly index: number;
  /** What is wrong with it: "entry 7 …". */
  readonly what: string;
}

/** Checks entries in their order, and that each row says what its statement says; null: all follow. */
export function wrongIn(entries: readonly RawEntry[], { size, head }: Upto): Wrong | null {
  let at = size;
  let before = head;
  for (const entry of entries) {
    const what = whatIsWrong(entry, at, before);
    if (what !== null) return { index: at, what };
    before = entry.head;
    at += 1;
  }
  return null;
}

function whatIsWrong(entry: RawEntry, index: number, before: Sha256Hex): string | null {
  if (entry.index !== index) return 'is missing';
  if (entry.statement === '') return 'has lost its payload before it was published';
  const pae = asSha256Hex(sha256Hex(preAuthentication(payloadType, entry.statement)));
  if (pae !== entry.pae) return 'was changed';
  if (chain(before, pae) !== entry.head) return 'does not follow from the one before it';
  return tellsTheSame(entry) ? null : 'says something else than its row';
}

/** The columns that reads go by are those of the statement. */
function tellsTheSame({ index, type, atMs, statement }: RawEntry): boolean {
  const told: unknown = parsed(statement);
  if (typeof told !== 'object' || told === null || !('predicate' in told)) return false;
  const { predicate } = told;
  if (typeof predicate !== 'object' || predicate === null) return false;
  const { index: toldIndex, type: toldType, at } = predicate as Readonly<Record<string, unknown>>;
  return toldIndex === index && toldType === type && at === rfc3339(atMs);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
