/** The report's pages about actions: the population, what became of each kind, the checks of every row. */
import { outcomes, type Outcome, type PopulationRow } from '../core/evidence/model-rows.ts';
import type { Evidence } from '../core/evidence/model.ts';
import { counted, grouped } from '../core/render/shown.ts';
import { pairs, rowsMax, table } from './blocks.ts';
import type { Span, Text } from './flow.ts';
import type { Paper } from './paper.ts';
import { queryText } from './query-text.ts';
import {
  makerWords,
  askerWords,
  entriesWords,
  moment,
  namesOf,
  outcomeMeans,
  outcomeTone,
  outcomeWords,
  refusedWords,
  reviewersWords,
  rowsWords,
  runWords,
  took,
  type Names,
} from './words.ts';

/** The first rows of each kind, in the order of the log: what a report lists. */
export type ListedRows = Readonly<Record<Outcome, readonly PopulationRow[]>>;

/** Takes rows as they come and keeps what a report lists. */
export function listing(): { add(row: PopulationRow): void; readonly rows: ListedRows } {
  const rows: Record<Outcome, PopulationRow[]> = {
    allowed: [],
    approved: [],
    denied_by_policy: [],
    denied_by_person: [],
    expired: [],
    cancelled: [],
    broken_glass: [],
    observed: [],
    open: [],
    unknown: [],
  };
  return {
    add: (row) => {
      if (rows[row.outcome].length < rowsMax) rows[row.outcome].push(row);
    },
    rows,
  };
}

/** What the population is, and how its number of rows is known. */
export function population(paper: Paper, evidence: Evidence): void {
  const { counts, completeness, log, carriedIn } = evidence;
  paper.section(
    'The population',
    'A privileged action is anything that an agent asked to do through the gate, whatever became of it; and whatever the gate itself asked people to approve, such as a change of policies or a break-glass. Nothing else is in the population, and nothing of it is left out.',
    true,
  );
  pairs(paper, [
    { label: 'Query', text: queryText(evidence) },
    {
      label: 'Period',
      text: `${moment(evidence.period.fromMs)} (inclusive) to ${moment(evidence.period.toMs)} (exclusive)`,
    },
    {
      label: 'Made',
      text: `${moment(evidence.madeAtMs)} by ${makerWords(evidence.madeBy)}, with ${evidence.generator.name} ${evidence.generator.version}, from the log as of ${counted(evidence.query.asOf, 'entry', 'entries')}; of entries after the period only management’s answers and comparisons with targets count`,
    },
    {
      label: 'Entries of the log',
      text:
        log.count === 0
          ? 'none'
          : `${grouped(log.from)} to ${grouped(log.to)}: ${grouped(log.count)} indexes, ${grouped(completeness.entries)} read, ${completeness.dense ? 'none missing' : 'NOT ALL THERE'}`,
    },
    {
      label: 'Rows',
      text: `${grouped(completeness.rows)}; entries of type action.asked: ${grouped(completeness.asked)}. ${completeness.complete ? 'They are the same number.' : 'They are NOT the same number.'}`,
    },
    { label: 'Count it again', text: completeness.how },
  ]);
  table(paper, {
    columns: [
      { title: 'What became of it', share: 26 },
      { title: 'Actions', share: 11, right: true },
      { title: 'What that means', share: 63 },
    ],
    rows: outcomes.map((one): readonly Text[] => [
      [{ text: outcomeWords[one], face: 'strong', tone: outcomeTone[one] }],
      grouped(counts.byOutcome[one]),
      outcomeMeans[one],
    ]),
    empty: '',
  });
  const { mediated, cooperative, unknown } = counts.byEnforcement;
  paper.put(
    `Of ${rowsWords(counts.rows)}, ${grouped(mediated)} were for the gate itself to run (mediated) and ${grouped(cooperative)} for the agent (cooperative)${unknown > 0 ? `; for ${grouped(unknown)} it is not known` : ''}. ${ranWords(counts)} ${grouped(counts.observed)} fell under observe mode, ${grouped(counts.underGlass)} under break-glass. The content of ${grouped(counts.erased)} was erased; ${grouped(counts.hidden)} are hidden from whoever made this.`,
  );
  paper.heading('At the edges of the period');
  paper.put(
    carriedIn.count === 0
      ? 'No action that was asked before the period was decided or run in it.'
      : `${rowsWords(carriedIn.count)} asked before the period ${carriedIn.count === 1 ? 'was' : 'were'} decided or run in it. They are rows of the population of the time in which they were asked (entries ${entriesWords(carriedIn.indexes)}${carriedIn.more > 0 ? `, and ${grouped(carriedIn.more)} more` : ''}).`,
  );
  refused(paper, evidence);
}

/** What the gate refused before it was an action, or as a review. */
function refused(paper: Paper, { attempts, refusedReviews }: Evidence): void {
  paper.heading('Attempts that never became actions');
  table(paper, {
    columns: [
      { title: 'Refused because', share: 70, mono: true },
      { title: 'Attempts', share: 30, right: true },
    ],
    rows: attempts.map((one) => [one.code, grouped(one.count)]),
    empty: 'None were refused before they became actions.',
  });
  paper.heading('Reviews that the gate refused');
  table(paper, {
    columns: [
      { title: 'Refused because', share: 70 },
      { title: 'Reviews', share: 30, right: true },
    ],
    rows: refusedReviews.map((one) => [refusedWords(one.code), grouped(one.count)]),
    empty: 'Nobody tried to decide what was not theirs to decide.',
  });
}

