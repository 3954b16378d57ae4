/** The report's last pages: controls, what targets recorded, what is not shown, the proofs and how to check them, other frameworks. */
import type { Evidence } from '../core/evidence/model.ts';
import { counted, grouped } from '../core/render/shown.ts';
import { bullets, literal, note, pairs, table } from './blocks.ts';
import type { Text } from './flow.ts';
import type { Embedded, Paper } from './paper.ts';
import { findingTone, findingWords, moment, placedWords, tierWords } from './words.ts';

export function controls(paper: Paper, { controls: all }: Evidence): void {
  paper.section(
    'Controls',
    'Trust Services Criteria of SOC 2 that this evidence speaks to, and what it found. “Cannot say” means that something it rests on is not known. Whether a control is met is the auditor’s judgement.',
  );
  table(paper, {
    columns: [
      { title: 'Control', share: 13 },
      { title: 'What the gate does', share: 25, linesMax: 12 },
      { title: 'Found', share: 12 },
      { title: 'Numbers and exceptions', share: 32, linesMax: 16 },
      { title: 'Sections', share: 18, linesMax: 8 },
    ],
    rows: all.map((one): readonly Text[] => [
      [{ text: one.id, face: 'strong' }],
      one.statement,
      [{ text: findingWords[one.finding], face: 'strong', tone: findingTone[one.finding] }],
      one.exceptions.length === 0
        ? one.result
        : `${one.result} Exceptions: ${one.exceptions.slice(0, 5).map(briefName).join(', ')}${one.exceptions.length > 5 ? ' …' : ''}`,
      one.evidencedBy.join(', '),
    ]),
    empty: 'None.',
  });
}

/** Of a name that ends with a random id the first of it: the section of exceptions has it whole. */
const briefName = (name: string): string => name.replace(/(_[0-9a-z]{6})[0-9a-z]{12,}$/, '$1…');

/** A time as an entry says it, where it is one. */
const saidTime = (text: string): string => {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? text : moment(ms).slice(0, 16);
};

export function reconciliations(paper: Paper, { reconciliations: all }: Evidence): void {
  paper.section(
    'Compared with what targets recorded',
    'A log of a gate cannot show by itself that nothing went around the gate. Where the records of the systems behind it were imported, they were compared row by row.',
  );
  if (all.length === 0)
    note(
      paper,
      'Nothing was compared in this period. That nothing happened outside the gate rests on the set-up of networks and credentials alone.',
      'wait',
    );
  table(paper, {
    columns: [
      { title: 'Record', share: 33 },
      { title: 'Time of it (UTC)', share: 19 },
      { title: 'In both', share: 10, right: true },
      { title: 'Gate only', share: 11, right: true },
      { title: 'Target only', share: 12, right: true },
      { title: 'Recorded', share: 15 },
    ],
    rows: all.map((one): readonly Text[] => [
      [
        `${one.source}, SHA-256 ${one.file.slice(0, 16)}…, by ${one.by}`,
        { text: ` (${one.id})`, tone: 'soft' },
      ],
      `${saidTime(one.from)} to ${saidTime(one.to)}`,
      grouped(one.matched),
      grouped(one.gateOnly),
      one.targetOnly === 0 ? '0' : [{ text: grouped(one.targetOnly), tone: 'bad', face: 'strong' }],
      placedWords(one.index, one.atMs),
    ]),
    empty: 'No record of a target was imported.',
  });
  if (all.length > 0)
    paper.put(
      '“Target only” is what the target did and the gate knows nothing of: it happened outside the gate. “Gate only” is what the gate let run and the target’s record does not have: it ran elsewhere, not at all, or was not recorded. The rows themselves are on the gate’s page /reconciliations, under the id of the record; the log has their numbers and the digest of the record.',
      { tone: 'soft' },
    );
}

export function notCovered(paper: Paper, { notCovered: all, log }: Evidence): void {
  paper.section('What this does not show', 'Of this period, and of this gate.');
  bullets(paper, all);
  paper.put('And what no log can show', { face: 'strong', tone: 'soft', after: 4 });
  bullets(paper, [
    'Whether what an agent said of itself was true: its stated reasons are marked as its own words.',
    'Why a model wanted an action.',
    'Whether a gate whose machine had been taken over wrote what happened.',
    log.tier === 'witnessed'
      ? 'What happened between the newest countersigned state and now.'
      : 'Whether the operator replaced the whole log before anybody outside had seen it: to exclude that takes a witness.',
  ]);
}

