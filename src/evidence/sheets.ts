/** What the workbooks say: Population.xlsx with one row for each action, and Exceptions.xlsx. */
import { checkNames, type PopulationRow } from '../core/evidence/model-rows.ts';
import type { Evidence } from '../core/evidence/model.ts';
import {
  askerWords,
  checkResultWords,
  checkWords,
  commandAway,
  exceptionWords,
  makerWords,
  outcomeWords,
  peopleWords,
  periodWords,
  reviewersWords,
  runWords,
  tierWords,
  type Names,
} from './words.ts';
import type { CellValue, Sheet, SheetColumn } from './workbook.ts';

/** A moment as a cell; empty where it is not known. */
export const when = (atMs: number | null): CellValue => (atMs === null ? null : { atMs });
const seconds = (ms: number | null): CellValue => (ms === null ? null : ms / 1000);
/** A flag as people read it. */
export const yes = (flag: boolean): CellValue => (flag ? 'yes' : 'no');

type Column = SheetColumn & { readonly of: (row: PopulationRow, names: Names) => CellValue };
const column = (title: string, width: number, of: Column['of']): Column => ({ title, width, of });

const populationColumns: readonly Column[] = [
  column('Row', 7, (row) => row.row),
  column('Entry', 9, (row) => row.index),
  column('Asked at (UTC)', 19, (row) => when(row.askedAtMs)),
  column('Asked by', 18, (row, names) => askerWords(row, names)),
  column('Owners', 26, (row, names) => (row.owners.length === 0 ? null : peopleWords(row.owners, names))),
  column('On behalf of', 20, (row, names) => (row.onBehalfOf === null ? null : names(row.onBehalfOf))),
  column('Session', 16, (row) => row.session),
  column('What', 52, (row) => row.headline),
  column('Operation', 28, (row) => row.operation),
  column('Resource type', 14, (row) => row.resource?.type ?? null),
  column('Resource', 24, (row) => row.resource?.id ?? null),
  column('Environment', 12, (row) => row.environment),
  column('Effect', 10, (row) => row.effect),
  column('Outcome', 22, (row) => outcomeWords[row.outcome]),
  column('Decided by', 24, (row) => row.decidedBy),
  column('Approved by', 26, (row) => reviewersWords(row, 'approve')),
  column('Denied by', 22, (row) => reviewersWords(row, 'deny')),
  column('Reasons given', 40, (row) => reasons(row)),
  column('Decided at (UTC)', 19, (row) => when(row.decidedAtMs)),
  column('Decision entry', 9, (row) => row.decidedIndex),
  column('Seconds to decide', 11, (row) => seconds(row.decisionMs)),
  column('Started at (UTC)', 19, (row) => when(row.startedAtMs)),
  column('Start entry', 9, (row) => row.startedIndex),
  column('Seconds from decision to start', 12, (row) => seconds(row.lagMs)),
  column('Ended at (UTC)', 19, (row) => when(row.endedAtMs)),
  column('End entry', 9, (row) => row.endedIndex),
  column('Run', 18, (row) => runWords[row.run]),
  column('Outcome reported by', 12, (row) => row.outcomeBy),
  column('Settled by', 18, (row, names) => (row.settledBy === null ? null : names(row.settledBy))),
  column('Enforcement', 13, (row) => row.enforcement),
  column('Mode', 10, (row) => row.mode),
  column('Verdict', 10, (row) => row.verdict),
  column('Code', 18, (row) => row.code),
  column('Policies', 46, (row) => row.policies.map((one) => `${one.title} (${one.id})`).join('; ') || null),
  column(
    'Required',
    34,
    (row) =>
      row.requirements.map((one) => `${one.quorum} of ${one.approvers} (${one.id})`).join('; ') || null,
  ),
  column('Policy version', 9, (row) => row.policyVersion),
  column('Policy digest', 20, (row) => row.policyDigest),
  column('Roster version', 9, (row) => row.directoryVersion),
  column('Break-glass', 20, (row) => row.glass),
  ...checkNames.map((name) =>
    column(`Check: ${checkWords[name]}`, 15, (row) => {
      const found = row.checks.find((check) => check.name === name);
      return found === undefined ? null : checkResultWords[found.result];
    }),
  ),
  column('SHA-256 of the action', 34, (row) => row.subject),
  column('Action', 32, (row) => row.action),
  column('Approval', 32, (row) => row.approval),
  column('Execution', 32, (row) => row.execution),
  column('Content erased', 9, (row) => yes(row.erased)),
  column('Hidden from maker', 9, (row) => yes(row.hidden)),
  column('All entries', 24, (row) => row.entries.join(', ')),
];

function reasons(row: PopulationRow): CellValue {
  const said = row.reviews.flatMap((one) => (one.reason === null ? [] : [`${one.name}: ${one.reason}`]));
  if (row.reason !== null) said.push(row.reason);
  return [...new Set(said)].join('; ') || null;
}

/** The cells of one row of the population. */
export const populationCells = (row: PopulationRow, names: Names): readonly CellValue[] =>
  populationColumns.map((one) => one.of(row, names));

