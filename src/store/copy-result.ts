/** What a copy answers: what was moved, or why nothing is open that was not open before. */

export interface Copied {
  /** What operators know the target by. */
  readonly to: string;
  readonly tables: number;
  readonly rows: number;
  readonly entries: number;
  /** Of the log. */
  readonly head: string;
  /** SHA-256 over the digests of all tables, in hexadecimal; the same on both sides. */
  readonly digest: string;
  /** What the log's newest checkpoint calls it; null: nothing was published yet. */
  readonly origin: string | null;
  /** Actions that were running when the gate last stopped. */
  readonly running: number;
  /** Texts in which NUL was replaced by its picture. */
  readonly pictures: number;
  /** An earlier run had finished already: nothing was done. */
  readonly before: boolean;
}

export type CopyRefused =
  /** A gate holds the folder. */
  | { readonly kind: 'running' }
  | { readonly kind: 'noStore' }
  /** The target holds something else. */
  | { readonly kind: 'used' }
  /** It holds a copy of another store. */
  | { readonly kind: 'other'; readonly from: string }
  /** It holds a finished copy of this very store, which is open nevertheless: somebody put an older copy of it back. */
  | { readonly kind: 'newer' }
  /** The store has moved, and not to this database, or what it moved to is gone from there. */
  | { readonly kind: 'elsewhere'; readonly to: string; readonly atMs: number }
  /** A row, or the number of rows, is not the same on both sides. */
  | { readonly kind: 'differs'; readonly table: string; readonly what: string }
  /** A gate has written to the target, so that there is no way back. */
  | { readonly kind: 'written' }
  | { readonly kind: 'nothingToUndo' }
  | { readonly kind: 'stopped' }
  /** The databases say why. `goesOn`: the same command takes it up where it was. */
  | { readonly kind: 'fault'; readonly detail: string; readonly goesOn: boolean };

/** Thrown on the way, answered at the end. */
export class Refused extends Error {
  readonly why: CopyRefused;

  constructor(why: CopyRefused) {
    super(why.kind);
    this.why = why;
  }
}

/** What is under way, for whoever watches. */
export interface Watched {
  readonly step: 'copied' | 'compared' | 'entries verified';
  readonly done: number;
  readonly of: number;
}
