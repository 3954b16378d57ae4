/** What a person is told about their own accounts, passkeys and standing in, on their own page: so that nobody adds any unseen. */
import { canonicalize } from './canonical.ts';
import type { PersonId } from './ids.ts';
import type { JsonObject } from './json.ts';
import { sha256Hex } from './sha256.ts';

export interface Note {
  readonly id: string;
  readonly person: PersonId;
  /** Named like the entry that it goes with: `passkey.enrolled`. */
  readonly kind: string;
  readonly body: JsonObject;
  readonly atMs: number;
  readonly seenAtMs: number | null;
}

/** A note that nobody has seen. Its id follows from the rest, which is the same at most once. */
export const noteOf = (of: Pick<Note, 'person' | 'kind' | 'body' | 'atMs'>): Note => ({
  id: `note_${sha256Hex(canonicalize({ ...of })).slice(0, 26)}`,
  ...of,
  seenAtMs: null,
});
