/**
 * The frame of every step (core/steps/): the rows it needs, what is loaded for it inside the transaction, and what it gives
 * back: an answer, with the rows, entries and notices that are written with it or not at all.
 */
import type { Case, Execution } from './case.ts';
import type { Change, Directory, Principal } from './directory.ts';
import type { EntryDraft } from './entry.ts';
import type { AgentId, ApprovalId, Digest, PersonId } from './ids.ts';
import type { JsonValue } from './json.ts';
import type { RecentRow } from './recent.ts';
import type { Refusal } from './refusal.ts';
import type { Result } from './result.ts';
import type { Crowd, Stop, Unsafe } from './stops.ts';
import type { PinnedTool } from './tool.ts';
import type { Versions } from './verdict.ts';

/** What the writer must read before the step of a command can run. */
export type Needs = (
  | { readonly rows: 'nothing' }
  | { readonly rows: 'case'; readonly by: 'action' | 'approval' | 'execution'; readonly id: string }
  /** The newest case with this join key that was held, or whose outcome is unknown: no other can be joined or hide one. */
  | { readonly rows: 'case'; readonly by: 'joinKey'; readonly id: string }
  | { readonly rows: 'tools'; readonly server: string }
  | { readonly rows: 'link'; readonly hash: string }
  | { readonly rows: 'used'; readonly hash: string }
) & {
  /** Whose recent grants are counted: this operation's, or that of the case that is read. */
  readonly recent?: { readonly operation: string } | 'of case';
  /** Whose pending approvals are counted. */
  readonly crowd?: { readonly agent: AgentId; readonly people: readonly PersonId[] };
};

export interface LinkRow {
  readonly hash: string;
  readonly person: PersonId;
  readonly expiresAtMs: number;
  readonly usedAtMs: number | null;
}

/** What the step sees: rows read inside the transaction, and the world as the transaction finds it. */
export interface Loaded {
  readonly case: Case | null;
  readonly tools: readonly PinnedTool[];
  readonly link: LinkRow | null;
  /** Whether it was used before. */
  readonly used: boolean;
  /** Rows of `Needs.recent`. */
  readonly recent: readonly RecentRow[];
  /** Counts of `Needs.crowd`; null where it asked for none. */
  readonly crowd: Crowd | null;
  /** All stops in force. */
  readonly stops: readonly Stop[];
  /** Unsafe denials of the last days. */
  readonly unsafe: readonly Unsafe[];
  readonly versions: Versions;
  readonly directory: Directory;
  /** Changes of the last 7 days, for the conflict set. */
  readonly changes: readonly Change[];
  readonly nowMs: number;
}

/** A row to write. The writer stores each or none. */
export type Write =
  | { readonly row: 'case'; readonly before: Case | null; readonly next: Case }
  | {
      readonly row: 'accepted';
      readonly what: 'policies' | 'directory';
      readonly version: number;
      readonly body: JsonValue;
      readonly digest: Digest;
    }
  | { readonly row: 'tool'; readonly tool: PinnedTool }
  | { readonly row: 'toolsVersion'; readonly version: number }
  /** One more grant, for `context.recent`. */
  | {
      readonly row: 'recent';
      readonly operation: string;
      readonly agent: AgentId;
      readonly atMs: number;
      readonly amount: number | null;
    }
  | { readonly row: 'stop'; readonly stop: Stop }
  /** Ends a stop, and forgets the unsafe denials that led to it. */
  | { readonly row: 'lifted'; readonly agent: AgentId; readonly operation: string | null }
  | { readonly row: 'unsafe'; readonly unsafe: Unsafe }
  | { readonly row: 'used'; readonly hash: string; readonly expiresAtMs: number }
  | { readonly row: 'change'; readonly change: Change }
  | { readonly row: 'token'; readonly principal: Principal; readonly hash: string }
  | { readonly row: 'link'; readonly link: LinkRow }
  | {
      readonly row: 'session';
      readonly hash: string;
      readonly person: PersonId;
      readonly expiresAtMs: number;
    }
  | { readonly row: 'sessionEnded'; readonly hash: string };

/** What channels must be told, written with the change and delivered afterwards, at least once. */
export interface Notice {
  readonly kind: 'approval.opened' | 'approval.closed';
  readonly approval: ApprovalId;
  /** Whether the asker's callback is called as well. */
  readonly callback: boolean;
}

export type Answer =
  | {
      readonly kind: 'case';
      readonly case: Case;
      readonly joined: boolean;
      readonly execution: Execution | null;
    }
  | { readonly kind: 'accepted'; readonly versions: Versions }
  | { readonly kind: 'tools'; readonly tools: readonly PinnedTool[]; readonly versions: Versions }
  | { readonly kind: 'person'; readonly person: PersonId }
  | { readonly kind: 'done' };

/** `stale`: what was judged is no longer what is; judge again. */
export type No = { readonly kind: 'refused'; readonly refusal: Refusal } | { readonly kind: 'stale' };

export interface Step {
  readonly answer: Result<Answer, No>;
  readonly writes: readonly Write[];
  readonly entries: readonly EntryDraft[];
  readonly notices: readonly Notice[];
}
