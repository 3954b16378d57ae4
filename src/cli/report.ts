/**
 * `report`: what was allowed, what people were or would have been asked, what was or would have been denied. From the store
 * that the configuration names, beside a running gate, or from a gate with an operator's or auditor's token.
 */
import { makeReport } from '../app/report.ts';
import { daysIn, reportTimeOf, type SaidTime } from '../app/report-time.ts';
import { openStore, systemClock } from '../main.ts';
import { apiOf } from './api.ts';
import { Failure, UsageError, wordsOf, type Args, type Command } from './command.ts';
import { configOption, exists, gateUrl, settingsOf, tokenOf } from './files.ts';
import { Interrupted, untilSignal, type Io } from './io.ts';
import { jsonText } from './json-text.ts';
import { reportLines } from './report-text.ts';
import { reportOf, type ReportView } from './report-view.ts';

export const reportCommand: Command = {
  name: 'report',
  summary: 'Shows what was allowed, asked and denied, and what enforcing would ask of whom.',
  usage: [
    'report [--last 24h|7d|30d] [--config FILE]',
    'report --from DAY [--to DAY] [--config FILE]',
    'report [--last 7d] --url URL',
  ],
  options: {
    config: configOption,
    url: { value: 'URL', help: 'asks a running gate instead, with a token of an operator or auditor' },
    last: { value: 'TIME', help: 'hours or days up to now: 24h, 7d (default), 30d, up to 366d' },
    from: { value: 'DAY', help: 'the first day, such as 2026-11-01, or an RFC 3339 time' },
    to: { value: 'DAY', help: 'the last day; default: now' },
    json: { help: 'prints all of it as JSON' },
  },
  details: [
    'With --config it reads the store itself, while the gate runs or not. With --url the token is taken from COUNTERSIGN_TOKEN.',
    'Days begin in the configured timezone. docs/observe.md says how to go from observing to enforcing.',
  ],
  run: async (args, io) => {
    wordsOf(args, []);
    const { last, from, to, url, config } = args.values;
    if (url !== undefined && config !== undefined)
      throw new UsageError('Say --url or --config, not both: a gate answers, or its store is read.');
    const said = { last, from, to };
    // What cannot be meant is said before anything is opened.
    checked(said, 'UTC');
    const report = url === undefined ? await fromStore(args, said, io) : await fromGate(args, said, io);
    if (args.switches.has('json')) io.out(jsonText(report));
    else
      for (const line of reportLines(report, { paint: io.paint, width: widthOf(process.stdout.columns) }))
        io.out(line);
    return 0;
  },
};

/** Some terminals do not know how wide they are, and a pipe is none. */
const widthOf = (columns: number | undefined): number =>
  columns === undefined || columns <= 0 ? 80 : columns;

function checked(said: SaidTime, timezone: string): { readonly fromMs: number; readonly toMs: number } {
  const time = reportTimeOf(said, systemClock.nowMs(), daysIn(timezone));
  if (time.ok) return time.value;
  throw new UsageError(time.error);
}

async function fromGate(args: Args, said: SaidTime, io: Io): Promise<ReportView> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(said)) if (value !== undefined) query.set(name, String(value));
  const token = tokenOf(io, `Make one: ${io.command('token person ID --config FILE')}`);
  return reportOf(await apiOf(gateUrl(args, io), token, reportMs).get(`/v1/report?${query.toString()}`));
}

/** A gate with a million actions takes a while. */
const reportMs = 10 * 60_000;

async function fromStore(args: Args, said: SaidTime, io: Io): Promise<ReportView> {
  const settings = await settingsOf(args, io, 'ignored');
  const { timezone, store: at } = settings;
  const time = checked(said, timezone);
  // Opening would make one.
  if (at.kind === 'sqlite' && !(await exists(at.directory)))
    throw new Failure(
      `There is no store at ${io.typed(at.directory)} yet; a gate makes it when it first runs.`,
    );
  const store = await openStore(settings, { exclusive: false });
  const ending = untilSignal();
  const ends = new AbortController();
  void ending.signal.then(() => ends.abort());
  const progress = progressOf();
  try {
    const { signal } = ends;
    const made = await makeReport({ store, clock: systemClock }, time, {
      timezone,
      tell: (part) => progress.tell(part),
      ends: signal,
    });
    if (made === null) throw new Interrupted();
    return made;
  } finally {
    progress.end();
    ending.release();
    await store.close();
  }
}

/** One line on a terminal that is written over, and gone at the end. */
function progressOf(): { tell(part: number): void; end(): void } {
  const { stderr } = process;
  let said = -1;
  return {
    tell: (part) => {
      const percent = Math.floor(part * 100);
      if (!stderr.isTTY || percent === said) return;
      said = percent;
      stderr.write(`\rreading: ${percent} %`);
    },
    end: () => {
      if (said >= 0) stderr.write('\r\u001B[K');
    },
  };
}
