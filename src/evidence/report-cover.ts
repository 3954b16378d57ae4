/** The first pages of the report: what it is, how to read it, and the answers at once. */
import type { Evidence } from '../core/evidence/model.ts';
import { counted, grouped, listed } from '../core/render/shown.ts';
import { figures, pairs, bullets } from './blocks.ts';
import type { Text } from './flow.ts';
import { colour, leading, page, size, textWidth } from './look.ts';
import type { Paper } from './paper.ts';
import { queryText } from './query-text.ts';
import { makerWords, moment, namesOf, periodWords, rowsWords, tierWords } from './words.ts';

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

/** One page with the answers. */
export function summary(paper: Paper, evidence: Evidence): void {
  const { counts, exceptions } = evidence;
  const { byOutcome } = counts;
  const unanswered = exceptions.filter((one) => one.answers.length === 0).length;
  const left = evidence.exceptionsLeftOut.reduce((sum, one) => sum + one.count, 0);
  paper.section('The answers', undefined, true);
  figures(paper, [
    {
      value: grouped(counts.rows),
      label: `actions asked${byOutcome.unknown > 0 ? `; of ${grouped(byOutcome.unknown)} who decided is erased or hidden` : ''}`,
    },
    { value: grouped(byOutcome.allowed), label: 'allowed by policy, nobody asked' },
    { value: grouped(byOutcome.approved), label: 'approved by people', tone: 'good' },
    {
      value: grouped(byOutcome.denied_by_policy + byOutcome.denied_by_person),
      label: `denied: ${grouped(byOutcome.denied_by_policy)} by policy, ${grouped(byOutcome.denied_by_person)} by people`,
      tone: 'bad',
    },
    {
      value: grouped(byOutcome.expired + byOutcome.cancelled + byOutcome.open),
      label: `not decided: ${grouped(byOutcome.expired)} expired, ${grouped(byOutcome.cancelled)} cancelled, ${grouped(byOutcome.open)} open`,
      tone: 'soft',
    },
    {
      value: grouped(byOutcome.broken_glass + byOutcome.observed),
      label: `passed unheld: ${grouped(byOutcome.broken_glass)} under break-glass, ${grouped(byOutcome.observed)} only observed`,
      tone: byOutcome.broken_glass + byOutcome.observed > 0 ? 'wait' : 'soft',
    },
    {
      value: grouped(counts.byRun.unknown + counts.byRun.running),
      label: 'ran, and how it ended is not known',
      tone: counts.byRun.unknown + counts.byRun.running > 0 ? 'wait' : 'soft',
    },
    {
      value: grouped(exceptions.length + left),
      label: `exceptions, ${grouped(unanswered)} not answered by management`,
      tone: exceptions.length > 0 ? 'bad' : 'good',
    },
  ]);
  pairs(paper, [
    { label: 'Who asked?', text: whoAsked(evidence) },
    { label: 'Who decided?', text: whoDecided(evidence) },
    { label: 'On what grounds?', text: onWhatGrounds(evidence) },
    { label: 'Before or after it ran?', text: beforeOrAfter(evidence) },
    { label: 'Self-approval?', text: ownApproval(evidence) },
    {
      label: 'Is anything missing?',
      text: [
        evidence.completeness.complete
          ? { text: 'No row. ', face: 'strong', tone: 'good' }
          : { text: 'YES, or it cannot be said. ', face: 'strong', tone: 'bad' },
        missingWords(evidence),
      ],
    },
  ]);
  paper.put('What was not covered?', { face: 'strong', tone: 'soft', after: 4 });
  if (evidence.notCovered.length === 0)
    paper.put('Nothing is known to be missing beyond what every log cannot show.');
  else notCoveredHere(paper, evidence.notCovered);
}

function missingWords({ log, completeness: { entries, asked, rows } }: Evidence): string {
  return log.count === 0
    ? 'The log has no entry in this period.'
    : `Entries ${grouped(log.from)} to ${grouped(log.to)} are ${grouped(log.count)}, ${grouped(entries)} were read; ${grouped(asked)} of them say that an action was asked, and the population has ${counted(rows, 'row')}. How to count again is on the next page.`;
}

/** As many as this page holds, at least one; the section has them all. */
function notCoveredHere(paper: Paper, all: Evidence['notCovered']): void {
  const step = size.body * leading;
  const height = (text: string): number =>
    paper.set(text, { size: size.body, width: textWidth - 14 }).length * step + 3;
  let [room, fits] = [paper.left - step - 12, 0];
  for (const text of all.slice(0, 6)) {
    room -= height(text);
    if (room < 0 && fits >= 1) break;
    fits += 1;
  }
  const more = all.length - fits;
  bullets(paper, [
    ...all.slice(0, fits),
    ...(more > 0 ? [`${grouped(more)} more: see the section “What this does not show”.`] : []),
  ]);
}

