/**
 * Rows into blocks, within what a message or a view may hold. What does not fit is left out from the end of its section, and the
 * section says how much that was.
 */
import type { Section } from '../../core/render/card.ts';
import { moreWords } from '../../core/render/card-of.ts';
import { say } from '../../core/render/shown.ts';
import { bold, italic, text, type Block, type RichElement, type RichPart, type RichText } from './blocks.ts';
import { blockCharsMax } from './limits.ts';
import { rowsOf, type Row } from './rows.ts';

/** What may still be used. */
export interface Room {
  readonly blocks: number;
  readonly bytes: number;
}

/** A section, and how much of it is there. */
export interface Packed {
  readonly blocks: readonly Block[];
  /** Rows that were left out; 0: all are there. */
  readonly left: number;
}

const encoder = new TextEncoder();
/** UTF-8 bytes of blocks as JSON, with the comma after each. */
export const bytesOf = (blocks: readonly Block[]): number =>
  blocks.reduce((sum, block) => sum + encoder.encode(JSON.stringify(block)).length + 1, 0);

export const fits = (blocks: readonly Block[], room: Room): boolean =>
  blocks.length <= room.blocks && bytesOf(blocks) <= room.bytes;

export const less = (room: Room, blocks: readonly Block[]): Room => ({
  blocks: room.blocks - blocks.length,
  bytes: room.bytes - bytesOf(blocks),
});

/** All of a section, however large. */
export const wholeOf = (section: Section): readonly Block[] =>
  gathered(section, section.parts.flatMap(rowsOf), 0);

/**
 * As much of a section as there is room for, from its start; nothing at all where not even that can be said.
 * @param rowsMax more rows than these are left out in any case
 */
export function packed(section: Section, room: Room, rowsMax = Infinity): Packed {
  const rows = section.parts.flatMap(rowsOf);
  const all = gathered(section, rows, 0);
  if (rows.length <= rowsMax && fits(all, room)) return { blocks: all, left: 0 };
  // The largest number of rows that fits: blocks only grow with it.
  let [low, high] = [0, Math.min(rows.length - 1, rowsMax)];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(gathered(section, rows.slice(0, middle), rows.length - middle), room)) low = middle;
    else high = middle - 1;
  }
  const blocks = gathered(section, rows.slice(0, low), rows.length - low);
  return fits(blocks, room) ? { blocks, left: rows.length - low } : { blocks: [], left: rows.length };
}

/** The title, then rows of one kind together, in as many blocks as they need. */
function gathered({ title, mark }: Section, rows: readonly Row[], left: number): readonly RichText[] {
  const head: readonly RichElement[] = [bold(title), ...(mark === null ? [] : [italic(say`  ${mark}`)])];
  const blocks: RichPart[][] = [[{ type: 'rich_text_section', elements: head }]];
  let chars = charsOf(head);
  let group: Row[] = [];
  const close = (): void => {
    const [first] = group;
    if (first !== undefined) blocks.at(-1)?.push(...partOf(first.as, group));
    group = [];
  };
  for (const row of rows) {
    const more = charsOf(row.elements) + 1;
    const full = chars + more > blockCharsMax;
    if (full || group[0]?.as !== row.as) close();
    if (full) {
      blocks.push([]);
      chars = 0;
    }
    group.push(row);
    chars += more;
  }
  close();
  if (left > 0)
    blocks.at(-1)?.push({ type: 'rich_text_section', elements: [italic(moreWords(left, 'line'))] });
  return blocks.map((elements) => ({ type: 'rich_text', elements }));
}

const charsOf = (elements: readonly RichElement[]): number =>
  elements.reduce((sum, one) => sum + one.text.length, 0);

function partOf(as: Row['as'], rows: readonly Row[]): readonly RichPart[] {
  switch (as) {
    case 'items':
      return [
        {
          type: 'rich_text_list',
          style: 'bullet',
          elements: rows.map((row) => ({ type: 'rich_text_section', elements: row.elements })),
        },
      ];
    case 'code':
      return [{ type: 'rich_text_preformatted', elements: [joined(rows)] }];
    case 'quote':
      return [{ type: 'rich_text_quote', elements: [joined(rows)] }];
  }
}

/** Rows of plain text as one element: each line costs no more than itself. An empty text is refused by Slack. */
function joined(rows: readonly Row[]): RichElement {
  const all = rows.map((row) => row.elements.map((one) => one.text).join('')).join('\n');
  return { ...text(say``), text: all === '' ? ' ' : all };
}