export function proofs(paper: Paper, evidence: Evidence, files: readonly Embedded[]): void {
  const { log } = evidence;
  const tier = tierWords[log.tier];
  paper.section(
    'The log, its keys, and how to check this',
    'With these lines, and without this system, anybody can check that the report rests on the log that was signed.',
  );
  pairs(paper, [
    {
      label: 'Log',
      text: `${log.origin ?? 'no origin'}: entries ${grouped(log.from)} to ${grouped(log.to)}`,
    },
    {
      label: 'Strength',
      text: `${tier.title}${log.tier === 'witnessed' ? '' : `; to be “witnessed” it takes ${counted(Math.max(1, log.quorum), 'witness', 'witnesses')}`}. ${tier.text}`,
    },
    ...(log.headBefore === null
      ? []
      : [{ label: 'Hash chain before', text: [{ text: log.headBefore, face: 'mono' as const }] }]),
    ...(log.headAfter === null
      ? []
      : [{ label: 'Hash chain after', text: [{ text: log.headAfter, face: 'mono' as const }] }]),
  ]);
  paper.heading('Keys');
  table(paper, {
    columns: [
      { title: 'Key', share: 34, mono: true },
      { title: 'Signs', share: 22 },
      { title: 'From', share: 26 },
      { title: 'To', share: 18 },
    ],
    rows: log.keys.map((one) => [
      one.id.slice(0, 32),
      one.use === 'log' ? `checkpoints of ${one.origin ?? 'the log'}` : 'entries and documents',
      `${moment(one.begunAtMs)}, at ${counted(one.begunAt, 'entry', 'entries')}`,
      one.endedAtMs === null ? 'still' : moment(one.endedAtMs),
    ]),
    empty: 'No key has signed anything yet.',
  });
  for (const [title, checkpoint] of [
    ['Signed state at the start', log.start],
    ['Signed state at the end', log.end],
  ] as const) {
    paper.heading(title);
    if (checkpoint === null) paper.put('None.', { tone: 'soft', face: 'soft' });
    else literal(paper, checkpoint.note.trimEnd());
  }
  paper.heading('Files embedded in this document');
  table(paper, {
    columns: [
      { title: 'File', share: 42, mono: true },
      { title: 'What it is', share: 44 },
      { title: 'Bytes', share: 14, right: true },
    ],
    rows: files.map((one) => [one.name, one.says, grouped(one.bytes.length)]),
    empty: 'None.',
  });
  paper.heading('How to check this');
  for (const [says, command] of checking(
    log.keys.find((one) => one.use === 'receipt')?.id.slice(0, 16) ?? null,
  )) {
    paper.put(says, { after: 3 });
    if (command !== null) literal(paper, command);
  }
  paper.put(
    'VERIFY.txt in the package has the commands, one for each thing that can be checked. manifest.json names every file with its SHA-256, and manifest.dsse.json is its signature.',
    { tone: 'soft' },
  );
}

/** What anybody can check in the folder of the package, and with what; the commands are in VERIFY.txt as well. */
const checking = (
  receiptKey: string | null,
): readonly (readonly [says: string, command: string | null])[] => [
  ['1. No file of the package was changed:', 'sha256sum -c SHA256SUMS'],
  [
    '2. The proofs embedded in this PDF are those of the folder proofs/:',
    'mkdir found && pdfdetach -saveall -o found 00-Report.pdf && diff -r found proofs',
  ],
  [
    `3. The list of files was signed with the key ${receiptKey === null ? 'of the log' : `proofs/receipt-key-${receiptKey}.pem`}, and each receipt of a sample is in the log: VERIFY.txt, steps 2 and 3, with openssl, cosign or the verifier of this product. Compare the keys with those that you were given another way: a key that comes only with what it signs proves nothing.`,
    null,
  ],
  [
    '4. The population is complete: have the operator export the log, or read its tiles; verify the export against the signed state above, and count the entries “action.asked” between the first and the last index. There must be as many as rows.',
    null,
  ],
];

export function suggested(paper: Paper, { suggested: all }: Evidence): void {
  paper.section('Appendix: other frameworks (suggested)', [
    { text: 'Suggested, and no statement of conformity: ', face: 'strong', tone: 'wait' },
    'clauses of other frameworks to which the same evidence may speak.',
  ]);
  table(paper, {
    columns: [
      { title: 'Framework', share: 22 },
      { title: 'Clause', share: 18 },
      { title: 'What', share: 38 },
      { title: 'Sections', share: 22 },
    ],
    rows: all.map((one) => [one.framework, one.clause, one.what, one.evidencedBy.join(', ')]),
    empty: 'None.',
  });
}
