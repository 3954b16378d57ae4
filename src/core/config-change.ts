/**
 * Who may do what, as one value: policies, people and agents, servers and operations. What is accepted and what was found are
 * two of them; the files beside this one (core/config-change/) say what lies between, what of it only tightens and so takes
 * effect at once, and who is asked about the rest. Pure, and without a parser: policies are given as items.
 */
import type { Delegate } from './action.ts';
import type { Mode } from './case.ts';
import type { Directory } from './directory.ts';
import type { AgentId, GroupId, PersonId } from './ids.ts';
import type { JsonObject, JsonValue } from './json.ts';
import type { Profile } from './profile.ts';
import type { Requirement } from './verdict.ts';

/** The texts of a policy set; the same shape as `PolicyTexts` of ports/policy.ts. JSON by construction. */
export interface AcceptedPolicies {
  readonly policies: readonly { readonly file: string; readonly text: string }[];
  readonly schemas: readonly { readonly file: string; readonly text: string }[];
  readonly entities: JsonValue;
}

/** Where the value of a variable or header comes from; never the value of a secret. */
export type AcceptedSource =
  | { readonly from: 'env'; readonly name: string }
  | { readonly from: 'file'; readonly path: string }
  /** Written in the configuration: an HMAC under the store's key tells whether it changed, and not what it is. */
  | { readonly from: 'literal'; readonly hash: string };

/** How a server is reached, without secrets. `argv` and `url` are literal, because they decide what runs. */
export type AcceptedUpstream =
  | {
      readonly kind: 'command';
      readonly argv: readonly string[];
      readonly cwd: string;
      readonly env: Readonly<Record<string, AcceptedSource>>;
    }
  | {
      readonly kind: 'url';
      readonly url: string;
      readonly headers: Readonly<Record<string, AcceptedSource>>;
    };

export interface AcceptedServer {
  readonly name: string;
  readonly upstream: AcceptedUpstream;
  readonly pin: 'first-sight' | 'manual';
  /** Of all its tools but those that `modes` names. */
  readonly mode: Mode;
  /** By tool name. */
  readonly modes: Readonly<Record<string, Mode>>;
  /** Profiles by tool name. */
  readonly tools: Readonly<Record<string, Profile>>;
  /**
   * False: taken away, and not accepted as such yet. It is not served, and its name stays one of the policy world's servers:
   * else a policy that names one of its tools would declare that name anew, as an operation with an empty input.
   */
  readonly active?: false;
}

export interface AcceptedOperation {
  readonly operation: string;
  /** JSON Schema of the input. */
  readonly input: JsonObject;
  readonly profile: Profile | null;
  readonly mode: Mode;
  /** False: taken away, and not accepted as such yet. Refused before anything is judged; it stays declared, as a server does. */
  readonly active?: false;
}

/** What agents can call. JSON by construction: no undefined, no dates, nothing that JSON has not. */
export interface AcceptedServers {
  readonly servers: readonly AcceptedServer[];
  readonly operations: readonly AcceptedOperation[];
  /**
   * How people and agents prove who they are, by name: providers, issuers, settings of signing in, each without secrets. What is
   * not as accepted is not used (`isAcceptedSignIn`): whoever could put in a provider could be anybody. Absent: none is compared.
   */
  readonly signIn?: Readonly<Record<string, JsonValue>>;
  /** The zone whose hours and weekdays policies read: in another one a forbid outside office hours forbids other hours. */
  readonly timezone?: string;
}

/** The whole. `policies` is null where none was ever accepted, or none can be read. */
export interface Configuration {
  readonly policies: AcceptedPolicies | null;
  readonly directory: Directory;
  readonly servers: AcceptedServers;
}

/** Groups whose members' going could loosen what a policy says. */
export type ReadGroups =
  /** It may depend on any membership. */
  'any' | readonly string[];

