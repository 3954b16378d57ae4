/** Commands about what is in force: policies, people and servers as the files propose them, and the tools that servers offer. */
import type { Asked, By } from './case.ts';
import type { Change } from './directory.ts';
import type { ActionId, ApprovalId, Digest, ExecutionId, PersonId, Sha256Hex } from './ids.ts';
import type { Again } from './judged.ts';
import type { JsonObject, JsonValue } from './json.ts';
import type { Versions } from './verdict.ts';

/** The parts of what a store has accepted; files only propose them. */
export type Part = 'policies' | 'directory' | 'servers';

/**
 * How a part came to be in force: into a store that had none of it; as found, where one person is the whole company; because it
 * only tightens what was; by people's approval; at the machine (`config accept`).
 */
export type How = 'first' | 'found' | 'tightened' | 'reviewed' | 'machine';

export interface AcceptedBody {
  readonly what: Part;
  readonly body: JsonValue;
  /** SHA-256 of the body's canonical bytes. */
  readonly digest: Digest;
}

/** Accepts parts without asking anybody: the store holds what is in force, files are proposals. */
export interface AcceptCommand {
  readonly kind: 'accept';
  readonly how: Exclude<How, 'reviewed'>;
  readonly parts: readonly AcceptedBody[];
  readonly by: By;
  /** Whoever says that they made the change, and what it touches: they cannot approve by it for 7 days. */
  readonly madeBy?: { readonly person: PersonId; readonly touched: readonly Touched[] } | undefined;
  /** One line for each thing that changed, for the log. */
  readonly words?: readonly string[];
  /** Stale where the world is another by now; null: whatever it is. */
  readonly expected: Versions | null;
}

/** What a change of the configuration touches that a conflict can come from. */
export type Touched = Pick<Change, 'what' | 'id'>;

/** The gate asks people whether what the files say may be in force (core/config-change.ts). */
export interface AskChangeCommand {
  readonly kind: 'askChange';
  readonly asked: Asked;
  readonly approval: ApprovalId;
  readonly candidate: { readonly digest: Digest; readonly body: JsonValue };
  /** Asks even where this very candidate was refused before: the files changed in between, or somebody stands for it. */
  readonly anew: boolean;
  readonly expected: Versions;
}

/** Puts an approved candidate in force: starts, writes and ends in one transaction. */
export interface ApplyChangeCommand {
  readonly kind: 'applyChange';
  readonly action: ActionId;
  readonly execution: ExecutionId;
  readonly again: Again;
  readonly expected: Versions;
  /** Digest of what is accepted at `expected`. */
  readonly base: Digest;
  /** The whole configuration; its parts are taken out of it. */
  readonly candidate: JsonValue;
  readonly touched: readonly Touched[];
}

/** Withdraws what the gate asked, because the files say something else now. */
export interface DropChangeCommand {
  readonly kind: 'dropChange';
  readonly reason: string;
}

/** What a server says of its tools; what is new is pinned, what differs is disabled. */
export interface PinCommand {
  readonly kind: 'pin';
  readonly server: string;
  /** What becomes of a tool that was never seen: enabled at once, or waiting for an operator. */
  readonly pin: 'first-sight' | 'manual';
  readonly definitions: readonly JsonObject[];
}

export interface AcceptToolCommand {
  readonly kind: 'acceptTool';
  readonly server: string;
  readonly tool: string;
  /** Of the definition that was looked at; another one is not accepted with it. */
  readonly hash: Sha256Hex;
  readonly by: PersonId;
}

export type ConfigCommand =
  AcceptCommand | AskChangeCommand | ApplyChangeCommand | DropChangeCommand | PinCommand | AcceptToolCommand;
