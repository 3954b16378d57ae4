/** How chats and e-mail are reached, once validated. Holds secrets; never log one. */
import type { Routing } from './channel.ts';

export interface SlackSettings {
  /** `A…`: the only app whose presses are taken. */
  readonly appId: string;
  /** `T…` of a workspace, or `E…` of an enterprise that the app is installed for. */
  readonly team: string;
  /** `xoxb-…` */
  readonly botToken: string;
  readonly mode:
    | { readonly kind: 'socket'; /** `xapp-…` */ readonly appToken: string }
    | { readonly kind: 'http'; readonly signingSecret: string };
  /** With a slash at its end: `https://slack.com/api/`. */
  readonly apiUrl: string;
}

export interface TeamsSettings {
  /** The directory (tenant) whose people may decide: a GUID in lower case. */
  readonly tenant: string;
  /** Of the bot's registration: a GUID in lower case. */
  readonly clientId: string;
  readonly clientSecret: string;
  /** Where the platform's parts are: one Microsoft cloud. */
  readonly cloud: TeamsCloud;
}

export interface TeamsCloud {
  /** Of the tokens that the connector sends: `https://api.botframework.com`. */
  readonly issuer: string;
  /** Where its keys are: `https://login.botframework.com/v1/.well-known/keys`. */
  readonly jwksUrl: string;
  /** Origins that the gate may talk to as the bot, without a slash: `https://smba.trafficmanager.net`. No other ever gets its token. */
  readonly serviceOrigins: readonly string[];
  /** Where a conversation is posted to that the gate was never asked from: a URL of such an origin. */
  readonly serviceUrl: string;
  /** Where the bot gets its own tokens: `https://login.microsoftonline.com`. */
  readonly loginUrl: string;
}

export interface EmailSettings {
  /** `smtps://user:password@host:465` or `smtp://…` (STARTTLS is then required unless the host is loopback). */
  readonly url: string;
  readonly from: string;
}

export interface ChannelSettings {
  readonly webhook: { readonly url: string; readonly secret: string } | null;
  readonly slack: SlackSettings | null;
  readonly teams: TeamsSettings | null;
  readonly email: EmailSettings | null;
  readonly routing: Routing;
}
