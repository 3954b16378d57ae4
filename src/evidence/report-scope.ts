/** The report's pages about where the gate stood: exceptions with what management says to them, and scope by date. */
import { exceptionKinds, type Exception } from '../core/evidence/model-exceptions.ts';
import type { Span } from '../core/evidence/model-sections.ts';
import type { Evidence } from '../core/evidence/model.ts';
import { counted, grouped } from '../core/render/shown.ts';
import { note, table } from './blocks.ts';
import type { Text } from './flow.ts';
import type { Paper } from './paper.ts';
import {
  day,
  entriesWords,
  exceptionWords,
  moment,
  namesOf,
  peopleWords,
  placedWords,
  took,
} from './words.ts';

/** Exceptions that a report lists of one kind. */
const ofKindMax = 60;

export function exceptions(paper: Paper, evidence: Evidence): void {
  const { exceptions: all, exceptionsLeftOut, otherAnswers } = evidence;
  paper.section(
    'Exceptions and management’s answers',
    'What a reader has to look at, found by the same rules in every period. Each has a name that stays, so that an answer can be given to it. “Rows” are those of Population.xlsx, “Entries” those of the log. All of them are in Exceptions.xlsx.',
  );
  if (all.length === 0) note(paper, 'There are no exceptions in this period.', 'good');
  for (const kind of exceptionKinds) {
    const of = all.filter((one) => one.kind === kind);
    const more = exceptionsLeftOut.find((one) => one.kind === kind)?.count ?? 0;
    if (of.length === 0 && more === 0) continue;
    if (of.length === 0) paper.heading(`${exceptionWords[kind]}: ${grouped(more)}`);
    table(paper, {
      heading: `${exceptionWords[kind]}: ${grouped(of.length + more)}`,
      columns: [
        { title: 'Name', share: 21, mono: true, linesMax: 4 },
        { title: 'What', share: 36, linesMax: 14 },
        { title: 'Rows', share: 9, linesMax: 3 },
        { title: 'Entries', share: 12, linesMax: 3 },
        { title: 'Management’s answer', share: 22, linesMax: 12 },
      ],
      rows: of.map((one): readonly Text[] => [
        one.name,
        one.text,
        entriesWords(one.rows),
        entriesWords(one.entries),
        answerText(one),
      ]),
      empty: '',
      rowsMax: ofKindMax,
      rest: 'Exceptions.xlsx',
    });
    if (more > 0)
      paper.put(`${grouped(more)} more of this kind are counted and not listed.`, { tone: 'soft' });
  }
  if (otherAnswers.length === 0) return;
  paper.heading('Answers to exceptions of other periods');
  table(paper, {
    columns: [
      { title: 'To', share: 26, mono: true },
      { title: 'Answer', share: 48 },
      { title: 'By', share: 26 },
    ],
    rows: otherAnswers.map((one) => [
      one.exception,
      one.text,
      `${one.byName}, ${moment(one.atMs)}, entry ${grouped(one.index)}`,
    ]),
    empty: '',
  });
}

function answerText(one: Exception): Text {
  const last = one.answers.at(-1);
  if (last === undefined) return [{ text: 'Not answered', tone: 'wait' }];
  const earlier = one.answers.length - 1;
  return [
    last.text,
    {
      text: ` (${last.byName}, ${day(last.atMs)}, entry ${grouped(last.index)}${earlier > 0 ? `; ${counted(earlier, 'earlier answer')} in Exceptions.xlsx` : ''})`,
      tone: 'soft',
    },
  ];
}

const since = (span: Span): string =>
  span.fromMs === null ? 'before the period' : moment(span.fromMs).slice(0, 16);
const until = (span: Span): string =>
  span.toMs === null ? 'beyond the period' : moment(span.toMs).slice(0, 16);

export function scope(paper: Paper, evidence: Evidence): void {
  const { scope: all } = evidence;
  const names = namesOf(evidence);
  paper.section(
    'Scope by date',
    'Which agents, servers and tools stood behind the gate, from when to when, and when it did not hold what it would have held.',
  );
  paper.heading('Agents');
  table(paper, {
    columns: [
      { title: 'Agent', share: 20 },
      { title: 'Owners (the first is accountable)', share: 32 },
      { title: 'From', share: 17 },
      { title: 'To', share: 17 },
      { title: 'Asked', share: 14, right: true },
    ],
    rows: all.agents.map((one) => [
      one.agent,
      peopleWords(one.owners, names),
      since(one),
      until(one),
      grouped(one.asked),
    ]),
    empty: 'No agent was configured.',
  });
  servers(paper, evidence);
  paper.heading('Tools: seen, changed, accepted');
  table(paper, {
    columns: [
      { title: 'When (UTC)', share: 17 },
      { title: 'Tool', share: 36, mono: true },
      { title: 'What', share: 32 },
      { title: 'Entry', share: 15, right: true },
    ],
    rows: all.tools.map((one) => [
      moment(one.atMs).slice(0, 16),
      one.operation,
      `${toolWords[one.event]}, ${one.by}`,
      grouped(one.index),
    ]),
    empty: 'No definition of a tool changed.',
  });
  times(paper, evidence);
  if (all.cut.length > 0)
    note(paper, `Shortened here, because there are very many: ${all.cut.join(', ')}.`, 'wait');
}

