/**
 * A document under way: pages of A4, where the next line goes, headings that are bookmarks too, files that are embedded. The same
 * calls give the same bytes: no clock, no random id; dates are given.
 *
 * Only this file knows pdfkit.
 */
// pdfkit's types name the default export only; at run time both are the same.
// oxlint-disable-next-line import/no-named-as-default
import PDFDocument from 'pdfkit';
import { broken, type SetLine, type Setting, type Text } from './flow.ts';
import { fontFiles, fontsOf, scaleOf, type Face, type Fonts } from './fonts.ts';
import { colour, leading, page, size, textWidth, type Tone } from './look.ts';

export interface PaperAbout {
  readonly title: string;
  readonly subject: string;
  readonly author: string;
  readonly keywords: string;
  /** Of the document's metadata and of what is embedded. */
  readonly atMs: number;
  /** Left and right at the top of every page but the first. */
  readonly running: readonly [left: string, right: string];
}

export interface Embedded {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Media type. */
  readonly type: string;
  readonly says: string;
}

export interface Put {
  readonly size?: number;
  readonly face?: Face;
  readonly tone?: Tone;
  readonly x?: number;
  readonly width?: number;
  readonly after?: number;
  readonly linesMax?: number;
}

/** A bookmark: where it is, for the list of contents. */
export interface Mark {
  readonly title: string;
  /** From 1. */
  readonly page: number;
  readonly name: string;
}

type Outline = PDFKit.PDFOutline;

export class Paper {
  readonly doc: PDFKit.PDFDocument;
  readonly fonts: Fonts;
  readonly marks: Mark[] = [];
  /** Where the next block begins, from the top of the page. */
  y: number = page.top;
  #pages = 0;
  #under: Outline | undefined;
  readonly #about: PaperAbout;
  readonly #chunks: Uint8Array[] = [];
  readonly #ended: Promise<void>;

