/** What tests read documents with: poppler's tools and a zip, nothing that made them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unzipSync } from 'fflate';

/** The text of a PDF, its lines joined by single spaces: a sentence is found wherever it was broken. */
export const pdfText = (pdf: Uint8Array): string =>
  inFile(pdf, (file) => run('pdftotext', ['-layout', file, '-'])).replace(/\s+/g, ' ');

export const pdfInfo = (pdf: Uint8Array): string => inFile(pdf, (file) => run('pdfinfo', [file]));

/** Embedded files by name. */
export function pdfAttachments(pdf: Uint8Array): ReadonlyMap<string, Uint8Array> {
  return inFile(pdf, (file, folder) => {
    run('pdfdetach', ['-saveall', '-o', join(folder, 'out'), file]);
    return new Map(
      readdirSync(join(folder, 'out')).map((name) => [
        name,
        new Uint8Array(readFileSync(join(folder, 'out', name))),
      ]),
    );
  });
}

function run(program: string, args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
}

function inFile<T>(bytes: Uint8Array, use: (file: string, folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'evidence-'));
  try {
    const file = join(folder, 'in.pdf');
    writeFileSync(file, bytes);
    run('mkdir', [join(folder, 'out')]);
    return use(file, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export interface ReadCell {
  /** `s`: text; `n`: a number or a date; `b`: true or false. */
  readonly type: string;
  readonly value: string;
  readonly style: string;
}

/** A sheet of a workbook as its XML has it: rows of cells by column letter. Fails on a formula, wherever it is. */
export function readSheet(
  book: Uint8Array,
  name: string,
): { readonly rows: readonly ReadonlyMap<string, ReadCell>[]; readonly xml: string } {
  const files = unzipSync(book);
  const of = (path: string): string => new TextDecoder().decode(files[path]);
  const sheets = [...of('xl/workbook.xml').matchAll(/<sheet\b[^>]*\bname="([^"]*)"/g)].map(
    (match) => match[1],
  );
  const at = sheets.indexOf(name);
  assert.notEqual(at, -1, `no sheet ${name} in ${sheets.join(', ')}`);
  const xml = of(`xl/worksheets/sheet${at + 1}.xml`);
  assert.doesNotMatch(xml, /<f[ >]/, 'a formula');
  const strings = [...of('xl/sharedStrings.xml').matchAll(/<si>(.*?)<\/si>/gs)].map((match) =>
    unescaped([...(match[1] ?? '').matchAll(/<t[^>]*>(.*?)<\/t>/gs)].map((text) => text[1] ?? '').join('')),
  );
  const rows = [...xml.matchAll(/<row\b[^>]*>(.*?)<\/row>/gs)].map(
    (row) =>
      new Map(
        [...(row[1] ?? '').matchAll(/<c\b([^>]*)>(.*?)<\/c>/gs)].map((cell): readonly [string, ReadCell] => {
          const [, attributes = '', inner = ''] = cell;
          const attribute = (one: string): string =>
            new RegExp(`\\b${one}="([^"]*)"`).exec(attributes)?.[1] ?? '';
          const raw = /<v>(.*?)<\/v>/s.exec(inner)?.[1] ?? '';
          const type = attribute('t') || 'n';
          const text = type === 's' ? strings[Number(raw)] : raw;
          assert.notEqual(text, undefined, `cell ${attribute('r')} names no string: ${raw}`);
          return [attribute('r').replace(/\d+/, ''), { type, value: text ?? '', style: attribute('s') }];
        }),
      ),
  );
  return { rows, xml };
}

/** As a spreadsheet program reads text: XML's escapes, then the format's own `_xHHHH_`. */
const unescaped = (text: string): string =>
  text
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&apos;/g, "'")
    .replace(/&amp;/g, '&')
    .replace(/_x([0-9A-F]{4})_/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
