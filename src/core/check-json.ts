/** Holds a value that another parser made to the limits of ours. */
import { Place } from './json-place.ts';
import { jsonLimits, type JsonLimits, type JsonObject, type JsonProblem, type JsonValue } from './json.ts';
import type { Result } from './result.ts';

/**
 * Holds a value that another, trusted parser made (YAML, say) to the same limits, and returns a fresh copy of
 * it. The source text of its numbers is gone, so an integer beyond ±(2^53 - 1), which may already have been
 * rounded, is refused. Instances of classes, dates among them, are `bad_json`. Size is that of the shortest
 * JSON text, escapes not counted.
 */
export function checkJson(value: unknown, limits: Partial<JsonLimits> = {}): Result<JsonValue, JsonProblem> {
  const { bytesMax, depthMax } = { ...jsonLimits, ...limits };
  const checker = new Checker(bytesMax, depthMax);
  return checker.result(checker.value(value, 0));
}

const encoder = new TextEncoder();

/** Walks a value that is already parsed, and copies it, so that what was checked cannot change afterwards. */
class Checker extends Place {
  private bytesLeft: number;
  private readonly bytesMax: number;

  constructor(bytesMax: number, depthMax: number) {
    super(depthMax);
    this.bytesMax = bytesMax;
    this.bytesLeft = bytesMax;
  }

  value(value: unknown, depth: number): JsonValue | undefined {
    switch (typeof value) {
      case 'string':
        return this.string(value);
      case 'number':
        if (Number.isInteger(value) ? !Number.isSafeInteger(value) : !Number.isFinite(value)) {
          return this.refuse('number_range', 0, `${value} is not an exact number`);
        }
        return this.spend(String(value).length, value + 0); // -0 becomes 0
      case 'boolean':
        return this.spend(String(value).length, value);
      case 'object':
        if (value === null) return this.spend(4, value);
        if (depth >= this.depthMax) return this.tooDeep(0);
        return Array.isArray(value) ? this.list(value, depth + 1) : this.object(value, depth + 1);
      case 'undefined':
      case 'function':
      case 'symbol':
      case 'bigint':
        return this.refuse('bad_json', 0, `a value of type ${typeof value} is not JSON`);
    }
  }

  private string(value: string): string | undefined {
    if (!value.isWellFormed()) return this.refuse('bad_unicode', 0, 'a surrogate on its own');
    return this.spend(
      2 + (value.length > this.bytesLeft ? value.length : encoder.encode(value).length),
      value,
    );
  }

  private list(value: readonly unknown[], depth: number): readonly JsonValue[] | undefined {
    const list: JsonValue[] = [];
    // By index, so that a hole is seen (as undefined).
    for (let index = 0; index < value.length; index += 1) {
      this.path.push(index);
      const item = this.value(value[index], depth);
      if (item === undefined) return undefined;
      list.push(item);
      this.path.pop();
    }
    return this.spend(2 + Math.max(list.length - 1, 0), list);
  }

  private object(value: object, depth: number): JsonObject | undefined {
    const prototype: unknown = Object.getPrototypeOf(value);
    const entries = Object.entries(value);
    if (
      (prototype !== Object.prototype && prototype !== null) ||
      Reflect.ownKeys(value).length !== entries.length
    ) {
      return this.refuse('bad_json', 0, 'only plain objects are JSON');
    }
    const object: Record<string, JsonValue> = {};
    for (const [key, item] of entries) {
      this.path.push(key);
      if (this.isReserved(key, 0) || this.string(key) === undefined) return undefined;
      const checked = this.value(item, depth);
      if (checked === undefined) return undefined;
      object[key] = checked;
      this.path.pop();
    }
    return this.spend(2 + entries.length + Math.max(entries.length - 1, 0), object);
  }

  /**
   * Counts bytes of the shortest text, and refuses the value that is one too many: an alias bomb stops early.
   */
  private spend<T extends JsonValue>(bytes: number, value: T): T | undefined {
    this.bytesLeft -= bytes;
    return this.bytesLeft < 0 ? this.tooLarge(this.bytesMax) : value;
  }
}