/** One policy of a set, as parsed by policy/items.ts. */
export interface PolicyItem {
  /** Its `@id`. */
  readonly id: string;
  readonly file: string;
  /** As written, from its first annotation to its semicolon, which is not part of it. */
  readonly text: string;
  readonly effect: 'permit' | 'forbid';
  readonly requirement: Requirement | null;
  /** Its tokens without annotations, comments, white space and a permit's {@link withdrawnEnd}. */
  readonly body: string;
  /** Values by name, as written between the quotes; empty where an annotation has none. */
  readonly annotations: Readonly<Record<string, string>>;
  /** The actions in its scope; null: any. */
  readonly actions: readonly string[] | null;
  /** Groups of people that it reads so that taking somebody out of one could loosen it. */
  readonly groups: ReadGroups;
  /** A permit that ends with {@link withdrawnEnd}: it permits nothing. */
  readonly withdrawn: boolean;
}

/**
 * What a deleted permit ends with until its deletion is accepted. It permits nothing any more, and what it read and where it
 * failed stays as it was: without it, an action that was denied because a permit could not be evaluated might be allowed by
 * another.
 */
export const withdrawnEnd = ' when { false }';

/** A configuration with its policies parsed; no items where `policies` is null. */
export interface Itemised extends Configuration {
  readonly items: readonly PolicyItem[];
}

export type DifferenceKind =
  | 'policy'
  | 'person'
  | 'group membership'
  | 'agent'
  | 'role'
  | 'server'
  | 'operation'
  | 'sign-in'
  | 'schema'
  | 'entities';

/** What a difference can have to do with an action: what `changes` rows name (core/conflict.ts). */
export type Touched =
  | { readonly what: 'policy' | 'tool'; readonly id: string }
  | { readonly what: 'group'; readonly id: GroupId }
  | { readonly what: 'agent'; readonly id: AgentId };

/** One thing that differs between what is accepted and what was found. */
export interface Difference {
  readonly what: DifferenceKind;
  /** Of the policy, person, agent, role, server, operation or way to sign in; a schema's file; an entity as `Type::"id"`; `sam in data-owners`. */
  readonly id: string;
  /** Literally: a policy's text, else JSON with line breaks. Null where there was none. */
  readonly before: string | null;
  readonly after: string | null;
  /** In force at once, as far as it goes; false: it waits for people. */
  readonly tightens: boolean;
  /** One plain sentence without an end: "adds the permit reads", "removes Sam Lee (sam) from data-owners". Unescaped. */
  readonly says: string;
  readonly touches: readonly Touched[];
}

/** What becomes of the accepted policies. Ids; what is in none of the lists stays as it is. */
export interface PolicyDecision {
  /** Accepted permits that permit nothing more: {@link withdrawnEnd} is added to each. */
  readonly withdraw: readonly string[];
  /** Accepted requirements that ask for more: their text is the found one's. */
  readonly replace: readonly string[];
  /** Found forbids that come. */
  readonly add: readonly string[];
}

/** Accepted, with only what tightens of what was found. */
export interface Tightened {
  readonly directory: Directory;
  readonly servers: AcceptedServers;
  readonly policies: PolicyDecision;
  /** The policies as they are then; what `textsWith` (policy/items.ts) writes parses to these. */
  readonly items: readonly PolicyItem[];
}

export const keepsPolicies = ({ withdraw, replace, add }: PolicyDecision): boolean =>
  withdraw.length + replace.length + add.length === 0;

/** Where a change comes from. */
export interface Origin {
  /** The person who is known to have made it; null: it was found on disk. */
  readonly author: PersonId | null;
  /** Who approved it elsewhere, as a CI identity says: shown, and fills no place. */
  readonly approver?: string;
  /** Who said so, for people: "the CI identity deploy". */
  readonly through?: string;
  /** Those who say so, besides the author: an agent's owners are tied to it, since they could have it name anybody. */
  readonly chain?: readonly Delegate[];
}
