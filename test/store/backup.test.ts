/** Backups are whole and consistent; a restore under a running gate loses no log and lets nothing run twice. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Result } from '../../src/core/result.ts';
import type { Store, StoreFault } from '../../src/ports/store.ts';
import { tokenIdOf } from '../../src/core/tokens.ts';
import { restoreSqlite, type Restored } from '../../src/store/restore.ts';
import { databaseFile } from '../../src/store/sqlite-protocol.ts';
import {
  approved,
  assertLog,
  caseOf,
  handle,
  hold,
  noOf,
  note,
  storeTest,
  until,
  value,
  type Opened,
} from './bench.ts';
import { enrolment } from './contract-passkeys.ts';
import { sqliteBench, type SqliteBench } from './sqlite-bench.ts';
import { delegationIdOf, type DelegationId, type PersonId } from '../../src/core/ids.ts';
import * as world from './world.ts';

type OpenedSqlite = Opened & SqliteBench;

const sqliteTest = (name: string, body: (opened: OpenedSqlite) => Promise<void>): void =>
  // `storeTest` spreads the bench that it was given into what its body gets.
  storeTest(name, sqliteBench, (opened) => body(opened as OpenedSqlite));

const child = fileURLToPath(new URL('./restore-child.ts', import.meta.url));

/** Restores from another process. */
async function restoreElsewhere(directory: string, file: string): Promise<Result<Restored, StoreFault>> {
  const { stdout } = await promisify(execFile)(process.execPath, [child, directory, file]);
  // The child prints what restoreSqlite answered.
  return JSON.parse(stdout) as Result<Restored, StoreFault>;
}

/** Writes notes until told to stop; answers how many were answered with a success. */
function writing(store: Store): () => Promise<number> {
  const stop = new AbortController();
  let written = 0;
  const callers = Promise.all(
    Array.from({ length: 8 }, async () => {
      while (!stop.signal.aborted) if ((await store.change(note(1))).ok) written += 1;
    }),
  );
  return async () => {
    stop.abort();
    await callers;
    return written;
  };
}

/** Opens the backup as a store of its own, by copying it to where one would be. */
async function lookInto(file: string, look: (store: Store) => Promise<void>): Promise<void> {
  const bench = await sqliteBench();
  copyFileSync(file, databaseFile(bench.directory));
  const store = await bench.open({});
  try {
    await look(store);
  } finally {
    await store.close();
    await bench.remove();
  }
}

sqliteTest('a backup made while everything is being written is one moment of it', async (one) => {
  const { store, directory } = one;
  const ask = await approved(one);
  const stop = writing(store);
  const file = join(directory, 'copy.db');
  const before = await store.head();
  assert.deepEqual(await store.backup(file), { ok: true, value: null });
  const written = await stop();
  assert.equal(statSync(file).mode & 0o777, 0o600);
  await lookInto(file, async (copy) => {
    const { size } = await copy.head();
    assert.ok(size >= before.size && size <= before.size + written);
    assert.deepEqual(await copy.entries(size - 3, 9), (await store.entries(size - 3, 9)).slice(0, 2));
    assert.deepEqual(
      await copy.caseBy({ action: ask.asked.id }),
      await store.caseBy({ action: ask.asked.id }),
    );
    await assertLog(copy);
  });
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.includes('partial')),
    [],
  );
});

sqliteTest('a backup never writes over a file, and says what is wrong', async ({ store, directory }) => {
  const file = join(directory, 'mine.txt');
  writeFileSync(file, 'mine');
  const taken = await store.backup(file);
  assert.ok(!taken.ok && taken.error.detail.includes('exists already'));
  assert.equal(readFileSync(file, 'utf8'), 'mine');
  const nowhere = await store.backup(join(directory, 'no', 'such', 'folder.db'));
  assert.ok(!nowhere.ok && nowhere.error.detail.includes('ENOENT'));
});

