/**
 * The letters of the documents: IBM Plex Sans for text, DejaVu Sans Mono for what is compared letter by letter, DejaVu Sans for
 * scripts that Plex has not. All are embedded, so that a document looks the same everywhere and for ever. A character that none
 * of them has is shown as `⟨U+4E2D⟩`, never dropped.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

/** What a text is set in. */
export type Face = 'text' | 'strong' | 'soft' | 'mono';

const resolve = createRequire(import.meta.url).resolve;
const files: Readonly<Record<string, string>> = {
  text: '@expo-google-fonts/ibm-plex-sans/400Regular/IBMPlexSans_400Regular.ttf',
  strong: '@expo-google-fonts/ibm-plex-sans/600SemiBold/IBMPlexSans_600SemiBold.ttf',
  soft: '@expo-google-fonts/ibm-plex-sans/400Regular_Italic/IBMPlexSans_400Regular_Italic.ttf',
  mono: 'dejavu-fonts-ttf/ttf/DejaVuSansMono.ttf',
  wide: 'dejavu-fonts-ttf/ttf/DejaVuSans.ttf',
  wideStrong: 'dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf',
};

/** Which fonts a face is set in, the first that has the character. */
const chains: Readonly<Record<Face, readonly string[]>> = {
  text: ['text', 'wide'],
  strong: ['strong', 'wideStrong', 'wide'],
  soft: ['soft', 'wide'],
  mono: ['mono', 'wide'],
};

/** The mono letters are wide: they are set smaller, so that they look as large as the text around them. */
const scales: Readonly<Record<string, number>> = { mono: 0.86 };

/** What a font's size is multiplied with. */
export const scaleOf = (font: string): number => scales[font] ?? 1;

/** A piece of text in one font. */
export interface Run {
  readonly font: string;
  readonly text: string;
  /** In points. */
  readonly width: number;
}

/** What is used of a document. */
export interface FontSource {
  registerFont(name: string, data: Buffer): unknown;
  font(name: string): FontSource;
  fontSize(size: number): FontSource;
  widthOfString(text: string): number;
}

export interface Fonts {
  /** A text as runs of one size, in order. */
  runs(text: string, face: Face, size: number): readonly Run[];
  /** Its width in points. */
  width(text: string, face: Face, size: number): number;
}

/** Read once a process: two megabytes. */
let read: Promise<readonly (readonly [string, Buffer])[]> | undefined;

/** The font files' bytes, by name. */
export function fontFiles(): Promise<readonly (readonly [string, Buffer])[]> {
  read ??= Promise.all(
    Object.entries(files).map(async ([name, file]) => [name, await readFile(resolve(file))] as const),
  );
  return read;
}

/** Words whose widths are remembered; a document of a thousand pages has fewer. */
const measuredMax = 50_000;

/** Registers the fonts with a document. */
export function fontsOf(doc: FontSource, loaded: readonly (readonly [string, Buffer])[]): Fonts {
  for (const [name, data] of loaded) doc.registerFont(name, data);
  const has = new Map<string, (codePoint: number) => boolean>();
  const measured = new Map<string, readonly Run[]>();
  const owner = (codePoint: number, chain: readonly string[]): string | undefined =>
    chain.find((name) => {
      let known = has.get(name);
      if (known === undefined) has.set(name, (known = coverage(doc, name)));
      return known(codePoint);
    });
  const atThousand = (text: string, face: Face): readonly Run[] => {
    const key = `${face} ${text}`;
    const known = measured.get(key);
    if (known !== undefined) return known;
    const pieces: { font: string; text: string }[] = [];
    const push = (font: string, piece: string): void => {
      const last = pieces.at(-1);
      if (last?.font === font) last.text += piece;
      else pieces.push({ font, text: piece });
    };
    const chain = chains[face];
    const [first = 'text'] = chain;
    for (const character of text) {
      const codePoint = character.codePointAt(0) ?? 0;
      // A space belongs to what is before it: another font for it would split every line.
      const font = character === ' ' ? (pieces.at(-1)?.font ?? first) : owner(codePoint, chain);
      if (font !== undefined) push(font, character);
      else
        for (const shown of `⟨U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}⟩`)
          push(owner(shown.codePointAt(0) ?? 0, chain) ?? first, shown);
    }
    const runs = pieces.map((piece) => ({
      ...piece,
      width: doc
        .font(piece.font)
        .fontSize(1000 * scaleOf(piece.font))
        .widthOfString(piece.text),
    }));
    if (measured.size < measuredMax) measured.set(key, runs);
    return runs;
  };
  return {
    runs: (text, face, size) =>
      atThousand(text, face).map((run) => ({ ...run, width: (run.width * size) / 1000 })),
    width: (text, face, size) =>
      (atThousand(text, face).reduce((sum, run) => sum + run.width, 0) * size) / 1000,
  };
}

/** Whether a registered font has a glyph; pdfkit keeps the parsed font, and offers no other way to ask it. */
function coverage(doc: FontSource, name: string): (codePoint: number) => boolean {
  // True of pdfkit's documents, whose version is pinned; anything else throws here at the first document.
  const { _font: held } = doc.font(name) as unknown as {
    readonly _font: { readonly font: { hasGlyphForCodePoint(codePoint: number): boolean } };
  };
  return (codePoint) => held.font.hasGlyphForCodePoint(codePoint);
}
