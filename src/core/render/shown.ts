/**
 * Text for eyes. Whatever an agent, a tool or a person wrote becomes `Shown` before it reaches a page, a terminal or a
 * message: every character in it can be seen (core/visible.ts) and it is one line. Only this file makes `Shown`, so a
 * rendering that forgot to escape does not compile.
 */
import { rfc3339, duration } from '../time.ts';
import { visible, visibleLine } from '../visible.ts';

declare const shown: unique symbol;
/** One line without hidden, control or bidirectional characters; a tab only where it came from `lines`. */
export type Shown = string & { readonly [shown]: true };

// The casts of this file are the brand: each is on what `visible` or `visibleLine` returned.
/** Any text as one line; line breaks and tabs are shown as `⟨U+000A⟩`. */
export const line = (text: string): Shown => visibleLine(text) as Shown;

/** Any text as its lines, in order; tabs stay. A text that ends with a line break has an empty last line. */
export const lines = (text: string): readonly Shown[] =>
  visible(text)
    .split('\n')
    .map((one) => one as Shown);

/** A sentence of ours with other people's words in it: say`Approved by ${name}`. */
export const say = (strings: TemplateStringsArray, ...values: readonly (string | number)[]): Shown =>
  line(String.raw({ raw: strings.map(String) }, ...values));

/** The first `max` characters (code points) of one line; what is left out is marked with `…`. */
export function short(text: string, max: number): Shown {
  // A code point is at most two units, so that long text is not split whole.
  const points = Array.from(text.slice(0, max * 2 + 2));
  const cut = points.length > max || text.length > max * 2 + 2;
  return line(cut ? `${points.slice(0, max - 1).join('')}…` : text);
}

/** "5,204": groups of three, for whole numbers; others as JSON writes them. */
export const grouped = (value: number): string =>
  Number.isSafeInteger(value) ? String(value).replace(/\B(?=(?:\d{3})+$)/g, ',') : String(value);

/** "1 row", "5,204 rows". */
export const counted = (count: number, one: string, many: string = `${one}s`): string =>
  `${grouped(count)} ${count === 1 ? one : many}`;

/** "a, b and c". */
export const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`;

/** "2026-11-22 15:43 UTC". */
export const clock = (ms: number): string => `${rfc3339(ms).slice(0, 16).replace('T', ' ')} UTC`;

/** The same, with the date only where it is another day than now. */
export const clockNear = (ms: number, nowMs: number): string =>
  rfc3339(ms).slice(0, 10) === rfc3339(nowMs).slice(0, 10) ? clock(ms).slice(11) : clock(ms);

/** "3 min 4 s ago"; "just now" within a second, and where clocks differ. */
export const ago = (thenMs: number, nowMs: number): string =>
  nowMs - thenMs < 1000 ? 'just now' : `${duration(nowMs - thenMs)} ago`;

/** `sha256:3f9a21bc44d0` of a digest or a bare hash: enough to compare by eye, never used to decide. */
export const shortDigest = (digest: string): Shown =>
  line(`sha256:${digest.replace(/^sha256:/, '').slice(0, 12)}`);
