/** How far one search goes, and which patterns it gives to the database. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { aboutNothing } from '../../src/core/entry.ts';
import { broadPattern, indexAt, likeText, searchLog } from '../../src/store/log-search.ts';
import { SqliteDriver } from '../../src/store/sqlite-driver.ts';
import { databaseFile } from '../../src/store/sqlite-protocol.ts';
import { openSqlite } from '../../src/store/sqlite.ts';

test('one search looks through so many entries and no more, says where it stopped, and goes on from there', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'countersign-search-'));
  const store = await openSqlite({ directory, channels: [] });
  const db = new SqliteDriver(databaseFile(directory), 'read');
  try {
    const made = await store.change({
      kind: 'record',
      entries: Array.from({ length: 3000 }, (_, n) => ({
        type: 'gate.started' as const,
        by: { kind: 'gate' as const },
        about: aboutNothing,
        subject: null,
        data: { n: n === 5 ? 'needle' : 'hay' },
      })),
    });
    assert.ok(made.ok);
    const query = {
      text: 'needle',
      type: null,
      agent: null,
      operation: null,
      person: null,
      resource: null,
      verdict: null,
      policy: null,
      fromMs: null,
      toMs: null,
      limit: 50,
    };
    const first = await searchLog(db, { ...query, before: null }, 1000);
    assert.deepEqual([first.entries, first.searchedTo, first.more], [[], 2000, true]);
    const second = await searchLog(db, { ...query, before: first.searchedTo }, 1000);
    assert.deepEqual([second.entries, second.searchedTo, second.more], [[], 1000, true]);
    const third = await searchLog(db, { ...query, before: second.searchedTo }, 1000);
    assert.deepEqual(
      [third.entries.map((one) => one.entry.index), third.searchedTo, third.more],
      [[5], 0, false],
    );
    assert.equal(await indexAt(db, 0), 0);
    assert.equal(await indexAt(db, Number.MAX_SAFE_INTEGER), 3000);
  } finally {
    db.close();
    await store.close();
    await rm(directory, { recursive: true });
  }
});

test('a pattern means the text itself, and has one part however the text is made', () => {
  assert.equal(likeText('100%_!'), '100!%!_!!');
  assert.equal(broadPattern('A_b'), '%a!_b%');
  assert.equal(broadPattern('say "hi"\n'), '%say \\"hi\\"\\n%');
  assert.equal(broadPattern('größe'), '%gr%');
  assert.equal(broadPattern('тест'), '%%');
  const hostile = broadPattern('éx%'.repeat(100));
  assert.equal(hostile, '%x!%%');
});
