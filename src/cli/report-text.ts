/**
 * A report for a terminal of 80 columns: per operation and per day what was and would have been asked and denied, whom it
 * asks how often, and what to do next. Names that agents chose are escaped and cut; `--json` has them whole.
 */
import { denialsIn, type OperationReport, type Report, type Tally } from '../core/report.ts';
import { duration } from '../core/time.ts';
import { visibleLine } from '../core/visible.ts';
import type { Paint } from './io.ts';

export interface ReportLayout {
  readonly paint: Paint;
  /** Columns; between `widthMin` and `widthMax` are used. */
  readonly width: number;
}

const widthMin = 72;
const widthMax = 110;
/** Rows of one table; the rest is counted. */
const rowsMax = 30;
/** Operations whose days are listed. */
const dayRowsMax = 12;

const grouped = (count: number): string => String(count).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
const counted = (count: number, one: string, many = `${one}s`): string =>
  `${grouped(count)} ${count === 1 ? one : many}`;
const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const dayText = (day: string): string =>
  `${weekdays[new Date(`${day}T00:00:00Z`).getUTCDay()] ?? ''} ${day}`.trim();

/** Escaped, and cut to a number of columns. */
function cell(text: string, columns: number): string {
  const line = visibleLine(text);
  return (line.length > columns ? `${line.slice(0, columns - 1)}…` : line).padEnd(columns);
}

const right = (text: string, columns: number): string => text.padStart(columns);

/** The lines of a report. */
export function reportLines(
  report: Report & { readonly next: readonly string[] },
  { paint, width }: ReportLayout,
): readonly string[] {
  const columns = Math.max(widthMin, Math.min(widthMax, width));
  const table = { paint, columns };
  return [
    ...head(report, table),
    ...(report.total.actions === 0
      ? []
      : [
          ...operations(report, table),
          ...days(report, table),
          ...operationDays(report, table),
          ...who(report, table),
          ...denials(report, table),
          ...policies(report, table),
        ]),
    '',
    ...report.next.flatMap((one, index) => wrapped(`${index === 0 ? 'Next: ' : '      '}${one}`, columns, 6)),
  ];
}

interface Table {
  readonly paint: Paint;
  readonly columns: number;
}

function head({ from, to, timezone, agents, total }: Report, { paint, columns }: Table): readonly string[] {
  const time = (text: string): string => text.slice(0, 16).replace('T', ' ');
  const zone = timezone === 'UTC' ? '' : `; days are those of ${timezone}`;
  const observed =
    total.observed === 0
      ? ''
      : ` ${total.observed === total.actions ? 'All' : grouped(total.observed)} of them were only observed: they ran, whatever the verdict.`;
  const glass = total.glass === 0 ? '' : ` ${grouped(total.glass)} of them passed under BREAK-GLASS.`;
  return [
    paint.strong(`Report from ${time(from)} to ${time(to)} UTC${zone}`),
    ...wrapped(
      `${counted(total.actions, 'action')} of ${counted(agents, 'agent')}.${observed}${glass}`,
      columns,
      0,
    ),
  ];
}

/** Widths of the numbers: allowed, asked, would be asked, denied, would be denied. */
const numbers = [8, 7, 7, 8, 7] as const;
const tookColumns = 9;
const numbersWidth = numbers.reduce((sum, one) => sum + one, 0) + tookColumns;

const row = (tally: Tally, took: string): string =>
  [tally.allowed, tally.asked, tally.wouldAsk, denialsIn(tally.denied), denialsIn(tally.wouldDeny)]
    .map((count, index) => right(grouped(count), numbers[index] ?? 0))
    .join('') + right(took, tookColumns);

const heading = (title: string, columns: number, took: string): readonly string[] => [
  '',
  ' '.repeat(columns - numbersWidth + numbers[0]) + right('asked', 14) + right('denied', 15),
  cell(title, columns - numbersWidth) +
    ['allowed', 'was', 'would', 'was', 'would']
      .map((one, index) => right(one, numbers[index] ?? 0))
      .join('') +
    right(took, tookColumns),
];

/** The larger unit is enough to compare. */
const shortTime = (ms: number): string => duration(ms).split(' ').slice(0, 2).join(' ');

const nameOf = ({ operation }: OperationReport): string => operation ?? '(all others)';

function operations({ operations: all, total }: Report, { paint, columns }: Table): readonly string[] {
  const name = columns - numbersWidth;
  const tookOf = (one: { readonly took: OperationReport['took'] }): string =>
    one.took === null ? '–' : shortTime(one.took.medianMs);
  const { took, ends } = total;
  const endings = [
    [ends.approved, 'approved'],
    [ends.denied, 'denied'],
    [ends.expired, 'expired'],
    [ends.cancelled, 'cancelled'],
    [ends.changed, 'ended by a change'],
    [ends.pending, 'still waiting'],
  ] as const;
  const said = endings.filter(([count]) => count > 0).map(([count, what]) => `${grouped(count)} ${what}`);
  return [
    ...heading('OPERATION', columns, 'took').map(paint.soft),
    ...all.slice(0, rowsMax).map((one) => cell(nameOf(one), name) + row(one, tookOf(one))),
    ...(all.length > rowsMax ? [`${grouped(all.length - rowsMax)} more are in --json.`] : []),
    paint.strong(cell('all', name) + row(total, tookOf(total))),
    ...(total.asked === 0 ? [] : ['', ...wrapped(`What people were asked: ${said.join(', ')}.`, columns, 2)]),
    ...(took === null
      ? []
      : wrapped(
          `They took ${duration(took.medianMs)} at the median; nine of ten within ${duration(took.slowMs)}.`,
          columns,
          2,
        )),
  ];
}

