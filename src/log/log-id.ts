/**
 * How Sigstore names a log that signs checkpoints: 32 bytes of which the first four are the key id in its notes. A bundle and the
 * root of trust must name it alike, or no verifier finds the key.
 */
import { hash } from 'node:crypto';
import type { LogKey } from '../core/log-key.ts';
import { rawEd25519, readNote } from './note.ts';
import { keyOfSpki } from './leaf.ts';

/** A key of the log with the origin whose notes it signs. */
export type CheckpointKey = LogKey & { readonly origin: string };

export const isCheckpointKey = (key: LogKey): key is CheckpointKey =>
  key.use === 'log' && key.origin !== null;

/** SHA-256(origin ‖ 0x0A ‖ 0x01 ‖ key), base64: the key id of C2SP signed-note, uncut. */
export const logIdOf = ({ origin, spki }: Pick<CheckpointKey, 'origin' | 'spki'>): string =>
  hash(
    'sha256',
    Buffer.concat([Buffer.from(`${origin}\n`), Buffer.from([1]), rawEd25519(keyOfSpki(spki))]),
    'base64',
  );

/** Whose signature a note of an origin bears; where keys overlap, the first line's. Undefined: nobody's whom we know. */
export function signerOf(note: string, origin: string, keys: readonly LogKey[]): CheckpointKey | undefined {
  for (const { name, id } of readNote(note)?.signatures ?? []) {
    const found = keys.find(
      (one): one is CheckpointKey => isCheckpointKey(one) && one.origin === origin && one.id === id,
    );
    if (name === origin && found !== undefined) return found;
  }
  return undefined;
}
