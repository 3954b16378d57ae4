/**
 * Text in places that wrap it wherever they are narrow: a chat's window. There a long run of spaces pushes what follows to the
 * start of a row, where it reads as a line of its own; and a hundred empty lines push out of sight what comes after them. Both
 * are counted instead of drawn. Nothing else changes, and nothing is dropped unseen.
 */
import type { Line } from './json-lines.ts';
import { line, lines, say, type Shown } from './shown.ts';

/** More spaces or tabs in one run than any writer needs; indentation of code seldom has more. */
const blankRunMax = 32;
/** More empty lines in one run than separate anything. */
const emptyLinesMax = 2;

/** The brand is of shown.ts: the text was `Shown` before, so it is one line, and what is put in is visible. */
const again = (text: string): Shown => lines(text)[0] ?? line('');

/** One line with its long runs of blanks counted: `a⟨U+0020 ×200⟩b`. */
export const settled = (text: Shown): Shown =>
  text.length <= blankRunMax
    ? text
    : again(text.replaceAll(blankRun, (run) => `⟨${blanksIn(run)} ×${run.length}⟩`));

const blankRun = new RegExp(`[ \\t]{${blankRunMax + 1},}`, 'g');

const blanksIn = (run: string): string =>
  [...(run.includes(' ') ? ['U+0020'] : []), ...(run.includes('\t') ? ['U+0009'] : [])].join(' ');

/** Lines with their long runs of empty ones counted: `⟨198 empty lines⟩`; each line {@link settled}. */
export function settledLines(rows: readonly Shown[]): readonly Shown[] {
  const out: Shown[] = [];
  let empty: Shown[] = [];
  const close = (): void => {
    out.push(...(empty.length > emptyLinesMax ? [say`⟨${empty.length} empty lines⟩`] : empty));
    empty = [];
  };
  for (const row of rows) {
    if (row.trim() === '') empty.push(settled(row));
    else {
      close();
      out.push(settled(row));
    }
  }
  close();
  return out;
}

/** One line of JSON as {@link writeJson} wrote it, with its indentation; a line of a text stands behind a bar. */
export const codeLine = ({ depth, block, tokens }: Line): Shown =>
  again(
    `${'  '.repeat(depth)}${block ? '| ' : ''}${settled(again(tokens.map((token) => token.text).join('')))}`,
  );

/**
 * Numbered lines, `12 │ text`: where a long line is wrapped, what has no number is no line. Empty lines of one text are counted
 * together, and their numbers are not used again.
 */
export function numbered(rows: readonly Line[]): readonly Shown[] {
  const digits = String(rows.length).length;
  const out: Shown[] = [];
  for (let at = 0; at < rows.length; at += 1) {
    const number = String(at + 1).padStart(digits);
    let end = at;
    while (isEmptyText(rows[end])) end += 1;
    const row = rows[at];
    if (end - at > emptyLinesMax) {
      out.push(say`${number} │ ⟨${end - at} empty lines⟩`);
      at = end - 1;
    } else if (row !== undefined) out.push(again(`${number} │ ${codeLine(row)}`));
  }
  return out;
}

/** A line of a text with nothing in it; JSON's own lines are never empty. */
const isEmptyText = (row: Line | undefined): boolean =>
  row !== undefined && row.block && row.tokens.every((token) => token.text.trim() === '');
