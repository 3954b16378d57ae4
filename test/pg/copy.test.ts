/** `store copy`, the store's side: what arrives, what is found, what is refused, and which of the two stores may run. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { emptyHead } from '../../src/core/entry.ts';
import { undoCopy } from '../../src/store/copy.ts';
import type { CopyRefused } from '../../src/store/copy-result.ts';
import { restoreSqlite } from '../../src/store/restore.ts';
import { migrate, tables } from '../../src/store/schema.ts';
import { readSqliteLog } from '../../src/store/sqlite-read.ts';
import { assertLog, caseOf, note, noOf, value } from '../store/bench.ts';
import { sqliteBench } from '../store/sqlite-bench.ts';
import { postgresBench, serverUrl } from './bench.ts';
import { assertMoved, dump, fill, odd, openable, rigOf, withRig, type Rig } from './copy-rig.ts';

type Answered = Awaited<ReturnType<Rig['copy']>>;

const whyOf = (
  answer: { readonly ok: true } | { readonly ok: false; readonly error: CopyRefused },
): CopyRefused => {
  assert.ok(!answer.ok, 'it was not refused');
  return answer.error;
};
const moved = (answer: Answered) => {
  assert.ok(answer.ok, JSON.stringify(answer));
  return answer.value;
};

/** Stops the first time that so many rows are copied. */
async function interrupted(rig: Rig, rows: number): Promise<void> {
  const ends = new AbortController();
  const answer = await rig.copy({
    signal: ends.signal,
    watch: ({ step, done }) => void (step === 'copied' && done >= rows && ends.abort()),
  });
  assert.equal(whyOf(answer).kind, 'stopped');
}

