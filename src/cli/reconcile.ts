/**
 * `reconcile`: compares what a target itself recorded (files of pgaudit, of CloudTrail, a CSV) with the log, beside a running gate or
 * not. Who runs it has the rights of the configuration's files, and is in the log as the operator.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { reconcile } from '../app/reconcile.ts';
import { daysIn, reportTimeOf } from '../app/report-time.ts';
import { asSha256Hex } from '../core/ids.ts';
import {
  reconcileDefaults,
  skewMaxMs,
  sources,
  type KeptReconciliation,
  type Source,
  type SourceFile,
  type TargetRow,
} from '../core/reconcile.ts';
import { comparedWords, gateOnlyWords, whatWords, whyWords } from '../core/render/reconcile-words.ts';
import { line, short } from '../core/render/shown.ts';
import { cloudtrailRows } from '../evidence/sources/cloudtrail.ts';
import { columnsIn, csvRows, MissingColumn, type Columns } from '../evidence/sources/csv.ts';
import { pgauditRows, prefixDefault } from '../evidence/sources/pgaudit.ts';
import { openStore, systemClock, systemRandom } from '../main.ts';
import { Failure, UsageError, type Args, type Command } from './command.ts';
import { configOption, exists, settingsOf } from './files.ts';
import type { Io } from './io.ts';
import { jsonText } from './json-text.ts';

/** Files of one comparison. */
const filesMax = 1000;
/** Rows of a list that are printed. */
const printedMax = 50;

export const reconcileCommand: Command = {
  name: 'reconcile',
  summary: 'Compares what a target itself recorded with what the gate let run.',
  usage: [
    'reconcile --source pgaudit FILE… --from DAY [--to DAY] [--target NAME] [--prefix LOG_LINE_PREFIX]',
    'reconcile --source cloudtrail FILE… --from DAY [--to DAY] [--target NAME]',
    'reconcile --source csv FILE… --map id=COLUMN,at=COLUMN,what=COLUMN --from DAY [--to DAY] [--target NAME]',
  ],
  options: {
    config: configOption,
    source: { value: 'KIND', help: 'what recorded it: pgaudit, cloudtrail or csv' },
    from: { value: 'DAY', help: 'the first day, such as 2026-11-01, or an RFC 3339 time' },
    to: { value: 'DAY', help: 'the last day; default: now' },
    target: {
      value: 'NAME',
      help: 'the server or target that it is about, several with commas; default: all',
    },
    map: { value: 'COLUMNS', help: 'of a CSV: id=COLUMN,at=COLUMN,what=COLUMN[,who=COLUMN]' },
    prefix: { value: 'TEXT', help: `of pgaudit: the server’s log_line_prefix; default “${prefixDefault}”` },
    skew: {
      value: 'SECONDS',
      help: 'how far the target’s clock may be from the gate’s; default 5, at most 300',
    },
    rows: { value: 'N', help: 'rows that one execution may leave; default 1 of a CSV, else 1000' },
    json: { help: 'prints all of it as JSON' },
  },
  details: [
    'Exit code 0: nothing happened outside the gate. 1: something did, or it could not be compared. 2: not understood.',
    'Files may be gzip. What is found is kept, is an entry of the log, and is on the page /reconciliations.',
    'docs/reconcile.md says how the gate leaves its ids at targets, and how to have targets record them.',
  ],
  run: async (args, io) => {
    const ask = askOf(args);
    const settings = await settingsOf(args, io, 'ignored');
    const time = reportTimeOf(
      { from: ask.from, to: args.values['to'] },
      systemClock.nowMs(),
      daysIn(settings.timezone),
    );
    if (!time.ok) throw new UsageError(time.error);
    for (const typed of args.words)
      if (!(await exists(io.path(typed)))) throw new Failure(`There is no file ${typed}.`);
    const { store: at } = settings;
    if (at.kind === 'sqlite' && !(await exists(at.directory)))
      throw new Failure(
        `There is no store at ${io.typed(at.directory)} yet; a gate makes it when it first runs.`,
      );
    const store = await openStore(settings, { exclusive: false });
    try {
      const files: SourceFile[] = [];
      const done = await reconcile(
        { store, random: systemRandom },
        {
          ...ask,
          ...time.value,
          by: { kind: 'operator' },
          rows: rowsOf(args.words, ask, files, io),
          files: () => files,
        },
      ).catch((error: unknown) => {
        // What is wrong with a file its reader said in a sentence.
        throw error instanceof MissingColumn || isFileError(error)
          ? new Failure(`Nothing was compared: ${error.message}.`)
          : error;
      });
      if (!done.ok) throw new Failure(done.error.detail);
      if (args.switches.has('json')) io.out(jsonText(done.value));
      else print(done.value, io);
      return done.value.targetOnly.count === 0 ? 0 : 1;
    } finally {
      await store.close();
    }
  },
};

interface Asked {
  readonly source: Exclude<Source, 'json'>;
  readonly from: string;
  readonly targets: readonly string[];
  readonly columns: Columns | null;
  readonly prefix: string;
  readonly skewMs: number;
  readonly rowsPerExecution: number;
}

