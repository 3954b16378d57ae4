/** What a page is built of besides paragraphs: pairs, numbers to be seen at once, notes, lists, literal text, tables. */
import type { Text } from './flow.ts';
import { colour, leading, page, size, textWidth, toneColour, type Tone } from './look.ts';
import type { Paper } from './paper.ts';

const pad = 5;

export interface Pair {
  readonly label: string;
  readonly text: Text;
}

/** Labels at the left, what they stand for at the right, a thin rule between. */
export function pairs(paper: Paper, rows: readonly Pair[], labelWidth = 132): void {
  const width = textWidth - labelWidth - 10;
  for (const { label, text } of rows) {
    const labels = paper.set(label, { size: size.body, width: labelWidth, face: 'strong', tone: 'soft' });
    const lines = paper.set(text, { size: size.body, width });
    const height = Math.max(labels.length, lines.length) * size.body * leading;
    paper.room(Math.min(height + 2 * pad, 200));
    paper.y += pad;
    const { y } = paper;
    const step = size.body * leading;
    for (const [at, one] of labels.entries())
      paper.line(one, { x: page.left, y: y + at * step, size: size.body });
    for (const one of lines) {
      paper.room(step);
      paper.line(one, { x: page.left + labelWidth + 10, y: paper.y, size: size.body });
      paper.y += step;
    }
    if (paper.y > y) paper.y = Math.max(paper.y, y + labels.length * step);
    paper.y += pad;
    paper.rule(paper.y);
  }
  paper.y += 10;
}

export interface Figure {
  readonly value: string;
  readonly label: string;
  readonly tone?: Tone;
}

/** Numbers side by side, four in a row. */
export function figures(paper: Paper, all: readonly Figure[]): void {
  const across = 4;
  const gap = 10;
  const width = (textWidth - gap * (across - 1)) / across;
  const height = 68;
  for (let at = 0; at < all.length; at += across) {
    paper.room(height + gap);
    for (const [column, figure] of all.slice(at, at + across).entries()) {
      const x = page.left + column * (width + gap);
      paper.box({ x, y: paper.y, width, height }, colour.zebra);
      paper.box({ x, y: paper.y, width: 2.5, height }, toneColour[figure.tone ?? 'accent']);
      const [value] = paper.set(figure.value, {
        size: 19,
        width: width - 16,
        face: 'strong',
        tone: figure.tone ?? 'plain',
        linesMax: 1,
      });
      if (value !== undefined) paper.line(value, { x: x + 10, y: paper.y + 6, size: 19 });
      const labels = paper.set(figure.label, {
        size: size.small,
        width: width - 16,
        tone: 'soft',
        linesMax: 3,
      });
      for (const [row, one] of labels.entries())
        paper.line(one, { x: x + 10, y: paper.y + 32 + row * size.small * 1.3, size: size.small });
    }
    paper.y += height + gap;
  }
  paper.y += 4;
}

/** A note in a box with a bar of its tone. */
export function note(paper: Paper, text: Text, tone: Tone = 'accent'): void {
  const width = textWidth - 26;
  const lines = paper.set(text, { size: size.body, width });
  const step = size.body * leading;
  const height = lines.length * step + 14;
  paper.room(height + 8);
  paper.box(
    { x: page.left, y: paper.y, width: textWidth, height },
    tone === 'wait' || tone === 'bad' ? colour.note : colour.zebra,
  );
  paper.box({ x: page.left, y: paper.y, width: 2.5, height }, toneColour[tone]);
  for (const [at, one] of lines.entries())
    paper.line(one, { x: page.left + 14, y: paper.y + 6 + at * step, size: size.body });
  paper.y += height + 10;
}

/** Sentences with a mark before each. */
export function bullets(paper: Paper, texts: readonly Text[]): void {
  for (const text of texts) {
    paper.room(size.body * leading);
    const [mark] = paper.set('•', { size: size.body, width: 20, tone: 'accent' });
    if (mark !== undefined) paper.line(mark, { x: page.left + 2, y: paper.y, size: size.body });
    paper.put(text, { x: page.left + 14, after: 3 });
  }
  paper.y += 6;
}