function servers(paper: Paper, { scope: all }: Evidence): void {
  paper.heading('Servers and operations');
  table(paper, {
    columns: [
      { title: 'Server', share: 26 },
      { title: 'Reached by', share: 14 },
      { title: 'Mode', share: 22 },
      { title: 'From', share: 14 },
      { title: 'To', share: 14 },
      { title: 'Asked', share: 10, right: true },
    ],
    rows: all.servers.map((one): readonly Text[] => [
      one.server,
      one.reached === 'url' ? 'network' : 'local program',
      modeText(one.mode, one.modes),
      since(one),
      until(one),
      grouped(one.asked),
    ]),
    empty: 'No server stood behind the gate.',
  });
  table(paper, {
    columns: [
      { title: 'Operation', share: 44, mono: true },
      { title: 'Asked', share: 13, right: true },
      { title: 'Mediated', share: 14, right: true },
      { title: 'Cooperative', share: 15, right: true },
      { title: 'Observed', share: 14, right: true },
    ],
    rows: all.operations.map((one) => [
      one.operation,
      grouped(one.asked),
      grouped(one.mediated),
      grouped(one.cooperative),
      grouped(one.observed),
    ]),
    empty: 'No operation was asked for.',
  });
}

const toolWords = {
  pinned: 'first seen and fixed',
  waiting: 'first seen, waits for an operator',
  disabled: 'changed, so it was switched off',
  accepted: 'its change was accepted',
} as const;

function modeText(mode: 'enforce' | 'observe', modes: Readonly<Record<string, 'enforce' | 'observe'>>): Text {
  const others = Object.entries(modes).map(([tool, own]) => `${tool}: ${own}`);
  return [
    mode === 'observe' ? { text: 'observe only', tone: 'wait' } : 'enforced',
    others.length === 0 ? '' : ` (${others.slice(0, 6).join(', ')}${others.length > 6 ? ', …' : ''})`,
  ];
}

function times(paper: Paper, evidence: Evidence): void {
  const { observed, downtimes, longestSilence } = evidence.scope;
  paper.heading('When actions passed unheld, or nothing passed');
  const glasses = evidence.exceptions.filter((one) => one.kind === 'break-glass').length;
  if (glasses > 0)
    paper.put(
      `Break-glass was open ${glasses === 1 ? 'once' : `${grouped(glasses)} times`}: see the exceptions.`,
      { tone: 'soft' },
    );
  table(paper, {
    columns: [
      { title: 'Only observed', share: 40, mono: true },
      { title: 'From', share: 30 },
      { title: 'To', share: 30 },
    ],
    rows: observed.map((one) => [one.name, since(one), until(one)]),
    empty: 'Nothing was set to observe only.',
  });
  table(paper, {
    columns: [
      { title: 'Gate down: last entry before', share: 36 },
      { title: 'Started again', share: 36 },
      { title: 'For', share: 12 },
      { title: 'How', share: 16 },
    ],
    rows: downtimes.map((one) => [
      placedWords(one.sinceIndex, one.sinceMs),
      placedWords(one.untilIndex, one.untilMs),
      took(one.untilMs - one.sinceMs),
      one.clean
        ? 'stopped in order'
        : `ended unexpectedly${(one.lost ?? 0) > 0 ? `, ${counted(one.lost ?? 0, 'run')} lost` : ''}`,
    ]),
    empty: 'The gate was not restarted.',
  });
  paper.put(
    longestSilence === null
      ? 'There were too few entries to speak of silence between them.'
      : `The longest time between two entries while the gate was up was ${took(longestSilence.ms)}, after entry ${grouped(longestSilence.fromIndex)}. An idle gate writes an entry at set times, every hour unless its configuration says otherwise (log.heartbeat): a silence longer than that is a gap in its life.`,
    { tone: 'soft' },
  );
}
