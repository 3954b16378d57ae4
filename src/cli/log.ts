/**
 * `log`: what can be done with the log from a terminal. Each of its subcommands is a file of its own, with its own words and its own
 * `--help`; here they are listed and found.
 */
import { nearest } from '../config/nearest.ts';
import { UsageError, type Command } from './command.ts';

/** In the order of help; each is imported when it is called. A new one is one more here. */
const subcommands: readonly {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
}[] = [
  {
    name: 'export',
    summary: 'writes the log, or a part of it, as CSV, JSON Lines or OCSF',
    load: async () => (await import('./log-export.ts')).logExportCommand,
  },
  {
    name: 'copy',
    summary: 'copies the log into a folder that a stranger can verify',
    load: async () => (await import('./log-copy.ts')).logCopyCommand,
  },
  {
    name: 'verify',
    summary: 'verifies a log, a range, a receipt, or that two checkpoints are of one log',
    load: async () => (await import('./log-verify.ts')).logVerifyCommand,
  },
  {
    name: 'rotate',
    summary: 'makes a new key that signs the log',
    load: async () => (await import('./log-rotate.ts')).logRotateCommand,
  },
  {
    name: 'erase',
    summary: 'erases the payloads of an action, or of entries; every proof still verifies',
    load: async () => (await import('./log-erase.ts')).logEraseCommand,
  },
  {
    name: 'hold',
    summary: 'keeps payloads from being erased, whoever asks',
    load: async () => (await import('./log-hold.ts')).logHoldCommand,
  },
  {
    name: 'release',
    summary: 'ends a hold that somebody else placed',
    load: async () => (await import('./log-hold.ts')).logReleaseCommand,
  },
  {
    name: 'holds',
    summary: 'lists what is held, and what was',
    load: async () => (await import('./log-hold.ts')).logHoldsCommand,
  },
];

const width = Math.max(...subcommands.map((one) => one.name.length));

export const logCommand: Command = {
  name: 'log',
  summary: 'Works with the log.',
  usage: ['log SUBCOMMAND [ARGUMENTS]', 'log SUBCOMMAND --help'],
  options: {},
  details: subcommands.map((one) => `  ${one.name.padEnd(width)}  ${one.summary}`),
  within: subcommandIn,
  run: () => Promise.reject(new UsageError('Say what to do with the log.')),
};

/** The subcommand that the words begin with; undefined where they begin with none, as for `log --help`. */
async function subcommandIn(argv: readonly string[]): Promise<Command | undefined> {
  const [name] = argv;
  if (name === undefined || name.startsWith('-')) return undefined;
  const found = subcommands.find((one) => one.name === name);
  if (found !== undefined) return found.load();
  const names = subcommands.map((one) => one.name);
  const near = nearest(name, names);
  throw new UsageError(
    `There is no subcommand ${name} of log${near === undefined ? `; there is ${names.join(', ')}.` : `; did you mean ${near}?`}`,
  );
}
