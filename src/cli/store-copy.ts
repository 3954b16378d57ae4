/** `store copy`: moves the embedded store of one configuration to the PostgreSQL database of another; `--undo` is the way back. */
import type { Watched } from '../store/copy-result.ts';
import { Failure, UsageError, wordsOf, type Args, type Command } from './command.ts';
import { configName, exists, settingsOf } from './files.ts';
import { Interrupted, untilSignal, type Io } from './io.ts';
import { progressOn, type Progress } from './progress.ts';
import { keysOf, mustBeTheSame } from './store-keys.ts';
import { nextSteps, wordsOfRefused, type Move } from './store-words.ts';

export const storeCopyCommand: Command = {
  name: 'store copy',
  summary: 'Moves an embedded store to PostgreSQL, verified; an interrupted copy is gone on with.',
  usage: ['store copy --to FILE [--config FILE]', 'store copy --undo --to FILE [--config FILE]'],
  options: {
    to: { value: 'FILE', help: 'the new configuration, which names the database: database: postgres://…' },
    config: {
      value: 'FILE',
      help: `the configuration of now, with the embedded store; default ./${configName}`,
    },
    undo: { help: 'opens the embedded store again; only while no gate has written to the database' },
  },
  details: [
    'Stop the gate first. Everything is copied: pending approvals, sessions, tokens, passkeys and the log, so that nobody signs in',
    'again and what is held goes on. Every row is then compared and the log verified to its head; only after that the embedded',
    'store is closed, and the database opened: no gate starts on either before. Whatever stops the copy, the same command goes on',
    'where it was. It changes no configuration and copies no key; it says at the end which files to copy. docs/moving.md',
  ],
  run: async (args, io) => {
    wordsOf(args, []);
    const move = await moveOf(args, io);
    if (args.switches.has('undo')) return undo(move, io);
    const keys = await keysOf(move.source, move.target);
    mustBeTheSame(keys, move);
    return copy({ ...move, keys }, io);
  },
};

/** Both configurations; fails where they are not of a move from SQLite to PostgreSQL. */
async function moveOf(args: Args, io: Io): Promise<Move> {
  const { to } = args.values;
  if (to === undefined) throw new UsageError('--to is missing: the configuration that names the database.');
  // What is typed can be read by everybody on the machine, and a URL holds a password.
  if (/^postgres(?:ql)?:/.test(to))
    throw new UsageError(
      '--to is a configuration file and no URL, because others can read a command line. A file is enough that says database: {fromEnv: NAME} or {fromFile: PATH} beside what yours says now.',
    );
  if (!(await exists(io.path(to))))
    throw new Failure(`There is no ${to} (ENOENT). --to names the new configuration.`);
  const source = await settingsOf(args, io, 'ignored');
  const target = await settingsOf({ ...args, values: { ...args.values, config: to } }, io, 'ignored');
  const from = io.typed(source.file);
  if (source.store.kind !== 'sqlite')
    throw new Failure(
      `${from} names a PostgreSQL database already, and an embedded store is what is moved. Say with --config which configuration names it (data: FOLDER).`,
    );
  if (target.store.kind !== 'postgres')
    throw new Failure(
      `${to} names no database: write database: postgres://… (or {fromEnv: NAME}) in the place of data.`,
    );
  return {
    source,
    target,
    directory: source.store.directory,
    // Past a pooler, where there is one.
    url: target.store.direct ?? target.store.url,
    folder: io.typed(source.store.directory),
    from,
    to,
  };
}

async function copy(move: Parameters<typeof nextSteps>[0], io: Io): Promise<number> {
  const { copyStore } = await import('../store/copy.ts');
  const ending = untilSignal();
  const ends = new AbortController();
  void ending.signal.then(() => ends.abort());
  const shown = stepsOn(process.stderr);
  try {
    const { directory, url } = move;
    io.say(
      `Copying ${move.folder} to the database of ${move.to}. Ctrl-C stops it; the same command goes on.`,
    );
    const result = await copyStore({ directory, url, from: directory, signal: ends.signal, watch: shown.at });
    shown.end();
    if (!result.ok) {
      for (const line of wordsOfRefused(result.error, move, io)) io.say(line);
      throw result.error.kind === 'stopped'
        ? new Interrupted()
        : new Failure(`${move.folder} was not moved.`);
    }
    for (const line of nextSteps(move, result.value, io)) io.say(line);
    return 0;
  } finally {
    shown.end();
    ending.release();
  }
}

async function undo(move: Move, io: Io): Promise<number> {
  const { undoCopy } = await import('../store/copy.ts');
  const { directory, url } = move;
  const result = await undoCopy({ directory, url, from: directory });
  if (!result.ok) {
    for (const line of wordsOfRefused(result.error, move, io)) io.say(line);
    throw new Failure('Nothing was changed.');
  }
  io.say(
    result.value === 'opened'
      ? `${move.folder} is the store again, as it was; the copy in the database of ${move.to} is emptied, and no gate opens it.`
      : `The unfinished copy in the database of ${move.to} is emptied. ${move.folder} was never closed.`,
  );
  return 0;
}

/** A bar for each step. */
function stepsOn(stream: NodeJS.WriteStream): {
  readonly at: (watched: Watched) => void;
  readonly end: () => void;
} {
  let step = '';
  let progress: Progress | undefined;
  return {
    at: (watched) => {
      if (watched.step !== step) {
        progress?.end();
        step = watched.step;
        progress = progressOn(stream, `${watched.step === 'entries verified' ? '' : 'rows '}${watched.step}`);
      }
      progress?.at(watched.done, watched.of);
    },
    end: () => progress?.end(),
  };
}
