/**
 * Reads TypeScript sources for the tests that hold the layout: what a file imports, and its code without comments and the
 * contents of strings, so that a word in a docstring is not taken for a call.
 *
 * A small scanner, not a parser: it knows comments, strings, templates and regular expressions, no more.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root folder. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** One import, re-export, `import()`, `require()` or worker address. `specifier` is null where it is no literal. */
export interface Import {
  readonly specifier: string | null;
  /** `new URL('./worker.ts', import.meta.url)`: how a worker is named. It may also be a file that is only read. */
  readonly address: boolean;
}

export interface Source {
  /** The text with comments blanked and strings emptied; line breaks stay, so that positions keep their line. */
  readonly code: string;
  readonly imports: readonly Import[];
}

/** A file's text by its path from `folder`, with forward slashes. */
export function textsBelow(folder: string, ending: string): ReadonlyMap<string, string> {
  const base = join(root, folder);
  const texts = new Map<string, string>();
  for (const entry of readdirSync(base, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(ending)) continue;
    const file = join(entry.parentPath, entry.name);
    texts.set(relative(base, file).split(sep).join('/'), readFileSync(file, 'utf8'));
  }
  return texts;
}

/** What stands before a string that names a module. */
const IMPORTS = /(?:\b(?:from|import)|\b(?:import|require|import\.meta\.resolve)\s*\()\s*$/;
const ADDRESSES = /\bnew\s+URL\s*\(\s*$/;
/** What may stand before a regular expression and not before a division. */
const BEFORE_REGEX =
  /(?:^|[(,=:[!&|?{};+\-*%~^<>]|\b(?:return|typeof|case|in|of|void|delete|throw|await|yield))\s*$/;
/** `import(x)`, `require(x)`: a name that a reader cannot follow. */
const COMPUTED = /\b(?:import|require)\s*\(\s*(?!['"`\s])/g;

/** Reads one file's text. Never throws: what it cannot make out it takes for code. */
export function read(text: string): Source {
  const imports: Import[] = [];
  const code = new Scanner(text, (specifier, before, whole) => {
    if (IMPORTS.test(before)) imports.push({ specifier: whole ? specifier : null, address: false });
    else if (ADDRESSES.test(before)) imports.push({ specifier, address: true });
  }).code();
  for (const _ of code.matchAll(COMPUTED)) imports.push({ specifier: null, address: false });
  return { code, imports };
}

/** Told of each string: its content (of a template with holes, what stands before the first), and the code before it. */
type OnString = (content: string, before: string, whole: boolean) => void;

class Scanner {
  readonly #text: string;
  readonly #onString: OnString;
  #at = 0;
  #out = '';

  constructor(text: string, onString: OnString) {
    this.#text = text;
    this.#onString = onString;
  }

  code(): string {
    this.#until('');
    return this.#out;
  }

  /** Copies code up to the closing brace of a template's expression, or to the end. */
  #until(end: '' | '}'): void {
    let depth = 0;
    while (this.#at < this.#text.length) {
      const char = this.#text.charAt(this.#at);
      const two = this.#text.slice(this.#at, this.#at + 2);
      if (two === '//') this.#blank(/\n|$/g, 0);
      else if (two === '/*') this.#blank(/\*\//g, 2);
      else if (char === "'" || char === '"') this.#string(char);
      else if (char === '`') this.#template();
      else if (char === '/' && BEFORE_REGEX.test(this.#out.slice(-40))) this.#regex();
      else {
        if (char === '{') depth += 1;
        if (char === '}' && depth === 0 && end === '}') return;
        if (char === '}') depth -= 1;
        this.#out += char;
        this.#at += 1;
      }
    }
  }

  #blank(end: RegExp, length: number): void {
    end.lastIndex = this.#at + length;
    const stop = (end.exec(this.#text)?.index ?? this.#text.length) + length;
    this.#out += this.#text.slice(this.#at, stop).replace(/[^\n]/g, ' ');
    this.#at = stop;
  }

  #string(quote: string): void {
    const body = new RegExp(`(?:\\\\[\\s\\S]|[^\\\\${quote}\\n])*`, 'y');
    body.lastIndex = this.#at + 1;
    const content = body.exec(this.#text)?.[0] ?? '';
    this.#onString(content, this.#out.slice(-60), true);
    this.#out += quote + quote;
    this.#at += content.length + 2;
  }

  #template(): void {
    const before = this.#out.slice(-60);
    const begin = this.#at + 1;
    let hole: number | undefined;
    this.#out += '`';
    for (this.#at += 1; this.#at < this.#text.length; this.#at += 1) {
      const char = this.#text.charAt(this.#at);
      if (char === '`') break;
      if (char === '\n') this.#out += '\n';
      if (char === '\\') this.#at += 1;
      else if (char === '$' && this.#text.charAt(this.#at + 1) === '{') {
        hole ??= this.#at;
        this.#at += 2;
        this.#out += '${';
        this.#until('}');
        this.#out += '}';
      }
    }
    this.#onString(this.#text.slice(begin, hole ?? this.#at), before, hole === undefined);
    this.#out += '`';
    this.#at += 1;
  }

  #regex(): void {
    const body = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/y;
    body.lastIndex = this.#at;
    const found = body.exec(this.#text)?.[0];
    this.#out += found === undefined ? '/' : '/ /';
    this.#at += found?.length ?? 1;
  }
}
