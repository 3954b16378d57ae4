/**
 * What the policy set says of an action, and why. A verdict carries the versions of what it was judged with, so that a
 * transaction can tell whether the world has moved since.
 */
import type { GroupId, PolicyId } from './ids.ts';
import type { Code } from './refusal.ts';
import type { Recent } from './recent.ts';

export interface Escalation {
  readonly afterMs: number;
  readonly group: GroupId;
}

/** One policy that wants people. */
export interface Requirement {
  readonly id: PolicyId;
  readonly title: string;
  readonly approvers: GroupId;
  /** Distinct people. */
  readonly quorum: number;
  /** Time for people to answer. */
  readonly ttlMs: number;
  /** Time to run after approval. */
  readonly grantMs: number;
  readonly reasonRequired: boolean;
  readonly stepUp: 'passkey' | null;
  /** The channels where it may be decided; null: all. */
  readonly channels: readonly string[] | null;
  readonly escalate: Escalation | null;
}

export const requirementDefaults = { quorum: 1, ttlMs: 4 * 3_600_000, grantMs: 15 * 60_000 } as const;

/** One clause of a policy with the values on both sides, as evaluated. */
export interface Clause {
  readonly policy: PolicyId;
  readonly text: string;
  readonly left: string | null;
  readonly right: string | null;
}

export interface Explanation {
  /** One sentence for people. */
  readonly text: string;
  readonly policies: readonly {
    readonly id: PolicyId;
    readonly title: string;
    readonly effect: 'permit' | 'forbid';
  }[];
  /** The clauses that made the difference. */
  readonly clauses: readonly Clause[];
  /** Counterfactuals that Cedar confirmed. */
  readonly wouldAllow: readonly string[];
}

/** Versions of the accepted policy set, directory and pinned tools: dense counters of the store. */
export interface Versions {
  readonly policySet: number;
  readonly directory: number;
  readonly tools: number;
}

export const sameVersions = (a: Versions, b: Versions): boolean =>
  a.policySet === b.policySet && a.directory === b.directory && a.tools === b.tools;

interface Judged {
  readonly versions: Versions;
  /** The counts it was judged with; null where no policy of the operation reads them. */
  readonly recent: Recent | null;
  /** SHA-256 of the policy set that judged, for the log; null where there is none. */
  readonly policyDigest: string | null;
  /** For people: has values. */
  readonly explanation: Explanation;
  /** One sentence for the agent: no thresholds, unless the policy says `@tell_agent`. */
  readonly toldAgent: string;
}

export type Verdict =
  | (Judged & { readonly effect: 'allow' })
  | (Judged & { readonly effect: 'review'; readonly requirements: readonly Requirement[] })
  | (Judged & { readonly effect: 'deny'; readonly code: Code });