function days({ days: all }: Report, { paint, columns }: Table): readonly string[] {
  const name = columns - numbersWidth;
  const expired = (count: number): string => (count === 0 ? '–' : grouped(count));
  return [
    ...heading('DAY', columns, 'expired').map(paint.soft),
    ...all.slice(-rowsMax).map((one) => cell(dayText(one.day), name) + row(one, expired(one.ends.expired))),
    ...(all.length > rowsMax ? [`${grouped(all.length - rowsMax)} earlier days are in --json.`] : []),
  ];
}

/** Each operation that asks people, with how often on which day. */
function operationDays(
  { operations: all, days: { length } }: Report,
  { paint, columns }: Table,
): readonly string[] {
  // Of one day the first table says it all.
  if (length < 2) return [];
  const asking = all.filter((one) => one.asked + one.wouldAsk > 0).slice(0, dayRowsMax);
  if (asking.length === 0) return [];
  const lines = asking.flatMap((one) => {
    const list = one.days
      .filter((day) => day.asked + day.wouldAsk > 0)
      .map((day) => `${day.day.slice(5)}: ${grouped(day.asked + day.wouldAsk)}`);
    return [cell(nameOf(one), columns).trimEnd(), ...wrapped(`  ${list.join(', ')}`, columns, 2)];
  });
  return ['', paint.soft('ASKED, OR WOULD BE, BY DAY'), ...lines];
}

function who({ groups, people }: Report, { paint, columns }: Table): readonly string[] {
  if (groups.length === 0) return [];
  const name = columns - 44;
  const title = cell('WHO IS ASKED, OR WOULD BE', name) + right('in all', 8) + right('a day', 9);
  return [
    '',
    paint.soft(`${title}   busiest day`),
    ...groups
      .slice(0, rowsMax)
      .map(
        (one) =>
          cell(`group ${one.group} (${counted(one.people, 'person', 'people')})`, name) +
          right(grouped(one.asked), 8),
      ),
    ...people
      .slice(0, rowsMax)
      .map(
        ({ person, asked, perDay, busiest }) =>
          cell(`  ${person}`, name) +
          right(grouped(asked), 8) +
          right(perDay.toFixed(1), 9) +
          `   ${grouped(busiest.asked)} on ${dayText(busiest.day)}`,
      ),
    ...(people.length > rowsMax ? [`${grouped(people.length - rowsMax)} more are in --json.`] : []),
    ...wrapped(
      'Each person counts who could decide; where one answer is enough, it settles it for all.',
      columns,
      2,
    ).map(paint.soft),
  ];
}

/** By code, with the operations that it met most. */
function denials({ operations: all, total }: Report, { paint, columns }: Table): readonly string[] {
  const codes = [
    ...new Set([...Object.keys(total.denied), ...Object.keys(total.wouldDeny)]),
  ] as readonly (keyof Tally['denied'])[]; // keys of ByCode
  if (codes.length === 0) return [];
  const lines = codes.flatMap((code) => {
    const [was, would] = [total.denied[code] ?? 0, total.wouldDeny[code] ?? 0];
    const met = (one: OperationReport): number => (one.denied[code] ?? 0) + (one.wouldDeny[code] ?? 0);
    const most = all
      .filter((one) => met(one) > 0)
      .toSorted((a, b) => met(b) - met(a))
      .slice(0, 3)
      .map((one) => `${cell(nameOf(one), 40).trimEnd()} (${grouped(met(one))})`);
    const counts = [
      ...(was > 0 ? [`${grouped(was)} denied`] : []),
      ...(would > 0 ? [`${grouped(would)} would be`] : []),
    ];
    return wrapped(`${code}: ${counts.join(', ')}; most of them ${most.join(', ')}`, columns, 2);
  });
  return ['', paint.soft('DENIED, OR WOULD BE, BY CODE'), ...lines];
}

function policies({ policies: all }: Report, { paint, columns }: Table): readonly string[] {
  if (all.length === 0) return [];
  const name = 26;
  return [
    '',
    paint.soft(`${cell('POLICY', name)}${right('asks', 8)}${right('denies', 8)}  title`),
    ...all
      .slice(0, rowsMax)
      .map(({ policy, title, asked, denied }) =>
        (
          cell(policy, name) +
          right(grouped(asked), 8) +
          right(grouped(denied), 8) +
          `  ${cell(title, columns - name - 18)}`
        ).trimEnd(),
      ),
  ];
}

/** Lines of at most so many columns, broken at spaces; those after the first begin further in. */
function wrapped(text: string, columns: number, hang: number): readonly string[] {
  const lines: string[] = [];
  const lead = /^ */.exec(text)?.[0] ?? '';
  let line = lead;
  for (const word of text.slice(lead.length).split(' ')) {
    const next = line.trim() === '' ? `${line}${word}` : `${line} ${word}`;
    if (next.length > columns && line.trim() !== '') {
      lines.push(line);
      line = `${' '.repeat(hang)}${word}`;
    } else line = next;
  }
  return [...lines, line];
}