/** How many ran, and who ran them. */
function ranWords({ byRun, rows, ranCooperative }: Evidence['counts']): string {
  const ran = rows - byRun.not_run;
  return `${grouped(ran)} ran: ${grouped(byRun.succeeded)} succeeded, ${grouped(byRun.failed)} failed, ${grouped(byRun.unknown)} with an outcome that nobody knows, ${grouped(byRun.running)} with no end yet; ${grouped(ranCooperative)} of them in the agents’ own processes.`;
}

const sections: readonly (readonly [title: string, outcomes: readonly Outcome[]])[] = [
  ['Allowed without review', ['allowed']],
  ['Reviewed and approved', ['approved']],
  ['Denied', ['denied_by_policy', 'denied_by_person']],
  ['Expired, cancelled, open', ['expired', 'cancelled', 'open']],
  ['Break-glass and observe', ['broken_glass', 'observed']],
  ['Not known', ['unknown']],
];

/** Every privileged action by what became of it; long lists end with where the rest is. */
export function actions(paper: Paper, evidence: Evidence, listed: ListedRows): void {
  paper.section(
    'Every action, by what became of it',
    `Up to ${rowsMax} of each kind are listed here in the order of the log; Population.xlsx has all of them with every column.`,
  );
  const names = namesOf(evidence);
  for (const [title, kinds] of sections) {
    const total = kinds.reduce((sum, kind) => sum + evidence.counts.byOutcome[kind], 0);
    // With the sentence and the first row.
    paper.heading(`${title}: ${grouped(total)}`, total === 0 ? 30 : 120);
    for (const kind of kinds) {
      const count = evidence.counts.byOutcome[kind];
      if (kinds.length > 1 && count > 0)
        paper.put(`${outcomeWords[kind]}: ${grouped(count)}. ${outcomeMeans[kind]}`, {
          tone: 'soft',
          after: 4,
        });
      else if (kinds.length === 1 && count > 0) paper.put(outcomeMeans[kind], { tone: 'soft', after: 4 });
      if (count > 0) rowsOf(paper, kind, { rows: listed[kind], count, names });
    }
    if (total === 0) paper.put('None.', { tone: 'soft', face: 'soft' });
  }
}

function rowsOf(
  paper: Paper,
  kind: Outcome,
  {
    rows,
    count,
    names,
  }: { readonly rows: readonly PopulationRow[]; readonly count: number; readonly names: Names },
): void {
  table(paper, {
    columns: [
      { title: 'Row', share: 6, right: true },
      { title: 'Asked (UTC)', share: 14 },
      { title: 'By', share: 12, linesMax: 3 },
      { title: 'What', share: 27, linesMax: 4 },
      { title: 'Decided by, and why', share: 27, linesMax: 7 },
      { title: 'Ran', share: 14 },
    ],
    rows: rows.map((row): readonly Text[] => [
      grouped(row.row),
      moment(row.askedAtMs).slice(0, 16),
      askerWords(row, names),
      row.headline,
      decidedWords(row),
      runText(row),
    ]),
    empty: '',
  });
  if (count > rows.length)
    paper.put(`${grouped(count - rows.length)} more “${outcomeWords[kind]}” are in Population.xlsx.`, {
      tone: 'soft',
    });
}

function decidedWords(row: PopulationRow): Text {
  switch (row.outcome) {
    case 'approved':
      return [`${reviewersWords(row, 'approve')} after ${took(row.decisionMs)}`, grounds(row, 'needed by')];
    case 'denied_by_person':
      return [
        `${reviewersWords(row, 'deny')}${row.reason === null ? '' : `: ${row.reason}`}`,
        grounds(row, 'asked by'),
      ];
    case 'allowed':
    case 'denied_by_policy':
      return row.policies.length > 0
        ? row.policies.map((one) => one.title).join('; ')
        : `${row.decidedBy ?? 'policy'}${row.code === null ? '' : ` (${row.code})`}`;
    case 'broken_glass':
    case 'observed':
      return [row.decidedBy ?? '–', grounds(row, row.verdict === 'deny' ? 'else denied by' : 'else held by')];
    case 'expired':
    case 'cancelled':
    case 'open':
      return [row.reason ?? row.decidedBy ?? '–', grounds(row, 'asked by')];
    case 'unknown':
      return row.reason ?? row.decidedBy ?? '–';
  }
}

/** The policies that wanted it, by their titles. */
function grounds({ policies, verdict }: PopulationRow, word: string): Span {
  return {
    text:
      policies.length === 0 || verdict === 'allow'
        ? ''
        : `; ${word} “${policies.map((one) => one.title).join('”, “')}”`,
    tone: 'soft',
  };
}

function runText(row: PopulationRow): Text {
  const tone =
    row.run === 'succeeded' ? 'good' : row.run === 'failed' ? 'bad' : row.run === 'not_run' ? 'soft' : 'wait';
  return [
    { text: runWords[row.run], tone },
    row.enforcement === 'cooperative' && row.run !== 'not_run' ? ' (by the agent)' : '',
  ];
}
