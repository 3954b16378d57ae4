/**
 * Turns rows into the text of an export, in steps: between two steps the caller is told how far it is, and a cancelled
 * export stops. Pure but for those pauses; the caller stores the text.
 */
import type { Row } from './shapes.ts';

const STEP_ROWS = 1000;

/** `progress` hears the rows written so far, after each step; it may throw to stop the export. */
export async function writeOut(
  format: 'csv' | 'json',
  columns: readonly string[],
  rows: readonly Row[],
  progress: (rowsDone: number) => Promise<void>,
): Promise<string> {
  const lines: string[] = [];
  for (let start = 0; start < rows.length; start += STEP_ROWS) {
    const step = rows.slice(start, start + STEP_ROWS);
    for (const row of step)
      lines.push(format === 'csv' ? csvLine(columns.map((name) => row[name] ?? null)) : JSON.stringify(row));
    await progress(start + step.length);
  }
  return format === 'csv' ? [csvLine(columns), ...lines].join('') : `[${lines.join(',\n')}]\n`;
}

/** RFC 4180: CRLF, and quotes where a field needs them. */
function csvLine(values: readonly Row[string][]): string {
  return `${values.map(csvField).join(',')}\r\n`;
}

function csvField(value: Row[string]): string {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
