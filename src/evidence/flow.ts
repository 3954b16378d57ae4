/** Breaking text into lines of a width: at spaces, in long names behind their marks, else between characters. */
import type { Face, Fonts, Run } from './fonts.ts';
import { toneColour, type Tone } from './look.ts';

/** A piece of a paragraph. */
export interface Span {
  readonly text: string;
  readonly face?: Face;
  readonly tone?: Tone;
}

export type Text = string | readonly (string | Span)[];

export interface SetRun extends Run {
  readonly colour: string;
}
export interface SetLine {
  readonly runs: readonly SetRun[];
  /** In points, without a space at its end. */
  readonly width: number;
}

export interface Setting {
  readonly size: number;
  readonly width: number;
  readonly face?: Face;
  readonly tone?: Tone;
  /** Lines that are kept; what is left out is marked with `…`. */
  readonly linesMax?: number;
}

const spans = (text: Text): readonly Span[] =>
  (typeof text === 'string' ? [text] : text).map((one) => (typeof one === 'string' ? { text: one } : one));

/** The plain words of a text. */
export const wordsOf = (text: Text): string =>
  spans(text)
    .map((span) => span.text)
    .join('');

interface Piece {
  readonly text: string;
  readonly face: Face;
  readonly colour: string;
  readonly width: number;
  readonly space: boolean;
  readonly breaks: boolean;
}

/** Where a name without spaces may be broken: behind one of its marks. */
const soft = /(?<=[^\s/_\-.,:;=&?@|+][/_\-.,:;=&?@|+]+)(?<!\d[-:.,](?=\d))(?=[^\s/_\-.,:;=&?@|+])/;

/** The lines of a text. */
export function broken(fonts: Fonts, text: Text, setting: Setting): readonly SetLine[] {
  const { size, width } = setting;
  const lines: SetLine[] = [];
  let line: Piece[] = [];
  let used = 0;
  const end = (): void => {
    while (line.at(-1)?.space === true) line.pop();
    lines.push(setLine(fonts, line, size));
    line = [];
    used = 0;
  };
  const put = (piece: Piece): void => {
    if (piece.breaks) return end();
    if (piece.space && line.length === 0 && lines.length > 0) return;
    if (used + piece.width > width && line.length > 0 && !piece.space) end();
    if (piece.width > width && !piece.space) {
      for (const part of cut(fonts, piece, setting)) {
        if (used + part.width > width && line.length > 0) end();
        line.push(part);
        used += part.width;
      }
      return;
    }
    line.push(piece);
    used += piece.width;
  };
  for (const span of spans(text)) for (const piece of pieces(fonts, span, setting)) put(piece);
  if (line.length > 0 || lines.length === 0) end();
  return setting.linesMax !== undefined && lines.length > setting.linesMax
    ? shortened(fonts, lines, setting, setting.linesMax)
    : lines;
}

function* pieces(fonts: Fonts, span: Span, setting: Setting): Generator<Piece> {
  const face = span.face ?? setting.face ?? 'text';
  const colour = toneColour[span.tone ?? setting.tone ?? 'plain'];
  const made = (text: string, space: boolean, breaks = false): Piece => ({
    text,
    face,
    colour,
    space,
    breaks,
    width: breaks ? 0 : fonts.width(text, face, setting.size),
  });
  for (const token of span.text.split(/(\n| +)/)) {
    if (token === '') continue;
    if (token === '\n') yield made('', false, true);
    else if (token.startsWith(' ')) yield made(' ', true);
    else for (const part of token.split(soft)) yield made(part, false);
  }
}

/** A word that is wider than a line, as parts that are not. */
function cut(fonts: Fonts, piece: Piece, { size, width }: Setting): readonly Piece[] {
  const parts: Piece[] = [];
  let text = '';
  let used = 0;
  const push = (): void => {
    if (text !== '') parts.push({ ...piece, text, width: used });
    text = '';
    used = 0;
  };
  for (const character of piece.text) {
    const wide = fonts.width(character, piece.face, size);
    if (used + wide > width) push();
    text += character;
    used += wide;
  }
  push();
  return parts;
}

/** Pieces of one face and colour are set together, so that whoever copies the text gets words. */
function setLine(fonts: Fonts, line: readonly Piece[], size: number): SetLine {
  const merged: { text: string; face: Face; colour: string }[] = [];
  for (const { text, face, colour } of line) {
    const last = merged.at(-1);
    if (last?.face === face && last.colour === colour) last.text += text;
    else merged.push({ text, face, colour });
  }
  const runs = merged.flatMap(({ text, face, colour }) =>
    fonts.runs(text, face, size).map((run) => ({ ...run, colour })),
  );
  return { runs, width: runs.reduce((sum, run) => sum + run.width, 0) };
}

function shortened(
  fonts: Fonts,
  lines: readonly SetLine[],
  { size, face }: Setting,
  linesMax: number,
): readonly SetLine[] {
  const kept = lines.slice(0, linesMax);
  const last = kept.at(-1);
  const more = fonts.runs(' …', face ?? 'text', size).map((run) => ({ ...run, colour: toneColour.soft }));
  if (last === undefined) return kept;
  return [
    ...kept.slice(0, -1),
    { runs: [...last.runs, ...more], width: last.width + more.reduce((sum, run) => sum + run.width, 0) },
  ];
}
