/** The first words to an upstream: `initialize`, in the words of the newer era where it has no others (modern/older-pipe.ts). */
import type { JsonObject } from '../../core/json.ts';
import type { Result } from '../../core/result.ts';
import type { Upstream } from '../../ports/settings.ts';
import { openConnection, type Connection, type ConnectionEvents, type OpenUrl } from './connection.ts';
import type { Answer } from './message.ts';
import { modernCodes } from './modern/envelope.ts';
import { OlderPipe } from './modern/older-pipe.ts';
import { messageOf, type Failure, type Log } from './pipe.ts';

/** How long an upstream may take to start and to answer `initialize`: a first `npx` downloads. */
export const initializeMs = 60_000;

export interface HandshakeAt {
  /** Random text. */
  readonly secret: string;
  readonly on: ConnectionEvents;
  readonly log: Log;
  /** The pinned input schema of a tool. */
  readonly schemaOf: (tool: string) => JsonObject | undefined;
}

/** A connection and its answer to `initialize`; or why there is none, in words. */
export async function handshake(
  upstream: Upstream,
  { secret, on, log, schemaOf }: HandshakeAt,
  hello: JsonObject,
): Promise<{ readonly connection: Connection; readonly answer: Result<Answer, Failure> } | string> {
  const connection = open(upstream, secret, on, log);
  if (typeof connection === 'string') return connection;
  const answer = await connection.ask('initialize', hello, initializeMs);
  if (!speaksModernOnly(answer)) return { connection, answer };
  void connection.close();
  const openUrl: OpenUrl = (url, events, tell) =>
    new OlderPipe({ upstream: url, on: events, log: tell, schemaOf });
  const other = open(upstream, secret, { ...on, openUrl }, log);
  return typeof other === 'string'
    ? other
    : { connection: other, answer: await other.ask('initialize', hello, initializeMs) };
}

/** A connection, or why there is none: what the system refuses outright (a NUL in a variable) is thrown. */
function open(...args: Parameters<typeof openConnection>): Connection | string {
  try {
    return openConnection(...args);
  } catch (error) {
    return `it could not be started: ${messageOf(error)}`;
  }
}

/** An upstream that speaks no revision with sessions says so (2026-07-28 "Versioning"). */
const speaksModernOnly = (answer: Result<Answer, unknown>): boolean =>
  answer.ok && answer.value.kind === 'error' && answer.value.error.code === modernCodes.unsupportedVersion;
