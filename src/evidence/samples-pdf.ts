/**
 * 02-Samples.pdf: a page or two for each row that is looked at closely: what happened in plain sentences, the checks as words, the
 * steps with their entries, and its receipts embedded.
 */
import type { Sample } from '../core/evidence/model-rows.ts';
import type { Evidence } from '../core/evidence/model.ts';
import { grouped } from '../core/render/shown.ts';
import { receiptFiles, type SampleReceipt } from './attachments.ts';
import { bullets, note, pairs, table } from './blocks.ts';
import type { Text } from './flow.ts';
import { size } from './look.ts';
import { Paper } from './paper.ts';
import { story } from './sample-story.ts';
import {
  checkResultWords,
  checkTone,
  checkWords,
  entriesWords,
  moment,
  namesOf,
  outcomeTone,
  outcomeWords,
  periodWords,
  runWords,
  type Names,
} from './words.ts';

/** Steps of a sample that fit on its page. */
const stepsMax = 12;

export async function samplesPdf(
  evidence: Evidence,
  receipts: readonly SampleReceipt[],
): Promise<Uint8Array<ArrayBuffer>> {
  const period = periodWords(evidence.period);
  const { chosen, how } = evidence.samples;
  const paper = await Paper.begin({
    title: `Samples: ${evidence.gate}, ${period}`,
    subject: `${grouped(chosen.length)} of ${grouped(evidence.completeness.rows)} privileged actions, each by itself`,
    author: `${evidence.generator.name} ${evidence.generator.version}`,
    keywords: 'evidence, audit, samples',
    atMs: evidence.madeAtMs,
    running: [`Samples · ${evidence.gate}`, period],
  });
  paper.newPage();
  paper.mark('How the samples were chosen');
  paper.put('Samples', { size: size.title, face: 'strong', tone: 'accent', after: 2 });
  paper.put(`${evidence.gate}, ${period}`, { size: size.heading, tone: 'soft', after: 14 });
  paper.put('How they were chosen', { size: size.heading, face: 'strong' });
  if (chosen.length === 0) note(paper, 'No samples were asked for.', 'wait');
  bullets(paper, how);
  table(paper, {
    columns: [
      { title: 'Row', share: 8, right: true },
      { title: 'What', share: 62, linesMax: 3 },
      { title: 'What became of it', share: 30 },
    ],
    rows: chosen.map((sample): readonly Text[] => [
      grouped(sample.row.row),
      sample.row.headline,
      outcomeWords[sample.row.outcome],
    ]),
    empty: '',
    rowsMax: 500,
  });
  const names = namesOf(evidence);
  for (const [at, sample] of chosen.entries())
    page(paper, sample, {
      names,
      number: `Sample ${at + 1} of ${chosen.length}`,
      receipts: receipts.filter((one) => sample.receipts.includes(one.index)),
    });
  for (const file of uniqueFiles(receipts)) paper.embed(file);
  return paper.finish();
}

const uniqueFiles = (receipts: readonly SampleReceipt[]): ReturnType<typeof receiptFiles> =>
  [...new Map(receipts.map((one) => [one.index, one])).values()].flatMap(receiptFiles);

interface PageParts {
  readonly names: Names;
  readonly number: string;
  readonly receipts: readonly SampleReceipt[];
}

function page(paper: Paper, sample: Sample, { names, number, receipts }: PageParts): void {
  const { row } = sample;
  paper.newPage();
  paper.mark(`Row ${row.row}: ${row.headline}`.slice(0, 120));
  paper.put(`${number} · row ${grouped(row.row)} · entry ${grouped(row.index)}`, { tone: 'soft', after: 2 });
  paper.put(row.headline, { size: 15, face: 'strong', tone: 'accent', linesMax: 3, after: 6 });
  note(paper, story(row, names), row.outcome === 'approved' || row.outcome === 'allowed' ? 'good' : 'accent');
  pairs(paper, facts(sample, names), 112);
  table(paper, {
    columns: [
      { title: 'Check', share: 29 },
      { title: 'Result', share: 13 },
      { title: 'Why', share: 46, linesMax: 4 },
      { title: 'Entries', share: 12, linesMax: 3 },
    ],
    tight: true,
    rows: row.checks.map((check): readonly Text[] => [
      checkWords[check.name],
      [{ text: checkResultWords[check.result], face: 'strong', tone: checkTone[check.result] }],
      check.why,
      entriesWords(check.entries),
    ]),
    empty: 'No checks could be made.',
  });
  table(paper, {
    columns: [
      { title: 'Entry', share: 10, right: true },
      { title: 'When (UTC)', share: 20 },
      { title: 'What happened', share: 70, linesMax: 3 },
    ],
    tight: true,
    rows: sample.timeline.map((one): readonly Text[] => [
      grouped(one.index),
      moment(one.atMs).slice(0, 19),
      one.text,
    ]),
    empty: 'No entries can be read.',
    rowsMax: stepsMax,
    rest: 'the log',
  });
  receiptWords(paper, receipts);
}

