/** One checkpoint: what its note says, who signed it, and when it was stamped. */
import { checkpointOf, type Checkpoint } from '../checkpoint.ts';
import { readNote, verifyNote, type Verifier } from '../note.ts';
import type { StoredCheckpoint } from '../../ports/log-store.ts';
import { problem, type Problem } from './problem.ts';
import { cosignedNote } from './source.ts';

export interface SignedCheckpoint extends Checkpoint {
  /** Of the log, by its key. */
  readonly signedBy: Verifier;
  /** Distinct witnesses, of those that were given. */
  readonly witnesses: readonly { readonly verifier: Verifier; readonly atMs: number }[];
}

/** Reads a note and verifies it; a sentence where it is none, or nobody of these signed it. */
export function readSigned(
  text: string,
  by: { readonly log: readonly Verifier[]; readonly witnesses: readonly Verifier[] },
): SignedCheckpoint | string {
  const note = readNote(text);
  const read = note === undefined ? undefined : checkpointOf(note.text);
  if (note === undefined || read === undefined) return 'is no signed checkpoint';
  const found = verifyNote(note, [...by.log, ...by.witnesses]);
  if (found === null) return 'has a false signature';
  const signedBy = found.find(({ verifier }) => verifier.type === 1 && verifier.name === read.origin);
  if (signedBy === undefined) return `of ${read.origin} is signed by none of the keys that are trusted here`;
  // Keys, not names: one witness counts once however it is called.
  const keys = new Set<string>();
  const witnesses = found.flatMap(({ verifier, atMs }) => {
    const key = verifier.key.export({ type: 'spki', format: 'der' }).toString('base64');
    if (atMs === null || !by.witnesses.includes(verifier) || keys.has(key)) return [];
    keys.add(key);
    return [{ verifier, atMs }];
  });
  return { ...read, signedBy: signedBy.verifier, witnesses };
}

export interface KeptCheckpoint {
  /** Null: it was signed by nobody who is trusted here. */
  readonly signed: SignedCheckpoint | null;
  /** By whom its time stamp says it is, which nobody checked; null: none that holds. */
  readonly stampedBy: string | null;
  readonly problems: readonly Problem[];
}

/** A checkpoint that is kept: its note, what stands beside it, its stamp. */
export async function readKept(
  kept: StoredCheckpoint,
  by: Parameters<typeof readSigned>[1],
): Promise<KeptCheckpoint> {
  const name = `The checkpoint of ${kept.origin} at ${kept.size}`;
  const signed = readSigned(cosignedNote(kept), by);
  if (typeof signed === 'string')
    return { signed: null, stampedBy: null, problems: [problem('checkpoint', null, `${name} ${signed}.`)] };
  const problems: Problem[] = [];
  let stampedBy: string | null = null;
  const root = Buffer.from(signed.root).toString('base64');
  if (signed.origin !== kept.origin || signed.size !== kept.size || root !== kept.root)
    problems.push(problem('checkpoint', null, `${name} is kept beside other facts than its note says.`));
  if (kept.stamp !== null) {
    // Its library is large, and few checkpoints have a stamp.
    const { checkStamp } = await import('../stamp.ts');
    const stamp = await checkStamp(kept.stamp, kept.note);
    if (stamp.ok) stampedBy = stamp.value.by;
    else
      problems.push(
        problem('checkpoint', null, `${name} has a time stamp that does not hold: ${stamp.error}.`),
      );
  }
  return { signed, stampedBy, problems };
}
