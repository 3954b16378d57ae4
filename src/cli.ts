#!/usr/bin/env node
/**
 * The command line: finds the command, reads its words, runs it, and turns what went wrong into one sentence and an exit
 * code (0 done, 1 failed, 2 not understood, 130 interrupted). Commands load what they need only when they run.
 */
import { readFileSync } from 'node:fs';
import { visible } from './core/visible.ts';
import { nearest } from './config/nearest.ts';
import { Failure, helpOf, readArgs, UsageError, type Command } from './cli/command.ts';
import { Interrupted, processIo, type Io } from './cli/io.ts';

/** The commands in the order of help; each is imported when it is called, so that `--help` is quick. */
const commands: readonly {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
}[] = [
  {
    name: 'demo',
    summary: 'shows it all with a small agent, on scratch data',
    load: async () => (await import('./demo/command.ts')).demoCommand,
  },
  {
    name: 'init',
    summary: 'proposes a configuration and policies for an MCP server',
    load: async () => (await import('./cli/init.ts')).initCommand,
  },
  {
    name: 'serve',
    summary: 'runs the gate',
    load: async () => (await import('./cli/serve.ts')).serveCommand,
  },
  {
    name: 'health',
    summary: 'asks a gate whether it lives, has started, or is ready',
    load: async () => (await import('./cli/health.ts')).healthCommand,
  },
  {
    name: 'config',
    summary: 'shows what of the files waits, stands for it, accepts it at the machine',
    load: async () => (await import('./cli/config.ts')).configCommand,
  },
  {
    name: 'token',
    summary: 'prints a new bearer token of an agent or a person',
    load: async () => (await import('./cli/token.ts')).tokenCommand,
  },
  {
    name: 'link',
    summary: 'prints a link that signs a person in, once',
    load: async () => (await import('./cli/token.ts')).linkCommand,
  },
  {
    name: 'passkey',
    summary: 'grants, lists and revokes passkeys; writes a signature for another tool to verify',
    load: async () => (await import('./cli/passkey.ts')).passkeyCommand,
  },
  {
    name: 'mcp',
    summary: 'a stdio MCP server that speaks to a running gate',
    load: async () => (await import('./cli/mcp.ts')).mcpCommand,
  },
  {
    name: 'approvals',
    summary: 'lists, shows, approves and denies from a terminal',
    load: async () => (await import('./cli/approvals.ts')).approvalsCommand,
  },
  {
    name: 'agents',
    summary: 'lists agents, stops one, lets one go on',
    load: async () => (await import('./cli/agents.ts')).agentsCommand,
  },
  {
    name: 'away',
    summary: 'names who stands in for you while you are away',
    load: async () => (await import('./cli/away.ts')).awayCommand,
  },
  {
    name: 'break-glass',
    summary: 'lets pass for some minutes what policies hold: asks, lists, ends, reviews',
    load: async () => (await import('./cli/break-glass.ts')).breakGlassCommand,
  },
  {
    name: 'reconcile',
    summary: 'compares what a target itself recorded with what the gate let run',
    load: async () => (await import('./cli/reconcile.ts')).reconcileCommand,
  },
  {
    name: 'report',
    summary: 'what was allowed, asked and denied; what enforcing would ask of whom',
    load: async () => (await import('./cli/report.ts')).reportCommand,
  },
  {
    name: 'log',
    summary: 'exports the log, and verifies it',
    load: async () => (await import('./cli/log.ts')).logCommand,
  },
  {
    name: 'evidence',
    summary: 'makes the evidence of a period for auditors: report, population, samples, proofs',
    load: async () => (await import('./cli/evidence.ts')).evidenceCommand,
  },
  {
    name: 'receipt',
    summary: 'writes the receipts of an action, an approval or an entry, to verify without the gate',
    load: async () => (await import('./cli/receipt.ts')).receiptCommand,
  },
  {
    name: 'policy',
    summary: 'checks policies, and explains what they say of an action',
    load: async () => (await import('./cli/policy.ts')).policyCommand,
  },
  {
    name: 'slack',
    summary: 'makes the Slack app of this gate, and checks it',
    load: async () => (await import('./cli/slack.ts')).slackCommand,
  },
  {
    name: 'teams',
    summary: 'makes the Teams app of this gate, and checks it',
    load: async () => (await import('./cli/teams.ts')).teamsCommand,
  },
  {
    name: 'backup',
    summary: 'copies the store while the gate runs',
    load: async () => (await import('./cli/backup.ts')).backupCommand,
  },
  {
    name: 'restore',
    summary: 'replaces the store by a backup',
    load: async () => (await import('./cli/backup.ts')).restoreCommand,
  },
  {
    name: 'store',
    summary: 'moves an embedded store to PostgreSQL',
    load: async () => (await import('./cli/store.ts')).storeCommand,
  },
];

