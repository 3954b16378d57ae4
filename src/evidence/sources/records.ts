/**
 * Records out of a stream of bytes: lines, and records of RFC 4180. Bounded: what is longer than a record may be is cut, and said
 * to be, so that no file can fill the memory.
 */

/** UTF-16 units of one record that are kept. */
export const recordCharsMax = 1024 * 1024;
/** Fields of one record. */
const fieldsMax = 500;

export interface CsvRecord {
  readonly fields: readonly string[];
  /** The line on which it begins; from 1. */
  readonly line: number;
  /** Something of it was left out, or it was not closed. */
  readonly broken: boolean;
}

/** Text of UTF-8; what is none is U+FFFD. */
export async function* textOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8');
  for await (const chunk of bytes) yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}

/** Lines without their ends; one that is too long is cut. */
export async function* linesOf(text: AsyncIterable<string>): AsyncGenerator<string> {
  let held = '';
  for await (const piece of text) {
    const parts = piece.split('\n');
    const last = parts.pop() ?? '';
    for (const part of parts) {
      yield withoutReturn(cut(held + part));
      held = '';
    }
    held = cut(held + last);
  }
  if (held !== '') yield withoutReturn(held);
}

const cut = (text: string): string => (text.length > recordCharsMax ? text.slice(0, recordCharsMax) : text);
const withoutReturn = (line: string): string => (line.endsWith('\r') ? line.slice(0, -1) : line);

/** Records of RFC 4180; a byte order mark is left out, and so are empty lines. */
export async function* csvRecords(text: AsyncIterable<string>): AsyncGenerator<CsvRecord> {
  const reading = new CsvReading();
  for await (const piece of text) yield* reading.take(piece);
  yield* reading.end();
}

/** One record that is all of a text; undefined where there is none. */
export function csvRecord(text: string): CsvRecord | undefined {
  const reading = new CsvReading();
  return [...reading.take(text), ...reading.end()][0];
}

class CsvReading {
  #fields: string[] = [];
  #field = '';
  #quoted = false;
  /** A quote inside a quoted field: the end, or one of two. */
  #quote = false;
  #kept = 0;
  #broken = false;
  #any = false;
  #line = 1;
  #beginsAt = 1;
  #first = true;

  *take(piece: string): Generator<CsvRecord> {
    let text = piece;
    if (this.#first && text !== '') {
      this.#first = false;
      if (text.startsWith('\uFEFF')) text = text.slice(1);
    }
    for (const one of text) {
      const record = this.#one(one);
      if (record !== undefined) yield record;
    }
  }

  *end(): Generator<CsvRecord> {
    if (this.#quoted && !this.#quote) this.#broken = true;
    const record = this.#record();
    if (record !== undefined) yield record;
  }

  #one(one: string): CsvRecord | undefined {
    if (one === '\n') this.#line += 1;
    if (this.#quoted && !this.#quote) {
      if (one === '"') this.#quote = true;
      else this.#keep(one);
      return undefined;
    }
    if (this.#quote) {
      this.#quote = false;
      if (one === '"') {
        this.#keep('"');
        return undefined;
      }
      this.#quoted = false;
    }
    switch (one) {
      case '"':
        if (this.#field === '') this.#quoted = true;
        else this.#keep(one);
        this.#any = true;
        return undefined;
      case ',':
        this.#any = true;
        this.#endField();
        return undefined;
      case '\n':
        return this.#record();
      case '\r':
        return undefined;
      default:
        this.#any = true;
        this.#keep(one);
        return undefined;
    }
  }

  #keep(one: string): void {
    this.#any = true;
    if (this.#kept >= recordCharsMax) {
      this.#broken = true;
      return;
    }
    this.#kept += one.length;
    this.#field += one;
  }

  #endField(): void {
    if (this.#fields.length < fieldsMax) this.#fields.push(this.#field);
    else this.#broken = true;
    this.#field = '';
  }

  #record(): CsvRecord | undefined {
    const [any, broken, line] = [this.#any, this.#broken, this.#beginsAt];
    if (any) this.#endField();
    const fields = this.#fields;
    [this.#fields, this.#field, this.#kept] = [[], '', 0];
    [this.#quoted, this.#quote, this.#broken, this.#any] = [false, false, false, false];
    this.#beginsAt = this.#line;
    return any ? { fields, line, broken } : undefined;
  }
}