/** A store with a case in every state that could go on, and a backup of it. */
async function scene(one: OpenedSqlite) {
  const { store, versions, directory, clock } = one;
  const review = world.review(versions);
  const pending = (await hold(one)).review;
  const granted = await approved(one);
  const ready = world.ask(world.allow(versions));
  value(await store.change(ready));
  const running = await approved(one, world.ask(review, { enforcement: 'mediated' }));
  const run = world.claim(running.asked.id, review);
  value(await store.change(run));
  const link = {
    kind: 'link',
    person: world.rosa,
    hash: world.freshKey(),
    expiresAtMs: clock.nowMs() + 9e6,
  } as const;
  const used = { ...link, hash: world.freshKey() };
  const session = world.freshKey();
  value(await store.change(link));
  value(await store.change(used));
  value(
    await store.change({
      kind: 'signIn',
      linkHash: used.hash,
      sessionHash: session,
      expiresAtMs: link.expiresAtMs,
    }),
  );
  const token = world.freshKey();
  value(await store.change({ kind: 'token', principal: { kind: 'person', id: world.rosa }, hash: token }));
  const file = join(directory, 'backup.db');
  assert.ok((await store.backup(file)).ok);
  return { pending, granted, ready, running, run, link, session, token, file, review };
}

/** What happens after the backup, and is undone by the restore. */
async function afterwards(
  one: OpenedSqlite,
  { granted, ready, run, review, pending }: Awaited<ReturnType<typeof scene>>,
) {
  const { store } = one;
  value(await store.change(world.claim(granted.asked.id, granted.asked.verdict)));
  value(await store.change(world.claim(ready.asked.id, ready.asked.verdict)));
  value(
    await store.change({
      kind: 'outcome',
      execution: run.execution,
      by: { kind: 'gate' },
      status: 'succeeded',
      detail: null,
      result: null,
    }),
  );
  value(await store.change(world.reviewOf(handle(pending), world.rosa, 'deny')));
  const key = { principal: 'agent:a', key: 'k', fingerprint: 'f' };
  const later = world.ask(review);
  value(await store.change(later, key));
  value(
    await store.change(
      world.acceptDirectory({ ...world.directory, people: world.directory.people.slice(1) }),
    ),
  );
  return { key, later, versions: await store.versions() };
}

sqliteTest(
  'a restore sets no stopped agent free, and forgets no grant and nothing used once',
  async (one) => {
    const { store, versions, directory, clock } = one;
    const file = join(directory, 'backup.db');
    value(await store.change(world.ask(world.allow(versions), { amount: 10 })));
    assert.ok((await store.backup(file)).ok);
    value(await store.change(world.ask(world.allow(versions), { amount: 30 })));
    const hash = world.freshKey();
    const use = { kind: 'use', hash, expiresAtMs: clock.nowMs() + 9e6 } as const;
    value(await store.change(use));
    const stop = {
      kind: 'stop',
      agent: world.agent,
      by: world.sam,
      approval: null,
      reason: 'it leaks',
    } as const;
    value(await store.change(stop));
    const restored = await restoreElsewhere(directory, file);
    assert.ok(restored.ok, JSON.stringify(restored));
    assert.deepEqual(
      (await store.stops()).map((each) => [each.agent, each.kind, each.reason]),
      [[world.agent, 'stopped', 'it leaks']],
    );
    assert.deepEqual(
      [...new Set((await store.recent('crm___export')).map(({ count, sum }) => `${count} of ${sum}`))],
      ['2 of 40'],
    );
    assert.ok(!(await store.change(use)).ok, 'it was used');
  },
);

sqliteTest(
  'step-up: a restore brings back no revoked passkey, no smaller counter and nothing that was begun',
  async (one) => {
    const { store, directory, clock } = one;
    for (const id of ['revoked', 'good']) value(await store.change(await enrolment(one, id, world.rosa)));
    const begun = await enrolment(one, 'later', world.rosa);
    const file = join(directory, 'passkeys.db');
    assert.ok((await store.backup(file)).ok);
    const operator = { kind: 'operator' } as const;
    value(await store.change({ kind: 'revokePasskey', passkey: 'revoked', by: operator }));
    value(await store.change(begun));
    assert.ok((await restoreElsewhere(directory, file)).ok);
    const states = (await store.passkeysOf(world.rosa)).map(
      (each) => [each.id, each.revokedAtMs !== null] as const,
    );
    assert.deepEqual(
      new Map(states),
      new Map([
        ['revoked', true],
        ['good', false],
      ]),
    );
    for (const hash of [begun.challenge, begun.grant ?? '']) assert.equal(await store.begun(hash), undefined);
    assert.equal(noOf(await store.change(begun)), 'not_permitted', `begun before ${clock.nowMs()} and gone`);
  },
);

