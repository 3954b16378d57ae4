/**
 * Stands between Microsoft's playground and a gate. The playground sends no token, and the gate's door lets nobody in without
 * one: what the playground sends goes on to the gate with a token as the connector makes it (test/channels/teams/support), and
 * what the gate sends to its connector goes on to the playground's, without the gate's token.
 *
 * Promises: it listens on loopback, and passes on to the two addresses that it was given and to no other. Whoever reaches it can
 * press as anybody: it belongs before a gate that was made for the purpose, and never before another one.
 */
import type { IncomingMessage } from 'node:http';
import { messagesPath } from '../../src/channels/teams/teams.ts';
import {
  closed,
  listening,
  portOf,
  type Loose,
  type Platform,
} from '../../test/channels/teams/support/platform.ts';

/** Bytes of what either side sends; a card has at most 25,000. */
const bodyBytesMax = 1_048_576;
/** How long either side may take for an answer; the gate answers a press within four seconds. */
const answerMs = 15_000;
/** Where the playground serves its connector. */
const connectorPath = '/_connector';

export interface Between {
  /** Where the playground is to send activities. */
  readonly endpoint: string;
  readonly origin: string;
  /** The connector's address as the gate is to know it. */
  readonly serviceUrl: string;
  /** Both origins, once they are known. Until then every call is answered with 503. */
  join(to: { readonly gate: string; readonly playground: string }): void;
  stop(): Promise<void>;
}

/** @param saw is told of every activity and every call that passed, in a line */
export async function startBetween(
  platform: Pick<Platform, 'token'>,
  saw: (line: string) => void,
): Promise<Between> {
  let ends: { readonly gate: string; readonly playground: string } | null = null;
  let serviceUrl = '';
  const pass = async (request: IncomingMessage): Promise<Passed> => {
    const { method = 'GET', url: path = '/' } = request;
    // The playground asks so whether anybody is there.
    if (method === 'HEAD') return { status: 200, body: null };
    const text = await textOf(request);
    if (ends === null) return { status: 503, body: null };
    if (path === messagesPath && method === 'POST') {
      const signed = await platform.token({ claims: { serviceurl: serviceUrl } });
      const answer = await passed(ends.gate + messagesPath, method, text, {
        authorization: `Bearer ${signed}`,
      });
      saw(`playground → gate: ${activityIn(text)}: ${answer.status}`);
      return answer;
    }
    if (!path.startsWith(`${connectorPath}/`)) return { status: 404, body: null };
    // Whoever calls without a token of the sign-in is not the gate.
    if (request.headers.authorization?.startsWith('Bearer bot-token-') !== true)
      return { status: 401, body: null };
    const answer = await passed(ends.playground + path, method, text, {});
    saw(
      `gate → playground: ${method} ${decodeURIComponent(path.slice(connectorPath.length))}: ${answer.status}`,
    );
    return answer;
  };
  const server = await listening(pass);
  const origin = `http://127.0.0.1:${portOf(server)}`;
  serviceUrl = origin + connectorPath;
  return {
    endpoint: origin + messagesPath,
    origin,
    serviceUrl,
    join: (to) => {
      ends = to;
    },
    stop: () => closed(server),
  };
}

interface Passed {
  readonly status: number;
  readonly body: unknown;
}

async function passed(
  url: string,
  method: string,
  text: string,
  headers: Readonly<Record<string, string>>,
): Promise<Passed> {
  const response = await fetch(url, {
    method,
    redirect: 'error',
    signal: AbortSignal.timeout(answerMs),
    headers: { 'content-type': 'application/json', ...headers },
    ...(text === '' ? {} : { body: text }),
  });
  const answer = await response.text();
  return { status: response.status, body: answer === '' ? null : (JSON.parse(answer) as unknown) };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of request) {
    // A request without an encoding gives bytes.
    const chunk = part as Uint8Array;
    bytes += chunk.byteLength;
    if (bytes > bodyBytesMax) throw new RangeError(`more than ${bodyBytesMax} bytes`);
    parts.push(chunk);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** "invoke approve", "message". */
function activityIn(text: string): string {
  const { type, value }: Loose = JSON.parse(text);
  return [type, value?.action?.verb].filter((one) => typeof one === 'string').join(' ');
}