/** Population.xlsx. @param rows cells of every row, in order. */
export const populationSheets = (
  evidence: Evidence,
  rows: readonly (readonly CellValue[])[],
): readonly Sheet[] => [
  ...Array.from({ length: Math.max(1, Math.ceil(rows.length / sheetRows)) }, (_, at) => ({
    name: at === 0 ? 'Population' : `Population ${at + 1}`,
    columns: populationColumns,
    rows: rows.slice(at * sheetRows, (at + 1) * sheetRows),
  })),
  about(evidence, 'Population', rows.length),
];

/** Rows of one sheet: a spreadsheet program still opens it. What is more goes on in another. */
const sheetRows = 100_000;

/** What was asked for, of what, how much: on every workbook, so that it stands by itself. */
export function about(evidence: Evidence, sheet: string, count: number): Sheet {
  const { log, completeness, period } = evidence;
  const state = (which: 'start' | 'end'): readonly (readonly CellValue[])[] => {
    const one = log[which];
    return one === null
      ? [[`Checkpoint at the ${which}`, 'none']]
      : [
          [`Checkpoint at the ${which}: origin`, one.origin],
          [`Checkpoint at the ${which}: entries`, one.size],
          [`Checkpoint at the ${which}: root`, one.root],
          [`Checkpoint at the ${which}: signed at (UTC)`, { atMs: one.atMs }],
          [`Checkpoint at the ${which}: countersigned by`, one.cosignedBy.join('; ') || 'nobody'],
        ];
  };
  return {
    name: 'About',
    columns: [
      { title: 'What', width: 52 },
      { title: 'Value', width: 110 },
    ],
    rows: [
      ['System', evidence.gate],
      ['Period', periodWords(period)],
      ['From, inclusive (UTC)', { atMs: period.fromMs }],
      ['To, exclusive (UTC)', { atMs: period.toMs }],
      ['The same again, where the gate’s configuration is', evidence.command],
      ['The same from elsewhere, with a token in COUNTERSIGN_TOKEN', commandAway(evidence)],
      ['Generator', `${evidence.generator.name} ${evidence.generator.version}`],
      ['Made by', makerWords(evidence.madeBy)],
      ['Made at (UTC)', { atMs: evidence.madeAtMs }],
      ['Log as of, entries', evidence.query.asOf],
      [`Rows of the sheet ${sheet}`, count],
      ['Rows of the population', completeness.rows],
      ['Entries “action.asked” in the log', completeness.asked],
      ['Entries of the log, first', log.from],
      ['Entries of the log, last', log.to],
      ['Entries of the log, count', log.count],
      ['No entry missing', yes(completeness.dense)],
      ['Rows and entries agree', yes(completeness.complete)],
      ['How to count it again', completeness.how],
      ...state('start'),
      ...state('end'),
      ['Strength of proof', `${tierWords[log.tier].title}. ${tierWords[log.tier].text}`],
      ['Times', 'All times are in UTC.'],
    ],
  };
}

/** Exceptions.xlsx. */
export function exceptionSheets(evidence: Evidence): readonly Sheet[] {
  const { exceptions, exceptionsLeftOut } = evidence;
  return [
    {
      name: 'Exceptions',
      columns: [
        { title: 'Name', width: 34 },
        { title: 'Kind', width: 28 },
        { title: 'What', width: 80 },
        { title: 'From (UTC)', width: 19 },
        { title: 'To (UTC)', width: 19 },
        { title: 'Entries', width: 24 },
        { title: 'Rows', width: 18 },
        { title: 'Count', width: 8 },
        { title: 'Management’s answer', width: 80 },
        { title: 'Answered by', width: 24 },
        { title: 'Answered at (UTC)', width: 19 },
        { title: 'Answer’s entry', width: 9 },
      ],
      rows: [
        ...exceptions.map((one): readonly CellValue[] => {
          const last = one.answers.at(-1);
          return [
            one.name,
            exceptionWords[one.kind],
            one.text,
            when(one.fromMs),
            when(one.toMs),
            one.entries.join(', '),
            one.rows.join(', '),
            one.count,
            last?.text ?? null,
            last?.byName ?? null,
            when(last?.atMs ?? null),
            last?.index ?? null,
          ];
        }),
        ...exceptionsLeftOut.map((one): readonly CellValue[] => [
          null,
          exceptionWords[one.kind],
          'More of this kind, counted and not listed',
          null,
          null,
          null,
          null,
          one.count,
        ]),
      ],
    },
    {
      name: 'All answers',
      columns: [
        { title: 'Exception', width: 34 },
        { title: 'Answer', width: 90 },
        { title: 'By', width: 24 },
        { title: 'At (UTC)', width: 19 },
        { title: 'Entry', width: 9 },
      ],
      rows: [...exceptions.flatMap((one) => one.answers), ...evidence.otherAnswers].map((one) => [
        one.exception,
        one.text,
        one.byName,
        { atMs: one.atMs },
        one.index,
      ]),
    },
    about(evidence, 'Exceptions', exceptions.length),
  ];
}
