/** `store`: what can be done with the store as a whole from a terminal. Its subcommand has a file and a `--help` of its own. */
import { nearest } from '../config/nearest.ts';
import { UsageError, type Command } from './command.ts';

/** In the order of help; each is imported when it is called. */
const subcommands: readonly {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
}[] = [
  {
    name: 'copy',
    summary: 'moves an embedded store to PostgreSQL, verified; an interrupted copy is gone on with',
    load: async () => (await import('./store-copy.ts')).storeCopyCommand,
  },
];

export const storeCommand: Command = {
  name: 'store',
  summary: 'Works with the store as a whole.',
  usage: ['store SUBCOMMAND [ARGUMENTS]', 'store SUBCOMMAND --help'],
  options: {},
  details: subcommands.map((one) => `  ${one.name}  ${one.summary}`),
  within: subcommandIn,
  run: () => Promise.reject(new UsageError('Say what to do with the store.')),
};

/** The subcommand that the words begin with; undefined where they begin with none, as for `store --help`. */
async function subcommandIn(argv: readonly string[]): Promise<Command | undefined> {
  const [name] = argv;
  if (name === undefined || name.startsWith('-')) return undefined;
  const found = subcommands.find((one) => one.name === name);
  if (found !== undefined) return found.load();
  const names = subcommands.map((one) => one.name);
  const near = nearest(name, names);
  throw new UsageError(
    `There is no subcommand ${name} of store${near === undefined ? `; there is ${names.join(', ')}.` : `; did you mean ${near}?`}`,
  );
}
