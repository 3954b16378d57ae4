/** The report's pages about who could approve what, who did, and how long they took. */
import { fastMs, type AccessRow, type RosterAt } from '../core/evidence/model-sections.ts';
import type { Evidence } from '../core/evidence/model.ts';
import { grouped, listed } from '../core/render/shown.ts';
import { note, table } from './blocks.ts';
import type { Text } from './flow.ts';
import type { Paper } from './paper.ts';
import { moment, took } from './words.ts';

export function access(paper: Paper, evidence: Evidence): void {
  const { access: review } = evidence;
  paper.section(
    'Access review: who could approve, who did',
    review.from === 'policies'
      ? 'What each person could approve by the policies in force at the end of the period, and what they did within it.'
      : 'What each person was asked to approve within the period; the policies in force at its end cannot be read any more.',
  );
  table(paper, {
    columns: [
      { title: 'Person', share: 20 },
      { title: 'Could approve', share: 38, linesMax: 14 },
      { title: 'Asked', share: 8, right: true },
      { title: 'Approved', share: 11, right: true },
      { title: 'Denied', share: 9, right: true },
      { title: 'Last review', share: 14 },
    ],
    rows: review.rows.map((one): readonly Text[] => [
      [
        `${one.name} (${one.person})`,
        one.active ? '' : { text: ' inactive', tone: 'soft' },
        one.operator ? { text: ' operator', tone: 'accent' } : '',
        one.auditor ? { text: ' auditor', tone: 'accent' } : '',
        one.admin ? { text: ' admin', tone: 'accent' } : '',
      ],
      couldWords(one, evidence.roster.end) || '–',
      grouped(one.asked),
      grouped(one.approved),
      grouped(one.denied),
      one.never
        ? [{ text: 'none', tone: 'wait' }]
        : one.lastMs === null
          ? '–'
          : moment(one.lastMs).slice(0, 10),
    ]),
    empty: 'Nobody could approve anything.',
  });
  paper.put(
    `“Asked” counts approvals that opened in the period and for which somebody was found entitled. “Approved” and “Denied” count what each person said: of an action that two people approved, both are counted.${evidence.counts.erased > 0 ? ' What was erased is not counted.' : ''}`,
    { tone: 'soft' },
  );
  const never = review.rows.filter((one) => one.never);
  if (never.length > 0)
    note(
      paper,
      `Could approve by the policies and reviewed nothing in the period: ${listed(never.slice(0, 20).map((one) => one.name))}${never.length > 20 ? ` and ${grouped(never.length - 20)} more` : ''}.`,
      'wait',
    );
  for (const one of review.thin)
    note(
      paper,
      `${one.id} wants ${grouped(one.quorum)} of ${one.group}, which has ${grouped(one.people)} active. Whatever it holds is denied.`,
      'bad',
    );
  reviewers(paper, evidence);
}

/** What somebody could approve: by the policies, and by the rules of the gate itself. */
function couldWords(one: AccessRow, roster: RosterAt | null): string {
  if (!one.active) return '';
  const as = (group: string | undefined): string => (group === undefined ? '' : ` (as ${group})`);
  return [
    ...one.could.map((could) => `${could.title} (as ${could.group})`),
    ...(one.admin ? [`Changes of who may do what${as(roster?.admins)}`] : []),
    ...(one.glass ? [`Break-glass${as(roster?.breakGlass)}`] : []),
  ].join('\n');
}

function reviewers(paper: Paper, { reviewers: all }: Evidence): void {
  paper.heading('Reviewers: time to decide');
  table(paper, {
    columns: [
      { title: 'Reviewer', share: 32 },
      { title: 'Approved', share: 13, right: true },
      { title: 'Denied', share: 12, right: true },
      { title: 'Median', share: 14, right: true },
      { title: '90 % within', share: 14, right: true },
      { title: `Under ${fastMs / 1000} s`, share: 15, right: true },
    ],
    rows: all.map((one): readonly Text[] => [
      `${one.name} (${one.person})`,
      grouped(one.approved),
      grouped(one.denied),
      took(one.medianMs),
      took(one.ninetiethMs),
      one.fast === 0 ? '0' : [{ text: grouped(one.fast), tone: 'wait', face: 'strong' }],
    ]),
    empty: 'Nobody reviewed anything.',
  });
  paper.put(
    'Time from the opening of the approval to the review. An approval in a few seconds may not have been read; each is an exception.',
    { tone: 'soft' },
  );
}
