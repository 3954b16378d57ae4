/** What the store knows of how people prove themselves beyond a session: passkeys, what was begun with them, and their notes. */
import type { Begun } from '../core/begun.ts';
import type { PersonId } from '../core/ids.ts';
import type { Note } from '../core/note.ts';
import type { Passkey } from '../core/passkey.ts';

export interface Proofs {
  /** By credential id, revoked or not. */
  passkey(id: string): Promise<Passkey | undefined>;
  /** Oldest first, revoked ones too. */
  passkeysOf(person: PersonId): Promise<readonly Passkey[]>;
  /** Everybody's that do not count yet and are not revoked, oldest first. */
  passkeysWaiting(): Promise<readonly Passkey[]>;
  /** A one-time thing by what names it, used or too old or not; gone a day after its time. */
  begun(hash: string): Promise<Begun | undefined>;
  /** What a person was told about themself, newest first. */
  notesOf(person: PersonId, limit: number): Promise<readonly Note[]>;
}
