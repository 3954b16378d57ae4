/** Typed reads of one column. What does not fit is a damaged row: it fails the one command that reads it. */
import { SqlFault, type Row } from './driver.ts';

/** Reads a column that the schema says is TEXT NOT NULL; anything else is a damaged store. */
export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new SqlFault(`${column} holds no text`, 'command');
  return value;
}

export function textOrNull(row: Row, column: string): string | null {
  return row[column] === null ? null : text(row, column);
}

export function integer(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== 'number') throw new SqlFault(`${column} holds no number`, 'command');
  return value;
}

export function integerOrNull(row: Row, column: string): number | null {
  return row[column] === null ? null : integer(row, column);
}

/** JSON that this folder wrote. Callers cast it to the type that was written: the row is as good as the type. */
export const json = (row: Row, column: string): unknown => JSON.parse(text(row, column));

export const jsonOrNull = (row: Row, column: string): unknown =>
  row[column] === null ? null : json(row, column);
