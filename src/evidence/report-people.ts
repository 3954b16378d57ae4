/** The report's pages about rules and people: policies with who accepted them, the roster and who left. */
import type { AcceptedBy, PolicyVersion, RosterAt } from '../core/evidence/model-sections.ts';
import type { Evidence } from '../core/evidence/model.ts';
import { diffLines } from '../core/render/diff.ts';
import { grouped } from '../core/render/shown.ts';
import { bullets, literal, note, pairs, table } from './blocks.ts';
import type { Text } from './flow.ts';
import type { Paper } from './paper.ts';
import { entriesWords, entryWords, moment, namesOf, peopleWords, placedWords, type Names } from './words.ts';

/** Policy texts that are set in the report whole; older versions are in the package's folder `policies/`. */
const textsMax = 3;
const changesMax = 40;

function acceptance(
  one: AcceptedBy,
  names: Names,
): readonly { readonly label: string; readonly text: Text }[] {
  return [
    {
      label: 'Accepted',
      text: [
        `${one.howWords}, ${placedWords(one.index, one.atMs)}`,
        one.approval === null ? '' : ` (approval ${one.approval})`,
      ],
    },
    {
      label: 'Changed by',
      text:
        one.proposedBy === null
          ? 'not known: it was found in the files of the configuration'
          : names(one.proposedBy),
    },
    {
      label: 'Accepted by',
      text: one.acceptedBy.length === 0 ? 'nobody was asked' : peopleWords(one.acceptedBy, names),
    },
    { label: 'Second person', text: secondText(one) },
  ];
}

function secondText({ secondPerson: second, proposedBy, acceptedBy }: AcceptedBy): Text {
  if (second === 'yes')
    return [
      { text: 'Yes', tone: 'good', face: 'strong' },
      proposedBy === null
        ? `: who made the change is not known, but of the ${acceptedBy.length} people who accepted it at most one can have`
        : ': somebody else than who made the change accepted it',
    ];
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
    rows: versions.map((one, at): readonly Text[] => [
      grouped(one.version),
      inForceWords(one, versions[at + 1]),
      `${one.howWords}, ${placedWords(one.index, one.atMs)}`,
      one.acceptedBy.length === 0 ? '–' : peopleWords(one.acceptedBy, names),
      one.secondPerson === 'yes'
        ? [{ text: 'Yes', tone: 'good' }]
        : one.secondPerson === 'no'
          ? [{ text: 'NO', tone: 'bad', face: 'strong' }]
          : [{ text: 'Cannot say', tone: 'wait' }],
    ]),
    empty: 'No policies were in force: every action was denied.',
  });
  // The newest are what a reader wants first.
  for (const one of versions.toReversed().slice(0, textsMax))
    policy(paper, one, { names, before: versions[versions.indexOf(one) - 1] });
  if (versions.length > textsMax)
    paper.put(
      `The texts of ${grouped(versions.length - textsMax)} older versions are in the folder policies/ of the package.`,
      { tone: 'soft' },
    );
}

/** "2026-10-03 09:12 to the end of the period". */
function inForceWords({ atStart, atEnd, atMs }: PolicyVersion, next: PolicyVersion | undefined): string {
  if (atStart && atEnd) return 'the whole period';
  const from = atStart ? 'the start of the period' : moment(atMs).slice(0, 16);
  const to = atEnd ? 'the end of the period' : moment(next?.atMs ?? null).slice(0, 16);
  return `${from} to ${to}`;
}

function policy(
  paper: Paper,
  one: PolicyVersion,
  { names, before }: { readonly names: Names; readonly before: PolicyVersion | undefined },
): void {
  paper.heading(`Version ${one.version}${one.atEnd ? ', in force at the end' : ''}`, 170);
  pairs(paper, [
    ...acceptance(one, names),
    {
      label: 'Digest',
      text: [
        { text: one.digest ?? 'not known', face: 'mono' },
        one.digestHolds === 'yes'
          ? { text: '  The text below has this digest.', tone: 'good' }
          : one.digestHolds === 'no'
            ? { text: '  The text below does NOT have this digest.', tone: 'bad', face: 'strong' }
            : '  It cannot be compared.',
      ],
    },
    ...(one.set === null
      ? []
      : [
          {
            label: 'In verdicts',
            text: [
              { text: one.set, face: 'mono' as const },
              {
                text: '  The name of this text in Population.xlsx, column “Policy digest”.',
                tone: 'soft' as const,
              },
            ],
          },
        ]),
  ]);
  if (one.changes.length > 0) {
    paper.put('What changed', { face: 'strong', tone: 'soft', after: 3 });
    bullets(paper, one.changes.slice(0, changesMax));
  }
  changedLines(paper, one, before);
  if (one.texts === null) return note(paper, 'The store has the text of this version no more.', 'wait');
  for (const { file, text } of one.texts) {
    paper.put(file, { face: 'strong', after: 3 });
    literal(paper, text);
  }
}

/** Lines of the texts that went and came; nothing where either text is not there. */
function changedLines(paper: Paper, { texts }: PolicyVersion, before: PolicyVersion | undefined): void {
  if (texts === null || before?.texts == null) return;
  const linesOf = (of: NonNullable<PolicyVersion['texts']>): readonly string[] =>
    of.flatMap(({ text }) => text.split('\n')).filter((text) => text.trim() !== '');
  const rows =
    diffLines(linesOf(before.texts), linesOf(texts))?.filter(
      ({ kind }) => kind === 'gone' || kind === 'new',
    ) ?? [];
  if (rows.length === 0) return;
  paper.put(`Lines that went (-) and came (+), against version ${before.version}`, {
    face: 'strong',
    tone: 'soft',
    after: 3,
  });
  const shown = rows.slice(0, changesMax).map(({ kind, text }) => `${kind === 'gone' ? '-' : '+'} ${text}`);
  literal(paper, shown.join('\n'));
  if (rows.length > changesMax)
    paper.put(`${grouped(rows.length - changesMax)} more lines differ.`, { tone: 'soft' });
}

export function roster(paper: Paper, evidence: Evidence): void {
  const { roster: all } = evidence;
  const names = namesOf(evidence);
  paper.section(
    'People: roster, changes, leavers',
    'Who was known to the gate and with what rights, at both ends of the period and in between.',
  );
  for (const [title, at] of [
    ['At the start of the period', all.start],
    ['At the end of the period', all.end],
  ] as const) {
    paper.heading(title);
    if (at === null)
      paper.put(
        evidence.log.from === 0
          ? 'Nobody: the log begins in this period.'
          : 'It is not known: the store has that version no more.',
        { tone: 'soft', face: 'soft' },
      );
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
        : [
            { text: 'No', tone: 'good' },
            one.refusedAfter > 0 ? `; ${grouped(one.refusedAfter)} refused` : '',
          ],
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
    rows: at.people.map((one): readonly Text[] => [
      `${one.name} (${one.person})`,
      one.groups.join(', ') || '–',
      one.active ? 'yes' : [{ text: 'no', tone: 'soft' }],
    ]),
    empty: 'Nobody.',
  });
  paper.put(
    `Operators: ${at.operators ?? 'no group'}. Auditors: ${at.auditors ?? 'no group'}. Accept changes of who may do what: ${at.admins}. Open a break-glass: ${at.breakGlass}.`,
    { tone: 'soft' },
  );
}
