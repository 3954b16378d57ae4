/**
 * Workbooks: rows with typed cells, a frozen header with filters, widths. Only this file knows write-excel-file. The same rows give
 * the same bytes.
 *
 * Text stays text: a cell that begins with `=` is a string of text format, so no program that opens it computes anything; characters
 * that cannot be seen are shown; `_x0041_`, which the format would read as another letter, is written so that it is read as itself.
 */
import { unzipSync, zipSync, type Zippable } from 'fflate';
import writeExcel from 'write-excel-file/node';
import { visible } from '../core/visible.ts';

/** A moment, in milliseconds since 1970. */
export interface When {
  readonly atMs: number;
}
export type CellValue = string | number | boolean | When | null;

export interface SheetColumn {
  readonly title: string;
  /** In characters. */
  readonly width: number;
}

export interface Sheet {
  /** At most 31 characters, none of `[]:*?/\`. */
  readonly name: string;
  readonly columns: readonly SheetColumn[];
  readonly rows: readonly (readonly CellValue[])[];
}

/** Characters that a cell holds (Excel's limit is 32,767, counted after escapes). */
export const cellCharsMax = 30_000;
/** 1980 is the first year that a zip knows. */
const zipTime = new Date(1980, 0, 1);

/** Names that every object has: the library looks strings up in one, and would find these there. */
const inherited = new Set(Object.getOwnPropertyNames(Object.prototype));

/** Text as a cell holds it. */
function cellText(text: string): string {
  const shown = visible(text);
  const cut = shown.length > cellCharsMax ? `${shown.slice(0, cellCharsMax).toWellFormed()} … (cut)` : shown;
  // ECMA-376 part 1, 22.9.2.19 (ST_Xstring): _xHHHH_ is a character; its underscore escaped, it is itself.
  const escaped = cut.replace(/_(?=x[0-9A-Fa-f]{4}_)/g, '_x005F_');
  return inherited.has(escaped)
    ? `_x${(escaped.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}_${escaped.slice(1)}`
    : escaped;
}

interface Cell {
  readonly value: string | number | boolean | Date;
  readonly type: StringConstructor | NumberConstructor | BooleanConstructor | DateConstructor;
  readonly format?: string;
  readonly fontWeight?: 'bold';
  readonly backgroundColor?: string;
  readonly alignVertical?: 'top';
  readonly wrap?: boolean;
}

/** Texts of cells that are kept: most are the same few, a hundred thousand times. */
const keptMax = 20_000;

function cell(value: CellValue, kept: Map<string, Cell>): Cell | null {
  if (value === null || value === '') return null;
  if (typeof value === 'string') {
    const known = kept.get(value);
    if (known !== undefined) return known;
    const made: Cell = { value: cellText(value), type: String, format: '@', alignVertical: 'top' };
    if (kept.size < keptMax && value.length < 200) kept.set(value, made);
    return made;
  }
  if (typeof value === 'number') return { value, type: Number, alignVertical: 'top' };
  if (typeof value === 'boolean') return { value, type: Boolean, alignVertical: 'top' };
  return { value: new Date(value.atMs), type: Date, format: 'yyyy-mm-dd hh:mm:ss', alignVertical: 'top' };
}

const head = ({ title }: SheetColumn): Cell => ({
  value: cellText(title),
  type: String,
  fontWeight: 'bold',
  backgroundColor: '#E8EDF2',
  alignVertical: 'top',
  wrap: true,
});

/** "AB" of 27. */
export const columnName = (at: number): string =>
  (at >= 26 ? columnName(Math.floor(at / 26) - 1) : '') + String.fromCharCode(65 + (at % 26));

/** The bytes of a workbook. */
export async function workbook(sheets: readonly Sheet[]): Promise<Uint8Array<ArrayBuffer>> {
  const kept = new Map<string, Cell>();
  const written = await writeExcel(
    sheets.map((sheet) => ({
      data: [
        sheet.columns.map(head),
        ...sheet.rows.map((row) => sheet.columns.map((_, at) => cell(row[at] ?? null, kept))),
      ],
      sheet: sheet.name,
      columns: sheet.columns.map(({ width }) => ({ width })),
      stickyRowsCount: 1,
      orientation: 'landscape' as const,
    })),
    { fontFamily: 'Calibri', fontSize: 10, features: [filters(sheets)] },
  ).toBuffer();
  // The library stamps the files with the time of writing: packed again without it.
  const files: Zippable = {};
  for (const [name, bytes] of Object.entries(unzipSync(written)))
    files[name] = [bytes, { mtime: zipTime, level: 6 }];
  return zipSync(files);
}

/** A filter on every column: the library has none, so it goes where ECMA-376 wants it, behind the rows. */
const filters = (sheets: readonly Sheet[]) => ({
  files: {
    transform: {
      'xl/worksheets/sheet{id}.xml': {
        transform: (
          content: string,
          _options: unknown,
          { sheetIndex }: { readonly sheetIndex: number },
        ): string => {
          const sheet = sheets[sheetIndex];
          if (sheet === undefined || sheet.columns.length < 3) return content;
          const area = `A1:${columnName(sheet.columns.length - 1)}${sheet.rows.length + 1}`;
          return content.replace('</sheetData>', () => `</sheetData><autoFilter ref="${area}"/>`);
        },
      },
    },
  },
});
