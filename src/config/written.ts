/** A configuration as written: the values that the schema admits, before defaults, cross-checks and secrets. */
import type { Mode } from '../core/case.ts';
import type { RoutedChannel } from '../core/chat.ts';
import type { JsonObject } from '../core/json.ts';
import type { Profile } from '../core/profile.ts';
import type { LogLevel } from '../ports/telemetry-settings.ts';
import type { CloudName } from './clouds.ts';
import type { WrittenIssuer } from './issuers.ts';

/** A literal, or where the literal is to be found. */
export type WrittenSecret = string | { readonly fromEnv: string } | { readonly fromFile: string };

/** A profile, a mode beside it, or a mode alone. */
export type WrittenTool =
  (Profile & { readonly mode?: Mode }) | { readonly mode: Mode; readonly verb?: never };

export interface WrittenServer {
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, WrittenSecret>>;
  readonly url?: string;
  readonly headers?: Readonly<Record<string, WrittenSecret>>;
  readonly pin?: 'first-sight' | 'manual';
  readonly mode?: Mode;
  readonly tools?: Readonly<Record<string, WrittenTool>>;
}

export interface WrittenOperation {
  readonly input: JsonObject;
  readonly profile?: Profile;
  readonly mode?: Mode;
}

export interface WrittenPerson {
  readonly id: string;
  readonly name: string;
  readonly groups?: readonly string[];
  readonly email?: string;
  readonly active?: boolean;
}

export interface WrittenProvider {
  readonly id: string;
  readonly name: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: WrittenSecret;
  readonly scopes?: readonly string[];
  readonly groups?: { readonly claim: string; readonly map: Readonly<Record<string, string>> };
  readonly maxAge?: string;
  readonly linkByEmail?: 'dangerous-match-by-email';
}

export interface WrittenAgent {
  readonly id: string;
  readonly owners: readonly string[];
  readonly groups?: readonly string[];
  readonly active?: boolean;
}

export interface WrittenSlack {
  readonly appId: string;
  readonly team: string;
  readonly botToken: WrittenSecret;
  readonly appToken?: WrittenSecret;
  readonly signingSecret?: WrittenSecret;
  readonly channel?: string;
  readonly gov?: boolean;
}

export interface WrittenTeams {
  readonly tenant: string;
  readonly clientId: string;
  readonly clientSecret: WrittenSecret;
  readonly conversation?: string;
  readonly cloud?: CloudName;
  readonly serviceUrl?: string;
}

export interface WrittenEmail {
  readonly url: WrittenSecret;
  readonly from: string;
  readonly to?: string;
}

/** In written order: approvals of groups without routes are tried on them in it. */
export interface WrittenChannels {
  readonly webhook?: { readonly url: string; readonly secret: WrittenSecret };
  readonly slack?: WrittenSlack;
  readonly teams?: WrittenTeams;
  readonly email?: WrittenEmail;
}

export interface WrittenShip {
  readonly format?: 'entry' | 'ocsf';
  readonly webhook?: string;
  readonly secret?: WrittenSecret;
  readonly syslog?: string;
  readonly ca?: WrittenSecret;
  readonly file?: string;
}

export interface WrittenLog {
  readonly origin?: string;
  readonly keys?: {
    readonly log?: WrittenSecret;
    readonly logBefore?: WrittenSecret;
    readonly receipt?: WrittenSecret;
  };
  readonly public?: boolean;
  readonly heartbeat?: string;
  readonly witnesses?: readonly { readonly key: string; readonly url: string }[];
  readonly quorum?: number;
  readonly late?: string;
  readonly timestamps?: { readonly url: string; readonly every?: string };
  readonly retention?: { readonly payloads?: string };
  readonly ship?: Readonly<Record<string, WrittenShip>>;
  readonly ocsf?: '1.6.0' | '1.8.0' | '1.9.0';
}

export interface Written {
  readonly listen?: string;
  readonly url?: string;
  readonly data?: string;
  readonly database?: WrittenSecret;
  readonly postgres?: { readonly direct?: WrittenSecret; readonly standby?: 'warn' | 'required' };
  readonly policies?: string;
  readonly timezone?: string;
  readonly roles?: {
    readonly operators?: string;
    readonly auditors?: string;
    readonly admins?: string;
    readonly breakGlass?: string;
  };
  readonly changes?: { readonly people?: number; readonly proposers?: readonly string[] };
  readonly people?: readonly WrittenPerson[];
  readonly groups?: Readonly<Record<string, Readonly<Partial<Record<RoutedChannel, string>>>>>;
  readonly agents?: readonly WrittenAgent[];
  readonly passkeys?: { readonly allowVirtualAuthenticator?: boolean };
  readonly servers?: Readonly<Record<string, WrittenServer>>;
  readonly issuers?: readonly WrittenIssuer[];
  readonly operations?: Readonly<Record<string, WrittenOperation>>;
  readonly channels?: WrittenChannels;
  readonly callbacks?: {
    readonly hosts: readonly string[];
    readonly secret: WrittenSecret;
    readonly dangerouslyAllowPrivateAddresses?: boolean;
  };
  readonly log?: WrittenLog;
  readonly telemetry?: {
    readonly traces?: {
      readonly url: string;
      readonly headers?: Readonly<Record<string, WrittenSecret>>;
      readonly sample?: number;
      readonly people?: boolean;
    };
  };
  readonly logging?: { readonly format?: 'auto' | 'json' | 'text'; readonly level?: LogLevel };
  readonly providers?: readonly WrittenProvider[];
  readonly sessions?: { readonly idle?: string; readonly absolute?: string };
  readonly signInLinks?: boolean;
  readonly shutdown?: { readonly drain?: string; readonly grace?: string };
  readonly limits?: {
    readonly replay?: string;
    readonly hold?: string;
    readonly holdProgress?: string;
    readonly cooldown?: string;
    readonly unsafeWindow?: string;
    readonly unsafe?: number;
    readonly pendingPerAgent?: number;
    readonly inbox?: number;
    readonly creationsPerMinute?: number;
    readonly coolOff?: string;
  };
}
