/**
 * `evidence`: the package for auditors, from the store that the configuration names, beside a running gate or without one. That it
 * was made is an entry of the log; the package is written whole or not at all.
 */
import { mkdir, mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { evidenceQueryOf } from '../app/evidence-said.ts';
import type { MadeEvidence } from '../app/evidence-make.ts';
import { createWorld } from '../app/world.ts';
import { asPersonId } from '../core/ids.ts';
import { counted, grouped } from '../core/render/shown.ts';
import { keysFrom } from '../log/keys.ts';
import { receiptKeyId, spkiOf } from '../log/leaf.ts';
import { readingLog } from '../log/reading.ts';
import { evidenceDesk } from '../main/evidence.ts';
import { keysFolderOf } from '../main/log.ts';
import { openStore, originOf, systemClock, systemRandom } from '../main.ts';
import { createPolicyEngine } from '../policy/engine.ts';
import { Failure, UsageError, wordsOf, type Args, type Command } from './command.ts';
import { configOption, exists, settingsOf } from './files.ts';
import { Interrupted, untilSignal, type Io } from './io.ts';

export const evidenceCommand: Command = {
  name: 'evidence',
  summary: 'Makes the evidence of a period: a report, the population, samples with receipts, proofs.',
  usage: [
    'evidence --from DAY --to DAY --by PERSON [--out FOLDER | --zip FILE] [--config FILE]',
    'evidence --from 2026-10-01 --to 2026-11-01 --by ada --samples 1,5,9 --zip evidence.zip',
    'evidence --from 2026-10-01 --to 2026-11-01 --by ada --sample-count 25 --number 839201',
  ],
  options: {
    from: { value: 'DAY', help: 'begins with this day (UTC), such as 2026-10-01, or at an RFC 3339 time' },
    to: { value: 'DAY', help: 'ends before this day or time: 2026-11-01 for all of October' },
    by: { value: 'PERSON', help: 'the auditor or operator who makes it; it holds what they may read' },
    out: { value: 'FOLDER', help: 'writes a new folder; default: evidence-FROM-to-TO-…' },
    zip: { value: 'FILE', help: 'writes one new zip instead' },
    samples: { value: 'ROWS', help: 'rows that the auditor names, such as 1,5,9' },
    'sample-count': { value: 'N', help: 'so many rows, chosen by the end checkpoint and --number' },
    number: { value: 'DIGITS', help: 'the auditor’s number, chosen when the checkpoint is fixed' },
    'as-of': { value: 'N', help: 'counts only the first N entries of the log, to make the same again' },
    config: configOption,
  },
  details: [
    'The same query over the same log gives the same. VERIFY.txt in the package says how to check it without this program.',
    'Auditors make it from the page /evidence of a running gate as well, or with POST /v1/evidence.',
  ],
  run: async (args, io) => {
    wordsOf(args, []);
    const { values } = args;
    const query = evidenceQueryOf({
      from: values['from'],
      to: values['to'],
      asOf: values['as-of'],
      rows: values['samples'],
      count: values['sample-count'],
      number: values['number'],
    });
    if (!query.ok) throw new UsageError(query.error);
    if (values['out'] !== undefined && values['zip'] !== undefined)
      throw new UsageError('Say --out or --zip, not both.');
    const by = values['by'];
    if (by === undefined) throw new UsageError('--by is missing: the auditor or operator who makes it.');
    for (const one of [values['out'], values['zip']])
      if (one !== undefined && (await exists(io.path(one))))
        throw new Failure(`${one} exists already; evidence never writes over anything.`);
    const made = await fromStore(args, io, { by: asPersonId(by), query: query.value });
    await write(made, args, io);
    return 0;
  },
};

async function fromStore(
  args: Args,
  io: Io,
  asked: Pick<Parameters<ReturnType<typeof evidenceDesk>['make']>[0], 'by' | 'query'>,
): Promise<MadeEvidence> {
  // The key alone is a secret that is needed, and only where it is not in the store's folder.
  const found = await settingsOf(args, io, 'ignored');
  const settings = found.log.keys.receipt === null ? found : await settingsOf(args, io, 'required');
  const { store: at, log, timezone } = settings;
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
    const policy = createPolicyEngine({ timezone });
    const world = createWorld({ store, policy, clock: systemClock, random: systemRandom });
    await world.sync();
    const { receipt } = await keysFrom(keysFolderOf(settings), log.keys).read();
    const id = receiptKeyId(spkiOf(receipt));
    if (!(await store.logKeys()).some((one) => one.id === id))
      throw new Failure(
        'The log does not know the key that would sign the evidence: start the gate once first.',
      );
    const origin = originOf(settings, settings.listen.port);
    const desk = evidenceDesk(
      { store, policy, clock: systemClock, world, origin },
      readingLog(store, receipt, log.quorum),
      log.quorum,
    );
    const made = await desk.make({
      ...asked,
      ends: ends.signal,
      tell: (what, part) => progress.tell(what, part),
    });
    if (!made.ok) throw new Failure(made.error.detail);
    return made.value;
  } catch (error) {
    if (ends.signal.aborted) throw new Interrupted();
    throw error;
  } finally {
    progress.end();
    ending.release();
    await store.close();
  }
}

/** Whole, or not there: it is made beside, and takes its name at the end. Nobody else on the machine may read it. */
async function write({ packed, name, evidence }: MadeEvidence, args: Args, io: Io): Promise<void> {
  const { zip, out = name } = args.values;
  const path = io.path(zip ?? out);
  if (zip === undefined) {
    const beside = await mkdtemp(`${path}.`);
    try {
      for (const file of packed.files) {
        const to = join(beside, ...file.name.split('/'));
        await mkdir(dirname(to), { recursive: true, mode: 0o700 });
        await writeFile(to, file.bytes, { mode: 0o600, flag: 'wx' });
      }
      await rename(beside, path);
    } catch (error) {
      await rm(beside, { recursive: true, force: true });
      throw error;
    }
  } else {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(packed.zip());
      await file.sync();
    } finally {
      await file.close();
    }
  }
  const { completeness, log, exceptions } = evidence;
  io.say(
    `${counted(completeness.rows, 'action')}, entries ${grouped(log.from)} to ${grouped(log.to)} of the log, ${counted(exceptions.length, 'exception')}. Begin with 00-Report.pdf.`,
  );
  if (!completeness.complete)
    io.say(io.paintErr.bad('Rows and entries do not agree: see the report’s cover.'));
  if (log.tier === 'unpublished')
    io.say(
      io.paintErr.wait(
        'No checkpoint covers the last entries yet, so they are not proven; make it again later.',
      ),
    );
  io.out(io.typed(path));
}

/** One line on a terminal that is written over, and gone at the end; else one line for each new thing that is done. */
function progressOf(): { tell(what: string, part: number): void; end(): void } {
  const { stderr } = process;
  let said = '';
  return {
    tell: (what, part) => {
      const text = stderr.isTTY ? `${what}: ${Math.min(100, Math.floor(part * 100))} %` : what;
      if (text === said) return;
      said = text;
      stderr.write(stderr.isTTY ? `\r\u001B[K${text}` : `${text}\n`);
    },
    end: () => {
      if (said !== '' && stderr.isTTY) stderr.write('\r\u001B[K');
    },
  };
}
