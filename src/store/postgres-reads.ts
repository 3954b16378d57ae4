/**
 * Reads over a pool, tried again on another connection where the database went away for a moment. Promises: a read waits no longer
 * than `budgetMs` for a database that is not there (and then as long as one answer may take); once it has been away for longer,
 * reads fail at once, but for one at a time that finds out whether it is back.
 */
import { noMeters, type Meters } from '../ports/meters.ts';
import { SqlFault, type Queries, type Row, type SqlValue } from './driver.ts';
import { beginOf, type Connection } from './postgres-connection.ts';
import { isAway } from './postgres-fault.ts';
import type { Hosts } from './postgres-hosts.ts';
import { Pool } from './postgres-pool.ts';

export const readLimits = {
  /** A failover of a supervised pair is over in less, mostly. */
  budgetMs: 8_000,
  pauseMsMin: 20,
  pauseMsMax: 500,
  closeMsMax: 5_000,
} as const;

export class Reads implements Queries {
  readonly #pooled: boolean;
  readonly #meters: Meters;
  readonly #pool: Pool;
  /** Since when nothing could be read. */
  #awayMs: number | null = null;
  #trying = false;

  constructor(hosts: Hosts, meters: Meters = noMeters) {
    this.#meters = meters;
    this.#pooled = hosts.pooled;
    this.#pool = new Pool(hosts);
  }

  async query(sql: string, params: readonly SqlValue[] = []): Promise<readonly Row[]> {
    const end = performance.now() + readLimits.budgetMs;
    for (
      let pauseMs: number = readLimits.pauseMsMin;
      ;
      pauseMs = Math.min(2 * pauseMs, readLimits.pauseMsMax)
    ) {
      const givenUp = this.#awayMs !== null && performance.now() - this.#awayMs > readLimits.budgetMs;
      if (givenUp && this.#trying)
        throw new SqlFault('PostgreSQL: it does not answer, and has not for a while', 'database');
      try {
        if (givenUp) this.#trying = true;
        const rows = await this.#pool.use((connection) => this.#ask(connection, sql, params));
        this.#awayMs = null;
        return rows;
      } catch (error) {
        if (!(error instanceof SqlFault && error.again)) throw error;
        if (isAway(error)) this.#awayMs ??= performance.now();
        if (givenUp || performance.now() + pauseMs >= end) throw error;
        this.#meters.count('store_read_retries', {});
      } finally {
        if (givenUp) this.#trying = false;
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  close(): Promise<void> {
    return this.#pool.close(readLimits.closeMsMax);
  }

  async #ask(connection: Connection, sql: string, params: readonly SqlValue[]): Promise<readonly Row[]> {
    try {
      return this.#pooled
        ? await inTransaction(connection, sql, params)
        : (await connection.query(sql, params)).rows;
    } catch (error) {
      // Nobody knows what it waits for, or it is a standby now.
      if (isAway(error)) connection.destroy();
      throw error;
    }
  }
}

/** Behind a pooler a limit on a statement lives as long as a transaction. */
async function inTransaction(
  connection: Connection,
  sql: string,
  params: readonly SqlValue[],
): Promise<readonly Row[]> {
  try {
    await connection.script(beginOf({ pooled: true }, 'read'));
    const { rows } = await connection.query(sql, params);
    await connection.script('COMMIT');
    return rows;
  } catch (error) {
    if (!isAway(error)) await connection.script('ROLLBACK').catch(() => connection.destroy());
    throw error;
  }
}
