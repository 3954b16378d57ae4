/**
 * Slack over HTTP: one path, signed requests. Pure but for handing the payload on. Promises: nothing is read of a body before
 * its signature holds, a signature is good for five minutes, and Slack gets an answer within a bounded time.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import { equalBytes, hmacSha256Hex } from '../../core/sha256.ts';
import type { Bolt } from './bolt.ts';

/** Where Slack sends everything: events, presses, forms. */
export const eventsPath = '/channels/slack/events';

/** A press carries the message that it was made in; Slack's own limits keep that far below. */
const bodyBytesMax = 1_048_576;
/** How far Slack's clock and ours may be apart, and how long a request may be repeated by whoever saw it (Slack's advice). */
export const signatureMs = 5 * 60_000;
/** Slack waits three seconds; after this nobody reads the answer. */
const answerMs = 10_000;

export interface HttpParts {
  readonly signingSecret: string;
  readonly nowMs: () => number;
  readonly process: Bolt['process'];
  /** Told why a request was refused. */
  readonly refused: (why: string) => void;
}

export async function handleHttp(request: Request, parts: HttpParts): Promise<Response> {
  if (request.method !== 'POST') return new Response(null, { status: 405, headers: { allow: 'POST' } });
  const body = await readBody(request);
  if (body === null) return new Response(null, { status: 413 });
  const why = refusesSignature(request.headers, body, parts);
  if (why !== null) {
    // Slack's own check of a certificate need not be signed, and says nothing.
    if (new URLSearchParams(body).get('ssl_check') === '1') return new Response(null);
    parts.refused(why);
    return new Response(null, { status: 401 });
  }
  const payload = payloadOf(request.headers.get('content-type') ?? '', body);
  if (payload === null) return new Response(null, { status: 400 });
  if (payload['ssl_check'] === '1') return new Response(null);
  if (payload['type'] === 'url_verification') return Response.json({ challenge: payload['challenge'] ?? '' });
  return answered(payload, parts);
}

/** Null where it is too long. */
async function readBody(request: Request): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body ?? []) {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Slack's scheme `v0`: an HMAC under the app's secret over the time and the body as it came. Null where it holds. */
export function refusesSignature(
  headers: Headers,
  body: string,
  { signingSecret, nowMs }: Pick<HttpParts, 'signingSecret' | 'nowMs'>,
): string | null {
  const time = headers.get('x-slack-request-timestamp') ?? '';
  const signature = headers.get('x-slack-signature') ?? '';
  if (!/^\d{1,12}$/.test(time)) return 'it says no time';
  if (Math.abs(nowMs() - Number(time) * 1000) > signatureMs) return 'it is of another time';
  const encoder = new TextEncoder();
  const ours = `v0=${hmacSha256Hex(encoder.encode(signingSecret), `v0:${time}:${body}`)}`;
  return equalBytes(encoder.encode(signature), encoder.encode(ours)) ? null : 'its signature does not fit';
}

/** Events come as JSON, presses as JSON in a form. Null where it is neither. */
function payloadOf(contentType: string, body: string): JsonObject | null {
  if (!contentType.startsWith('application/x-www-form-urlencoded')) return objectOf(body);
  const form = new URLSearchParams(body);
  const payload = form.get('payload');
  return payload === null ? Object.fromEntries(form) : objectOf(payload);
}

function objectOf(text: string): JsonObject | null {
  try {
    // JSON.parse answers JSON.
    const value = JSON.parse(text) as JsonValue;
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** Answers as soon as somebody acknowledges; what is done after that goes on. */
async function answered(payload: JsonObject, { process, refused }: HttpParts): Promise<Response> {
  const acknowledged = Promise.withResolvers<Response>();
  const work = process(payload, async (response) => {
    acknowledged.resolve(response === undefined ? new Response(null) : Response.json(response));
  });
  const ended = work.then(
    // Nothing of ours acknowledges what it does not know; Slack need not send that again.
    (heard) => (heard === 'foreign' ? new Response(null, { status: 401 }) : new Response(null)),
    () => new Response(null, { status: 500 }),
  );
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Response>((resolve) => {
    timer = setTimeout(() => {
      refused('it was not written down in time');
      resolve(new Response(null, { status: 503 }));
    }, answerMs);
  });
  const response = await Promise.race([acknowledged.promise, ended, late]);
  clearTimeout(timer);
  return response;
}
