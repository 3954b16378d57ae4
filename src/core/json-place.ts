/** What both ways in (read-json.ts, check-json.ts) share: where they are, and the one problem that they found. */
import type { JsonProblem, JsonValue } from './json.ts';
import { err, ok, type Result } from './result.ts';
import { visibleLine } from './visible.ts';

/** `__proto__` changes an object in JavaScript; the others are escapes in Cedar's JSON. */
const reservedKeys: ReadonlySet<string> = new Set(['__proto__', '__entity', '__extn', '__expr']);

/** The first 40 characters, no surrogate pair cut in half, hidden characters escaped. */
export function shown(text: string): string {
  const start = Array.from(text.slice(0, 80)).slice(0, 40).join('');
  return visibleLine(start) + (start.length < text.length ? '…' : '');
}

/** What both ways in share: where they are, and the one problem that they found. */
export class Place {
  /** Keys and indexes from the root; left as it is on a problem. */
  protected readonly path: (string | number)[] = [];
  protected readonly depthMax: number;
  private problem: JsonProblem | undefined;

  constructor(depthMax: number) {
    this.depthMax = depthMax;
  }

  /** Notes the problem. Undefined is no JSON value: it means "refused" all the way up. */
  protected refuse(code: JsonProblem['code'], at: number, detail: string): undefined {
    const steps = this.path.map(
      (step) => `/${shown(String(step)).replaceAll('~', '~0').replaceAll('/', '~1')}`,
    );
    this.problem = { code, at, path: steps.join(''), detail };
  }

  tooLarge(bytesMax: number): undefined {
    return this.refuse('too_large', 0, `larger than ${bytesMax} bytes`);
  }

  protected tooDeep(at: number): undefined {
    return this.refuse('too_deep', at, `nested more than ${this.depthMax} levels deep`);
  }

  protected isReserved(key: string, at: number): boolean {
    if (!reservedKeys.has(key)) return false;
    this.refuse('reserved_key', at, `the key "${key}" is reserved`);
    return true;
  }

  result(value: JsonValue | undefined): Result<JsonValue, JsonProblem> {
    if (this.problem !== undefined) return err(this.problem);
    if (value === undefined) throw new TypeError('refused without a problem'); // a bug of this file
    return ok(value);
  }
}
