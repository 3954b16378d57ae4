/**
 * What a command is, and how its words are read: one table of options each, from which parsing, `--help` and the hints for
 * mistyped options come.
 */
import { parseArgs } from 'node:util';
import { nearest } from '../config/nearest.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Io } from './io.ts';

export interface Option {
  /** What stands for its value in help; none for a switch. */
  readonly value?: string;
  readonly help: string;
}

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What follows `countersign`, one line a form. */
  readonly usage: readonly string[];
  readonly options: Readonly<Record<string, Option>>;
  /** More for `--help`, already broken into lines. */
  readonly details?: readonly string[];
  /** The command of its own that these words begin with, after which theirs follow; undefined where they begin with none. */
  readonly within?: (argv: readonly string[]) => Promise<Command | undefined>;
  /** Answers the exit code. */
  run(args: Args, io: Io): Promise<number>;
}

export interface Args {
  /** Words before `--`. */
  readonly words: readonly string[];
  /** Words after `--`; undefined where there is no `--`. */
  readonly rest: readonly string[] | undefined;
  readonly values: Readonly<Record<string, string>>;
  readonly switches: ReadonlySet<string>;
}

/** Something typed that cannot be meant: exit code 2, with a pointer to `--help`. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** Something expected went wrong: one sentence, exit code 1, no stack. */
export class Failure extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Failure';
  }
}

/** Every command has these. */
export const common: Readonly<Record<string, Option>> = { help: { help: 'shows this' } };

/** Reads the words after the command's name. */
export function readArgs(command: Command, argv: readonly string[]): Result<Args, string> {
  const options = { ...command.options, ...common };
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(
      Object.entries(options).map(
        ([name, option]) => [name, { type: option.value === undefined ? 'boolean' : 'string' }] as const,
      ),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const words: string[] = [];
  const values: Record<string, string> = {};
  const switches = new Set<string>();
  let rest: string[] | undefined;
  for (const token of tokens) {
    if (token.kind === 'option-terminator') rest = [];
    else if (token.kind === 'positional') (rest ?? words).push(token.value);
    else {
      const said = token.rawName === '-h' ? 'help' : token.name;
      const option = Object.hasOwn(options, said) ? options[said] : undefined;
      if (option === undefined) return err(unknownOption(token.rawName, Object.keys(options)));
      if (option.value === undefined) {
        if (token.inlineValue === true) return err(`${token.rawName} takes no value.`);
        switches.add(said);
      } else {
        // A following option is no value: `--config --port 1` has lost its file.
        const lost = token.value === undefined || (!token.inlineValue && /^--./.test(token.value));
        if (lost || token.value === undefined) return err(`${token.rawName} needs a value: ${option.value}.`);
        if (values[said] !== undefined) return err(`${token.rawName} is given twice.`);
        values[said] = token.value;
      }
    }
  }
  return ok({ words, rest, values, switches });
}

function unknownOption(typed: string, known: readonly string[]): string {
  const near = nearest(typed.replace(/^-+/, ''), known);
  return `There is no option ${typed}${near === undefined ? '' : `; did you mean --${near}?`}`;
}

/** The text of `--help`. */
export function helpOf(command: Command): readonly string[] {
  const rows = Object.entries({ ...command.options, ...common }).map(
    ([name, option]) =>
      [`--${name}${option.value === undefined ? '' : ` ${option.value}`}`, option.help] as const,
  );
  const width = Math.max(...rows.map(([left]) => left.length));
  return [
    command.summary,
    '',
    ...command.usage.map((line, index) => `${index === 0 ? 'usage:' : '      '} countersign ${line}`),
    '',
    ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`),
    ...(command.details === undefined ? [] : ['', ...command.details]),
  ];
}

/** Exactly so many words, or a usage error that says what is missing or too much. */
export function wordsOf(args: Args, names: readonly string[]): readonly string[] {
  if (args.rest !== undefined) throw new UsageError('Nothing may follow “--” here.');
  const missing = names[args.words.length];
  if (missing !== undefined) throw new UsageError(`${missing} is missing.`);
  const surplus = args.words[names.length];
  if (surplus !== undefined) throw new UsageError(`“${surplus}” is one word too many.`);
  return args.words;
}

/** An option where it means nothing is a mistake that would otherwise go unseen. @param of what each option belongs to. */
export function only(
  args: Args,
  what: string | undefined,
  of: Readonly<Record<string, readonly string[]>>,
): void {
  for (const [option, belongs] of Object.entries(of))
    if (
      (args.values[option] !== undefined || args.switches.has(option)) &&
      what !== undefined &&
      !belongs.includes(what)
    )
      throw new UsageError(`--${option} belongs to ${belongs.join(' and ')}.`);
}
