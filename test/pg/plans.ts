/** The tests of plans: of what was sent in this process, on a database with many rows; and that what is bad shows there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { plenty } from './plenty.ts';
import { wrongWith, type spyOnStatements } from './statements.ts';

/** What brings an earlier store to today's tables, and the tests' own looks at the catalogue. */
const once =
  /_v3\b|_v4\b|INTO recent .*\bSELECT operation|INTO waiting|UPDATE tokens SET id|UPDATE actions SET grant_index|\bpg_\w+/s;

/** A database with more rows than a test makes, where one is given (bench `scale`); it is left as it is. */
const given = process.env['PLANS_DATABASE'];
const many = async (): Promise<Pick<Awaited<ReturnType<typeof plenty>>, 'url' | 'remove'>> =>
  given === undefined ? plenty() : { url: given, remove: () => Promise.resolve() };

/** Registers the test; `spy` is ended by it. @param of whose statements they are. */
export function plansTest(of: string, spy: ReturnType<typeof spyOnStatements>): void {
  test(`${of}: no statement reads a growing table whole, or sorts it`, async () => {
    spy.stop();
    const bench = await many();
    const client = new pg.Client({ connectionString: bench.url });
    await client.connect();
    try {
      const { rows } = await client.query<{ name: string; rows: number }>(
        'SELECT relname AS name, reltuples AS rows FROM pg_class WHERE relnamespace = current_schema()::regnamespace',
      );
      const rowsOf = new Map(rows.map((row) => [row.name, row.rows]));
      // Negative controls: the same words about columns that have no index.
      for (const sql of [
        'SELECT ord FROM actions WHERE subject = $1',
        'SELECT idx FROM entries ORDER BY pae LIMIT 10',
        'UPDATE executions SET detail = $1 WHERE outcome_by = $1',
      ])
        assert.notDeepEqual(
          await wrongWith(client, { sql, values: sql.includes('$1') ? ['x'] : [] }, rowsOf),
          [],
          sql,
        );
      const wrong: string[] = [];
      let looked = 0;
      for (const one of spy.sent.values()) {
        if (once.test(one.sql)) continue;
        const what = await wrongWith(client, one, rowsOf);
        looked += 1;
        if (what.length > 0) wrong.push(`${what.join(', ')}: ${one.sql.replaceAll(/\s+/g, ' ')}`);
      }
      console.log(`${looked} statements; the largest table has ${Math.max(...rowsOf.values())} rows`);
      assert.deepEqual(wrong, []);
    } finally {
      await client.end();
      await bench.remove();
    }
  });
}
