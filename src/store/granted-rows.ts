/**
 * The entry that a grant names, read as whoever verifies the log reads it: what its row says is nobody's word, and neither is a
 * statement that does not follow from the entry before it, or that the one after it does not follow from.
 */
import type { Case } from '../core/case.ts';
import { chain, emptyHead, payloadType, preAuthentication, type EntryType } from '../core/entry.ts';
import { isJsonObject, type JsonValue } from '../core/json.ts';
import { asSha256Hex } from '../core/ids.ts';
import { sha256Hex } from '../core/sha256.ts';
import { integer, text } from './columns.ts';
import type { Queries, Row } from './driver.ts';

/** The type of the entry that a case's grant names; null where that index holds nothing about this action, or what does not follow. */
export async function readGranted(from: Queries, { asked, grant }: Case): Promise<EntryType | null> {
  if (grant === null) return null;
  const rows = await from.query(
    'SELECT idx, statement, pae, head FROM entries WHERE idx >= $1 AND idx <= $2 ORDER BY idx',
    [grant.index - 1, grant.index + 1],
  );
  const at = (index: number): Row | undefined => rows.find((row) => integer(row, 'idx') === index);
  const row = at(grant.index);
  const before = grant.index === 0 ? emptyHead : headOf(at(grant.index - 1));
  if (row === undefined || before === null || !follows(row, before)) return null;
  const statement = text(row, 'statement');
  if (sha256Hex(preAuthentication(payloadType, statement)) !== text(row, 'pae')) return null;
  const after = at(grant.index + 1);
  if (after !== undefined && !follows(after, text(row, 'head'))) return null;
  return typeIn(statement, { index: grant.index, action: asked.id });
}

const headOf = (row: Row | undefined): string | null => (row === undefined ? null : text(row, 'head'));

const follows = (row: Row, before: string): boolean =>
  chain(asSha256Hex(before), asSha256Hex(text(row, 'pae'))) === text(row, 'head');

function typeIn(
  statement: string,
  of: { readonly index: number; readonly action: string },
): EntryType | null {
  // Its digest is that of an entry of ours, which is an object.
  const read = JSON.parse(statement) as JsonValue;
  const predicate = isJsonObject(read) ? read['predicate'] : undefined;
  if (predicate === undefined || !isJsonObject(predicate)) return null;
  const { index, type, about } = predicate;
  const names = about !== undefined && isJsonObject(about) && about['action'] === of.action;
  // What the statement says is compared with the one type that is wanted.
  return names && index === of.index && typeof type === 'string' ? (type as EntryType) : null;
}
