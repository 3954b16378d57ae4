/**
 * Making the log forget by ways around the rule of who may: by having left the agent, by blanking a row and letting a restore
 * say that it was erased, by erasing what was found out about oneself, by a restore under a hold.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { eraseRestored } from '../../src/app/retention.ts';
import { aboutNothing } from '../../src/core/entry.ts';
import { checkDatabase } from '../../src/store/sqlite-copy.ts';
import { restoreSqlite } from '../../src/store/restore.ts';
import { databaseFile } from '../../src/store/sqlite-protocol.ts';
import { caseOf, noOf, storeTest, until, value, type Opened } from '../store/bench.ts';
import {
  assertErasedLog,
  directory,
  ended,
  erase,
  eraseAction,
  erasedOf,
  pattern,
  pia,
  placed,
  publishAll,
} from '../store/erasing.ts';
import { sqliteBench, type SqliteBench } from '../store/sqlite-bench.ts';
import * as world from '../store/world.ts';

const { mia, oz, rosa, sam } = world;

type OpenedSqlite = Opened & SqliteBench;
const sqliteTest = (name: string, body: (opened: OpenedSqlite) => Promise<void>): void =>
  storeTest(name, sqliteBench, async (opened) => {
    value(await opened.store.change(world.acceptDirectory(directory)));
    // `storeTest` spreads the bench that it was given into what its body gets.
    await body(opened as OpenedSqlite);
  });

sqliteTest(
  'nobody-erases-their-own: who owned the agent when it acted is its owner for that, whoever owns it since',
  async (opened) => {
    const { store } = opened;
    // Nobody was asked, so that no approval keeps who was in conflict.
    const ask = world.ask(world.allow(await store.versions()), { input: { n: 1 } });
    const { id } = caseOf(await store.change(ask)).asked;
    const claim = world.claim(id, ask.asked.verdict);
    value(await store.change(claim));
    const by = { kind: 'agent', id: world.agent } as const;
    value(
      await store.change({
        kind: 'outcome',
        execution: claim.execution,
        by,
        status: 'succeeded',
        detail: null,
        result: null,
      }),
    );
    const refused = {
      type: 'action.refused',
      by,
      about: aboutNothing,
      subject: null,
      data: { operation: 'crm___nothing', code: 'unknown_operation', detail: 'no such operation' },
    } as const;
    value(await store.change({ kind: 'record', entries: [refused] }));
    const attempt = (await store.head()).size - 1;
    const left = {
      ...directory,
      agents: directory.agents.map((one) => (one.id === world.agent ? { ...one, owners: [mia] } : one)),
    };
    opened.later(30 * 86_400_000);
    value(await store.change(world.acceptDirectory(left)));
    await publishAll(store);
    assert.equal(noOf(await eraseAction(store, sam, id)), 'not_permitted');
    const range = { kind: 'entries', from: attempt, to: attempt } as const;
    assert.equal(noOf(await erase(store, sam, range)), 'not_permitted');
    // Neither was ever pia's.
    assert.equal(erasedOf(await erase(store, pia, range)).count, 1);
    assert.ok(erasedOf(await eraseAction(store, pia, id)).count > 0);
  },
);

sqliteTest(
  'what somebody blanked in the database is taken for erased by no restore: it is refused, or brings it back',
  async (opened) => {
    const { store, raw, directory: folder } = opened;
    const action = await ended(opened);
    await publishAll(store);
    const file = join(folder, 'good.db');
    assert.ok((await store.backup(file)).ok);
    const [first] = await store.entriesAbout(action);
    assert.ok(first !== undefined);
    const [index, statement] = [first.entry.index, first.statement];
    await raw(`UPDATE entries SET statement = '' WHERE idx = $1`, [index]);
    const no = await restoreSqlite({ directory: folder, file });
    assert.ok(!no.ok && no.error.detail.includes(`entry ${index} of the log is blank`));
    await raw(`UPDATE entries SET statement = $2 WHERE idx = $1`, [index, statement]);
    // An action that looks erased, of which the log says nothing.
    await raw(`UPDATE actions SET join_key = '' WHERE id = $1`, [action]);
    const restored = await restoreSqlite({ directory: folder, file });
    assert.ok(restored.ok, JSON.stringify(restored));
    await until('the store sees it', async () => (await store.head()).size === restored.value.entries);
    const asked = (await store.caseBy({ action }))?.asked;
    assert.equal(asked?.erased, undefined);
    assert.match(asked?.canonical ?? '', pattern);
    assert.deepEqual(await assertErasedLog(store), []);
    await checkDatabase(databaseFile(folder));
  },
);

sqliteTest(
  'what was found out about the gate, and that it was handed out, is erased by no one it is about',
  async (opened) => {
    const { store } = opened;
    const entry = (type: 'reconciliation.recorded' | 'evidence.made', data: Record<string, number>) =>
      ({ type, by: { kind: 'person', id: oz }, about: aboutNothing, subject: null, data }) as const;
    // Rosa's own agent went around the gate; nothing in the entry names either of them.
    value(
      await store.change({
        kind: 'record',
        entries: [
          entry('reconciliation.recorded', { matched: 3, gateOnly: 0, targetOnly: 41 }),
          entry('evidence.made', { rows: 3 }),
        ],
      }),
    );
    const { size } = await store.head();
    await publishAll(store);
    const range = { kind: 'entries', from: size - 2, to: size - 1 } as const;
    assert.equal(erasedOf(await erase(store, rosa, range)).count, 0);
    erasedOf(await erase(store, 'gate', { kind: 'before', index: size, from: 0 }));
    assert.deepEqual(
      (await store.entries(size - 3, 2)).map((one) => one.statement === ''),
      [false, false],
    );
  },
);

sqliteTest(
  'who accepted what is in force stays, whoever would erase it, and its text with it',
  async (opened) => {
    const { store } = opened;
    await publishAll(store);
    const { size } = await store.head();
    const before = await store.entries(-1, 100);
    assert.ok(before.some(({ entry }) => entry.type === 'directory.accepted'));
    erasedOf(await erase(store, pia, { kind: 'entries', from: 0, to: size - 1 }));
    for (const one of before)
      if (one.entry.type.endsWith('.accepted'))
        assert.equal((await store.entry(one.entry.index))?.statement, one.statement);
  },
);

sqliteTest(
  'hold-takes-two: what a restore brought back and somebody holds since is erased by no gate until it is released',
  async (opened) => {
    const { store, directory: folder } = opened;
    const [action, other] = [await ended(opened), await ended(opened, 'crm___import')];
    const file = join(folder, 'untold.db');
    assert.ok((await store.backup(file)).ok);
    await publishAll(store);
    erasedOf(await eraseAction(store, oz, action));
    erasedOf(await eraseAction(store, oz, other));
    const [mine, others] = await Promise.all(
      [action, other].map(async (one) => (await store.entriesAbout(one)).map(({ entry }) => entry.index)),
    );
    const restored = await restoreSqlite({ directory: folder, file });
    assert.ok(restored.ok, JSON.stringify(restored));
    await until('the store sees it', async () => (await store.head()).size === restored.value.entries);
    const hold = await placed(store, pia, { action });
    await publishAll(store);
    assert.equal(await eraseRestored(store), false, 'something is left');
    assert.deepEqual(await assertErasedLog(store), others);
    const { size } = await store.head();
    assert.equal(await eraseRestored(store), false);
    assert.equal((await store.head()).size, size, 'trying again writes nothing');
    value(await store.change({ kind: 'release', by: oz, hold, reason: 'over' }));
    assert.equal(await eraseRestored(store), true);
    assert.deepEqual(
      await assertErasedLog(store),
      [...(mine ?? []), ...(others ?? [])].toSorted((a, b) => a - b),
    );
  },
);
