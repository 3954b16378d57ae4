/** The report's page with the answers at once: who asked, who decided, on what grounds, when, and what is missing. */
import type { Evidence } from '../core/evidence/model.ts';
import { counted, grouped, listed } from '../core/render/shown.ts';
import { bullets, figures, pairs } from './blocks.ts';
import type { Text } from './flow.ts';
import { leading, size, textWidth } from './look.ts';
import type { Paper } from './paper.ts';
import { namesOf, rowsWords } from './words.ts';

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
