/** Commands about how people prove who they are: accounts at providers, claimed groups, sessions, things begun and finished. */
import type { AccountKey, Way } from './accounts.ts';
import type { GroupId, PersonId } from './ids.ts';

/** Uses a begun thing up and answers it. Whoever began it must be whoever finishes it; one refusal for every reason. */
export interface FinishCommand {
  readonly kind: 'finish';
  readonly hash: string;
  /** What it may finish. */
  readonly of: string;
  readonly person: PersonId | null;
  /** Its body must be this text, where one is given: the browser that it was begun in. */
  readonly body?: string;
}

/** An account as a provider has just vouched for it. */
export interface Vouched extends AccountKey {
  /** For people to recognise it by. */
  readonly display: string;
}

/** Opens a session for whoever has this account. */
export interface SignInWithCommand {
  readonly kind: 'signInWith';
  readonly account: Vouched;
  /** When the person proved themself to the provider. */
  readonly authAtMs: number;
  /** What the provider claims, as groups of ours; null where it is not asked. */
  readonly groups: readonly GroupId[] | null;
  /** A verified address by which an unknown account may be attached (`linkByEmail`); null: never. */
  readonly email: string | null;
  readonly sessionHash: string;
  readonly expiresAtMs: number;
  readonly coolOffMs: number;
  /** Accounts of chats that the same provider vouches for in the same breath; absent: none. */
  readonly also?: readonly Vouched[];
}
/** Attaches an account to the person who has proven both sides. */
export interface LinkAccountCommand {
  readonly kind: 'linkAccount';
  readonly person: PersonId;
  /** How the person is signed in: lately, or it is refused. */
  readonly way: Way;
  readonly account: Vouched;
  /** For an account of a chat: SHA-256 of the code that it sent. */
  readonly code: string | null;
  /** For an account of a chat: SHA-256 of the secret of a link that it was given (core/chat-link.ts); absent: none. */
  readonly link?: string;
  readonly coolOffMs: number;
}
/** The chat's side: an account of it has sent a code. */
export interface SendCodeCommand {
  readonly kind: 'sendCode';
  /** SHA-256 of the code (core/chat-code.ts). */
  readonly code: string;
  readonly account: Vouched;
}
/** Takes an account away from a person. Its row stays, so that nobody else gets it. */
export interface UnlinkAccountCommand {
  readonly kind: 'unlinkAccount';
  readonly person: PersonId;
  readonly account: AccountKey;
}
/** A second person makes an account count before its time. */
export interface ConfirmAccountCommand {
  readonly kind: 'confirmAccount';
  readonly account: AccountKey;
  readonly by: PersonId;
  readonly way: Way | null;
}
/** The same for a group that a provider claims. */
export interface ConfirmMembershipCommand {
  readonly kind: 'confirmMembership';
  readonly person: PersonId;
  readonly group: GroupId;
  readonly provider: string;
  readonly by: PersonId;
  readonly way: Way | null;
}
/** Takes away what a provider claimed and, as configured now, may not claim. */
export interface DropClaimsCommand {
  readonly kind: 'dropClaims';
  readonly keep: readonly { readonly provider: string; readonly groups: readonly GroupId[] }[];
}
/** Ends sessions of a person: all, all but one, or one. */
export interface EndSessionsCommand {
  readonly kind: 'endSessions';
  readonly person: PersonId;
  readonly which:
    | { readonly kind: 'all' }
    /** All but this one: SHA-256 of its token. */
    | { readonly kind: 'others'; readonly but: string }
    /** `ses_…` */
    | { readonly kind: 'one'; readonly id: string };
}
/** The person did something in their session. Writes no entry. */
export interface SeenSessionCommand {
  readonly kind: 'seenSession';
  readonly sessionHash: string;
}
/** The person has read their notes. Writes no entry. */
export interface SeenNotesCommand {
  readonly kind: 'seenNotes';
  readonly person: PersonId;
}

export type PeopleCommand =
  | FinishCommand
  | SignInWithCommand
  | LinkAccountCommand
  | SendCodeCommand
  | UnlinkAccountCommand
  | ConfirmAccountCommand
  | ConfirmMembershipCommand
  | DropClaimsCommand
  | EndSessionsCommand
  | SeenSessionCommand
  | SeenNotesCommand;
