/** What a verification says, in plain words: what was looked at, what that shows, and what it does not. */
import { clock, counted, grouped, listed } from '../core/render/shown.ts';
import { visibleLine } from '../core/visible.ts';
import type { Problem } from '../log/verify/problem.ts';
import type { RangeReport } from '../log/verify/range.ts';
import type { Shown } from '../log/verify/receipt.ts';
import type { WholeReport } from '../log/verify/whole.ts';
import type { Paint } from './io.ts';

/** Problems that are listed; `--json` has a hundred. */
const listedMax = 12;
const width = 13;

const columns = 100;

/** A name and a text beside it, over as many lines as it takes. */
function row(name: string, text: string, paint: Paint): string {
  const lines: string[] = [];
  for (const word of visibleLine(text).split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length + 1 > columns - width - 2) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines
    .map((line, at) => `  ${at === 0 ? paint.soft(name.padEnd(width)) : ' '.repeat(width)}${line}`)
    .join('\n');
}

/** Without keys from elsewhere. */
export const ownKeys =
  'taken from the log itself: this shows that it is whole, not whose it is (give yours with --key)';

/** Whether all is well: nothing is wrong, and nothing was found. */
export const isWhole = (report: Pick<WholeReport, 'problemCount'>): boolean => report.problemCount === 0;

export function wholeLines(report: WholeReport, paint: Paint): readonly string[] {
  const { size, checkpoints, lives, erased, beyond } = report;
  const { kept, held, witnessed, stamped } = checkpoints;
  const rows: (readonly [string, string])[] = [
    [
      'entries',
      `${counted(size, 'entry', 'entries')}${between(report)}, from 0 to ${grouped(Math.max(0, size - 1))}`,
    ],
    ['signatures', signatureText(report)],
    [
      'checkpoints',
      `${counted(kept, 'checkpoint')} that the log has kept${held === 0 ? '' : `, and ${held} of yours`}${stamped === null ? '' : `; time stamps up to ${grouped(stamped.size)}, by a certificate that nobody checked: CN ${stamped.by}`}`,
    ],
    [
      'witnesses',
      witnessed === null
        ? 'none: a log that was rewritten as a whole, with its keys, would look the same; a checkpoint that you kept earlier (--checkpoint) or a witness (--witness) shows that'
        : `${listed(witnessed.by)} cosigned up to ${grouped(witnessed.size)}, at ${clock(witnessed.atMs)}`,
    ],
    ['keys', report.trust === 'given' ? 'yours' : ownKeys],
    [
      'runs',
      `${counted(lives.executions, 'run')}${lives.unseen === 0 ? '' : `; of ${lives.unseen} actions the beginning was erased, so that nothing is said of them`}`,
    ],
    ...(erased === 0
      ? []
      : ([
          ['erased', `${counted(erased, 'payload')}, each named by a later entry; their proofs hold`],
        ] as const)),
    ...(beyond === 0
      ? []
      : ([
          [
            'not yet',
            `${counted(beyond, 'entry', 'entries')} behind the newest checkpoint: their chain holds, no signature covers them yet`,
          ],
        ] as const)),
  ];
  return [
    ...verdict(report, paint, `The log of ${report.origin} in ${report.place} is whole.`),
    '',
    ...rows.map(([name, text]) =>
      row(name, isWhole(report) || name !== 'erased' ? text : counted(erased, 'payload'), paint),
    ),
    row('root', report.root, paint),
    ...report.warnings.map((text) => row('note', text, paint)),
  ];
}

