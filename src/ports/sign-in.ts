/** How people and agents prove who they are, as configured: providers, issuers, sessions, links. Plain values. Holds secrets; never log one. */
import { coolOffDefaultMs } from '../core/accounts.ts';
import type { AgentId, GroupId, PersonId } from '../core/ids.ts';

/** One OpenID provider. */
export interface ProviderSettings {
  /** What the configuration, forms and the log call it. */
  readonly id: string;
  /** What people call it. */
  readonly name: string;
  /** Compared byte by byte (OpenID Connect Core §2, `iss`). */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Always with `openid`. */
  readonly scopes: readonly string[];
  /** Which claim names groups, and which of ours they are; null: the provider says nothing of groups. */
  readonly groups: {
    readonly claim: string;
    readonly map: Readonly<Record<string, readonly GroupId[]>>;
  } | null;
  /** How long ago, in seconds, somebody may have proven themself to the provider. */
  readonly maxAgeSec: number;
  /** `dangerous-match-by-email`: an unknown account is attached to the one person of its verified address. */
  readonly linkByEmail: boolean;
}

/** A provider that is configured otherwise than was accepted: nobody signs in with it until it is accepted. */
export interface WaitingProvider {
  readonly id: string;
  /** Where it is the same as accepted, so that sessions that were opened with it go on; else null. */
  readonly issuer: string | null;
}

export interface PeopleSettings {
  readonly providers: readonly ProviderSettings[];
  /** Default: none. */
  readonly waiting?: readonly WaitingProvider[];
  /** A session that nobody used for so long ends. */
  readonly idleMs: number;
  /** A session ends after this, used or not. */
  readonly absoluteMs: number;
  /** Whether one-time sign-in links do anything. */
  readonly signInLinks: boolean;
  /** How long a second account or a newly claimed group does not count. */
  readonly coolOffMs: number;
}

export const peopleDefaults: PeopleSettings = {
  providers: [],
  idleMs: 3_600_000,
  absoluteMs: 12 * 3_600_000,
  signInLinks: true,
  coolOffMs: coolOffDefaultMs,
};

/** Groups of ours that a provider may claim. */
export const claimableOf = ({ groups }: Pick<ProviderSettings, 'groups'>): readonly GroupId[] =>
  groups === null ? [] : [...new Set(Object.values(groups.map).flat())];

/** Where an issuer's public keys come from. */
export type KeysAt =
  | { readonly kind: 'url'; readonly url: string }
  /** A JSON Web Key Set as text (RFC 7517 §5): for issuers that this gate cannot reach. */
  | { readonly kind: 'text'; readonly text: string }
  /** `jwks_uri` of the issuer's metadata (OpenID Connect Discovery 1.0 §4, RFC 8414 §3). */
  | { readonly kind: 'discovery' };

/** One issuer of workload tokens, as configured. */
export interface Issuer {
  /** Compared with `iss` character by character. */
  readonly issuer: string;
  readonly keys: KeysAt;
  /** What `aud` must be; null: the gate's own origin. For MCP the server's URL is as good. */
  readonly audience: string | null;
  /** Whether the header must say `typ: at+jwt` (RFC 9068 §4). */
  readonly accessTokens: boolean;
  /** Whether agents may be told to get their tokens there (RFC 9728, `authorization_servers`). */
  readonly authorizationServer: boolean;
  /** An agent may be there more than once. */
  readonly agents: readonly AgentClaims[];
  /** Whom its tokens are for; null: its tokens are a workload's own, and `sub` is the workload. */
  readonly people: PeopleClaim | null;
}

/** All of these claims, exactly. Never empty. */
export interface AgentClaims {
  readonly agent: AgentId;
  readonly claims: Readonly<Record<string, string | number | boolean>>;
}

export interface PeopleClaim {
  /** The claim that names a person. */
  readonly claim: string;
  /** People by its value. Where the claim is `sub`, people's linked accounts are known as well. */
  readonly ids: ReadonlyMap<string, PersonId>;
}

/** All of it: what a configuration says, or what of it is believed now. */
export interface SignInSettings {
  readonly people: PeopleSettings;
  readonly issuers: readonly Issuer[];
  /** Whether a browser's virtual authenticator may pose as a person's. */
  readonly allowVirtualAuthenticator: boolean;
}
