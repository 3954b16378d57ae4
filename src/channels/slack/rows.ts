/**
 * Parts of a card as rows: the smallest pieces that are shown or left out whole. A row that is longer than a block may be is
 * several rows, the later ones marked, so that a long text is cut into blocks and never short.
 */
import type { Part } from '../../core/render/card.ts';
import { counted, line, say, type Shown } from '../../core/render/shown.ts';
import { pairLabelCharsMax, piecesOf } from '../pieces.ts';
import { bold, code, italic, text, type RichElement } from './blocks.ts';
import { blockCharsMax } from './limits.ts';

/** `as` is what rows are gathered in when they stand next to each other. */
export interface Row {
  readonly as: 'items' | 'code' | 'quote';
  readonly elements: readonly RichElement[];
}

/** Characters of one row: half a block, so that a title or a label fits beside it. */
export const rowCharsMax = blockCharsMax / 2;

type Maker = (words: Shown) => RichElement;

const rowsOfText = (as: Row['as'], words: Shown, make: Maker): readonly Row[] =>
  pieces(words).map((piece) => ({ as, elements: [make(piece)] }));

/** The rows of a part, in its order. */
export function rowsOf(part: Part): readonly Row[] {
  switch (part.as) {
    case 'pairs':
      return part.rows.flatMap(pairRows);
    case 'items':
      return part.items.flatMap(({ text: words, tone }) =>
        rowsOfText('items', words, tone === 'bad' || tone === 'unknown' ? bold : text),
      );
    case 'code':
    case 'quote':
      return part.lines.flatMap((words) => rowsOfText(part.as, words, text));
    case 'table':
      return [
        ...part.rows.flatMap((cells) => tableRows(part.columns, cells)),
        ...(part.more === 0 ? [] : rowsOfText('items', say`… and ${counted(part.more, 'more row')}`, text)),
      ];
  }
}

type Pair = (Part & { readonly as: 'pairs' })['rows'][number];

/**
 * "label  value"; the rest of a long value stands under it. Items of a list, so that what is wrapped hangs further in than the labels
 * and cannot pass for a row of its own.
 */
function pairRows({ label, value, literal, claimed }: Pair): readonly Row[] {
  const make: Maker = literal ? code : text;
  const [first = line(''), ...rest] = pieces(value);
  const long = label.length > pairLabelCharsMax;
  return [
    ...(long ? rowsOfText('items', label, bold) : []),
    {
      as: 'items',
      elements: [
        ...(long ? [] : [bold(say`${label}  `)]),
        make(first),
        ...(claimed ? [italic(line('  claimed by the agent'))] : []),
      ],
    },
    ...rest.map((piece): Row => ({ as: 'items', elements: [make(piece)] })),
  ];
}

/** "column cell, column cell"; where that is too long, a row for each. */
function tableRows(columns: readonly Shown[], cells: readonly Shown[]): readonly Row[] {
  const named = cells.map((cell, index) => [columns[index] ?? line(''), cell] as const);
  const chars = named.reduce((sum, [column, cell]) => sum + column.length + cell.length + 3, 0);
  if (chars > rowCharsMax)
    return named.flatMap(([column, cell]) => rowsOfText('items', say`${column} ${cell}`, text));
  const elements = named.flatMap(([column, cell], index): readonly RichElement[] => [
    ...(index === 0 ? [] : [text(line(', '))]),
    bold(say`${column} `),
    text(cell),
  ]);
  return elements.length === 0 ? [] : [{ as: 'items', elements }];
}

/** A text in pieces of one row each (channels/pieces.ts). */
export const pieces = (whole: Shown): readonly Shown[] => piecesOf(whole, rowCharsMax);
