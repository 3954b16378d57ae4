/** Finds the values that a configuration only points to: in the environment, in files. Never says what they are. */
import { resolve } from 'node:path';
import type { ConfigDocument, Path, Problem } from './document.ts';
import { nameOf } from './problems.ts';
import { readRegularFileSync } from './read-file.ts';
import type { WrittenSecret } from './written.ts';

/** `ignored`: for commands that need no secret; what cannot be found is then empty. */
export type SecretsMode = 'required' | 'ignored';

/** Where secrets are looked for. */
export interface SecretSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute: what a relative `fromFile` starts from. */
  readonly folder: string;
  readonly mode: SecretsMode;
}

/** A secret in a file is small; more is another file. */
const secretCharsMax = 65_536;
const secretBytesMax = 4 * secretCharsMax;

/** Reads secrets of one configuration, and collects what is wrong with them. */
export class Secrets {
  readonly problems: Problem[] = [];
  readonly #found = new Set<string>();
  readonly #document: ConfigDocument;
  readonly #sources: SecretSources;

  constructor(document: ConfigDocument, sources: SecretSources) {
    this.#document = document;
    this.#sources = sources;
  }

  /** The value; empty where it cannot be found, which is then a problem. */
  read(written: WrittenSecret, path: Path, mode: SecretsMode = this.#sources.mode): string {
    if (typeof written === 'string') return this.#keep(written);
    const found = 'fromEnv' in written ? this.#fromEnv(written.fromEnv) : this.#fromFile(written.fromFile);
    if ('value' in found) return this.#keep(found.value);
    if (mode === 'required')
      this.problems.push(this.#document.problem(path, `${nameOf(path)}: ${found.missing}.`));
    return '';
  }

  /** A map of them, such as headers. */
  readAll(written: Readonly<Record<string, WrittenSecret>>, path: Path): Readonly<Record<string, string>> {
    return Object.fromEntries(
      Object.entries(written).map(([name, one]) => [name, this.read(one, [...path, name])]),
    );
  }

  /** All that was read by now, to be taken out of whatever is written for people. */
  get found(): readonly string[] {
    return [...this.#found];
  }

  #keep(value: string): string {
    this.#found.add(value);
    return value;
  }

  #fromEnv(name: string): { readonly value: string } | { readonly missing: string } {
    const value = this.#sources.env[name] ?? '';
    return value === '' ? { missing: `the environment variable ${name} is not set` } : { value };
  }

  #fromFile(path: string): { readonly value: string } | { readonly missing: string } {
    const file = resolve(this.#sources.folder, path);
    try {
      // Editors end files with a line break that is not part of the secret.
      const value = readRegularFileSync(file, secretBytesMax)
        .toString('utf8')
        .replace(/\r?\n$/, '');
      if (value === '') return { missing: `the file ${file} is empty` };
      return value.length > secretCharsMax
        ? { missing: `the file ${file} is too large for a secret` }
        : { value };
    } catch (error) {
      return { missing: `the file ${file} cannot be read (${codeOf(error)})` };
    }
  }
}

/** The system's name of a failure, such as ENOENT; its message would repeat the path. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : String(error);
