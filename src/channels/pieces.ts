/** How a long text is cut where a platform takes only so much of one: into pieces that say so, and never short. Pure. */
import { line, lines, type Shown } from '../core/render/shown.ts';

/** Characters of a label beside its value. One that is longer is a text of its own; ours are words. */
export const pairLabelCharsMax = 100;

/** Pieces of at most `charsMax` UTF-16 units, all but the first marked as going on. Never between the halves of a character. */
export function piecesOf(whole: Shown, charsMax: number): readonly Shown[] {
  if (whole.length <= charsMax) return [whole];
  const done: Shown[] = [];
  let piece = '';
  for (const character of whole) {
    if (piece.length + character.length > charsMax) {
      done.push(again(piece));
      piece = '┆ ';
    }
    piece += character;
  }
  return [...done, again(piece)];
}

/** The brand is of shown.ts: a piece of what was `Shown` is. */
const again = (piece: string): Shown => lines(piece)[0] ?? line('');
