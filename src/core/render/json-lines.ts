/**
 * A JSON value as lines of marked tokens: what pages colour and terminals print. Nothing is left out silently: where the
 * value is larger than the limits the writer stops and says so (`whole: false`), and nobody may approve what was not shown.
 *
 * Text with line breaks is written as a block of its own lines, because one line full of `\n` cannot be read; all else is
 * JSON, with every hidden character as `⟨U+202E⟩`.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import { visible } from '../visible.ts';
import { counted, line, lines, type Shown } from './shown.ts';

export type TokenKind =
  | 'key'
  | 'text'
  | 'number'
  | 'literal'
  /** Brackets, colons, commas. */
  | 'mark'
  /** A remark of the gate, such as the size of a block. */
  | 'remark'
  /** `⟨U+202E⟩`: a character that cannot be seen. */
  | 'hidden'
  /** `⟨masked: 12 characters⟩`. */
  | 'masked';

export interface Token {
  readonly kind: TokenKind;
  readonly text: Shown;
}

export interface Line {
  readonly depth: number;
  /** A line of a text, literally: not JSON. */
  readonly block: boolean;
  readonly tokens: readonly Token[];
}

export interface Written {
  readonly lines: readonly Line[];
  /** False where the limits cut it. */
  readonly whole: boolean;
}

export interface WriteLimits {
  /** Characters (UTF-16 units) of all tokens. */
  readonly charsMax: number;
  readonly linesMax: number;
}

/** What a page or a terminal shows of one action's input; more cannot be read in earnest. */
export const exactLimits: WriteLimits = { charsMax: 262_144, linesMax: 5000 };

/** Marks of ours inside text; the same text written by an agent is marked as well, and noted (notes.ts). */
const ours = /(⟨U\+[0-9A-F]{4,6}⟩|⟨masked: \d+ characters⟩)/;

/** Text as tokens, with the gate's marks apart. */
export function tokensOf(text: string, kind: TokenKind): readonly Token[] {
  return text
    .split(ours)
    .filter((part) => part !== '')
    .map((part) => ({
      kind: ours.test(part) ? (part.startsWith('⟨U') ? 'hidden' : 'masked') : kind,
      text: line(part),
    }));
}

/** Writes a value; secrets must be masked before (core/secrets.ts). */
export function writeJson(value: JsonValue, limits: WriteLimits = exactLimits): Written {
  const writer = new Writer(limits);
  writer.value(value, 0, [], []);
  return { lines: writer.out, whole: writer.whole };
}

/** The characters that JSON escapes inside a string, after the hidden ones were made visible. */
const quoted = (text: string): string => JSON.stringify(visible(text));

/** A list of plain short values fits one line. */
const inlineCharsMax = 72;

class Writer {
  readonly out: Line[] = [];
  whole = true;
  private charsLeft: number;
  private readonly limits: WriteLimits;

  constructor(limits: WriteLimits) {
    this.limits = limits;
    this.charsLeft = limits.charsMax;
  }

  /** @param before tokens on the first line, a key say. @param after tokens on the last, a comma. */
  value(value: JsonValue, depth: number, before: readonly Token[], after: readonly Token[]): void {
    if (!this.whole) return;
    if (typeof value === 'string' && value.includes('\n')) return this.block(value, depth, before);
    if (isJsonArray(value) && value.length > 0 && !isInline(value))
      return this.list(value, depth, before, after);
    if (isJsonObject(value) && Object.keys(value).length > 0) return this.object(value, depth, before, after);
    this.push({ depth, block: false, tokens: [...before, ...plain(value), ...after] });
  }

  private list(
    value: readonly JsonValue[],
    depth: number,
    before: readonly Token[],
    after: readonly Token[],
  ): void {
    this.push({ depth, block: false, tokens: [...before, mark('[')] });
    for (const [index, item] of value.entries()) {
      if (!this.whole) return;
      this.value(item, depth + 1, [], index < value.length - 1 ? [mark(',')] : []);
    }
    this.push({ depth, block: false, tokens: [mark(']'), ...after] });
  }

  private object(value: JsonObject, depth: number, before: readonly Token[], after: readonly Token[]): void {
    this.push({ depth, block: false, tokens: [...before, mark('{')] });
    const entries = Object.entries(value);
    for (const [index, [key, item]] of entries.entries()) {
      if (!this.whole) return;
      this.value(
        item,
        depth + 1,
        [...tokensOf(quoted(key), 'key'), mark(': ')],
        index < entries.length - 1 ? [mark(',')] : [],
      );
    }
    this.push({ depth, block: false, tokens: [mark('}'), ...after] });
  }

  private block(text: string, depth: number, before: readonly Token[]): void {
    const all = lines(text);
    const ends = text.endsWith('\n');
    const rows = ends ? all.slice(0, -1) : all;
    const remark = `text, ${counted(rows.length, 'line')}${ends ? '' : ', no line break at its end'}`;
    this.push({ depth, block: false, tokens: [...before, { kind: 'remark', text: line(remark) }] });
    for (const row of rows) {
      if (!this.whole) return;
      // A tab is kept: `lines` made the row, so its parts are already shown.
      const tokens = row.split(ours).filter((part) => part !== '');
      this.push({ depth: depth + 1, block: true, tokens: tokens.map((part) => blockToken(part)) });
    }
  }

  private push(one: Line): void {
    const chars = one.tokens.reduce((sum, token) => sum + token.text.length, one.depth * 2 + 1);
    if (!this.whole || this.out.length >= this.limits.linesMax || chars > this.charsLeft) {
      this.whole = false;
      return;
    }
    this.charsLeft -= chars;
    this.out.push(one);
  }
}

function blockToken(part: string): Token {
  if (part.startsWith('⟨U+') && ours.test(part)) return { kind: 'hidden', text: line(part) };
  if (ours.test(part)) return { kind: 'masked', text: line(part) };
  const [text = line('')] = lines(part);
  return { kind: 'text', text };
}

const mark = (text: string): Token => ({ kind: 'mark', text: line(text) });

const isScalar = (value: JsonValue): boolean => typeof value !== 'object' || value === null;

function isInline(value: readonly JsonValue[]): boolean {
  if (value.length > inlineCharsMax / 2 || !value.every(isScalar)) return false;
  if (value.some((item) => typeof item === 'string' && (item.includes('\n') || item.length > inlineCharsMax)))
    return false;
  return JSON.stringify(value).length <= inlineCharsMax;
}

/** A value of one line: a scalar, an empty list or object, or a short list. */
function plain(value: JsonValue): readonly Token[] {
  if (typeof value === 'string') return tokensOf(quoted(value), 'text');
  if (typeof value === 'number') return [{ kind: 'number', text: line(String(value)) }];
  if (isJsonArray(value)) {
    const items = value.flatMap((item, index) => [...(index > 0 ? [mark(', ')] : []), ...plain(item)]);
    return [mark('['), ...items, mark(']')];
  }
  if (isJsonObject(value)) return [mark('{}')];
  return [{ kind: 'literal', text: line(String(value)) }];
}
