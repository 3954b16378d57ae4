/**
 * The judge: the accepted policy set, evaluated. Promises:
 *
 * - `judge` never throws. Any failure, evaluation error or missing set is a deny with code `policy_error`.
 * - Candidates are proven in a throw-away worker before they can be live; a hostile text cannot hurt the live set.
 * - A reload replaces everything at once: each verdict comes from exactly one set, whose versions it carries.
 */
import type { Action, Resource } from '../core/action.ts';
import type { Act, Facts } from '../core/acts.ts';
import type { MayApproveRows } from '../core/judged.ts';
import type { AcceptedPolicies, PolicyDecision, PolicyItem } from '../core/config-change.ts';
import type { Directory } from '../core/directory.ts';
import type { PersonId, PolicyId } from '../core/ids.ts';
import type { JsonObject, JsonValue } from '../core/json.ts';
import type { Profile } from '../core/profile.ts';
import type { Recent } from '../core/recent.ts';
import type { Result } from '../core/result.ts';
import type { PinnedTool } from '../core/tool.ts';
import type { Requirement, Verdict, Versions } from '../core/verdict.ts';

/** The text of a policy set as proposed by files or held by the store. */
export interface PolicyTexts {
  /** `*.cedar` by file name, sorted. */
  readonly policies: readonly { readonly file: string; readonly text: string }[];
  /** `*.cedarschema` by file name, sorted: the operator's entity types. */
  readonly schemas: readonly { readonly file: string; readonly text: string }[];
  /** `entities.json`: attributes and parents of resources, Cedar's JSON format; null where there is none. */
  readonly entities: JsonValue;
}

/** A configured operation: asked through the HTTP API. */
export interface OperationDeclaration {
  readonly operation: string;
  /** JSON Schema of its input. */
  readonly input: JsonObject;
  /** The entity type of its resource, where its profile names one. */
  readonly resourceType: string | null;
}

/** Everything that a policy set is judged against. */
export interface PolicyWorld {
  readonly directory: Directory;
  /** Names of configured MCP servers: a policy that names an unpinned tool of one is a warning. */
  readonly servers: readonly string[];
  readonly tools: readonly PinnedTool[];
  /** Resource entity types by operation, from the profiles of MCP tools. */
  readonly resourceTypes: Readonly<Record<string, string>>;
  readonly operations: readonly OperationDeclaration[];
  /** By operation, what its profile takes from the input: the number that is added up, the resource. Default: nothing. */
  readonly profiles?: Readonly<Record<string, Pick<Profile, 'sum' | 'resource'>>>;
  /** Chats that are configured, for a warning where a policy lets itself be decided in others alone. Absent: not known here. */
  readonly chats?: readonly string[];
  readonly versions: Versions;
}

/** Something wrong with a policy set, where a person can find it. */
export interface PolicyProblem {
  readonly file: string;
  /** From 1; 0 where it is about the whole file. */
  readonly line: number;
  readonly message: string;
  /** `info`: as it may well be meant; for whoever asks, not for start-up. */
  readonly severity: 'error' | 'warning' | 'info';
}

/** Facts of an action that a judgement needs; the resource decides which entity Cedar is asked about. */
export type Judgeable = Pick<Action, 'agent' | 'operation' | 'input'> & { readonly resource: Resource };

/** One policy of the live set, as people read it. */
export interface LivePolicy {
  readonly id: PolicyId;
  readonly title: string;
  readonly effect: 'permit' | 'forbid';
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** As written in its file, from its first annotation to its semicolon. */
  readonly text: string;
  /** Null where it asks nobody. */
  readonly requirement: Requirement | null;
}

export interface PolicyEngine {
  /** Proves a candidate in a throw-away worker. All problems at once; errors make it unusable, warnings do not. */
  check(
    texts: PolicyTexts,
    world: PolicyWorld,
  ): Promise<{ readonly ok: boolean; readonly problems: readonly PolicyProblem[] }>;
  /**
   * Makes a proven set live, replacing what was. Null texts: there is no usable set, and everything is denied with
   * `policy_error` and this reason.
   */
  load(
    texts: PolicyTexts | null,
    world: PolicyWorld,
    reason: string | null,
  ): Promise<Result<null, readonly PolicyProblem[]>>;
  /**
   * Judges with nothing satisfied (design §5): allow, review with all requirements, or deny with a code. `recent`: what was
   * granted lately; null is enough where `readsRecent` is false, and a denial (`policy_error`) where it is true.
   */
  judge(action: Judgeable, nowMs: number, recent: Recent | null): Verdict;
  /** Whether policies of this operation read `context.recent`, so that somebody must count. */
  readsRecent(operation: string): boolean;
  /**
   * The verdict of this engine on this action with what people, and only they, are told besides: which single change Cedar
   * would allow, and for `no_permit` the permits that come nearest. Takes up to a few milliseconds: for what is held or denied, never
   * on the way of what is allowed. The agent is told of it only where every policy that determined the verdict says a bare
   * `@tell_agent`. `forOperators`: also what only an operator can change, such as the agent's groups.
   */
  explain(action: Judgeable, nowMs: number, verdict: Verdict, forOperators?: boolean): Verdict;
  /** Which of these people no `approve` forbid keeps from which requirement. An error keeps everybody from it. */
  mayApprove(
    action: Judgeable,
    requirements: readonly Requirement[],
    people: readonly PersonId[],
    nowMs: number,
  ): MayApproveRows;
  /**
   * Whether policies let a person do this besides what core says (core/acts.ts): the defaults that ship, less what the set
   * forbids. An error is a no. Without a usable set only what goes on without one is a yes: looking, without inputs, and stopping.
   */
  mayDo(person: PersonId, act: Act, facts: Facts, nowMs: number): boolean;
  /** Whether the set forbids anybody this act, so that core's answer may not be the last word; true where that is not known. */
  narrows(act: Act): boolean;
  /** The default policies of who reads and administers, as they are written. */
  roles(): readonly LivePolicy[];
  /**
   * Whether a policy permits `<operation>:input`: an agent's answer to a question that the approved tool asks. `recent`: as
   * the operation was judged with.
   */
  permitsQuestion(action: Judgeable, nowMs: number, recent?: Recent | null): boolean;
  /** A proven set as items, to be compared (core/config-change/). What cannot be parsed throws: prove it first. */
  items(texts: AcceptedPolicies): readonly PolicyItem[];
  /** The accepted texts with what was decided of them; not proven yet. */
  tightened(accepted: AcceptedPolicies, found: AcceptedPolicies, decision: PolicyDecision): PolicyTexts;
  /** The policies of the live set, by file and line; none where there is no set. */
  policies(): readonly LivePolicy[];
  /** The versions of the live set. */
  versions(): Versions;
  /** Null where a set is live; else why not, naming file and line. */
  broken(): string | null;
}
