/** The report's pages about rules and people: policies with who accepted them, roster, leavers, who could approve and who did. */
import type { AcceptedBy, PolicyVersion, RosterAt } from '../core/evidence/model-sections.ts';
import { fastMs } from '../core/evidence/model-sections.ts';
import type { Evidence } from '../core/evidence/model.ts';
import { grouped, listed } from '../core/render/shown.ts';
import { bullets, literal, note, pairs, table } from './blocks.ts';
import type { Text } from './flow.ts';
import type { Paper } from './paper.ts';
import { entriesWords, entryWords, moment, namesOf, peopleWords, placedWords, took, type Names } from './words.ts';

/** Policy texts that are set in the report whole; older versions are in the package's folder `policies/`. */
const textsMax = 3;
const changesMax = 40;

function acceptance(one: AcceptedBy, names: Names): readonly { readonly label: string; readonly text: Text }[] {
  return [
    {
      label: 'Accepted',
      text: [
        `${one.howWords}, ${placedWords(one.index, one.atMs)}`,
        one.approval === null ? '' : ` (approval ${one.approval})`,
      ],
    },
    { label: 'Changed by', text: one.proposedBy === null ? 'found on disk, or not known' : names(one.proposedBy) },
    { label: 'Accepted by', text: one.acceptedBy.length === 0 ? 'nobody was asked' : peopleWords(one.acceptedBy, names) },
    { label: 'Second person', text: secondText(one.secondPerson) },
  ];
}

function secondText(second: 'yes' | 'no' | 'unknown'): Text {
  if (second === 'yes') return [{ text: 'Yes', tone: 'good', face: 'strong' }, ': somebody else than who made the change accepted it'];
  if (second === 'no') return [{ text: 'NO', tone: 'bad', face: 'strong' }, ': nobody else accepted it'];
  return [{ text: 'Cannot say', tone: 'wait' }, ': who made the change is not known'];
}

export function policies(paper: Paper, evidence: Evidence): void {
  const { policies: versions } = evidence;
  const names = namesOf(evidence);
  paper.section(
    'Policies in force',
    'The rules that every action of the period was judged by, each version with who accepted it. The texts are literal.',
  );
  table(paper, {
    columns: [
      { title: 'Version', share: 10, right: true },
      { title: 'In force', share: 21 },
      { title: 'Accepted', share: 29 },
      { title: 'By', share: 26 },
      { title: 'Second person', share: 14 },
    ],
    rows: versions.map((one): readonly Text[] => [
      grouped(one.version),
      one.atStart && one.atEnd ? 'the whole period' : one.atStart ? 'at the start' : one.atEnd ? 'at the end' : 'within the period',
      `${one.howWords}, ${placedWords(one.index, one.atMs)}`,
      one.acceptedBy.length === 0 ? '–' : peopleWords(one.acceptedBy, names),
      one.secondPerson === 'yes' ? [{ text: 'Yes', tone: 'good' }] : one.secondPerson === 'no' ? [{ text: 'NO', tone: 'bad', face: 'strong' }] : [{ text: 'Cannot say', tone: 'wait' }],
    ]),
    empty: 'No policies were in force: every action was denied.',
  });
  // The newest are what a reader wants first.
  for (const one of versions.toReversed().slice(0, textsMax)) policy(paper, one, names);
  if (versions.length > textsMax)
    paper.put(`The texts of ${grouped(versions.length - textsMax)} older versions are in the folder policies/ of the package.`, { tone: 'soft' });
}

function policy(paper: Paper, one: PolicyVersion, names: Names): void {
  paper.heading(`Version ${one.version}`);
  pairs(paper, [
    ...acceptance(one, names),
    {
      label: 'Digest',
      text: [
        { text: one.digest ?? 'not known', face: 'mono' },
        one.digestHolds === 'yes' ? { text: '  The text below has it.', tone: 'good' } : one.digestHolds === 'no' ? { text: '  The text below does NOT have it.', tone: 'bad', face: 'strong' } : '  It cannot be compared.',
      ],
    },
  ]);
  if (one.changes.length > 0) {
    paper.put('What changed', { face: 'strong', tone: 'soft', after: 3 });
    bullets(paper, one.changes.slice(0, changesMax));
  }
  if (one.texts === null) return note(paper, 'The store has the text of this version no more.', 'wait');
  for (const { file, text } of one.texts) {
    paper.put(file, { face: 'strong', after: 3 });
    literal(paper, text);
  }
}