sqliteTest('token-ends: a restore hands no token back that was revoked after the backup', async (one) => {
  const { store, directory } = one;
  const principal = { kind: 'agent', id: world.agent } as const;
  const [revoked, good, later] = [world.freshKey(), world.freshKey(), world.freshKey()];
  for (const hash of [revoked, good]) value(await store.change({ kind: 'token', principal, hash }));
  const file = join(directory, 'backup.db');
  assert.ok((await store.backup(file)).ok);
  value(await store.change({ kind: 'revokeToken', token: tokenIdOf(revoked) }));
  value(await store.change({ kind: 'token', principal, hash: later }));
  const restored = await restoreElsewhere(directory, file);
  assert.ok(restored.ok, JSON.stringify(restored));
  const states = (await store.tokens()).map((each) => [each.hash, each.revokedAtMs !== null] as const);
  assert.deepEqual(
    new Map(states),
    new Map([
      [revoked, true],
      [good, false],
    ]),
  );
});

sqliteTest(
  'stand-in: a restore lets nobody stand in again whose time was ended after the backup',
  async (one) => {
    const { store, directory, clock } = one;
    const arrange = async (from: PersonId): Promise<DelegationId> => {
      const id = delegationIdOf(world.fresh());
      const untilMs = clock.nowMs() + 3_600_000;
      const by = { kind: 'person', id: from } as const;
      value(await store.change({ kind: 'delegate', id, by, to: world.oz, fromMs: null, untilMs }));
      return id;
    };
    const [ended, good] = [await arrange(world.rosa), await arrange(world.mia)];
    const file = join(directory, 'backup.db');
    assert.ok((await store.backup(file)).ok);
    value(await store.change({ kind: 'endDelegation', id: ended, by: world.rosa }));
    await arrange(world.sam);
    const restored = await restoreElsewhere(directory, file);
    assert.ok(restored.ok, JSON.stringify(restored));
    assert.deepEqual(
      (await store.delegations()).map((each) => each.id),
      [good],
    );
  },
);

sqliteTest('a restore under a running gate lets nothing run twice', async (one) => {
  const { store, directory } = one;
  const before = await scene(one);
  const after = await afterwards(one, before);
  const heard: (readonly string[])[] = [];
  store.onChange((changed) => heard.push(changed));
  const stop = writing(store);
  const restored = await restoreElsewhere(directory, before.file);
  assert.ok(restored.ok, JSON.stringify(restored));
  await stop();
  await until('the gate is told', () => heard.some((changed) => changed.length === 0));

  const types = await assertLog(store);
  const at = types.indexOf('store.restored');
  assert.equal(types.filter((type) => type === 'execution.started').length, 1, 'the one that was running');
  assert.equal(restored.value.ended, 4);
  for (const [ask, state] of [
    [before.pending, 'cancelled'],
    [before.granted, 'cancelled'],
    [before.ready, 'cancelled'],
    [before.running, 'unknown'],
  ] as const) {
    const held = await store.caseBy({ action: ask.asked.id });
    assert.equal(held?.execution?.status ?? held?.ending?.code, state);
    const claimed = noOf(await store.change(world.claim(ask.asked.id, ask.asked.verdict)));
    assert.equal(claimed, state === 'unknown' ? 'grant_consumed' : 'cancelled');
  }
  assert.deepEqual(await store.running(), []);
  assert.deepEqual(await store.nextDue(9), []);
  assert.equal(await store.caseBy({ action: after.later.asked.id }), undefined, 'it came after the backup');

  const versions = await store.versions();
  for (const key of ['policySet', 'directory', 'tools'] as const)
    assert.ok(versions[key] > after.versions[key], key);
  assert.deepEqual(await store.directory(), world.directory);
  assert.equal((await store.accepted('directory'))?.version, versions.directory);
  assert.equal(noOf(await store.change(world.ask(world.review(after.versions)))), 'stale');
  assert.equal(noOf(await store.change(world.reviewOf(handle(before.pending), world.rosa))), 'stale');
  assert.equal(noOf(await store.change(world.ask(world.allow(versions)), after.key)), 'idempotency_conflict');

  assert.equal(await store.sessionOf(before.session), undefined);
  assert.equal(await store.linkOf(before.link.hash), undefined);
  assert.deepEqual(await store.principalOf(before.token), { kind: 'person', id: world.rosa });
  const told = await store.takeNotices('web', 1000, 9);
  assert.deepEqual(
    told.map((notice) => [notice.kind, notice.approval]),
    [
      ['approval.closed', before.pending.approval],
      ['approval.closed', before.granted.approval],
      ['execution.ended', before.running.approval],
    ],
  );
  value(await store.change(world.ask(world.allow(versions))));

  const [entry] = await store.entries(at - 1, 1);
  const data = entry?.entry.data as Record<'backup' | 'replaced', { size: number; head: string }> & {
    saved: string;
  };
  assert.equal(data.backup.size, at);
  assert.equal(data.backup.head, (await store.entries(at - 2, 1))[0]?.head);
  assert.equal(data.saved, basename(restored.value.saved));
  await lookInto(restored.value.saved, async (saved) => {
    assert.deepEqual(await saved.head(), { size: data.replaced.size, head: data.replaced.head });
    assert.equal((await saved.caseBy({ action: after.later.asked.id }))?.asked.id, after.later.asked.id);
    await assertLog(saved);
  });
  assert.deepEqual(
    readdirSync(directory).filter((name) => /^restore-|partial/.test(name)),
    [],
  );
});

