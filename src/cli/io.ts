/**
 * The command line's outside: streams, colours, questions, and where paths start. Results go to stdout, everything that is
 * said about them to stderr, so that output can be piped.
 */
import { createInterface } from 'node:readline/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Io {
  /** One line of the result. */
  readonly out: (line: string) => void;
  /** One line about it. */
  readonly say: (line: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether a person can answer questions. */
  readonly interactive: boolean;
  /** Paints for stdout and stderr; each leaves text alone where colours are off. */
  readonly paint: Paint;
  readonly paintErr: Paint;
  /** Asks on the terminal; only where `interactive`. */
  ask(question: string): Promise<string>;
  /** An absolute path from one that was typed: relative to where the command was called, which npm hides in INIT_CWD. */
  path(typed: string): string;
  /** The same path as a person there would type it. */
  typed(path: string): string;
  /** How a person calls a command of ours from there. */
  command(words: string): string;
  /** How another program calls it, from whatever folder it is in. */
  program(words: string): string;
}

/** Sources run from a checkout; the published form is installed as `countersign`. */
const checkout = import.meta.url.endsWith('.ts');
const inCheckout = (file: string): string => fileURLToPath(new URL(`../../${file}`, import.meta.url));

/** Styles by what they mean. */
export interface Paint {
  readonly strong: (text: string) => string;
  readonly soft: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly wait: (text: string) => string;
}

const style =
  (on: boolean, open: number, close: number) =>
  (text: string): string =>
    on ? `\u001B[${open}m${text}\u001B[${close}m` : text;

/** Escape sequences, or nothing. */
export const paintOf = (on: boolean): Paint => ({
  strong: style(on, 1, 22),
  soft: style(on, 2, 22),
  good: style(on, 32, 39),
  bad: style(on, 31, 39),
  wait: style(on, 33, 39),
});

/** Colours are for terminals, and for nobody who asked for none (no-color.org: set and not empty). */
export const wantsColours = (
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): boolean => stream.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';

/** The process's own streams. */
export function processIo(): Io {
  const { env, stdin, stdout, stderr } = process;
  const cwd = env['INIT_CWD'] ?? process.cwd();
  // Whoever read our output has had enough (`| head`): there is nothing left to do here.
  stdout.on('error', () => process.exit(0));
  return {
    out: (line) => void stdout.write(`${line}\n`),
    say: (line) => void stderr.write(`${line}\n`),
    env,
    interactive: stdin.isTTY && stderr.isTTY,
    paint: paintOf(wantsColours(stdout, env)),
    paintErr: paintOf(wantsColours(stderr, env)),
    ask: async (question) => {
      const lines = createInterface({ input: stdin, output: stderr });
      // Ctrl-C and Ctrl-D at a question end the command: no answer is a no.
      const ended = new AbortController();
      lines.once('SIGINT', () => ended.abort());
      lines.once('close', () => ended.abort());
      try {
        return await lines.question(question, { signal: ended.signal });
      } catch {
        throw new Interrupted();
      } finally {
        lines.close();
      }
    },
    path: (typed) => resolve(cwd, typed),
    typed: (path) => (path.startsWith(`${cwd}/`) ? path.slice(cwd.length + 1) : path),
    command: (words) => (checkout ? `npm run -s cli -- ${words}` : `countersign ${words}`),
    program: (words) =>
      checkout
        ? `node ${inCheckout('bin/node.mjs')} ${inCheckout('src/cli.ts')} ${words}`
        : `countersign ${words}`,
  };
}

/** The person at the terminal pressed Ctrl-C or Ctrl-D. */
export class Interrupted extends Error {
  constructor() {
    super('interrupted');
    this.name = 'Interrupted';
  }
}

/** Exit codes of a process that did not get to end in peace: 128 and the signal's number. */
const hardCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Nobody presses twice in less, and means it. */
const samePressMs = 300;

/** Resolves at the first Ctrl-C, SIGTERM or hang-up, to end in peace; the second one ends the process at once. */
export function untilSignal(): { readonly signal: Promise<void>; release(): void } {
  let toldMs: number | null = null;
  const first = Promise.withResolvers<void>();
  const listeners = Object.entries(hardCodes).map(([name, code]) => {
    const listener = (): void => {
      // Whoever starts us may pass on the signal that we were sent as well: that is no second one.
      if (toldMs !== null && performance.now() - toldMs > samePressMs) process.exit(code);
      toldMs ??= performance.now();
      first.resolve();
    };
    process.on(name, listener);
    return { name, listener };
  });
  return {
    signal: first.promise,
    release: () => listeners.forEach(({ name, listener }) => process.off(name, listener)),
  };
}
