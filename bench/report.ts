/** The report: a table on the terminal, the same as Markdown, and everything as JSON. Ratios first. */
import { mkdirSync, writeFileSync } from 'node:fs';
import type { Machine } from './machine.ts';
import type { Table } from './measurement.ts';
import type { Comparison, Summary } from './stats.ts';

export interface Report {
  readonly at: string;
  readonly name: string;
  readonly rounds: number;
  readonly tookSeconds: number;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly method: readonly string[];
  readonly tables: readonly Table[];
  /** What could not be measured, and why. */
  readonly missing: readonly string[];
}

/** Three digits that mean something. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString('en');
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 3);
}

const spread = ({ ratios }: Comparison): string =>
  `${figure(Math.min(...ratios))} to ${figure(Math.max(...ratios))}`;

const added = ({ added: by }: Comparison, unit: string): string =>
  unit === '/s' ? '' : `${by >= 0 ? '+' : ''}${figure(by)} ${unit}`;

const comparisonRows = (table: Table): readonly (readonly string[])[] =>
  table.comparisons.map((one) => [one.of, one.to, figure(one.ratio), spread(one), added(one, table.unit)]);

/** Where a slice is one number, its percentiles say nothing. */
const variantRow = (one: Summary, unit: string): readonly string[] =>
  one.samples === one.slices
    ? [one.name, `${figure(one.p50)} ${unit}`, '', '', `${one.slices} slices`]
    : [
        one.name,
        `${figure(one.p50)} ${unit}`,
        figure(one.p95),
        figure(one.p99),
        `${one.samples} in ${one.slices}`,
      ];

const comparisonHead = ['what', 'against', 'ratio', 'slices', 'difference'] as const;
const variantHead = ['', 'p50', 'p95', 'p99', 'samples'] as const;

export function markdown(report: Report): string {
  const { machine, versions } = report;
  const lines = [
    `# Measurements, ${report.at.slice(0, 10)}${report.name === '' ? '' : `: ${report.name}`}`,
    '',
    `${report.rounds} interleaved rounds in ${Math.round(report.tookSeconds)} s. Read the ratios; absolute figures are this machine's.`,
    '',
    `- Machine: ${machine.cores} cores, ${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.platform}, kernel ${machine.kernel}, ${machine.fileSystem}; load of the minute before: ${machine.loadBefore.toFixed(1)}`,
    `- Versions: ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}`,
    ...report.method.map((each) => `- ${each}`),
    ...report.missing.map((each) => `- **Not measured**: ${each}`),
    '',
    '## Goals',
    '',
    ...goalLines(report),
  ];
  for (const table of report.tables) {
    lines.push('', `## ${table.title}`, '', table.method, '');
    if (table.comparisons.length > 0) lines.push(...markdownTable(comparisonHead, comparisonRows(table)), '');
    lines.push(
      ...markdownTable(
        variantHead,
        table.variants.map((one) => variantRow(one, table.unit)),
      ),
    );
    if (table.notes.length > 0) lines.push('', ...table.notes.map((note) => `- ${note}`));
  }
  return `${lines.join('\n')}\n`;
}

const goalLines = (report: Report): readonly string[] => {
  const goals = report.tables.flatMap((table) =>
    table.goals.map((goal) => ({ ...goal, title: table.title })),
  );
  return goals.map(({ text, met, title }) => `- ${met ? 'met' : '**missed**'}: ${text} (${title})`);
};

const markdownTable = (head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] => [
  `| ${head.join(' | ')} |`,
  `|${head.map(() => '---').join('|')}|`,
  ...rows.map((row) => `| ${row.join(' | ')} |`),
];

/** For a terminal: columns with spaces between them. */
export function plain(report: Report): string {
  const lines: string[] = [];
  for (const table of report.tables) {
    lines.push('', table.title);
    if (table.comparisons.length > 0) lines.push(...columns([comparisonHead, ...comparisonRows(table)]));
    lines.push(...columns([variantHead, ...table.variants.map((one) => variantRow(one, table.unit))]));
    lines.push(...table.notes.map((note) => `  ${note}`));
  }
  const goals = goalLines(report).map((line) => line.replaceAll('**', ''));
  return [...lines, '', 'Goals', ...goals, ...report.missing.map((each) => `- not measured: ${each}`)].join(
    '\n',
  );
}

function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) => `  ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')}`.trimEnd());
}

/** Writes both forms; answers their names. */
export function save(report: Report): readonly string[] {
  const folder = new URL('./results/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  const base = `${report.at.slice(0, 10)}-${report.name}`;
  writeFileSync(new URL(`${base}.json`, folder), `${JSON.stringify(report, rounded, 2)}\n`);
  writeFileSync(new URL(`${base}.md`, folder), markdown(report));
  return [`bench/results/${base}.json`, `bench/results/${base}.md`];
}

/** Six digits are more than any of these numbers has. */
const rounded = (_key: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