export function rangeLines(report: RangeReport, paint: Paint): readonly string[] {
  const { from, to, size } = report;
  return [
    ...verdict(
      report,
      paint,
      `The entries from ${grouped(from)} to ${grouped(to)} are those of the log of ${report.origin} in ${report.place}.`,
    ),
    '',
    row(
      'entries',
      `${counted(to - from + 1, 'entry', 'entries')}${between(report)}, of ${grouped(size)}`,
      paint,
    ),
    row('signatures', signatureText(report), paint),
    row('keys', report.trust === 'given' ? 'yours' : ownKeys, paint),
    row(
      'not seen',
      'whether entries outside are whole, and what became of each action (leave out --from and --to)',
      paint,
    ),
    row('root', report.root, paint),
    ...report.warnings.map((text) => row('note', text, paint)),
  ];
}

const between = ({ firstAtMs, lastAtMs }: Pick<WholeReport, 'firstAtMs' | 'lastAtMs'>): string =>
  firstAtMs === null || lastAtMs === null ? '' : `, ${clock(firstAtMs)} to ${clock(lastAtMs)}`;

function signatureText({ signatures, erased }: Pick<WholeReport, 'signatures' | 'erased'>): string {
  const { verified, of } = signatures;
  if (verified === 0) return 'of the entries: not looked at (--signatures all)';
  if (verified + erased >= of)
    return erased === 0
      ? 'all of them verify'
      : `all of them verify, but for ${counted(erased, 'erased payload')}`;
  return `${grouped(verified)} of them, chosen at random, verify; the tree commits to all (--signatures all looks at each)`;
}

function verdict(
  report: Pick<WholeReport, 'problems' | 'problemCount' | 'origin' | 'place'>,
  paint: Paint,
  whole: string,
): readonly string[] {
  if (isWhole(report)) return [`${paint.good('OK')} ${visibleLine(whole)}`];
  const { problems, problemCount } = report;
  const findings = problems.every((one) => one.code === 'finding');
  const [first] = problems;
  const where = first?.index == null ? '' : ` The first is at entry ${first.index}.`;
  const what = findings
    ? `The log of ${report.origin} in ${report.place} is whole, and tells of ${counted(problemCount, 'thing')} that should not have happened.`
    : `The log of ${report.origin} in ${report.place} is NOT whole: ${counted(problemCount, 'thing is', 'things are')} wrong.`;
  return [
    `${paint.bad(findings ? 'FINDINGS' : 'BROKEN')} ${visibleLine(what)}${where}`,
    '',
    ...problems.slice(0, listedMax).map((one) => problemLine(one, paint)),
    ...(problemCount > listedMax ? [`  … and ${grouped(problemCount - listedMax)} more`] : []),
  ];
}

const problemLine = ({ index, code, text }: Problem, paint: Paint): string =>
  `  ${paint.bad((index === null ? '' : String(index)).padStart(9))}  ${visibleLine(text)} ${paint.soft(`[${code}]`)}`;

/** @param what "receipt" or "proof". */
export function shownLines(shown: Shown, what: string, paint: Paint): readonly string[] {
  const { index, checkpoint, witnesses, facts, pae, keyId, action } = shown;
  return [
    `${paint.good('OK')} ${visibleLine(`This ${what} holds: it is entry ${grouped(index)} of the log of ${checkpoint.origin}.`)}`,
    '',
    ...(facts === null
      ? []
      : [
          row(
            'entry',
            `${facts.type}${facts.by === null ? '' : ` by ${facts.by}`}, ${clock(facts.atMs)}`,
            paint,
          ),
          ...(facts.action === null ? [] : [row('about', facts.action, paint)]),
        ]),
    row(
      'action',
      action ? 'the bytes that you gave are those of the action it is about' : 'not compared (--action FILE)',
      paint,
    ),
    row('checkpoint', `of ${grouped(checkpoint.size)} entries, signed by the log`, paint),
    row(
      'witnesses',
      witnesses.length === 0 ? 'none that you named cosigned it' : `${listed(witnesses)} cosigned it`,
      paint,
    ),
    ...(pae === null ? [] : [row('digest', pae, paint)]),
    ...(keyId === null ? [] : [row('signed by', keyId, paint)]),
  ];
}