function whoAsked(evidence: Evidence): Text {
  const names = namesOf(evidence);
  const busy = evidence.scope.agents.filter((agent) => agent.asked > 0).toSorted((a, b) => b.asked - a.asked);
  const first = busy
    .slice(0, 5)
    .map((one) => `${one.agent} ${grouped(one.asked)} (owned by ${listed(one.owners.map(names))})`);
  const { gates, rows } = evidence.counts;
  const others = rows - gates - busy.reduce((sum, one) => sum + one.asked, 0);
  return [
    busy.length === 0
      ? 'No agent asked for anything.'
      : `${counted(busy.length, 'agent')}: ${first.join('; ')}${busy.length > 5 ? `; and ${counted(busy.length - 5, 'other')}` : ''}.`,
    gates === 0
      ? ''
      : ` ${rowsWords(gates)} ${gates === 1 ? 'was' : 'were'} asked of people by the gate itself or by a person: a change of policies, a break-glass.`,
    others <= 0 ? '' : ` Of ${grouped(others)} who asked is erased, hidden, or no agent of the period.`,
  ];
}

function whoDecided(evidence: Evidence): Text {
  const { byOutcome } = evidence.counts;
  const people = evidence.reviewers.toSorted((a, b) => b.approved + b.denied - a.approved - a.denied);
  const named = people
    .slice(0, 5)
    .map(
      (one) => `${one.name} (${one.person}) approved ${grouped(one.approved)}, denied ${grouped(one.denied)}`,
    );
  return `Policies alone: ${grouped(byOutcome.allowed)} allowed, ${grouped(byOutcome.denied_by_policy)} denied. People: ${grouped(byOutcome.approved)} approved, ${grouped(byOutcome.denied_by_person)} denied.${byOutcome.unknown === 0 ? '' : ` Of ${grouped(byOutcome.unknown)} it is erased or hidden.`} By person, each one’s word counted: ${
    named.length === 0
      ? 'nobody reviewed anything.'
      : `${named.join('; ')}${people.length > 5 ? `; and ${counted(people.length - 5, 'other')}` : ''}.`
  }`;
}

function onWhatGrounds(evidence: Evidence): Text {
  const { policies } = evidence;
  const second = policies.filter((one) => one.secondPerson === 'yes').length;
  const sound = policies.filter((one) => one.digestHolds === 'yes').length;
  return `${counted(policies.length, 'version')} of the policies ${policies.length === 1 ? 'was' : 'were'} in force in the period; ${grouped(second)} of ${policies.length === 1 ? 'it' : 'them'} ${second === 1 ? 'was' : 'were'} accepted by a second person, and of ${grouped(sound)} the text in this package has the digest that the log recorded. Each row of the population names the policies that decided it.`;
}

function beforeOrAfter({ counts }: Evidence): Text {
  const started = counts.byCheck.decided_before_started;
  const ran = counts.byCheck.decided_before_executed;
  return [
    `Permission was recorded before the start in ${grouped(started.passed)} of ${grouped(started.passed + started.failed + started.unknown)} that started and needed one; in ${grouped(ran.passed)} of them the gate itself ran the action, so it cannot have run earlier. `,
    started.failed + ran.failed > 0
      ? { text: `${grouped(started.failed + ran.failed)} failed. `, face: 'strong', tone: 'bad' }
      : { text: 'None failed. ', face: 'strong', tone: 'good' },
    started.unknown + ran.unknown > 0
      ? `Of ${grouped(Math.max(started.unknown, ran.unknown))} it cannot be said whether they ran earlier: the agents ran them themselves, or what the log had of them is gone.`
      : '',
  ];
}

function ownApproval({ counts, refusedReviews }: Evidence): Text {
  const check = counts.byCheck.approver_is_not_requester;
  const tried = refusedReviews.find(({ code }) => code === 'no_self_approval')?.count ?? 0;
  return [
    check.failed === 0
      ? { text: 'None found. ', face: 'strong', tone: check.unknown > 0 ? 'plain' : 'good' }
      : { text: `Yes, ${grouped(check.failed)}. `, face: 'strong', tone: 'bad' },
    `In ${grouped(check.passed)} of ${grouped(check.passed + check.failed + check.unknown)} approved actions nobody who approved was the requester, an owner of the agent, or the maker of the rule.`,
    check.unknown > 0
      ? ` Of ${grouped(check.unknown)} it cannot be said: who made or asked for it is not known.`
      : '',
    tried > 0
      ? ` ${counted(tried, 'attempt')} to approve what was their own ${tried === 1 ? 'was' : 'were'} refused.`
      : '',
  ];
}
