/**
 * The only way out to Teams. Promises: the bot's token goes to origins that the configuration names (`serviceOrigins`) and to no
 * other, its secret to the sign-in (`loginUrl`) alone; no redirect is followed; every answer has a limit in time and size.
 *
 * Whoever asks for a call brings no token: this file has it, and puts it on after it has looked where the call goes. So a part
 * above that is led to a wrong address (teams.apps 2.1.0 could be) has nothing that it could give away.
 */
import type { TeamsSettings } from '../../ports/channel-settings.ts';
import type { Clock } from '../../ports/clock.ts';
import { retryAfterMs } from '../retry-after.ts';
import {
  beforeSending,
  CallFailed,
  failureOf,
  notSent,
  ofSignIn,
  ofStatus,
  unreachable,
  type TeamsFailure,
} from './failure.ts';

/** How long one call may take. */
export const callMs = 10_000;
/** How much of an answer is read; a member or a message's id has some hundred bytes. */
export const answerBytesMax = 262_144;
/** A token is renewed so long before it runs out: a call with it still has to arrive. */
export const tokenSpareMs = 5 * 60_000;
/** A token is kept no longer, whatever the sign-in says. */
const tokenKeptMaxMs = 24 * 3_600_000;

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  /** JSON. */
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  /** JSON as it was read; null where there was none. */
  readonly body: unknown;
}

export interface Connector {
  /** Makes a call as the bot; throws {@link CallFailed} for all but a success (2xx). */
  call(call: Call): Promise<Answer>;
  /** Why the bot cannot sign in; null where it can. */
  standing(): Promise<TeamsFailure | null>;
}

export function createConnector(settings: TeamsSettings, clock: Clock): Connector {
  const token = tokenOf(settings, clock);
  const call: Connector['call'] = async ({ method, url, body }) => {
    const target = URL.parse(url);
    if (target === null || !isOurs(target, settings.cloud.serviceOrigins))
      throw new CallFailed(notSent(target?.origin ?? 'no address'));
    const bearer = await token.get().catch((error: unknown) => {
      throw beforeSending(error);
    });
    const headers = {
      authorization: `Bearer ${bearer}`,
      accept: 'application/json',
      'user-agent': 'countersign',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    const answer = await ask('Teams', target, { method, headers, ...(body === undefined ? {} : { body }) });
    // The next call gets a new one: this one may have been withdrawn.
    if (answer.status === 401) token.drop();
    if (answer.status >= 200 && answer.status < 300) return { status: answer.status, body: answer.body };
    const waitMs = retryAfterMs(answer.retryAfter, clock.nowMs());
    throw new CallFailed(ofStatus(answer.status, codeOf(answer.body), waitMs));
  };
  return {
    call,
    standing: () =>
      token.get().then(
        () => null,
        (error: unknown) => failureOf(error),
      ),
  };
}

/** Exactly such an origin, with scheme and port; and no name or password in the address. */
const isOurs = (url: URL, origins: readonly string[]): boolean =>
  origins.includes(url.origin) && url.username === '' && url.password === '';

/** The bot's own token (RFC 6749 §4.4), fetched when it is needed, by one call at a time. */
function tokenOf({ tenant, clientId, clientSecret, cloud }: TeamsSettings, clock: Clock) {
  let known: { readonly token: string; readonly untilMs: number } | undefined;
  let fetching: Promise<string> | undefined;
  const fetchNow = async (): Promise<string> => {
    const url = new URL(`${cloud.loginUrl}/${encodeURIComponent(tenant)}/oauth2/v2.0/token`);
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      // In every cloud the connector's scope is named after whoever issues its tokens.
      scope: `${cloud.issuer}/.default`,
    });
    const answer = await ask('Microsoft’s sign-in', url, { method: 'POST', body: form });
    const { access_token: token, expires_in: seconds } = recordOf(answer.body);
    if (answer.status !== 200 || typeof token !== 'string' || !isToken(token))
      throw new CallFailed(ofSignIn(answer.status, codeOf(answer.body)));
    const keptMs = Number(seconds) * 1000 - tokenSpareMs;
    if (keptMs > 0) known = { token, untilMs: clock.nowMs() + Math.min(keptMs, tokenKeptMaxMs) };
    return token;
  };
  return {
    get: (): Promise<string> => {
      if (known !== undefined && clock.nowMs() < known.untilMs) return Promise.resolve(known.token);
      fetching ??= fetchNow().finally(() => {
        fetching = undefined;
      });
      return fetching;
    },
    drop: (): void => {
      known = undefined;
    },
  };
}

/** What may stand in a header after `Bearer ` (RFC 6750 §2.1). */
const isToken = (text: string): boolean => /^[A-Za-z0-9._~+/-]+=*$/.test(text);

interface Raw {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: unknown;
}

async function ask(what: string, url: URL, init: RequestInit): Promise<Raw> {
  try {
    const response = await fetch(url, {
      ...init,
      redirect: 'error',
      signal: AbortSignal.timeout(callMs),
    });
    const text = await textOf(response);
    return {
      status: response.status,
      retryAfter: response.headers.get('retry-after'),
      body: jsonOf(text),
    };
  } catch (error) {
    throw new CallFailed(unreachable(what, why(error)));
  }
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > answerBytesMax) throw new RangeError('answer too large');
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

/** Errors come as pages of proxies, too: what is no JSON says nothing. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

/** `{error: {code}}` of the connector, `{error}` of the sign-in (RFC 6749 §5.2). */
function codeOf(body: unknown): string | null {
  const { error } = recordOf(body);
  if (typeof error === 'string') return error;
  const { code } = recordOf(error);
  return typeof code === 'string' ? code : null;
}

const recordOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? // An object that is no array; its fields are read as unknown.
      (value as Readonly<Record<string, unknown>>)
    : {};

/** What failed, without what was read: that is another's text. */
function why(error: unknown): string {
  if (error instanceof RangeError) return `it answered more than ${answerBytesMax} bytes`;
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer within ${callMs / 1000} s`;
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return 'the connection failed, or it answered with a redirect';
}
