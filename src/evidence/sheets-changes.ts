/** Policy-and-roster-changes.xlsx: what changed of rules and people, who accepted it, who left, who could approve and who did. */
import type { AcceptedBy } from '../core/evidence/model-sections.ts';
import type { Evidence } from '../core/evidence/model.ts';
import { about, when, yes } from './sheets.ts';
import { namesOf, peopleWords, type Names } from './words.ts';
import type { CellValue, Sheet, SheetColumn } from './workbook.ts';

const accepted = (one: AcceptedBy, names: Names): readonly CellValue[] => [
  when(one.atMs),
  one.index,
  one.howWords,
  one.proposedBy === null ? null : names(one.proposedBy),
  one.acceptedBy.length === 0 ? null : peopleWords(one.acceptedBy, names),
  one.secondPerson,
  one.approval,
];

const acceptedColumns: readonly SheetColumn[] = [
  { title: 'Accepted at (UTC)', width: 19 },
  { title: 'Entry', width: 9 },
  { title: 'How', width: 26 },
  { title: 'Changed by', width: 24 },
  { title: 'Accepted by', width: 30 },
  { title: 'Second person', width: 10 },
  { title: 'Approval', width: 32 },
];

const policySheet = ({ policies }: Evidence, names: Names): Sheet => ({
  name: 'Policies',
  columns: [
    { title: 'Version', width: 9 },
    { title: 'In force at the start', width: 10 },
    { title: 'In force at the end', width: 10 },
    ...acceptedColumns,
    { title: 'Digest', width: 30 },
    { title: 'Text has that digest', width: 10 },
    { title: 'Name in verdicts (“Policy digest” of the population)', width: 30 },
    { title: 'What changed', width: 80 },
  ],
  rows: policies.map((one) => [
    one.version,
    yes(one.atStart),
    yes(one.atEnd),
    ...accepted(one, names),
    one.digest,
    one.digestHolds,
    one.set,
    one.changes.join('\n'),
  ]),
});

const rosterChangeSheet = ({ roster }: Evidence, names: Names): Sheet => ({
  name: 'Roster changes',
  columns: [{ title: 'Version', width: 9 }, ...acceptedColumns, { title: 'What changed', width: 90 }],
  rows: roster.changes.map((one) => [one.version, ...accepted(one, names), one.lines.join('\n')]),
});

const rosterSheet = ({ roster }: Evidence): Sheet => ({
  name: 'Roster',
  columns: [
    { title: 'At', width: 8 },
    { title: 'Person', width: 18 },
    { title: 'Name', width: 28 },
    { title: 'Groups', width: 60 },
    { title: 'Active', width: 8 },
  ],
  rows: (
    [
      ['start', roster.start],
      ['end', roster.end],
    ] as const
  ).flatMap(([which, at]) =>
    (at?.people ?? []).map((one): readonly CellValue[] => [
      which,
      one.person,
      one.name,
      one.groups.join(', '),
      yes(one.active),
    ]),
  ),
});

const leaverSheet = ({ roster }: Evidence): Sheet => ({
  name: 'Leavers',
  columns: [
    { title: 'Person', width: 18 },
    { title: 'Name', width: 26 },
    { title: 'How', width: 14 },
    { title: 'At (UTC)', width: 19 },
    { title: 'Entry', width: 9 },
    { title: 'Back with entry', width: 9 },
    { title: 'Entries of theirs afterwards', width: 30 },
    { title: 'Refused afterwards', width: 10 },
    { title: 'Agents still owned', width: 30 },
  ],
  rows: roster.leavers.map((one) => [
    one.person,
    one.name,
    one.how,
    { atMs: one.atMs },
    one.index,
    one.backIndex,
    one.actedAfter.join(', '),
    one.refusedAfter,
    one.stillOwns.join(', '),
  ]),
});

const accessSheet = ({ access }: Evidence): Sheet => ({
  name: 'Access review',
  columns: [
    { title: 'Person', width: 18 },
    { title: 'Name', width: 26 },
    { title: 'Could approve', width: 70 },
    { title: 'Operator', width: 9 },
    { title: 'Auditor', width: 9 },
    { title: 'Accepts changes', width: 9 },
    { title: 'Opens break-glass', width: 9 },
    { title: 'Asked', width: 8 },
    { title: 'Approved', width: 9 },
    { title: 'Denied', width: 8 },
    { title: 'Last (UTC)', width: 19 },
    { title: 'Could and never did', width: 10 },
  ],
  rows: access.rows.map((one) => [
    one.person,
    one.name,
    one.could.map((could) => `${could.title} (as ${could.group})`).join('; '),
    yes(one.operator),
    yes(one.auditor),
    yes(one.admin),
    yes(one.glass),
    one.asked,
    one.approved,
    one.denied,
    when(one.lastMs),
    yes(one.never),
  ]),
});

const toolSheet = ({ scope }: Evidence): Sheet => ({
  name: 'Tools',
  columns: [
    { title: 'At (UTC)', width: 19 },
    { title: 'Entry', width: 9 },
    { title: 'Tool', width: 40 },
    { title: 'What', width: 14 },
    { title: 'By', width: 24 },
    { title: 'Hash', width: 34 },
  ],
  rows: scope.tools.map((one) => [{ atMs: one.atMs }, one.index, one.operation, one.event, one.by, one.hash]),
});

/** Policy-and-roster-changes.xlsx. */
export function changeSheets(evidence: Evidence): readonly Sheet[] {
  const names = namesOf(evidence);
  return [
    policySheet(evidence, names),
    rosterChangeSheet(evidence, names),
    rosterSheet(evidence),
    leaverSheet(evidence),
    accessSheet(evidence),
    toolSheet(evidence),
    about(evidence, 'Policies', evidence.policies.length),
  ];
}
