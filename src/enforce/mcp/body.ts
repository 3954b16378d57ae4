/** The body of an agent's request: at most 1 MiB, read strictly (core/json.ts), before anything else looks at it. */
import { jsonLimits, type JsonProblem, type JsonValue } from '../../core/json.ts';
import { readJson } from '../../core/read-json.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { isRequestId, type RequestId } from './message.ts';

/** A refused body; `id` is the request's, where one can be told, for the answer only. */
export type BodyProblem = JsonProblem & { readonly id: RequestId | null };

export async function readBody(request: Request): Promise<Result<JsonValue, BodyProblem>> {
  const bytes = await bytesOf(request, jsonLimits.bytesMax);
  if (bytes === undefined) {
    const detail = `larger than ${jsonLimits.bytesMax} bytes`;
    return err({ code: 'too_large', at: 0, path: '', detail, id: null });
  }
  const read = readJson(bytes);
  return read.ok ? ok(read.value) : err({ ...read.error, id: looseId(bytes) });
}

/** Undefined where there are too many. A length that the client names is what Node holds it to. */
async function bytesOf(request: Request, bytesMax: number): Promise<Uint8Array | undefined> {
  const named = request.headers.get('content-length');
  if (named !== null)
    return Number(named) <= bytesMax ? new Uint8Array(await request.arrayBuffer()) : undefined;
  const chunks: Uint8Array[] = [];
  let count = 0;
  for await (const chunk of request.body ?? []) {
    count += chunk.length;
    if (count > bytesMax) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The id of a message that is refused: read loosely, because all it does is let the client find its request. */
function looseId(bytes: Uint8Array): RequestId | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const id: unknown = typeof value === 'object' && value !== null && 'id' in value ? value.id : null;
    return typeof id === 'string' || (typeof id === 'number' && isRequestId(id)) ? id : null;
  } catch {
    return null;
  }
}
