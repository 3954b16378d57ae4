/**
 * Calls a running gate as whoever the token names. What the gate refuses is one sentence with its code. What was sent and had no
 * answer is sent again under the same key: if the first did arrive, it is answered and not done twice.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { readJson } from '../core/read-json.ts';
import { visibleLine } from '../core/visible.ts';
import { Failure } from './command.ts';

export interface Api {
  get(path: string): Promise<JsonObject>;
  /** A file, byte for byte; with a body, asked for with POST. */
  file(path: string, body?: JsonObject): Promise<Buffer>;
  post(path: string, body: JsonObject): Promise<JsonObject>;
}

/** How long the gate may take; nothing here waits for people. */
const timeoutMs = 30_000;
/** Pauses before the same is sent again, to a gate that restarts or to another one behind the same address. */
const againMs = [300, 1_000, 3_000] as const;
/** What a gate that stops, or what stands before it, answers for it. */
const awayStatuses: ReadonlySet<number> = new Set([502, 503, 504]);
/** A connection that ended before the answer: whether it arrived is unknown. */
const lostCodes: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);
/** A page of a list, with room. */
const answerBytesMax = 64 * 1_048_576;
/** A package of evidence with as many rows as one holds is smaller. */
const fileBytesMax = 1024 * 1_048_576;

/** @param waitMs how long an answer may take. */
export function apiOf(url: string, token: string, waitMs = timeoutMs): Api {
  const once = async (path: string, init: RequestInit): Promise<Response | Failure> => {
    const request = new Request(`${url}${path}`, {
      ...init,
      redirect: 'error',
      signal: AbortSignal.timeout(waitMs),
    });
    request.headers.set('authorization', `Bearer ${token}`);
    // A policy may ask for a channel: this is the terminal.
    request.headers.set('x-countersign-channel', 'cli');
    return fetch(request).catch((error: unknown) => {
      const reason = reasonOf(error);
      const failure = new Failure(
        `No gate answers at ${url} (${reason}). Is it running? Say where with --url.`,
      );
      if (lostCodes.has(reason)) return failure;
      throw failure;
    });
  };
  const sent = async (path: string, init: RequestInit): Promise<Response> => {
    let answer = await once(path, init);
    for (const ms of againMs) {
      if (!(answer instanceof Failure) && !awayStatuses.has(answer.status)) return answer;
      await pause(ms);
      answer = await once(path, init);
    }
    if (answer instanceof Failure) throw answer;
    return answer;
  };
  const call = async (path: string, init: RequestInit): Promise<JsonObject> => {
    const response = await sent(path, init);
    const body = await jsonOf(response);
    if (response.ok && body.ok && isJsonObject(body.value)) return body.value;
    throw new Failure(refusalText(response.status, body.ok ? body.value : null, url));
  };
  return {
    get: (path) => call(path, {}),
    async file(path, asked) {
      const response = await sent(path, asked === undefined ? {} : posted(asked));
      if (response.ok) return bytesOf(response, url);
      const body = await jsonOf(response);
      throw new Failure(refusalText(response.status, body.ok ? body.value : null, url));
    },
    post: (path, body) => call(path, posted(body)),
  };
}

const posted = (body: JsonObject): RequestInit => ({
  method: 'POST',
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
});

async function bytesOf({ body }: Response, url: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of body ?? []) {
    size += piece.length;
    if (size > fileBytesMax)
      throw new Failure(`What answers at ${url} sends more than ${fileBytesMax} bytes.`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

const jsonOf = async (response: Response): Promise<ReturnType<typeof readJson>> =>
  readJson(new Uint8Array(await response.arrayBuffer()), { bytesMax: answerBytesMax, depthMax: 200 });

function refusalText(status: number, problem: JsonValue, url: string): string {
  if (!isJsonObject(problem) || typeof problem['detail'] !== 'string') {
    return status < 400 ? `What answers at ${url} is no gate.` : `The gate at ${url} answered ${status}.`;
  }
  const code = typeof problem['code'] === 'string' ? ` (${problem['code']})` : '';
  return visibleLine(`${problem['detail']}${code}`);
}

/** `fetch` hides the reason in `cause`. */
function reasonOf(error: unknown): string {
  const cause: unknown = error instanceof Error ? (error.cause ?? error) : error;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return cause instanceof Error ? cause.message : String(cause);
}