  private constructor(about: PaperAbout, files: readonly (readonly [string, Buffer])[]) {
    this.#about = about;
    const at = new Date(about.atMs);
    this.doc = new PDFDocument({
      size: [page.width, page.height],
      margin: 0,
      autoFirstPage: false,
      bufferPages: true,
      pdfVersion: '1.7',
      lang: 'en',
      displayTitle: true,
      info: {
        Title: about.title,
        Subject: about.subject,
        Author: about.author,
        Keywords: about.keywords,
        Creator: about.author,
        Producer: about.author,
        CreationDate: at,
        ModDate: at,
      },
    });
    this.doc.on('data', (chunk: Uint8Array) => this.#chunks.push(chunk));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.doc.on('end', () => resolve());
    this.doc.on('error', reject);
    this.#ended = promise;
    this.fonts = fontsOf(this.doc, files);
  }

  static async begin(about: PaperAbout): Promise<Paper> {
    return new Paper(about, await fontFiles());
  }

  /** Pages so far. */
  get pages(): number {
    return this.#pages;
  }
  /** How much is left of this page. */
  get left(): number {
    return page.height - page.bottom - this.y;
  }

  newPage(): void {
    this.doc.addPage({ size: [page.width, page.height], margin: 0 });
    this.#pages += 1;
    this.y = page.top;
  }

  /** A new page where less than this is left. Whether it was one. */
  room(height: number): boolean {
    if (this.left >= height || this.y === page.top) return false;
    this.newPage();
    return true;
  }

  /** A bookmark at this page; `below`: under the last one that is not. */
  mark(title: string, below = false): void {
    const name = `mark-${this.marks.length}`;
    this.doc.addNamedDestination(name, 'XYZ', 0, this.y - 30, null);
    if (below && this.#under !== undefined) this.#under.addItem(title);
    else {
      this.#under = this.doc.outline.addItem(title, { expanded: false });
      this.marks.push({ title, page: this.#pages, name });
    }
  }

  /** Lines of a text, as they would be set. */
  set(text: Text, setting: Setting): readonly SetLine[] {
    return broken(this.fonts, text, setting);
  }

  /** Draws one line with its top at y. */
  line(line: SetLine, at: { readonly x: number; readonly y: number; readonly size: number }): void {
    let { x } = at;
    for (const run of line.runs) {
      this.doc
        .font(run.font)
        .fontSize(at.size * scaleOf(run.font))
        .fillColor(run.colour)
        .text(run.text, x, at.y + at.size * baseline, { lineBreak: false, baseline: 'alphabetic' });
      x += run.width;
    }
  }

  /** A paragraph; breaks over pages. */
  put(text: Text, how: Put = {}): void {
    const of = how.size ?? size.body;
    const x = how.x ?? page.left;
    const lines = this.set(text, {
      size: of,
      width: how.width ?? page.width - page.right - x,
      ...(how.face === undefined ? {} : { face: how.face }),
      ...(how.tone === undefined ? {} : { tone: how.tone }),
      ...(how.linesMax === undefined ? {} : { linesMax: how.linesMax }),
    });
    for (const one of lines) {
      this.room(of * leading);
      this.line(one, { x, y: this.y, size: of });
      this.y += of * leading;
    }
    this.y += how.after ?? 6;
  }

  /** A section with a bookmark: on a new page, unless much of this one is left. @param own always on a new page. */
  section(title: string, lead?: Text, own = false): void {
    if (own || this.left < (page.height - page.top - page.bottom) * 0.5) this.newPage();
    else this.y += 22;
    this.mark(title);
    this.put(title, { size: size.section, face: 'strong', tone: 'accent', after: 4 });
    this.doc
      .moveTo(page.left, this.y)
      .lineTo(page.width - page.right, this.y)
      .lineWidth(1.2)
      .strokeColor(colour.accent)
      .stroke();
    this.y += 12;
    if (lead !== undefined) this.put(lead, { tone: 'soft', after: 12 });
  }

  /** A heading within a section. @param follows height of what it is kept with */
  heading(title: string, follows = 50): void {
    this.room(30 + follows);
    if (this.y > page.top) this.y += 10;
    this.mark(title, true);
    this.put(title, { size: size.heading, face: 'strong', after: 4 });
  }

  box(
    area: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
    fill: string,
  ): void {
    this.doc.rect(area.x, area.y, area.width, area.height).fill(fill);
  }

  rule(y: number, from: number = page.left, to: number = page.left + textWidth): void {
    this.doc.moveTo(from, y).lineTo(to, y).lineWidth(0.6).strokeColor(colour.rule).stroke();
  }

  embed(file: Embedded): void {
    const at = new Date(this.#about.atMs);
    this.doc.file(Buffer.from(file.bytes), {
      name: file.name,
      type: file.type,
      description: file.says,
      creationDate: at,
      modifiedDate: at,
    });
  }

  /** Numbers the pages and answers the document. @param last what is written when the number of pages is known. */
  async finish(last: () => void = () => undefined): Promise<Uint8Array<ArrayBuffer>> {
    last();
    const [left, right] = this.#about.running;
    for (let at = 1; at < this.#pages; at += 1) {
      this.doc.switchToPage(at);
      this.rule(page.top - 22);
      this.small(left, page.top - 38, 'left');
      this.small(right, page.top - 38, 'right');
      this.rule(page.height - page.bottom + 18);
      this.small(this.#about.author, page.height - page.bottom + 24, 'left');
      this.small(`Page ${at + 1} of ${this.#pages}`, page.height - page.bottom + 24, 'right');
    }
    this.doc.end();
    await this.#ended;
    return new Uint8Array(Buffer.concat(this.#chunks));
  }

  /** One small line at a margin. */
  small(text: string, y: number, side: 'left' | 'right'): void {
    const [one] = this.set(text, { size: size.small, width: textWidth * 0.6, tone: 'soft', linesMax: 1 });
    if (one === undefined) return;
    const x = side === 'left' ? page.left : page.width - page.right - one.width;
    this.line(one, { x, y, size: size.small });
  }
}

/** From a line's top to its baseline, in its size; the same for all fonts, so that they stand on one line. */
const baseline = 1.05;