/** Literal text, letter by letter, on a grey ground. @param linesMax lines that are shown; the rest is counted. */
export function literal(paper: Paper, text: string, linesMax = 400): void {
  const of = 8.6;
  const step = of * 1.25;
  const lines = paper.set(text, { size: of, width: textWidth - 16, face: 'mono' });
  const edge = (): void => {
    paper.box({ x: page.left, y: paper.y, width: textWidth, height: 4.3 }, colour.zebra);
    paper.y += 4;
  };
  paper.room(step + 8);
  edge();
  for (const one of lines.slice(0, linesMax)) {
    paper.room(step);
    paper.box({ x: page.left, y: paper.y, width: textWidth, height: step + 0.3 }, colour.zebra);
    paper.line(one, { x: page.left + 8, y: paper.y, size: of });
    paper.y += step;
  }
  edge();
  paper.y += 6;
  if (lines.length > linesMax)
    paper.put(`${lines.length - linesMax} more lines are in the file of that name in the package.`, {
      tone: 'soft',
    });
}

export interface Column {
  readonly title: string;
  /** Its share of the width. */
  readonly share: number;
  readonly right?: boolean;
  readonly mono?: boolean;
  /** Lines of a cell, the rest is cut with a mark; default 6. */
  readonly linesMax?: number;
}

export interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Text[])[];
  /** A heading that is kept with the first row. */
  readonly heading?: string;
  /** With less air between rows. */
  readonly tight?: boolean;
  /** Said where there are no rows. */
  readonly empty: string;
  /** Rows that a report lists; the rest is counted. Default {@link rowsMax}. */
  readonly rowsMax?: number;
  /** Where the rest is. */
  readonly rest?: string;
}

/** Rows of a table in a report; workbooks have them all. */
export const rowsMax = 150;

/** A table whose header is repeated on every page that it goes on to. */
export function table(paper: Paper, { columns, rows, empty, ...how }: Table): void {
  if (rows.length === 0) {
    paper.put(empty, { tone: 'soft', face: 'soft', after: 8 });
    return;
  }
  const total = columns.reduce((sum, column) => sum + column.share, 0);
  const widths = columns.map((column) => (column.share / total) * textWidth);
  const max = how.rowsMax ?? rowsMax;
  const step = size.table * 1.36;
  const air = how.tight === true ? 1.7 : 3.4;
  const lay = (cells: readonly Text[], head: boolean) =>
    columns.map((column, at) =>
      paper.set(cells[at] ?? '', {
        size: size.table,
        width: (widths[at] ?? 0) - 2 * pad,
        face: head ? 'strong' : column.mono === true ? 'mono' : 'text',
        linesMax: column.linesMax ?? 6,
      }),
    );
  type Cells = ReturnType<typeof lay>;
  const heightOf = (cells: Cells): number => Math.max(...cells.map((cell) => cell.length)) * step + 2 * air;
  const draw = (cells: Cells, fill: string | null): void => {
    const height = heightOf(cells);
    if (fill !== null) paper.box({ x: page.left, y: paper.y, width: textWidth, height }, fill);
    let x = page.left;
    for (const [at, cell] of cells.entries()) {
      const width = widths[at] ?? 0;
      for (const [row, one] of cell.entries())
        paper.line(one, {
          x: columns[at]?.right === true ? x + width - pad - one.width : x + pad,
          y: paper.y + air + row * step,
          size: size.table,
        });
      x += width;
    }
    paper.y += height;
    paper.rule(paper.y);
  };
  const head = lay(
    columns.map((column) => column.title),
    true,
  );
  const first = lay(rows[0] ?? [], false);
  const begins = heightOf(head) + heightOf(first) + 4;
  if (how.heading === undefined) paper.room(begins);
  else paper.heading(how.heading, begins);
  draw(head, colour.head);
  for (const [at, cells] of rows.slice(0, max).entries()) {
    const laid = lay(cells, false);
    if (paper.room(heightOf(laid))) draw(head, colour.head);
    draw(laid, at % 2 === 1 ? colour.zebra : null);
  }
  paper.y += 6;
  if (rows.length > max)
    paper.put(
      `${rows.length - max} more ${rows.length - max === 1 ? 'row is' : 'rows are'} in ${how.rest ?? 'the workbooks of this package'}.`,
      {
        tone: 'soft',
        size: size.table,
      },
    );
  paper.y += 4;
}
