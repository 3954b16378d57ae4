/** The first pages of the report: what it is, how to read it, and the answers at once. */
import type { Evidence } from '../core/evidence/model.ts';
import { counted, grouped, listed } from '../core/render/shown.ts';
import { pairs } from './blocks.ts';
import type { Text } from './flow.ts';
import { colour, page, size, textWidth } from './look.ts';
import type { Paper } from './paper.ts';
import { queryText } from './query-text.ts';
import { makerWords, moment, periodWords, rowsWords, tierWords } from './words.ts';

/** One page that says what this is, of what, made by whom and how. */
export function cover(paper: Paper, evidence: Evidence): void {
  const { log, completeness } = evidence;
  const tier = tierWords[log.tier];
  paper.newPage();
  paper.mark('Cover');
  paper.box({ x: 0, y: 0, width: page.width, height: 232 }, colour.accent);
  const white = (text: string, y: number, of: number, face: 'text' | 'strong'): void => {
    for (const [at, one] of paper.set(text, { size: of, width: textWidth, face, linesMax: 2 }).entries())
      paper.line(
        { ...one, runs: one.runs.map((run) => ({ ...run, colour: '#ffffff' })) },
        { x: page.left, y: y + at * of * 1.25, size: of },
      );
  };
  white('EVIDENCE REPORT', 64, 9.5, 'strong');
  white('Privileged actions of AI agents', 86, size.title, 'strong');
  white(periodWords(evidence.period), 130, 15, 'text');
  white(evidence.gate, 156, 11, 'text');
  white(`Made ${moment(evidence.madeAtMs)} by ${makerWords(evidence.madeBy)}`, 188, 9.5, 'text');
  paper.y = 256;
  pairs(
    paper,
    [
      {
        label: 'System',
        text: `${evidence.gate}, a Countersign gate. AI agents reach what they may change only through it: it allows, holds for people, or denies each action, and writes every step into a log.`,
      },
      {
        label: 'Population',
        text: `Every privileged action that was asked of the gate in the period: ${rowsWords(completeness.rows)}. One row for each is in Population.xlsx.`,
      },
      {
        label: 'Rows and log',
        text:
          log.count === 0
            ? 'The log has no entry in this period.'
            : [
                `Entries ${grouped(log.from)} to ${grouped(log.to)} of the log: ${grouped(log.count)} indexes, ${grouped(completeness.entries)} entries read, ${completeness.dense ? 'no gap' : 'WITH GAPS'}. `,
                `${grouped(completeness.asked)} of them are “asked”; the population has ${counted(completeness.rows, 'row')}. `,
                completeness.complete
                  ? { text: 'The numbers agree.', face: 'strong', tone: 'good' }
                  : { text: 'The numbers do not agree.', face: 'strong', tone: 'bad' },
              ],
      },
      { label: 'Query', text: queryText(evidence) },
      {
        label: 'Generator',
        text: `${evidence.generator.name} ${evidence.generator.version}. The same query against the same log gives the same report.`,
      },
      { label: 'State at the start', text: checkpointWords(evidence, 'start') },
      { label: 'State at the end', text: checkpointWords(evidence, 'end') },
      {
        label: 'Strength of proof',
        text: [
          { text: `${tier.title}. `, face: 'strong', tone: log.tier === 'witnessed' ? 'good' : 'wait' },
          tier.text,
        ],
      },
    ],
    112,
  );
}

function checkpointWords({ log }: Evidence, which: 'start' | 'end'): Text {
  const one = log[which];
  if (one === null)
    return which === 'start'
      ? 'None: the log begins in this period, or no signed state before it was kept.'
      : 'None yet: no signed state covers the last entry of the period.';
  return [
    `${one.origin}, ${counted(one.size, 'entry', 'entries')}, signed ${moment(one.atMs)}, root `,
    { text: one.root, face: 'mono' },
    one.cosignedBy.length === 0
      ? '.'
      : `; countersigned by ${listed(one.cosignedBy.map((key) => key.split('+')[0] ?? key))}.`,
    one.stampedAtMs === null ? '' : ` Time stamp of a third party: ${moment(one.stampedAtMs)}.`,
  ];
}

const words: readonly (readonly [string, string])[] = [
  ['Agent', 'a program that acts for somebody. Each has owners: people who answer for it.'],
  [
    'Action',
    'exactly what an agent wanted to do: an operation, on something, with an input. It is fixed when asked; a changed input is another action.',
  ],
  ['Gate', 'the system that stands between agents and what they can change.'],
  ['Policy', 'a rule that allows an action, forbids it, or wants people to approve it first.'],
  [
    'Approval',
    'an action that waits for people. Who may approve is set by policy; nobody approves an action of their own.',
  ],
  [
    'Mediated',
    'the gate itself ran the action, so it could not run before it was decided, and the gate saw how it ended.',
  ],
  [
    'Cooperative',
    'the agent ran the action in its own process after the gate had permitted it, and reported the end. The gate cannot see whether it ran earlier.',
  ],
  [
    'Entry',
    'one line of the log, numbered from 0 without gaps. “Entry 1,042” in this report can be looked up in the log.',
  ],
  [
    'Checkpoint',
    'a signed statement of how long the log was, and of one number (the root) that fixes every entry in it.',
  ],
  ['Receipt', 'a small file that proves, without this system, that an entry is in the log and what it says.'],
  ['Break-glass', 'emergency access: for some minutes what would wait for people passes, on record.'],
];

/** Contents on a page whose numbers are filled in at the end; and the words. */
export function howToRead(paper: Paper): () => void {
  paper.newPage();
  paper.mark('How to read this');
  paper.put('How to read this', { size: size.section, face: 'strong', tone: 'accent', after: 8 });
  paper.put(
    'The next page has the answers. The pages after it have what they rest on, each with the numbers of the entries of the log, so that a reader can look up every statement. Where something is not known, the report says so; “cannot say” is never counted as “yes”. Times are in UTC. All rows are in the workbooks of the same package; the proofs are embedded in this file as attachments and lie in the folder proofs/.',
    { after: 10 },
  );
  const from = paper.y;
  const at = paper.pages - 1;
  // Room for the contents: they are known when the last section is.
  const step = 15.2;
  paper.y = from + 18 * step;
  paper.put('Words', { size: size.heading, face: 'strong', after: 4 });
  for (const [word, means] of words) paper.put([{ text: `${word}: `, face: 'strong' }, means], { after: 3 });
  return () => {
    paper.doc.switchToPage(at);
    const shown = paper.marks.slice(2);
    for (const [row, mark] of shown.slice(0, 17).entries()) {
      const y = from + row * step;
      const [title] = paper.set(mark.title, { size: size.body, width: textWidth - 60, linesMax: 1 });
      const [number] = paper.set(String(mark.page), { size: size.body, width: 40, tone: 'soft' });
      if (title === undefined || number === undefined) continue;
      paper.line(title, { x: page.left, y, size: size.body });
      paper.line(number, { x: page.width - page.right - number.width, y, size: size.body });
      paper.rule(y + step - 2.4);
      paper.doc.goTo(page.left, y, textWidth, step, mark.name);
    }
  };
}
