/**
 * The newest checkpoint that was given out, in a file beside the store: what a store that somebody put back cannot take back.
 * PostgreSQL has no folder; there, a witness is what remembers.
 */
import { join } from 'node:path';
import { checkpointOf, type Checkpoint } from './checkpoint.ts';
import { readIfThere, writeOver } from './key-files.ts';
import { readNote } from './note.ts';

/** `none`: there is no such file. `unread`: there is, and it holds no checkpoint. */
export type Remembered =
  | { readonly kind: 'none' }
  | { readonly kind: 'unread' }
  | { readonly kind: 'given'; readonly checkpoint: Checkpoint; readonly note: string };

export interface Memory {
  /** What operators know it by; null: there is none. */
  readonly path: string | null;
  read(): Promise<Remembered>;
  /** Durable when it resolves; only then the note may be given out. */
  write(note: string): Promise<void>;
}

/** @param folder of the keys; null: nothing is remembered. */
export function memoryIn(folder: string | null): Memory {
  const path = folder === null ? null : join(folder, 'checkpoint');
  return {
    path,
    async read() {
      const note = path === null ? undefined : await readIfThere(path);
      if (note === undefined) return { kind: 'none' };
      const checkpoint = checkpointOf(readNote(note)?.text ?? '');
      return checkpoint === undefined ? { kind: 'unread' } : { kind: 'given', checkpoint, note };
    },
    write: async (note) => (path === null ? undefined : writeOver(path, note)),
  };
}