export function roster(paper: Paper, evidence: Evidence): void {
  const { roster: all } = evidence;
  const names = namesOf(evidence);
  paper.section('People: roster, changes, leavers', 'Who was known to the gate and with what rights, at both ends of the period and in between.');
  for (const [title, at] of [
    ['At the start of the period', all.start],
    ['At the end of the period', all.end],
  ] as const) {
    paper.heading(title);
    if (at === null) paper.put('There was no roster.', { tone: 'soft', face: 'soft' });
    else rosterAt(paper, at);
  }
  paper.heading('Changes');
  table(paper, {
    columns: [
      { title: 'When', share: 25 },
      { title: 'What', share: 40, linesMax: 12 },
      { title: 'Accepted', share: 35 },
    ],
    rows: all.changes.map((one) => [
      placedWords(one.index, one.atMs),
      one.lines.join('\n'),
      `${one.howWords}${one.acceptedBy.length === 0 ? '' : `: ${peopleWords(one.acceptedBy, names)}`}`,
    ]),
    empty: 'The roster did not change.',
  });
  paper.heading('Leavers');
  table(paper, {
    columns: [
      { title: 'Who', share: 22 },
      { title: 'How and when', share: 28 },
      { title: 'Did something afterwards', share: 27 },
      { title: 'Still owned', share: 23 },
    ],
    rows: all.leavers.map((one): readonly Text[] => [
      `${one.name} (${one.person})`,
      `${one.how === 'left' ? 'left' : 'was deactivated'}, ${placedWords(one.index, one.atMs)}${one.backIndex === null ? '' : `; back with ${entryWords(one.backIndex)}`}`,
      one.actedAfter.length > 0
        ? [{ text: `YES: ${entriesWords(one.actedAfter)}`, tone: 'bad', face: 'strong' }]
        : [{ text: 'No', tone: 'good' }, one.refusedAfter > 0 ? `; ${grouped(one.refusedAfter)} refused` : ''],
      one.stillOwns.length === 0 ? 'no agent' : one.stillOwns.join(', '),
    ]),
    empty: 'Nobody left.',
  });
  if (all.claimed.length === 0) return;
  paper.heading('Groups that an identity provider claims');
  table(paper, {
    columns: [
      { title: 'When', share: 30 },
      { title: 'What', share: 70 },
    ],
    rows: all.claimed.map((one) => [placedWords(one.index, one.atMs), one.text]),
    empty: '',
  });
}

function rosterAt(paper: Paper, at: RosterAt): void {
  table(paper, {
    columns: [
      { title: 'Person', share: 32 },
      { title: 'Groups', share: 50 },
      { title: 'Active', share: 18 },
    ],
    rows: at.people.map((one): readonly Text[] => [`${one.name} (${one.person})`, one.groups.join(', ') || '–', one.active ? 'yes' : [{ text: 'no', tone: 'soft' }]]),
    empty: 'Nobody.',
  });
  paper.put(`Operators: ${at.operators ?? 'no group'}. Auditors: ${at.auditors ?? 'no group'}. Accept changes of the configuration: ${at.admins}.`, { tone: 'soft' });
}

export function access(paper: Paper, evidence: Evidence): void {
  const { access: review, reviewers } = evidence;
  paper.section(
    'Access review: who could approve, who did',
    review.from === 'policies'
      ? 'What each person could approve by the policies in force at the end of the period, and what they did within it.'
      : 'What each person was asked to approve within the period; the policies in force at its end cannot be read any more.',
  );
  table(paper, {
    columns: [
      { title: 'Person', share: 23 },
      { title: 'Could approve', share: 37, linesMax: 8 },
      { title: 'Asked', share: 8, right: true },
      { title: 'Appr.', share: 8, right: true },
      { title: 'Denied', share: 9, right: true },
      { title: 'Last', share: 15 },
    ],
    rows: review.rows.map((one): readonly Text[] => [
      [`${one.name} (${one.person})`, one.active ? '' : { text: ' inactive', tone: 'soft' }, one.operator ? { text: ' operator', tone: 'accent' } : '', one.auditor ? { text: ' auditor', tone: 'accent' } : '', one.admin ? { text: ' admin', tone: 'accent' } : ''],
      one.could.length === 0 ? '–' : one.could.map((could) => `${could.title} (as ${could.group})`).join('\n'),
      grouped(one.asked),
      grouped(one.approved),
      grouped(one.denied),
      one.never ? [{ text: 'never', tone: 'wait' }] : one.lastMs === null ? '–' : moment(one.lastMs).slice(0, 10),
    ]),
    empty: 'Nobody could approve anything.',
  });
  const never = review.rows.filter((one) => one.never);
  if (never.length > 0)
    note(paper, `Could approve and never did: ${listed(never.slice(0, 20).map((one) => one.name))}${never.length > 20 ? ` and ${grouped(never.length - 20)} more` : ''}.`, 'wait');
  for (const one of review.thin)
    note(paper, `${one.id} wants ${grouped(one.quorum)} of ${one.group}, which has ${grouped(one.people)} active. Whatever it holds is denied.`, 'bad');
  paper.heading('Reviewers: time to decide');
  table(paper, {
    columns: [
      { title: 'Reviewer', share: 32 },
      { title: 'Approved', share: 13, right: true },
      { title: 'Denied', share: 12, right: true },
      { title: 'Median', share: 14, right: true },
      { title: '90 %', share: 14, right: true },
      { title: `Under ${fastMs / 1000} s`, share: 15, right: true },
    ],
    rows: reviewers.map((one): readonly Text[] => [
      `${one.name} (${one.person})`,
      grouped(one.approved),
      grouped(one.denied),
      took(one.medianMs),
      took(one.ninetiethMs),
      one.fast === 0 ? '0' : [{ text: grouped(one.fast), tone: 'wait', face: 'strong' }],
    ]),
    empty: 'Nobody reviewed anything.',
  });
  paper.put('Time from the opening of the approval to the review. An approval in a few seconds may not have been read; each is an exception.', { tone: 'soft' });
}