if (serverUrl === '') {
  test('PostgreSQL is there', () => {
    assert.fail('DATABASE_URL is not set: run `npm run test:pg`, which starts a PostgreSQL for these tests.');
  });
} else {
  test('every row of every table arrives as it was, and only the copy may be opened', () =>
    withRig(6, async (rig) => {
      const was = await rig.here((driver) => dump(driver));
      const copied = moved(await rig.copy());
      await assertMoved(rig);
      assert.deepEqual(await rig.there((driver) => dump(driver)), was);
      assert.ok(was['actions']?.some((row) => row.includes(String(Number.MAX_SAFE_INTEGER))));
      assert.ok(
        was['reviews']?.some((row) => row.includes(JSON.stringify(odd).slice(1, -1))),
        'odd text is there',
      );
      assert.deepEqual([copied.tables, copied.before, copied.pictures], [tables.length, false, 0]);
      const started = was['executions']?.filter((row) => row.includes('"started"')) ?? [];
      assert.ok(started.length > 0);
      assert.equal(copied.running, started.length);
      assert.equal(moved(await rig.copy()).before, true, 'again: nothing is done');
    }));

  test('the store goes on there: the log is whole, what is asked again joins, and the old one says where it went', () =>
    withRig(2, async (rig) => {
      const before = await rig.source.open({});
      const head = await before.head();
      const [pending] = await before.held({ status: 'pending', limit: 10 });
      await before.close();
      moved(await rig.copy());
      await assert.rejects(
        rig.source.open({}),
        /This store was moved to the PostgreSQL database .* and is closed/,
      );
      await assert.rejects(rig.source.open({ exclusive: false }), /was moved to/);
      const store = await rig.target.open({});
      try {
        assert.deepEqual(await store.head(), head);
        assert.deepEqual((await store.held({ status: 'pending', limit: 10 }))[0], pending);
        assert.equal(noOf(await store.change(note(1))), 'ok');
        await assertLog(store);
      } finally {
        await store.close();
      }
      assert.equal(
        whyOf(await undoCopy({ directory: rig.source.directory, url: rig.target.url, from: '' })).kind,
        'written',
      );
      assert.deepEqual(await openable(rig), { source: false, target: true });
    }));

  test('an interrupted copy opens nowhere, and the same call goes on where it was', () =>
    withRig(6, async (rig) => {
      await interrupted(rig, 20);
      assert.deepEqual(await openable(rig), { source: true, target: false });
      await assert.rejects(rig.target.open({}), /holds an unfinished copy of the store data: finish it/);
      // A row that is there already is not written again: the page that it is in is not copied anew.
      await rig.target.raw("UPDATE actions SET agent = 'mallory' WHERE ord = (SELECT min(ord) FROM actions)");
      const answer = whyOf(await rig.copy());
      assert.ok(answer.kind === 'differs' && answer.table === 'actions', JSON.stringify(answer));
      assert.match(answer.what, /^the row \d+ is another one there$/);
      assert.deepEqual(await openable(rig), { source: true, target: false });
      moved(await rig.copy());
      await assertMoved(rig);
    }));

  const harms: readonly (readonly [harm: string, table: string])[] = [
    ['DELETE FROM entries WHERE idx = 3', 'entries'],
    [
      "INSERT INTO sessions (hash, person_id, expires_at_ms) VALUES ('x', 'mallory', 9999999999999)",
      'sessions',
    ],
    ["UPDATE executions SET status = 'succeeded', ended_at_ms = 1 WHERE status = 'started'", 'executions'],
    [
      "UPDATE reviews SET decision = 'approve', digest = 'd', channel = 'web' WHERE decision = 'barred'",
      'reviews',
    ],
  ];
  for (const [harm, table] of harms) {
    test(`what somebody changes in the copy before it is compared is found: ${table}`, () =>
      withRig(4, async (rig) => {
        const ends = new AbortController();
        // Everything is written when the first table is compared.
        const stopped = await rig.copy({
          signal: ends.signal,
          watch: ({ step }) => void (step === 'compared' && ends.abort()),
        });
        assert.equal(whyOf(stopped).kind, 'stopped');
        await rig.target.raw(harm);
        const found = whyOf(await rig.copy());
        assert.ok(found.kind === 'differs' && found.table === table, JSON.stringify(found));
        assert.equal((await openable(rig)).target, false);
        moved(await rig.copy());
        await assertMoved(rig);
      }));
  }

  test('what is not in a table is written anew by each run', () =>
    withRig(1, async (rig) => {
      const ends = new AbortController();
      await rig.copy({
        signal: ends.signal,
        watch: ({ step }) => void (step === 'compared' && ends.abort()),
      });
      await rig.target.raw("UPDATE meta SET value = 'ff' WHERE key = 'join_key'");
      await rig.target.raw('UPDATE log_head SET size = 1');
      moved(await rig.copy());
      await assertMoved(rig);
    }));

  test('a row of somebody else that is in the way is found, and gone with the next run', () =>
    withRig(2, async (rig) => {
      await interrupted(rig, 3);
      await rig.target.raw(
        "INSERT INTO tokens (hash, kind, principal_id, at_ms, id) SELECT repeat('0', 64), 'agent', 'x', 1, $1",
        [String((await rig.source.raw('SELECT id FROM tokens LIMIT 1'))[0]?.['id'])],
      );
      const answer = whyOf(await rig.copy());
      assert.deepEqual(answer, {
        kind: 'differs',
        table: 'tokens',
        what: 'a row is there that this copy did not write',
      });
      moved(await rig.copy());
      await assertMoved(rig);
    }));

  test('a log that is wrong in the source itself is not moved', () =>
    withRig(2, async (rig) => {
      await rig.source.raw(
        `UPDATE entries SET statement = replace(statement, '"n":0', '"n":7') WHERE statement LIKE '%"n":0%'`,
      );
      const answer = whyOf(await rig.copy());
      assert.ok(answer.kind === 'differs' && answer.table === 'entries', JSON.stringify(answer));
      assert.match(answer.what, /entry \d+ of the log was changed/);
      assert.deepEqual(await openable(rig), { source: true, target: false });
    }));

  test('a source that was written to between two runs is copied anew', () =>
    withRig(4, async (rig) => {
      await interrupted(rig, 60);
      const store = await rig.source.open({ exclusive: false });
      assert.equal(noOf(await store.change(note(99))), 'ok');
      await store.close();
      moved(await rig.copy());
      await assertMoved(rig);
    }));

  test('nobody writes beside a copy: not to the source while it is copied, nor after, with a store that was opened before', () =>
    withRig(2, async (rig) => {
      const beside = await rig.source.open({ exclusive: false });
      try {
        let during: Promise<string> | undefined;
        moved(
          await rig.copy({
            watch: () => {
              during ??= beside.change(note(1)).then(noOf);
            },
          }),
        );
        assert.equal(await during, 'fault');
        assert.equal(noOf(await beside.change(note(2))), 'fault');
      } finally {
        await beside.close();
      }
      await assertMoved(rig);
    }));

  test('a store that was opened on the empty target writes nothing into the copy', () =>
    withRig(2, async (rig) => {
      const early = await rig.target.open({});
      try {
        await interrupted(rig, 30);
        assert.equal(noOf(await early.change(note(1))), 'fault');
      } finally {
        await early.close();
      }
      moved(await rig.copy());
      await assertMoved(rig);
    }));

  test('a gate on the source refuses the copy, and a copy refuses nothing once the gate has stopped', () =>
    withRig(1, async (rig) => {
      const gate = await rig.source.open({});
      assert.equal(whyOf(await rig.copy()).kind, 'running');
      await gate.close();
      moved(await rig.copy());
    }));

  test('a target that is in use, or holds another store, is left as it is', () =>
    withRig(1, async (rig) => {
      const used = await postgresBench();
      const other = await sqliteBench();
      try {
        const store = await used.open({});
        value(await store.change(note(1)));
        await store.close();
        const before = await used.raw('SELECT * FROM entries');
        assert.equal(whyOf(await rig.copy({ url: used.url })).kind, 'used');
        assert.deepEqual(await used.raw('SELECT * FROM entries'), before);
        assert.deepEqual(await used.raw("SELECT key FROM meta WHERE key = 'copy'"), []);

        await interrupted(rig, 5);
        const filled = await other.open({});
        await fill(filled, 1);
        await filled.close();
        const answer = whyOf(await rigOf(other, rig.target).copy());
        assert.deepEqual(answer, { kind: 'other', from: 'data' });
        moved(await rig.copy());
      } finally {
        await used.remove();
        await other.remove();
      }
    }));

  test('an older copy of the folder is not moved over the store that went on, nor a moved one elsewhere', () =>
    withRig(1, async (rig) => {
      const folder = mkdtempSync(join(tmpdir(), 'countersign-older-'));
      cpSync(rig.source.directory, folder, { recursive: true });
      const older = await sqliteBench(folder);
      const second = await postgresBench();
      try {
        moved(await rig.copy());
        assert.equal(whyOf(await rigOf(older, rig.target).copy()).kind, 'newer');
        assert.equal(whyOf(await rig.copy({ url: second.url })).kind, 'elsewhere');
        assert.deepEqual(await openable(rig), { source: false, target: true });
      } finally {
        await older.remove();
        await second.remove();
      }
    }));

  test('a store of an earlier schema, that nothing was ever recorded in, is brought to today’s and moved', async () => {
    const rig = rigOf(await sqliteBench(), await postgresBench());
    try {
      await rig.here((driver) => migrate(driver, { joinKey: '07'.repeat(32), emptyHead }, { to: 5 }));
      const copied = moved(await rig.copy());
      assert.deepEqual([copied.entries, copied.head], [0, emptyHead]);
      await assertMoved(rig);
      assert.deepEqual(await rig.target.raw("SELECT value FROM meta WHERE key = 'join_key'"), [
        { value: '07'.repeat(32) },
      ]);
    } finally {
      await rig.source.remove();
      await rig.target.remove();
    }
  });

  test('no backup is put back over a store that has moved, and its log can still be read', () =>
    withRig(1, async (rig) => {
      const file = join(rig.source.directory, 'backup.db');
      const store = await rig.source.open({});
      const { size } = await store.head();
      assert.ok((await store.backup(file)).ok);
      await store.close();
      moved(await rig.copy());
      const restored = await restoreSqlite({ directory: rig.source.directory, file });
      assert.ok(!restored.ok);
      assert.match(restored.error.detail, /This store was moved to/);
      const log = await readSqliteLog(rig.source.directory);
      assert.equal((await log.head()).size, size);
      log.close();
      await assertMoved(rig);
    }));

  test('the way back, and forth again', () =>
    withRig(2, async (rig) => {
      const options = { directory: rig.source.directory, url: rig.target.url, from: 'data' };
      assert.equal(whyOf(await undoCopy(options)).kind, 'nothingToUndo');
      const was = await rig.here((driver) => dump(driver));
      await interrupted(rig, 5);
      assert.deepEqual(await undoCopy(options), { ok: true, value: 'dropped' });
      moved(await rig.copy());
      assert.deepEqual(await undoCopy(options), { ok: true, value: 'opened' });
      assert.deepEqual(await openable(rig), { source: true, target: false });
      assert.deepEqual(await rig.here((driver) => dump(driver)), was);
      assert.deepEqual(await rig.target.raw('SELECT * FROM entries'), [], 'nothing of it stays there');
      const store = await rig.source.open({});
      assert.equal(noOf(await store.change(note(5))), 'ok');
      await store.close();
      moved(await rig.copy());
      await assertMoved(rig);
    }));

  test('connections that are lost are made anew, and no row is written twice', () =>
    withRig(5, async (rig) => {
      let killed = 0;
      const kill = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'countersign' AND pid <> pg_backend_pid()`;
      let killing: Promise<unknown> = Promise.resolve();
      const copied = await rig.copy({
        watch: ({ done }) => {
          if (killed >= 4 || done % 2 === killed % 2) return;
          killed += 1;
          killing = rig.target.raw(kill);
        },
      });
      await killing;
      assert.ok(killed > 1);
      moved(copied);
      await assertMoved(rig);
    }));

  test('NUL in what somebody typed becomes its picture, and is told; anywhere else it is refused by its place', () =>
    withRig(1, async (rig) => {
      await rig.source.raw("UPDATE reviews SET reason = 'a' || char(0) || 'b' WHERE decision = 'approve'");
      const copied = moved(await rig.copy());
      assert.equal(copied.pictures, 1);
      assert.deepEqual(await rig.target.raw("SELECT reason FROM reviews WHERE decision = 'approve'"), [
        { reason: 'a\u2400b' },
      ]);
      const options = { directory: rig.source.directory, url: rig.target.url, from: 'data' };
      assert.deepEqual(await undoCopy(options), { ok: true, value: 'opened' });
      await rig.source.raw('UPDATE actions SET preview = char(0) WHERE ord = (SELECT max(ord) FROM actions)');
      const answer = whyOf(await rig.copy());
      assert.ok(answer.kind === 'fault' && !answer.goesOn, JSON.stringify(answer));
      assert.match(
        answer.detail,
        /^actions\.preview of the row \d+ holds the character NUL; PostgreSQL could not$/,
      );
      assert.deepEqual(await openable(rig), { source: true, target: false });
    }));

  test('a number that a reader would round is refused', () =>
    withRig(1, async (rig) => {
      await rig.source.raw('UPDATE recent SET sum = 1.5');
      const answer = whyOf(await rig.copy());
      assert.ok(answer.kind === 'fault', JSON.stringify(answer));
      assert.match(answer.detail, /^recent\.sum of the row .* holds no whole number below 2\^53/);
    }));

  test('a pending approval is decided there and runs once', () =>
    withRig(1, async (rig) => {
      moved(await rig.copy());
      const store = await rig.target.open({});
      try {
        const [held] = await store.held({ status: 'pending', limit: 1 });
        assert.ok(held?.approval != null);
        const { asked, approval } = held;
        const world = await import('../store/world.ts');
        const review = world.reviewOf(
          { approval: approval.id, digest: asked.digest, verdict: asked.verdict },
          world.rosa,
        );
        assert.ok(caseOf(await store.change(review)).grant);
        assert.ok(caseOf(await store.change(world.claim(asked.id, asked.verdict))).execution);
        assert.equal(noOf(await store.change(world.claim(asked.id, asked.verdict))), 'grant_consumed');
      } finally {
        await store.close();
      }
    }));
}
