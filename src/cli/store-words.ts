/** What `store copy` says: why it did not move a store, and what is left to do when it has. */
import { basename } from 'node:path';
import type { Settings } from '../config.ts';
import { counted, grouped } from '../core/render/shown.ts';
import { rfc3339 } from '../core/time.ts';
import { visibleLine } from '../core/visible.ts';
import { hostOf, generationOf } from '../log/origin.ts';
import { originOf } from '../main.ts';
import type { Copied, CopyRefused } from '../store/copy-result.ts';
import { configWords } from './files.ts';
import type { Io } from './io.ts';
import type { MovedKey } from './store-keys.ts';

/** A move as it was asked for. */
export interface Move {
  readonly source: Settings;
  readonly target: Settings;
  /** The embedded store's folder, and the database. */
  readonly directory: string;
  readonly url: string;
  /** As a person would type them. */
  readonly folder: string;
  readonly from: string;
  readonly to: string;
}

const commandOf = ({ source, to }: Move, io: Io, undo = false): string =>
  io.command(`store copy${undo ? ' --undo' : ''} --to ${to}${configWords(source.file, io)}`);

/** Why, and what to do. */
export function wordsOfRefused(refused: CopyRefused, move: Move, io: Io): readonly string[] {
  const { folder, to } = move;
  switch (refused.kind) {
    case 'running':
      return [
        `A gate is running on ${folder}. Stop it first: Ctrl-C where it runs, or your service manager (systemctl stop countersign). Agents that wait ask again when the gate is back.`,
      ];
    case 'noStore':
      return [`There is no store at ${folder} yet, so there is nothing to move: start the gate with ${to}.`];
    case 'used':
      return [
        `The database of ${to} is in use: it holds another store, or a gate was started on it. Name an empty database or schema; nothing is copied over anything.`,
      ];
    case 'other':
      return [
        `The database of ${to} holds an unfinished copy of another store, ${visibleLine(refused.from)}. Name another database or schema, or drop what is in it.`,
      ];
    case 'newer':
      return [
        `The database of ${to} is this very store, moved before, and a gate may have run on it since: ${folder} is an older copy that somebody put back. Nothing is copied over it.`,
      ];
    case 'elsewhere':
      return [
        `${folder} was moved to ${visibleLine(refused.to)} at ${rfc3339(refused.atMs)}, and the database of ${to} is not that one, or no longer holds it.`,
      ];
    case 'differs':
      return [
        `The two sides are not the same: ${visibleLine(refused.table)}: ${visibleLine(refused.what)}. Somebody has changed the database or the store since it was copied.`,
        `Nothing runs on the copy. The same command empties it and copies everything anew: ${commandOf(move, io)}`,
      ];
    case 'written':
      return [
        `A gate has written to the database of ${to}: what people decided there would be lost. There is no way back any more.`,
      ];
    case 'nothingToUndo':
      return [`The database of ${to} holds no copy of ${folder}.`];
    case 'stopped':
      return [`Stopped. ${folder} is as it was; the same command goes on from here: ${commandOf(move, io)}`];
    case 'fault':
      return [
        visibleLine(refused.detail),
        ...(refused.goesOn ? [`Once that is mended, the same command goes on: ${commandOf(move, io)}`] : []),
      ];
  }
}

/** What was done, and what is left for the operator. */
export function nextSteps(
  move: Move & { readonly keys: readonly MovedKey[] },
  copied: Copied,
  io: Io,
): readonly string[] {
  const { folder } = move;
  const { good } = io.paintErr;
  const done = copied.before
    ? [`${folder} was moved to ${copied.to} already, and the copy was verified then.`]
    : [
        `Copied ${grouped(copied.rows)} rows of ${copied.tables} tables to ${copied.to}.`,
        `${good('Verified')}: every row is the same on both sides (sha256:${copied.digest}), and the log's ${counted(copied.entries, 'entry', 'entries')} chain to its head ${copied.head.slice(0, 16)}….`,
        `${folder} is closed: no gate opens it any more.`,
      ];
  if (copied.running > 0)
    done.push(
      `${copied.running} of its actions ${copied.running === 1 ? 'was' : 'were'} running when the gate stopped: the next gate says of them that nobody knows how they ended, and repeats nothing.`,
    );
  if (copied.pictures > 0)
    done.push(
      `In ${counted(copied.pictures, 'text')} that somebody had typed, the character NUL is now ␀: PostgreSQL has no room for it. The log has what was typed.`,
    );
  const steps = [...keySteps(move), ...nameStep(move, copied.origin), startStep(move, io)];
  return [
    ...done,
    'What is left to do:',
    ...steps.map((step, at) => `  ${at + 1}. ${step.split('\n').join('\n     ')}`),
    `As long as no gate has written there, the way back is: ${commandOf(move, io, true)}`,
  ];
}

/** Which files go where; never what is in them. */
function keySteps({
  keys,
  to,
  folder,
  from,
}: Move & { readonly keys: readonly MovedKey[] }): readonly string[] {
  const missing = keys.filter(({ there }) => there !== 'same');
  if (missing.length === 0) return [];
  const unread = missing.filter(({ there }) => there === 'unread').map(({ use }) => `log.keys.${use}`);
  const absent = missing.filter(({ there }) => there === 'missing');
  const steps =
    unread.length === 0
      ? []
      : [
          `${unread.join(' and ')} of ${to} cannot be read from here: make sure that it is the key that ${from} signs with.`,
        ];
  if (absent.length === 0) return steps;
  const named = absent.filter(({ file }) => file === null).map(({ use }) => `log.keys.${use}`);
  if (named.length > 0) steps.push(`Give ${to} the same ${named.join(' and ')} as ${from}.`);
  const files = absent.flatMap(({ use, file }) => (file === null ? [] : [{ use, name: basename(file) }]));
  if (files.length > 0)
    steps.push(
      [
        `Copy the log's keys from ${folder}/keys to a folder that only the gates' user can read, on every machine that runs one, and name them in ${to}:`,
        'log:',
        '  keys:',
        ...files.map(({ use, name }) => `    ${use}: { fromFile: keys/${name} }`),
        'With other keys the log could not go on under its name. PostgreSQL never holds a private key.',
      ].join('\n'),
    );
  return steps;
}

/** The log keeps its name only where the new configuration calls it the same. */
function nameStep({ source, target, to }: Move, origin: string | null): readonly string[] {
  const base = ({ log, ...rest }: Settings): string =>
    log.origin ?? hostOf(originOf({ log, ...rest }, rest.listen.port));
  if (origin === null || generationOf(base(target), origin) > 0) return [];
  const name = generationOf(base(source), origin) > 0 ? base(source) : origin;
  return [
    `${to} would call the log ${base(target)}, and it is called ${name}: say log: { origin: ${name} } there, or it goes on under another name.`,
  ];
}

const startStep = ({ to }: Move, io: Io): string =>
  `Start the gate, or several, with ${to}: ${io.command(`serve --config ${to}`)}`;
