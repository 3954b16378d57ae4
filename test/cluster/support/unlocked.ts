/**
 * A driver that is wrong on purpose, for tests alone: it takes no lock on the rows of cases, and so lets two writers read the same
 * case before either has written. The head row is locked as ever: without it nothing would hold at all.
 */
import type { Row, SqlValue } from '../../../src/store/driver.ts';
import { PostgresDriver } from '../../../src/store/postgres-driver.ts';

export class UnlockedDriver extends PostgresDriver {
  override query(sql: string, params: readonly SqlValue[] = []): Promise<readonly Row[]> {
    return super.query(sql.includes('log_head') ? sql : sql.replace(/ FOR UPDATE(?: NOWAIT)?$/, ''), params);
  }
}
