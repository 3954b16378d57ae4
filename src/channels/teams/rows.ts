/**
 * Parts of a card as rows, one block each: the smallest pieces that are shown or left out whole. Each line is a block of its own,
 * because Teams does not say what it makes of a line break in a run. A text longer than a row is several, the later ones marked.
 */
import type { Part } from '../../core/render/card.ts';
import { counted, line, say, type Shown } from '../../core/render/shown.ts';
import { pairLabelCharsMax, piecesOf } from '../pieces.ts';
import { block, colorOf, run, under, type RichTextBlock, type TextRun } from './elements.ts';

/** Characters of one row: some bytes of a card, so that a long text is cut between rows and fills what room there is. */
export const rowCharsMax = 1000;

/** Smaller than words: the letters are wide, and what is wrapped is harder to read as what it is. */
const literally = { fontType: 'Monospace', size: 'Small' } as const;

/** The rows of a part, in its order. */
export function rowsOf(part: Part): readonly RichTextBlock[] {
  switch (part.as) {
    case 'pairs':
      return part.rows.flatMap(pairRows);
    case 'items':
      return part.items.flatMap(({ text, tone }) =>
        pieces(text).map((piece, index) =>
          under(...(index === 0 ? [run(line('• '))] : []), run(piece, colorOf(tone))),
        ),
      );
    case 'code':
      return part.lines.flatMap((words) => pieces(words).map((piece) => under(run(piece, literally))));
    case 'quote':
      return part.lines.flatMap((words) =>
        pieces(words).map((piece, index) =>
          under(...(index === 0 ? [run(line('❘ '), { isSubtle: true })] : []), run(piece, { italic: true })),
        ),
      );
    case 'table':
      return [
        ...part.rows.flatMap((cells) => tableRows(part.columns, cells)),
        ...(part.more === 0 ? [] : [under(run(say`… and ${counted(part.more, 'more row')}`))]),
      ];
  }
}

type Pair = (Part & { readonly as: 'pairs' })['rows'][number];

/** "label  value"; the rest of a long value stands under it. */
function pairRows({ label, value, literal, claimed }: Pair): readonly RichTextBlock[] {
  const make = (words: Shown): TextRun => run(words, literal ? literally : {});
  const [first = line(''), ...rest] = pieces(value);
  const long = label.length > pairLabelCharsMax;
  return [
    ...(long ? pieces(label).map((piece) => under(run(piece, { weight: 'Bolder' }))) : []),
    under(
      ...(long ? [] : [run(say`${label}  `, { weight: 'Bolder' })]),
      make(first),
      ...(claimed ? [run(line('  claimed by the agent'), { italic: true, isSubtle: true })] : []),
    ),
    ...rest.map((piece) => under(make(piece))),
  ];
}

/** "column cell, column cell"; where that is too long, a row for each. */
function tableRows(columns: readonly Shown[], cells: readonly Shown[]): readonly RichTextBlock[] {
  const named = cells.map((cell, index) => [columns[index] ?? line(''), cell] as const);
  const chars = named.reduce((sum, [column, cell]) => sum + column.length + cell.length + 3, 0);
  if (chars > rowCharsMax)
    return named.flatMap(([column, cell]) =>
      pieces(say`${column} ${cell}`).map((piece) => under(run(piece))),
    );
  const inlines = named.flatMap(([column, cell], index): readonly TextRun[] => [
    run(say`${index === 0 ? '• ' : ', '}${column} `, { weight: 'Bolder' }),
    run(cell),
  ]);
  return inlines.length === 0 ? [] : [under(...inlines)];
}

/** A text in pieces of one row each (channels/pieces.ts). */
const pieces = (whole: Shown): readonly Shown[] => piecesOf(whole, rowCharsMax);

/** The head of a section: what it is, and what is to be known of it. */
export const titleRow = (title: Shown, mark: Shown | null): RichTextBlock =>
  block(
    run(title, { weight: 'Bolder' }),
    ...(mark === null ? [] : [run(say`  ${mark}`, { italic: true, isSubtle: true })]),
  );
