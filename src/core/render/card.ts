/**
 * A held action as a card: what a channel shows that is not a page of ours, in the order of design §7, as plain parts that each
 * platform lays out in its own blocks. Every text in it is `Shown`.
 */
import type { Shown } from './shown.ts';
import type { Tone } from './standing.ts';

/** One piece of a section, in the order in which it is read. */
export type Part =
  | {
      readonly as: 'pairs';
      readonly rows: readonly {
        readonly label: Shown;
        readonly value: Shown;
        /** Shown in a fixed-width face. */
        readonly literal: boolean;
        /** Said by the agent alone. */
        readonly claimed: boolean;
      }[];
    }
  | {
      readonly as: 'items';
      readonly items: readonly { readonly text: Shown; readonly tone: Tone | 'plain' }[];
    }
  /** Literal text, line by line; indentation is in the lines. */
  | { readonly as: 'code'; readonly lines: readonly Shown[] }
  /** Somebody else's words, line by line. */
  | { readonly as: 'quote'; readonly lines: readonly Shown[] }
  | {
      readonly as: 'table';
      readonly columns: readonly Shown[];
      readonly rows: readonly (readonly Shown[])[];
      /** Rows that were left out. */
      readonly more: number;
    };

export type SectionId =
  'undetermined' | 'why' | 'whom' | 'news' | 'special' | 'exact' | 'looks' | 'reason' | 'standing';

export interface Section {
  readonly id: SectionId;
  readonly title: Shown;
  /** Said beside the title: "unverified"; null for none. */
  readonly mark: Shown | null;
  /** What must be there whole, or nobody may approve from this card: never cut, in no place. The others may be, visibly. */
  readonly must: boolean;
  readonly parts: readonly Part[];
}

/** A button: what it carries is opaque. */
export interface Button {
  /** A post's or an approval's id. */
  readonly id: string;
  readonly tag: string;
}

export interface Buttons {
  /** Null where nobody can approve from here; why not is in `approveNot`. */
  readonly approve: Button | null;
  /** "Approve in the web inbox: the policy asks for a passkey." Null where there is a button. */
  readonly approveNot: Shown | null;
  /** Said where approving takes a reason: the button then opens a form that asks for it. Absent: it takes none. */
  readonly approveAsks?: Shown;
  readonly deny: Button | null;
  readonly stop: Button | null;
  /** Opens the whole in a view of the reader's own. */
  readonly open: Button | null;
}

export interface Card {
  readonly headline: Shown;
  readonly environment: Shown | null;
  /** Where it stands: "Waits for people", with its tone. */
  readonly state: { readonly title: Shown; readonly tone: Tone };
  /** "Cannot be undone", "Can be undone", "Not known whether it can be undone"; of what ended without a run, "Nothing ran". */
  readonly reversible: { readonly text: Shown; readonly tone: Tone | 'plain' };
  /** Null where none is known, and where nothing ran. */
  readonly consequence: Shown | null;
  readonly sections: readonly Section[];
  /** When it runs out, milliseconds since 1970; null where it waits for nobody. */
  readonly untilMs: number | null;
  readonly shortDigest: Shown;
  /** The whole of it on our own page. */
  readonly url: string;
  /** False where what it is was not shown whole even as parts: larger than anybody can read, or hidden from these readers. */
  readonly whole: boolean;
  /** Null once nothing can be done with it any more. */
  readonly buttons: Buttons | null;
}

/** The order in which sections are given room, the least first; not that in which they are read: what must be whole; then who stands where and why, before what is new and what was read. */
const rank: Readonly<Record<Section['id'], number>> = {
  undetermined: 1,
  exact: 1,
  reason: 1,
  standing: 2,
  why: 3,
  special: 4,
  whom: 5,
  news: 6,
  looks: 7,
};
/** What must be whole is before all others. */
export const rankOf = ({ id, must }: Section): number => (must ? 0 : rank[id]);
