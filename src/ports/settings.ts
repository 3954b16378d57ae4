/** What the configuration says, once validated: plain values that the parts are built from. Holds secrets; never log one. */
import type { Mode } from '../core/case.ts';
import type { Directory } from '../core/directory.ts';
import type { JsonObject } from '../core/json.ts';
import type { Profile } from '../core/profile.ts';
import type { SignInSettings } from './sign-in.ts';

/** How the gate reaches an MCP server. */
export type Upstream =
  | {
      readonly kind: 'command';
      /** Never empty; never given to a shell. */
      readonly argv: readonly string[];
      /** Absolute. */
      readonly cwd: string;
      /** Added to PATH and HOME; nothing else of the gate's environment reaches the process. */
      readonly env: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'url'; readonly url: string; readonly headers: Readonly<Record<string, string>> };

/** Where the value of a variable or header is written. */
export type Source =
  | { readonly from: 'env'; readonly name: string }
  /** As written: relative paths start at the configuration. */
  | { readonly from: 'file'; readonly path: string }
  | { readonly from: 'literal' };

export interface ServerSettings {
  readonly name: string;
  readonly upstream: Upstream;
  /** Of the upstream's variables or headers, by name; what is not named is literal. */
  readonly sources?: Readonly<Record<string, Source>>;
  readonly pin: 'first-sight' | 'manual';
  /** Of all its tools but those that `modes` names. */
  readonly mode: Mode;
  /** By tool name. */
  readonly modes: Readonly<Record<string, Mode>>;
  /** Profiles by tool name. */
  readonly tools: Readonly<Record<string, Profile>>;
}

export interface OperationSettings {
  readonly operation: string;
  /** JSON Schema of the input. */
  readonly input: JsonObject;
  readonly profile: Profile | null;
  readonly mode: Mode;
}

/** The part of the settings that is replaced while the gate runs. */
export interface Proposal {
  readonly directory: Directory;
  readonly servers: readonly ServerSettings[];
  readonly operations: readonly OperationSettings[];
  /** How people and agents sign in; absent: nothing of it is configured or compared. */
  readonly signIn?: SignInSettings;
  /** IANA name: the hours and weekdays that policies read. Absent: none is compared. */
  readonly timezone?: string;
}
