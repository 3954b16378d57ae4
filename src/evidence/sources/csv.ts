/** Any table with named columns, as CSV (RFC 4180): which column is what is said by whoever imports it. */
import { err, ok, type Result } from '../../core/result.ts';
import type { TargetRow } from '../../core/reconcile.ts';
import { csvRecords, textOf } from './records.ts';
import { timeIn } from './time.ts';

/** Names of columns, as the file's first line has them. */
export interface Columns {
  readonly id: string;
  readonly at: string;
  readonly what: string;
  /** Who did it; null: the table does not say. */
  readonly who: string | null;
}

/** `id=execution,at=time,what=statement,who=user`; `who` may be left out. */
export function columnsIn(text: string): Result<Columns, string> {
  const pairs = new Map<string, string>();
  for (const part of text.split(',')) {
    const at = part.indexOf('=');
    const name = part.slice(0, at).trim();
    if (at < 1 || !['id', 'at', 'what', 'who'].includes(name) || pairs.has(name))
      return err(
        `“${part}” is not one of id=, at=, what= and who=, each with the name of a column and once.`,
      );
    pairs.set(name, part.slice(at + 1).trim());
  }
  const [id, at, what] = [pairs.get('id'), pairs.get('at'), pairs.get('what')];
  if (id === undefined || at === undefined || what === undefined)
    return err('A CSV wants --map id=COLUMN,at=COLUMN,what=COLUMN.');
  return ok({ id, at, what, who: pairs.get('who') ?? null });
}

/** The file has no such column: nothing of it can be compared. */
export class MissingColumn extends Error {
  constructor(column: string, there: readonly string[]) {
    super(`the file has no column “${column}”; it has: ${there.slice(0, 50).join(', ')}`);
    this.name = 'MissingColumn';
  }
}

/** Rows of one file; rejects with {@link MissingColumn}. */
export async function* csvRows(
  bytes: AsyncIterable<Uint8Array>,
  file: number,
  columns: Columns,
): AsyncGenerator<TargetRow> {
  let places:
    { readonly id: number; readonly at: number; readonly what: number; readonly who: number } | undefined;
  for await (const { fields, line, broken } of csvRecords(textOf(bytes))) {
    if (places === undefined) {
      const placeOf = (column: string): number => {
        const at = fields.indexOf(column);
        if (at < 0) throw new MissingColumn(column, fields);
        return at;
      };
      const who = columns.who === null ? -1 : placeOf(columns.who);
      places = { id: placeOf(columns.id), at: placeOf(columns.at), what: placeOf(columns.what), who };
      continue;
    }
    const named = fields[places.id]?.trim() ?? '';
    yield {
      file,
      place: line,
      atMs: broken ? null : timeIn(fields[places.at] ?? ''),
      what: fields[places.what] ?? '',
      who: fields[places.who] ?? null,
      named: named === '' ? null : named,
    };
  }
}
