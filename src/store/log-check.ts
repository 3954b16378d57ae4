/**
 * Whether the log in a database is whole: dense from 0, each statement with its digest, each head over all before it; what is
 * blank was erased, as a later entry says.
 */
import { chain, emptyHead, payloadType, preAuthentication } from '../core/entry.ts';
import { erasedIndexes, rangesOf, type Erasing, type Range } from '../core/erased.ts';
import { asSha256Hex } from '../core/ids.ts';
import { sha256Hex } from '../core/sha256.ts';
import { integer, text } from './columns.ts';
import { SqlFault, type Queries } from './driver.ts';
import { readHead, type HeadRow } from './head-rows.ts';
import { sealedOf } from './world-rows.ts';

/** Entries that are read at a time. */
const pageMax = 1000;

/** Recomputes every digest from the statements' bytes and answers the head; throws a SqlFault that names the first wrong entry. */
export async function checkLog(db: Queries): Promise<HeadRow> {
  const wrong = (index: number, what: string): never => {
    throw new SqlFault(`entry ${index} of the log ${what}`, 'database');
  };
  let head = emptyHead;
  let size = 0;
  const blanks: Range[] = [];
  const erasing: Erasing[] = [];
  for (let read = pageMax; read === pageMax;) {
    const rows = await db.query(
      'SELECT idx, at_ms, type, statement, pae, head FROM entries WHERE idx >= $1 ORDER BY idx LIMIT $2',
      [size, pageMax],
    );
    const blank: number[] = [];
    for (const row of rows) {
      if (integer(row, 'idx') !== size) wrong(size, 'is missing');
      const sealed = sealedOf(row);
      if (sealed.entry.index !== size) wrong(size, 'tells another index');
      const { entry } = sealed;
      if (entry.erased === true) blank.push(size);
      else if (entry.type === 'payloads.erased') erasing.push(entry);
      // Of what was erased the digest is bound by the head; whether it may be blank is asked below.
      const pae =
        entry.erased === true
          ? sealed.pae
          : asSha256Hex(sha256Hex(preAuthentication(payloadType, text(row, 'statement'))));
      if (pae !== sealed.pae) wrong(size, 'was changed');
      head = chain(head, pae);
      if (head !== sealed.head) wrong(size, 'does not follow from the one before it');
      size += 1;
    }
    read = rows.length;
    blanks.push(...rangesOf(blank));
  }
  checkBlanks(blanks, erasing, wrong);
  const told = await readHead(db);
  if (told.size !== size || told.head !== head) {
    throw new SqlFault(`the log has ${size} entries, and its head tells of ${told.size}`, 'database');
  }
  return told;
}

/** A blank statement that no entry accounts for is as bad as a changed one. */
function checkBlanks(
  blanks: readonly Range[],
  erasing: readonly Erasing[],
  wrong: (index: number, what: string) => never,
): void {
  const erased = erasedIndexes(erasing);
  for (const [from, to] of blanks)
    for (let index = from; index <= to; index += 1)
      if (!erased.has(index)) wrong(index, 'is blank, and no entry says that it was erased');
}
