/**
 * No statement reads a table whole that grows, or sorts it: every one that pages, API and a gate at work send is asked of PostgreSQL
 * as it would go about it with many rows. A new page is looked at without anybody remembering: it is in the table of pages.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plansTest } from './plans.ts';
import { postgresBench, serverUrl } from './bench.ts';
import { spyOnStatements } from './statements.ts';
import { walk } from './walk.ts';

if (serverUrl === '') {
  test('PostgreSQL is there', () => {
    assert.fail('DATABASE_URL is not set: run `npm run test:pg`, which starts a PostgreSQL for these tests.');
  });
} else {
  const spy = spyOnStatements();

  test('every page, and every read of the API, is opened', async () => {
    const bench = await postgresBench();
    try {
      await walk(bench.url);
    } finally {
      await bench.remove();
    }
    assert.ok(spy.sent.size > 100, `${spy.sent.size} statements`);
  });

  plansTest('a gate at work', spy);
}