function receiptWords(paper: Paper, receipts: readonly SampleReceipt[]): void {
  const there = receipts.filter((one) => one.bundle !== null || one.proof !== null);
  const missing = receipts.filter((one) => one.why !== null);
  paper.put(
    there.length === 0
      ? 'No receipt is embedded for this sample.'
      : `Receipts are embedded here and lie in samples/: ${there.map((one) => `entry-${one.index}.${one.bundle === null ? 'tlog-proof' : 'sigstore.json'}`).join(', ')}.`,
    { size: size.table, tone: 'soft', after: 2 },
  );
  for (const one of missing)
    paper.put(`Entry ${grouped(one.index)}: ${one.why ?? ''}`, { size: size.table, tone: 'wait', after: 2 });
}

function facts(
  { row, saw, trace, asked }: Sample,
  names: Names,
): readonly { readonly label: string; readonly text: Text }[] {
  return [
    {
      label: 'What became of it',
      text: [
        { text: outcomeWords[row.outcome], face: 'strong', tone: outcomeTone[row.outcome] },
        `; ${runWords[row.run]}${row.enforcement === null || row.run === 'not_run' ? '' : row.enforcement === 'mediated' ? '; run by the gate (mediated)' : '; run by the agent itself (cooperative)'}${row.mode === 'observe' ? '; observe mode' : ''}`,
      ],
    },
    {
      label: 'On what grounds',
      text: [
        row.policies.length === 0
          ? 'No policy is named'
          : row.policies.map((one) => `${one.title} (${one.id})`).join('; '),
        '. ',
        trace === null ? '' : `${traceWords(trace)} `,
        row.policyVersion === null
          ? ''
          : {
              text: `The literal text is in policies/version-${row.policyVersion}/ and in the report.`,
              tone: 'soft',
            },
      ],
    },
    ...(asked === null
      ? [
          {
            label: 'What was asked',
            text: row.erased ? 'Erased.' : 'Not told: hidden, or the bytes are not those that the log names.',
          },
        ]
      : [
          {
            label: 'What was asked',
            text: [`${row.operation ?? ''}  `, { text: asked.input, face: 'mono' as const }],
          },
          ...(asked.reason === null
            ? []
            : [{ label: 'The agent said', text: `“${asked.reason}” (its own words, not checked)` }]),
        ]),
    {
      label: 'What approvers saw',
      text:
        saw.length === 0
          ? 'Nobody reviewed it.'
          : saw
              .map(
                (one) =>
                  `${names(one.person)}, ${moment(one.atMs)}, ${channelWords(one.channel)}${one.shown === null ? ': the log has no digest of what was shown there' : `, SHA-256 of what was shown ${one.shown.slice(0, 16)}…`}`,
              )
              .join('\n'),
    },
    {
      label: 'The exact action',
      text: [{ text: row.subject === null ? 'not known' : `sha256 ${row.subject}`, face: 'mono' }],
    },
  ];
}

/** The explanation; and its clauses, where it does not say them itself. */
function traceWords({ text, clauses }: NonNullable<Sample['trace']>): string {
  const more = clauses
    .filter((one) => !text.includes(one.text))
    .map(
      (one) =>
        ` ${one.text}${one.left === null ? '' : `: ${one.left}`}${one.right === null ? '' : ` against ${one.right}`}.`,
    );
  return `${text}${more.join('')}`;
}

/** Where somebody reviewed. */
const channelWords = (channel: string): string =>
  channel === 'api' ? 'by the HTTP API' : channel === 'web' ? 'on the gate’s page' : `in ${channel}`;
