/**
 * `evidence`: the package for auditors. At the machine from the store that the configuration names, beside a running gate or without
 * one; from elsewhere from a gate, as far as one's own token goes. That it was made is an entry of the log; the package is written
 * whole or not at all.
 */
import { mkdir, mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { evidenceQueryOf, type SaidEvidence } from '../app/evidence-said.ts';
import type { EvidenceQuery } from '../core/evidence/model.ts';
import type { JsonObject } from '../core/json.ts';
import { counted, grouped } from '../core/render/shown.ts';
import { apiOf } from './api.ts';
import { Failure, UsageError, wordsOf, type Args, type Command } from './command.ts';
import { handedOf, type Handed } from './evidence-handed.ts';
import { evidenceOfStore } from './evidence-store.ts';
import { configOption, exists, gateUrl, tokenOf, urlOption } from './files.ts';
import type { Io } from './io.ts';

/** A gate answers when it is made. Node itself gives up on an answer that has not begun after five minutes. */
const madeMsMax = 20 * 60_000;
/** Of a stated name. */
const statedCharsMax = 100;

export const evidenceCommand: Command = {
  name: 'evidence',
  summary: 'Makes the evidence of a period: a report, the population, samples with receipts, proofs.',
  usage: [
    'evidence --from DAY --to DAY [--out FOLDER | --zip FILE] [--by NAME] [--config FILE]',
    'evidence --from DAY --to DAY [--out FOLDER | --zip FILE] --url URL',
    'evidence --from 2026-10-01 --to 2026-11-01 --samples 1,5,9 --zip evidence.zip',
    'evidence --from 2026-10-01 --to 2026-11-01 --sample-count 25 --number 839201',
  ],
  options: {
    from: { value: 'DAY', help: 'begins with this day (UTC), such as 2026-10-01, or at an RFC 3339 time' },
    to: { value: 'DAY', help: 'ends before this day or time: 2026-11-01 for all of October' },
    out: { value: 'FOLDER', help: 'writes a new folder; default: evidence-FROM-to-TO-…' },
    zip: { value: 'FILE', help: 'writes one new zip instead' },
    samples: { value: 'ROWS', help: 'rows that the auditor names, such as 1,5,9' },
    'sample-count': { value: 'N', help: 'so many rows, chosen by the end checkpoint and --number' },
    number: { value: 'DIGITS', help: 'the auditor’s number, chosen when the checkpoint is fixed' },
    'as-of': { value: 'N', help: 'counts only the first N entries of the log, to make the same again' },
    by: { value: 'NAME', help: 'who you say you are; shown as stated, since nobody checks it here' },
    config: configOption,
    url: { ...urlOption, help: 'asks a gate instead, with your own token: it holds what you may read' },
  },
  details: [
    'At the machine it is made by “an operator”: whoever has the configuration and the store sees all of it. With --url your token is',
    'taken from COUNTERSIGN_TOKEN; auditors and operators make it, from the page /evidence and with POST /v1/evidence as well.',
    'The same query over the same log gives the same. VERIFY.txt in the package says how to check it without this program.',
  ],
  run: async (args, io) => {
    wordsOf(args, []);
    const { values } = args;
    const said: SaidEvidence = {
      from: values['from'],
      to: values['to'],
      asOf: values['as-of'],
      rows: values['samples'],
      count: values['sample-count'],
      number: values['number'],
    };
    const query = evidenceQueryOf(said);
    if (!query.ok) throw new UsageError(query.error);
    if (values['out'] !== undefined && values['zip'] !== undefined)
      throw new UsageError('Say --out or --zip, not both.');
    if (values['url'] !== undefined && values['config'] !== undefined)
      throw new UsageError('Name a gate with --url, or a configuration with --config, not both.');
    const stated = statedIn(args);
    for (const one of [values['out'], values['zip']])
      if (one !== undefined && (await exists(io.path(one))))
        throw new Failure(`${one} exists already; evidence never writes over anything.`);
    const handed =
      values['url'] === undefined
        ? await evidenceOfStore(args, io, { by: { kind: 'operator', stated }, query: query.value })
        : await fromGate(args, io, said, query.value);
    await write(handed, args, io);
    return 0;
  },
};

function statedIn({ values }: Args): string | null {
  const stated = values['by']?.trim();
  if (stated === undefined) return null;
  if (values['url'] !== undefined)
    throw new UsageError('--by belongs to the machine; with --url your token says who you are.');
  if (stated === '' || stated.length > statedCharsMax)
    throw new UsageError(`--by is a name of at most ${statedCharsMax} characters.`);
  return stated;
}

async function fromGate(
  args: Args,
  io: Io,
  { from = '', to = '' }: SaidEvidence,
  { asOf, samples }: EvidenceQuery,
): Promise<Handed> {
  const how = `Make one: ${io.command('token person ID --config FILE')}`;
  const api = apiOf(gateUrl(args, io), tokenOf(io, how), madeMsMax);
  const chosen: JsonObject =
    samples === null
      ? {}
      : samples.kind === 'rows'
        ? { samples: { rows: samples.rows } }
        : { samples: { count: samples.count, number: samples.number } };
  io.say('The gate makes it; a month with thousands of actions takes some seconds.');
  return handedOf(
    await api.file('/v1/evidence', { from, to, ...(asOf === null ? {} : { asOf }), ...chosen }),
  );
}

/** Whole, or not there: it is made beside, and takes its name at the end. Nobody else on the machine may read it. */
async function write(handed: Handed, args: Args, io: Io): Promise<void> {
  const { zip, out = handed.name } = args.values;
  const path = io.path(zip ?? out);
  if (zip === undefined) {
    const beside = await mkdtemp(`${path}.`);
    try {
      for (const file of handed.files) {
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
      await file.writeFile(handed.zip());
      await file.sync();
    } finally {
      await file.close();
    }
  }
  const [from, to] = handed.entries;
  io.say(
    `${counted(handed.rows, 'action')}, entries ${grouped(from)} to ${grouped(to)} of the log, ${counted(handed.exceptions, 'exception')}. Begin with 00-Report.pdf.`,
  );
  if (!handed.complete) io.say(io.paintErr.bad('Rows and entries do not agree: see the report’s cover.'));
  if (!handed.published)
    io.say(
      io.paintErr.wait(
        'No checkpoint covers the last entries yet, so they are not proven. Does a gate run, and publish the log? Make it again then.',
      ),
    );
  io.out(io.typed(path));
}
