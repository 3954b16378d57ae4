/**
 * The door for request bodies: strict JSON (core/json.ts), an object, of known fields with the right types. The first thing
 * that is wrong is named with its place; nothing is dropped, converted or cut.
 */
import { isJsonObject, jsonLimits, type JsonObject, type JsonValue } from '../../core/json.ts';
import { readJson } from '../../core/read-json.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { visibleLine } from '../../core/visible.ts';

const jsonType = /^application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i;

/** The body as a JSON object. An absent body is `{}`: whether fields may be missing is the fields' affair. */
export async function readBody(request: Request): Promise<Result<JsonObject, Refusal>> {
  const bytes = await readBytes(request);
  if (!bytes.ok) return bytes;
  if (bytes.value.length === 0) return ok({});
  if (!jsonType.test(request.headers.get('content-type') ?? '')) {
    return err(
      refuse('input_invalid', 'The body must be JSON: send `Content-Type: application/json`.', {
        header: 'content-type',
      }),
    );
  }
  const json = readJson(bytes.value);
  if (!json.ok) {
    const { code, detail, path, at } = json.error;
    const place = path === '' ? `at character ${at}` : `at ${path}`;
    return err(refuse(code, `The body was refused ${place}: ${detail}.`, { pointer: path, at }));
  }
  return isJsonObject(json.value)
    ? ok(json.value)
    : err(refuse('input_invalid', 'The body must be a JSON object.', { pointer: '' }));
}

const tooLarge = refuse('too_large', `The body may have ${jsonLimits.bytesMax} bytes.`);

/**
 * How much of a body that is too large is read and thrown away: a client that is still sending would otherwise find its
 * connection reset instead of our answer. Past that, it does.
 */
const discardedBytesMax = 8 * jsonLimits.bytesMax;

/** Keeps no more than the limit. */
async function readBytes(request: Request): Promise<Result<Uint8Array, Refusal>> {
  const length = request.headers.get('content-length');
  if (Number(length ?? 0) > jsonLimits.bytesMax) return err(tooLarge);
  try {
    // A length that the HTTP parser holds the sender to: no need to count.
    if (length !== null && /^\d+$/.test(length)) return ok(new Uint8Array(await request.arrayBuffer()));
    if (request.body === null) return ok(new Uint8Array());
    const reader = request.body.getReader();
    const chunks: Uint8Array[] = [];
    for (let bytes = 0; ;) {
      const { done, value } = await reader.read();
      if (done) return bytes > jsonLimits.bytesMax ? err(tooLarge) : ok(Buffer.concat(chunks));
      bytes += value.byteLength;
      if (bytes > discardedBytesMax) return err(tooLarge);
      if (bytes <= jsonLimits.bytesMax) chunks.push(value);
    }
  } catch {
    return err(refuse('bad_json', 'The body ended before its end.'));
  }
}

/** Reads fields one by one and keeps the first refusal; whatever was wrong reads as an empty value until then. */
export class Fields {
  readonly #body: JsonObject;
  readonly #known = new Set<string>();
  #refusal: Refusal | undefined;

  constructor(body: JsonObject) {
    this.#body = body;
  }

  #refuse(field: string, words: string): undefined {
    this.#refusal ??= refuse('input_invalid', `"${field}" ${words}.`, { pointer: `/${field}` });
  }

  #value(field: string): JsonValue | undefined {
    this.#known.add(field);
    return Object.hasOwn(this.#body, field) ? this.#body[field] : undefined;
  }

  /** Text of 1 to `max` characters (UTF-16 units); null where it is absent or null. */
  optionalText(field: string, max: number): string | null {
    const value = this.#value(field) ?? null;
    if (value === null) return null;
    if (typeof value === 'string' && value.length > 0 && value.length <= max) return value;
    this.#refuse(field, `must be text of 1 to ${max} characters`);
    return null;
  }

  text(field: string, max: number): string {
    const value = this.optionalText(field, max);
    if (value === null) this.#refuse(field, 'is missing');
    return value ?? '';
  }

  /** One of these words. */
  word<Word extends string>(field: string, words: readonly [Word, ...Word[]]): Word {
    const value = this.#value(field);
    const word = words.find((one) => one === value);
    if (word === undefined) this.#refuse(field, `must be ${words.map((one) => `"${one}"`).join(' or ')}`);
    return word ?? words[0];
  }

  /** A whole number in a range. */
  whole(field: string, range: { readonly min: number; readonly max: number }): number {
    const value = this.#value(field);
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= range.min && value <= range.max)
      return value;
    this.#refuse(field, `must be a whole number from ${range.min} to ${range.max}`);
    return range.min;
  }

  /** True or false; false where it is absent. */
  flag(field: string): boolean {
    const value = this.#value(field) ?? false;
    if (typeof value !== 'boolean') this.#refuse(field, 'must be true or false');
    return value === true;
  }

  object(field: string): JsonObject {
    const value = this.#value(field);
    if (isJsonObject(value)) return value;
    this.#refuse(field, value === undefined ? 'is missing' : 'must be an object');
    return {};
  }

  /** Null where it is absent or null. */
  optionalObject(field: string): JsonObject | null {
    return (this.#value(field) ?? null) === null ? null : this.object(field);
  }

  /** `{type, id}`, both text; null where it is absent or null. */
  optionalResource(field: string): { readonly type: string; readonly id: string } | null {
    const value = this.#value(field) ?? null;
    if (value === null) return null;
    const { type, id, ...rest } = isJsonObject(value) ? value : {};
    const fits = typeof type === 'string' && type !== '' && typeof id === 'string' && id !== '';
    if (fits && Object.keys(rest).length === 0) return { type, id };
    this.#refuse(field, 'must be {"type": text, "id": text}');
    return null;
  }

  /** What was wrong first; unknown fields come before all else, for they may be the misspelled ones that are missing. */
  refusal(): Refusal | undefined {
    const unknown = Object.keys(this.#body).filter((field) => !this.#known.has(field));
    if (unknown.length === 0) return this.#refusal;
    const names = unknown.slice(0, 5).map((field) => visibleLine(field.slice(0, 40)));
    const detail = `Unknown ${unknown.length === 1 ? 'field' : 'fields'}: ${names.join(', ')}${unknown.length > 5 ? ', …' : ''}.`;
    return refuse('input_invalid', detail, { fields: names });
  }
}
