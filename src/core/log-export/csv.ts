/**
 * Rows of the log as CSV (RFC 4180), UTF-8, made to be opened in a spreadsheet by whoever is handed it. A cell that a spreadsheet
 * would take for a formula begins with an apostrophe, and so does what stands after a semicolon, so that nothing an agent wrote is
 * ever run (OWASP, CSV injection); characters that hide or turn text around are shown or escaped.
 */
import { line } from '../render/shown.ts';
import { visible } from '../visible.ts';
import type { LogRow } from './row.ts';

/** The columns, in their order; later ones are added at the end. */
export const csvColumns = [
  'index',
  'time',
  'type',
  'sentence',
  'by_kind',
  'by_id',
  'by_name',
  'agent',
  'operation',
  'resource_type',
  'resource_id',
  'verdict',
  'policies',
  'action',
  'approval',
  'execution',
  'erased',
  'data',
  'digest',
] as const;

/** `=`, `+`, `-`, `@`, their full-width forms, tab and line breaks: what a spreadsheet may take for the beginning of a formula. */
const formula = /^\s*[=+\-@＝＋－＠]|^[\t\r\n]/;

/** The same after what other spreadsheets divide cells by, whatever stands around them: in much of the world that is a semicolon. */
const formulaWithin = /([;\t][\s"]*)(?=[=+\-@＝＋－＠])/g;

/** One cell, quoted where it must be. */
export function csvCell(text: string): string {
  const safe = (formula.test(text) ? `'${text}` : text).replace(formulaWithin, "$1'");
  return /[",\r\n]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const row = (cells: readonly string[]): string => `${cells.map(csvCell).join(',')}\r\n`;

/** The first line. */
export const csvHead = (): string => row(csvColumns);

/** JSON for eyes that is still JSON: what hides is escaped as JSON escapes it. */
const jsonForEyes = (value: unknown): string => {
  const text = JSON.stringify(value);
  if (visible(text) === text) return text;
  return Array.from(text, (character) =>
    visible(character) === character
      ? character
      : character.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  ).join('');
};

/** One line, with its line break. */
export const csvLine = (one: LogRow): string =>
  row([
    String(one.index),
    one.at,
    one.type,
    one.sentence,
    ...[one.by.kind, one.by.id ?? '', one.by.name ?? '', one.agent ?? '', one.operation ?? ''].map(line),
    ...[one.resource?.type ?? '', one.resource?.id ?? ''].map(line),
    one.verdict ?? '',
    line(one.policies.join(' ')),
    one.about.action ?? '',
    one.about.approval ?? '',
    one.about.execution ?? '',
    one.erased ? 'yes' : '',
    one.erased ? '' : jsonForEyes(one.data),
    one.digest,
  ]);