sqliteTest('what is not a whole backup changes nothing', async (one) => {
  const { store, directory, raw } = one;
  await approved(one);
  const good = join(directory, 'good.db');
  assert.ok((await store.backup(good)).ok);
  const head = await store.head();
  const refused = async (name: string, spoil: (file: string) => unknown, says: RegExp): Promise<void> => {
    const file = join(directory, name);
    copyFileSync(good, file);
    await spoil(file);
    const result = await restoreSqlite({ directory, file });
    assert.ok(!result.ok, name);
    assert.match(result.error.detail, says);
  };
  const inside = (sql: string) => async (file: string) => {
    const other = await sqliteBench();
    copyFileSync(file, databaseFile(other.directory));
    await other.raw(sql);
    copyFileSync(databaseFile(other.directory), file);
    await other.remove();
  };
  await refused('text.db', (file) => writeFileSync(file, 'no database'), /not a database/);
  await refused('short.db', (file) => truncateSync(file, 8192), /malformed|damaged|no backup|missing/);
  await refused('empty.db', (file) => writeFileSync(file, ''), /no backup of a Countersign store/);
  await refused(
    'changed.db',
    inside("UPDATE entries SET statement = replace(statement, 'rosa', 'mia') WHERE type = 'review.recorded'"),
    /entry \d+ of the log was changed/,
  );
  await refused('cut.db', inside('DELETE FROM entries WHERE idx = 1'), /entry 1 of the log is missing/);
  await refused(
    'tail.db',
    inside('DELETE FROM entries WHERE idx = (SELECT max(idx) FROM entries)'),
    /its head tells/,
  );
  await refused(
    'newer.db',
    inside("UPDATE meta SET value = '999' WHERE key = 'schema_version'"),
    /newer Countersign/,
  );
  const none = await restoreSqlite({ directory, file: join(directory, 'none.db') });
  assert.ok(!none.ok && none.error.detail.includes('ENOENT'));
  assert.deepEqual(await store.head(), head);
  assert.deepEqual(
    readdirSync(directory).filter((name) => /^restore-|partial|before-restore/.test(name)),
    [],
  );
  assert.equal((await raw('SELECT count(*) AS n FROM entries'))[0]?.['n'], head.size);
});

test('a restore into an empty folder makes the store', async () => {
  const [from, to] = [await sqliteBench(), await sqliteBench()];
  const first = await from.open({});
  value(await first.change(world.acceptDirectory()));
  const ask = world.ask(world.review(await first.versions()));
  caseOf(await first.change(ask));
  const file = join(from.directory, 'b.db');
  assert.ok((await first.backup(file)).ok);
  const key = first.joinKey();
  await first.close();
  const restored = await restoreSqlite({ directory: join(to.directory, 'new'), file });
  assert.ok(restored.ok);
  assert.equal(dirname(restored.value.saved), join(to.directory, 'new'));
  const store = await (await sqliteBench(join(to.directory, 'new'))).open({});
  assert.deepEqual(store.joinKey(), key);
  assert.equal((await store.caseBy({ approval: ask.approval }))?.ending?.code, 'cancelled');
  assert.equal((await store.head()).size, restored.value.entries);
  await assertLog(store);
  await store.close();
  await Promise.all([from.remove(), to.remove()]);
});
