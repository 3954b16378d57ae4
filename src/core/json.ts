/** JSON values as types, the limits that they are held to, and why one is refused. */

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

export type JsonObject = { readonly [key: string]: JsonValue };

/** Why a text or value was refused; the codes are stable (design §8). */
export interface JsonProblem {
  readonly code:
    'bad_json' | 'duplicate_key' | 'number_range' | 'bad_unicode' | 'reserved_key' | 'too_deep' | 'too_large';
  /** Offset in UTF-16 code units of the text; 0 where there was no text ({@link checkJson}). */
  readonly at: number;
  /** JSON pointer (RFC 6901) for people: hidden characters are shown as `⟨U+202E⟩`, long keys end in `…`. */
  readonly path: string;
  /** A short sentence with at most 40 characters of the input, escaped. */
  readonly detail: string;
}

export interface JsonLimits {
  /** UTF-8 bytes of the whole text. */
  readonly bytesMax: number;
  /** Arrays and objects inside each other; `[[1]]` is 2. Reading recurses, so keep it far below 1,000. */
  readonly depthMax: number;
}

/** The limits of everything that agents send (design §4). */
export const jsonLimits: JsonLimits = { bytesMax: 1_048_576, depthMax: 32 };

/** Whether a JSON value is an object: neither an array nor null. */
export const isJsonObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether a JSON value is an array. Array.isArray alone does not narrow a readonly one. */
export const isJsonArray = (value: JsonValue | undefined): value is readonly JsonValue[] =>
  Array.isArray(value);
