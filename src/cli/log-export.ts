/**
 * `log export`: the log, or a part of it, as a file, from the store that the configuration names, beside a running gate or without
 * one. Whoever may run it has the store's files; that they took it is recorded all the same.
 */
import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import {
  exportFormats,
  exportLog,
  operatorReader,
  type ExportFormat,
  type Pieces,
} from '../app/log-export.ts';
import { wantedFrom, wantedNames } from '../app/log-wanted.ts';
import { hostOf } from '../log/origin.ts';
import { openStore, originOf } from '../main.ts';
import { grouped } from '../core/render/shown.ts';
import { Failure, UsageError, wordsOf, type Args, type Command, type Option } from './command.ts';
import { configOption, exists, settingsOf } from './files.ts';
import { Interrupted, untilSignal, type Io } from './io.ts';

/** What each field of the search is, for `--help`. */
const fields: Readonly<Record<(typeof wantedNames)[number], Option>> = {
  text: { value: 'TEXT', help: 'entries that hold a text, or whose action does, secrets aside' },
  type: { value: 'TYPE', help: 'entries of a type, such as review.recorded' },
  agent: { value: 'ID', help: 'entries that name an agent, or are about its actions' },
  operation: { value: 'NAME', help: 'entries about an operation, such as crm___export_rows' },
  person: { value: 'ID', help: 'entries that name a person' },
  resource: { value: 'ID', help: 'entries about actions on a resource, by its whole id' },
  verdict: { value: 'WORD', help: 'entries about actions that policies allow, review or deny' },
  policy: { value: 'ID', help: 'entries about actions that a policy had a part in' },
  from: { value: 'TIME', help: 'a day or a moment, UTC: 2026-11-01, 2026-11-01T09:00' },
  to: { value: 'TIME', help: 'the last day, with it; or a moment, without it' },
};

export const logExportCommand: Command = {
  name: 'log export',
  summary: 'Writes the log, or a part of it, as CSV, JSON Lines or OCSF.',
  usage: [
    'log export --format csv|jsonl|ocsf [--out FILE] [--from DAY] [--to DAY] [--config FILE]',
    'log export --format csv --agent ID --person ID --verdict deny …',
  ],
  options: {
    format: { value: 'WORD', help: 'csv, jsonl or ocsf' },
    out: { value: 'FILE', help: 'writes a new file that nobody else may read; default: prints it' },
    config: configOption,
    ...fields,
  },
  details: [
    'Oldest first, with a plain sentence for each entry; secrets are masked. The version of OCSF is log.ocsf of the configuration.',
    'That it was taken is an entry of the log itself (log.exported). docs/siem.md says what is in each format.',
  ],
  run: async (args, io) => {
    wordsOf(args, []);
    const format = formatOf(args);
    const wanted = wantedFrom((name) => args.values[name]);
    const settings = await settingsOf(args, io, 'ignored');
    const { store: at, log } = settings;
    // Opening would make one.
    if (at.kind === 'sqlite' && !(await exists(at.directory)))
      throw new Failure(
        `There is no store at ${io.typed(at.directory)} yet; a gate makes it when it first runs.`,
      );
    const store = await openStore(settings, { exclusive: false });
    const ending = untilSignal();
    const ends = new AbortController();
    void ending.signal.then(() => ends.abort());
    try {
      const origin = log.origin ?? hostOf(originOf(settings, settings.listen.port));
      const asked = { wanted, format, version: log.ocsf, origin, ends: ends.signal };
      const made = await exportLog(store, operatorReader(store, await store.directory()), asked);
      if (!made.ok) throw new Failure(made.error.detail);
      await write(made.value, args, io);
      return 0;
    } catch (error) {
      if (ends.signal.aborted) throw new Interrupted();
      throw error;
    } finally {
      ending.release();
      await store.close();
    }
  },
};

function formatOf(args: Args): ExportFormat {
  const typed = args.values['format'];
  const format = exportFormats.find((one) => one === typed);
  if (format === undefined)
    throw new UsageError(
      typed === undefined
        ? '--format is missing: csv, jsonl or ocsf.'
        : `There is no format ${typed}: csv, jsonl or ocsf.`,
    );
  return format;
}

/** What an export gives. */
interface Made {
  readonly rows: number;
  readonly pieces: Pieces;
}

async function write({ rows, pieces }: Made, args: Args, io: Io): Promise<void> {
  const typed = args.values['out'];
  if (typed === undefined) return pour(pieces, process.stdout);
  // A file that is there already is somebody's, and what is in the log is not for everybody on this machine.
  const file = await open(io.path(typed), 'wx', 0o600).catch(async (error: unknown) => {
    await pieces.return();
    throw error;
  });
  const out = createWriteStream('', { fd: file.fd, autoClose: false });
  try {
    await pour(pieces, out);
    await new Promise<void>((resolve, reject) => {
      out.once('error', reject).end(() => resolve());
    });
    await file.sync();
  } finally {
    await file.close();
  }
  io.say(`${grouped(rows)} entries in ${io.typed(io.path(typed))}.`);
}

/** As fast as it is taken. */
async function pour(pieces: Pieces, out: Writable): Promise<void> {
  for await (const piece of pieces) if (!out.write(piece)) await once(out, 'drain');
}
