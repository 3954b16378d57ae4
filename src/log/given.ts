/**
 * The newest checkpoint that was given out, in a file beside the store: what a store that somebody put back cannot take back.
 * PostgreSQL has no folder; there only the process itself does, and a witness.
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

/** @param folder of the keys; null: what this process gave out is remembered as long as it runs. */
export function memoryIn(folder: string | null): Memory {
  const path = folder === null ? null : join(folder, 'checkpoint');
  let last: string | undefined;
  return {
    path,
    async read() {
      const note = path === null ? last : await readIfThere(path);
      if (note === undefined) return { kind: 'none' };
      const checkpoint = checkpointOf(readNote(note)?.text ?? '');
      return checkpoint === undefined ? { kind: 'unread' } : { kind: 'given', checkpoint, note };
    },
    async write(note) {
      if (path === null) last = note;
      else await writeOver(path, note);
    },
  };
}