function askOf(args: Args): Asked {
  const { values, words } = args;
  const source = sources.find((one) => one === values['source']);
  if (source === undefined || source === 'json')
    throw new UsageError('Say with --source what recorded it: pgaudit, cloudtrail or csv.');
  if (args.rest !== undefined) throw new UsageError('Nothing may follow “--” here.');
  if (words.length === 0) throw new UsageError('FILE is missing.');
  if (words.length > filesMax) throw new UsageError(`At most ${filesMax} files are compared at once.`);
  const { from, map, prefix, target } = values;
  if (from === undefined) throw new UsageError('Say with --from which time it is about.');
  if (map !== undefined && source !== 'csv') throw new UsageError('Only a CSV has --map.');
  if (prefix !== undefined && source !== 'pgaudit') throw new UsageError('Only pgaudit has --prefix.');
  const columns = source === 'csv' ? columnsIn(map ?? '') : null;
  if (columns?.ok === false)
    throw new UsageError(
      map === undefined ? 'A CSV wants --map id=COLUMN,at=COLUMN,what=COLUMN.' : columns.error,
    );
  return {
    source,
    from,
    targets: (target ?? '').split(',').filter((name) => name !== ''),
    columns: columns?.value ?? null,
    prefix: prefix ?? prefixDefault,
    skewMs:
      whole(values['skew'], 'skew', {
        min: 0,
        max: skewMaxMs / 1000,
        otherwise: reconcileDefaults.skewMs / 1000,
      }) * 1000,
    rowsPerExecution: whole(values['rows'], 'rows', {
      min: 1,
      max: 1_000_000,
      otherwise: reconcileDefaults.rowsPerExecution[source],
    }),
  };
}

function whole(
  typed: string | undefined,
  name: string,
  range: { readonly min: number; readonly max: number; readonly otherwise: number },
): number {
  if (typed === undefined) return range.otherwise;
  const value = /^\d{1,7}$/.test(typed) ? Number(typed) : Number.NaN;
  if (value >= range.min && value <= range.max) return value;
  throw new UsageError(`--${name} is a whole number from ${range.min} to ${range.max}.`);
}

/** Rows of all files, one after another; each file's digest is of its bytes as they are. */
async function* rowsOf(
  typed: readonly string[],
  { source, columns, prefix }: Asked,
  files: SourceFile[],
  io: Io,
): AsyncGenerator<TargetRow> {
  for (const [index, name] of typed.entries()) {
    const hash = createHash('sha256');
    const bytes = plainBytes(io.path(name), (chunk) => void hash.update(chunk));
    switch (source) {
      case 'pgaudit':
        yield* pgauditRows(bytes, index, prefix);
        break;
      case 'cloudtrail':
        yield* cloudtrailRows(bytes, index);
        break;
      case 'csv':
        if (columns !== null) yield* csvRows(bytes, index, columns);
        break;
    }
    files.push({ name: basename(name), sha256: asSha256Hex(hash.digest('hex')) });
  }
}

/** The bytes of a file, unpacked where it is gzip (RFC 1952 §2.3.1). */
async function* plainBytes(path: string, see: (chunk: Uint8Array) => void): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path);
  const seen = (async function* () {
    // A stream of bytes gives Buffers.
    for await (const chunk of file as AsyncIterable<Buffer>) {
      see(chunk);
      yield chunk;
    }
  })();
  const first = await seen.next();
  if (first.done === true) return;
  const all = (async function* () {
    yield first.value;
    yield* seen;
  })();
  const isGzip = first.value[0] === 0x1f && first.value[1] === 0x8b;
  if (!isGzip) return yield* all;
  const packed = Readable.from(all);
  const unzip = createGunzip();
  packed.on('error', (error) => unzip.destroy(error));
  // A stream of bytes gives Buffers.
  yield* packed.pipe(unzip) as AsyncIterable<Buffer>;
}

const isFileError = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && /^(?:E[A-Z]+|Z_[A-Z_]+)$/.test(String(error.code));

function print(one: KeptReconciliation, io: Io): void {
  const { targetOnly, gateOnly, files, id } = one;
  const { bad, soft, strong, wait } = io.paint;
  io.out(strong(comparedWords(one)));
  if (targetOnly.count > 0) io.out('');
  for (const row of targetOnly.rows.slice(0, printedMax)) {
    const place = `${files[row.file]?.name ?? '?'}:${row.place}`;
    io.out(
      `${bad('outside')}  ${row.at ?? '?'}  ${whatWords(row)}  ${soft(line(`${row.who ?? ''} ${place}`))}`,
    );
    io.out(
      `         ${whyWords(row.why)}${row.named === null ? '' : soft(` It says ${short(row.named, 80)}.`)}`,
    );
  }
  if (targetOnly.count > printedMax) io.out(soft(`         … ${targetOnly.count - printedMax} more`));
  if (gateOnly.count > 0) io.out('');
  for (const row of gateOnly.rows.slice(0, printedMax))
    io.out(
      `${wait('no row')}   ${row.startedAt}  ${line(row.operation)}  ${soft(row.execution)}  ${gateOnlyWords(row)}`,
    );
  if (gateOnly.count > printedMax) io.out(soft(`         … ${gateOnly.count - printedMax} more`));
  io.say(`Kept as ${id}.`);
}
