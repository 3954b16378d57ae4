/** What a failed call of Teams' connector means for whoever has to deliver something. Pure. */
import type { ChannelFailure } from '../../ports/channel.ts';
import { unsentBy } from '../unreached.ts';

/** What a call came back with instead of what was asked for. Thrown through the SDK, which knows only exceptions. */
export class CallFailed extends Error {
  readonly failure: TeamsFailure;
  constructor(failure: TeamsFailure) {
    super(failure.detail);
    this.name = 'CallFailed';
    this.failure = failure;
  }
}

export interface TeamsFailure extends ChannelFailure {
  /** HTTP status of the answer; null where there was none. */
  readonly status: number | null;
}

/** As the connector and the sign-in name errors; anything else is not repeated. */
const isCode = (code: string): boolean => /^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(code);

const named = (code: string | null): string => (code !== null && isCode(code) ? ` (${code})` : '');

/**
 * Of an answer of the connector. @param code `error.code` of its body; null where there was none.
 * @param retryAfterMs as the answer said; undefined where it did not.
 */
export function ofStatus(status: number, code: string | null, retryAfterMs?: number): TeamsFailure {
  const patience = retryAfterMs === undefined ? {} : { retryAfterMs };
  if (status === 429)
    return {
      status,
      detail: 'Teams takes no more messages for now (HTTP 429).',
      retryable: true,
      whole: true,
      unsent: true,
      ...patience,
    };
  if (status === 401)
    return {
      status,
      detail:
        'Teams does not accept the bot’s token (HTTP 401). Check clientId and tenant, and that the bot’s registration is of that tenant.',
      retryable: true,
      whole: true,
      unsent: true,
    };
  if (status === 403) return { status, detail: forbiddenWords(code), retryable: false, unsent: true };
  if (status === 404)
    return {
      status,
      detail: `Teams knows no such conversation or message${named(code)}. Check the conversation’s id in the configuration, and that the app is installed there.`,
      retryable: false,
      unsent: true,
    };
  if (status === 413)
    return {
      status,
      detail: `Teams does not take so large a message${named(code)}. This is a mistake of Countersign’s; please report it.`,
      retryable: false,
      unsent: true,
    };
  // 412, 502 and 504 are those that Teams names as worth another try; its own failures are as well.
  if (status === 412 || status === 408 || status >= 500)
    return {
      status,
      detail: `Teams answered HTTP ${status}${named(code)}.`,
      retryable: true,
      whole: status >= 500,
      // What failed on their side, or took too long there, may have been done.
      ...(status === 412 ? { unsent: true } : {}),
      ...patience,
    };
  return {
    status,
    detail: `Teams answered HTTP ${status}${named(code)}.`,
    retryable: false,
    ...(status >= 400 ? { unsent: true } : {}),
  };
}

const forbiddenWords = (code: string | null): string =>
  `Teams does not let the bot write there (HTTP 403)${named(code)}. Install the app in that team, chat or for that person; see that nobody has blocked it, and that the administrators allow it.`;

/** The sign-in gave no token. @param code `error` of RFC 6749 §5.2. */
export const ofSignIn = (status: number, code: string | null): TeamsFailure =>
  status >= 500 || status === 429
    ? { status, detail: `Microsoft’s sign-in answered HTTP ${status}.`, retryable: true, whole: true }
    : {
        status,
        detail: `Microsoft’s sign-in does not accept the bot’s credentials${named(code)}. Check tenant and clientId, and that the client secret is right and has not expired.`,
        retryable: true,
        whole: true,
      };

/** There was no answer. @param why as the operating system says it. */
export const unreachable = (what: string, why: string): TeamsFailure => ({
  status: null,
  detail: `${what} cannot be reached: ${why}.`,
  retryable: true,
  whole: true,
  ...unsentBy(why),
});

/** Of what failed before the call itself was made. */
export const beforeSending = (error: unknown): CallFailed =>
  new CallFailed({ ...failureOf(error), unsent: true });

/** A call that was not made: it would have left for somewhere that gets nothing of ours. */
export const notSent = (origin: string): TeamsFailure => ({
  status: null,
  detail: `A call to ${origin} was not made: that is no address of Teams that the configuration names.`,
  retryable: false,
  unsent: true,
});

/** Any exception out of the SDK as a failure. */
export const failureOf = (error: unknown): TeamsFailure =>
  error instanceof CallFailed
    ? error.failure
    : {
        status: null,
        detail: 'What Teams answered could not be read.',
        retryable: true,
      };
