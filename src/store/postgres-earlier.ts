/**
 * Gates of versions that know a schema before 6 expect to be alone, and each holds a lock for as long as it runs. Promise: the
 * tables are not changed under one of them.
 */
import { integer } from './columns.ts';
import { SqlFault, type Queries } from './driver.ts';

/** The lock of earlier versions. The number is ours: "csgn". */
export const earlierLock = '1668507502, hashtext(current_schema())';

/** From here on several gates may run. */
export const sharedFrom = 6;

/** A gate of an earlier version runs; it may be stopping. */
export class EarlierGate extends SqlFault {
  constructor() {
    super(
      'A gate of an earlier version is running on this database. Stop it first: this version changes the tables, and the earlier one would not know.',
      'database',
    );
  }
}

/** Throws an EarlierGate where there is one; keeps others out until the end of the transaction. */
export async function checkNoEarlier(on: Queries): Promise<void> {
  const [row] = await on.query(`SELECT CAST(pg_try_advisory_xact_lock(${earlierLock}) AS INT) AS taken`);
  if (row === undefined || integer(row, 'taken') !== 1) throw new EarlierGate();
}
