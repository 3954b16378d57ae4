/** Reads the small forms that our pages post: limited in size, of one type, each field once. */
import type { JsonValue } from '../../core/json.ts';
import { readJson } from '../../core/read-json.ts';

/** UTF-8 bytes: a reason of 2,000 characters, each nine bytes when escaped, fits. */
const formBytesMax = 64 * 1024;

/**
 * The fields of an `application/x-www-form-urlencoded` body; undefined for another type, a larger body, or a field that
 * appears twice (two readers could take different ones).
 */
export async function readForm(request: Request): Promise<ReadonlyMap<string, string> | undefined> {
  if (!/^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(request.headers.get('content-type') ?? ''))
    return undefined;
  const text = await readText(request);
  if (text === undefined) return undefined;
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (fields.has(name)) return undefined;
    fields.set(name, value);
  }
  return fields;
}

async function readText(request: Request): Promise<string | undefined> {
  if (request.body === null) return '';
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  let bytes = 0;
  try {
    for await (const chunk of request.body) {
      bytes += chunk.byteLength;
      if (bytes > formBytesMax) return undefined;
      text += decoder.decode(chunk, { stream: true });
    }
    return text + decoder.decode();
  } catch {
    return undefined; // not UTF-8, or the connection ended
  }
}

/** A reason as typed: line breaks as `\n`, null where there is nothing but white space. */
export function reasonIn(fields: ReadonlyMap<string, string>): string | null {
  const text = (fields.get('reason') ?? '').replaceAll('\r\n', '\n').trim();
  return text === '' ? null : text;
}

/** A field that a script of ours filled with JSON; null where it did not, or where it is none. */
export function jsonIn(fields: ReadonlyMap<string, string>, name: string): JsonValue {
  const text = fields.get(name) ?? '';
  const read = text === '' ? undefined : readJson(text);
  return read?.ok === true ? read.value : null;
}