/** The published version; package.json is one folder up, from src/ and from dist/ alike. */
function version(): string {
  const read: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return typeof read === 'object' && read !== null && 'version' in read ? String(read.version) : 'unknown';
}

function help(): readonly string[] {
  const width = Math.max(...commands.map((one) => one.name.length));
  return [
    'Countersign: AI agents’ privileged actions wait for the right people, then run once.',
    '',
    'usage: countersign COMMAND [ARGUMENTS]',
    '       countersign COMMAND --help',
    '       countersign --version',
    '',
    ...commands.map((one) => `  ${one.name.padEnd(width)}  ${one.summary}`),
  ];
}

/** Runs one command line; answers its exit code. */
async function main(argv: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    for (const line of help()) io.out(line);
    return 0;
  }
  if (name === '--version' || name === '-v') {
    io.out(version());
    return 0;
  }
  const found = commands.find((one) => one.name === name);
  if (found === undefined) {
    const near = nearest(
      name,
      commands.map((one) => one.name),
    );
    return misused(
      io,
      `There is no command ${name}${near === undefined ? '.' : `; did you mean ${near}?`}`,
      '',
    );
  }
  const outer = await found.load();
  let inner: Command | undefined;
  try {
    inner = await outer.within?.(rest);
  } catch (error) {
    if (error instanceof UsageError) return misused(io, error.message, name);
    throw error;
  }
  return inner === undefined ? called(outer, rest, io) : called(inner, rest.slice(1), io);
}

async function called(command: Command, argv: readonly string[], io: Io): Promise<number> {
  const args = readArgs(command, argv);
  // Whoever asks for help gets it, whatever else is wrong.
  if (args.ok ? args.value.switches.has('help') : argv.includes('--help')) {
    for (const line of helpOf(command)) io.out(line);
    return 0;
  }
  return args.ok ? run(command, args.value, io) : misused(io, args.error, command.name);
}

async function run(command: Command, args: Parameters<Command['run']>[0], io: Io): Promise<number> {
  try {
    return await command.run(args, io);
  } catch (error) {
    if (error instanceof UsageError) return misused(io, error.message, command.name);
    if (error instanceof Interrupted) return 130;
    if (error instanceof Failure) {
      for (const line of visible(error.message).split('\n'))
        io.say(`${io.paintErr.bad('countersign:')} ${line}`);
      return 1;
    }
    // A fault names its place in the system (a folder, a port); anything else is a bug, whose stack we want.
    const known = error instanceof Error && ('code' in error || error.name === 'SqlFault');
    io.say(
      `${io.paintErr.bad('countersign:')} ${known ? visible(error.message) : error instanceof Error ? error.stack : String(error)}`,
    );
    return 1;
  }
}

function misused(io: Io, message: string, name: string): number {
  io.say(`${io.paintErr.bad('countersign:')} ${visible(message)}`);
  io.say(`See: countersign ${name === '' ? '' : `${name} `}--help`);
  return 2;
}

process.exitCode = await main(process.argv.slice(2), processIo());
