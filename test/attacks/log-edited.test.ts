/**
 * Somebody with the database's file edits the log. What follows from nothing is never signed; the problem is named by index; and
 * until the store is whole again nothing runs. What denies is recorded as ever.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { chain, emptyHead, payloadType, preAuthentication } from '../../src/core/entry.ts';
import { asSha256Hex } from '../../src/core/ids.ts';
import { sha256Hex } from '../../src/core/sha256.ts';
import type { Publisher } from '../../src/log/publish.ts';
import type { Store } from '../../src/ports/store.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { eventually, startTestGate } from '../support/gate.ts';
import { note, until, value } from '../store/bench.ts';
import { sqliteBench, type SqliteBench } from '../store/sqlite-bench.ts';
import { allPublished, assertTree, publishing } from '../log/support/publishing.ts';

type Raw = SqliteBench['raw'];

/** Edits of entries that are committed and not published yet; `from` is the first of six. */
const edits: readonly {
  readonly name: string;
  readonly edit: (raw: Raw, from: number) => Promise<void>;
  readonly says: (from: number) => RegExp;
}[] = [
  {
    name: 'a word of a statement',
    edit: async (raw, from) =>
      void (await raw(`UPDATE entries SET statement = replace(statement, '"n":2', '"n":7') WHERE idx = $1`, [
        from + 2,
      ])),
    says: (from) => new RegExp(`entry ${from + 2} of the log was changed`),
  },
  {
    name: 'a statement with its digest',
    edit: async (raw, from) => {
      const [row] = await raw('SELECT statement FROM entries WHERE idx = $1', [from + 2]);
      const statement = String(row?.['statement']).replace('"n":2', '"n":7');
      const pae = sha256Hex(preAuthentication(payloadType, statement));
      await raw('UPDATE entries SET statement = $2, pae = $3 WHERE idx = $1', [from + 2, statement, pae]);
    },
    says: (from) => new RegExp(`entry ${from + 2} of the log does not follow`),
  },
  {
    name: 'a statement that is blanked, as an erasure would',
    edit: async (raw, from) =>
      void (await raw(`UPDATE entries SET statement = '' WHERE idx = $1`, [from + 1])),
    says: (from) => new RegExp(`entry ${from + 1} of the log has lost its payload`),
  },
  {
    name: 'two entries in the other order',
    edit: async (raw, from) => {
      await raw('UPDATE entries SET idx = -1 WHERE idx = $1', [from + 1]);
      await raw('UPDATE entries SET idx = $1 WHERE idx = $2', [from + 1, from + 2]);
      await raw('UPDATE entries SET idx = $1 WHERE idx = -1', [from + 2]);
    },
    says: (from) => new RegExp(`entry ${from + 1} of the log does not follow`),
  },
  {
    name: 'an entry taken out of the middle',
    edit: async (raw, from) => void (await raw('DELETE FROM entries WHERE idx = $1', [from + 3])),
    says: (from) => new RegExp(`entry ${from + 3} of the log is missing`),
  },
  {
    name: 'the type that reads go by',
    edit: async (raw, from) =>
      void (await raw(`UPDATE entries SET type = 'gate.stopped' WHERE idx = $1`, [from + 4])),
    says: (from) => new RegExp(`entry ${from + 4} of the log says something else than its row`),
  },
  {
    name: 'the time that reads go by',
    edit: async (raw, from) =>
      void (await raw('UPDATE entries SET at_ms = at_ms - 60000 WHERE idx = $1', [from + 4])),
    says: (from) => new RegExp(`entry ${from + 4} of the log says something else than its row`),
  },
  {
    name: 'the end cut off below what is published',
    edit: async (raw, from) => {
      await raw('DELETE FROM entries WHERE idx >= $1', [from - 1]);
      const [row] = await raw('SELECT head FROM entries WHERE idx = $1', [from - 2]);
      await raw('UPDATE log_head SET size = $1, head = $2', [from - 1, String(row?.['head'])]);
    },
    says: (from) => new RegExp(`${from} entries are published, and the log has ${from - 1}`),
  },
  {
    name: 'all entries from the published ones on written anew, heads and all',
    edit: async (raw, from) => {
      let head = asSha256Hex(emptyHead);
      for (let idx = 0; idx < from + 6; idx += 1) {
        const [row] = await raw('SELECT statement, pae, head FROM entries WHERE idx = $1', [idx]);
        let statement = String(row?.['statement']);
        // The first that is published and ours, and all that follow from it.
        if (idx === from - 1) statement = statement.replace('"v":1', '"v":2');
        const pae = asSha256Hex(sha256Hex(preAuthentication(payloadType, statement)));
        head = chain(head, pae);
        await raw('UPDATE entries SET statement = $2, pae = $3, head = $4 WHERE idx = $1', [
          idx,
          statement,
          pae,
          head,
        ]);
      }
      await raw('UPDATE log_head SET head = $1', [head]);
    },
    says: (from) => new RegExp(`entry ${from} of the log does not follow`),
  },
  {
    name: 'a hash of the tree',
    edit: async (raw) => {
      const [row] = await raw('SELECT hashes FROM tiles WHERE level = 0 AND n = 0');
      const hashes = Buffer.from(String(row?.['hashes']), 'base64');
      hashes[5] = (hashes[5] ?? 0) ^ 1;
      await raw('UPDATE tiles SET hashes = $1 WHERE level = 0 AND n = 0', [hashes.toString('base64')]);
    },
    says: (from) => new RegExp(`the stored tree of ${from} entries is not the one that was signed`),
  },
  {
    name: 'a tile taken out',
    edit: async (raw) => void (await raw('DELETE FROM tiles')),
    says: () => /tile 0\/0 of the tree is missing/,
  },
  {
    name: 'the newest checkpoint taken out',
    edit: async (raw, from) => void (await raw('DELETE FROM checkpoints WHERE size = $1', [from])),
    says: (from) => new RegExp(`${from} entries are said to be published`),
  },
  {
    name: 'a checkpoint signed by another key',
    edit: async (raw) => {
      const other = await publishing();
      const store = await other.open({});
      const publisher = await other.publish(store);
      await allPublished(store, publisher);
      const line = (await store.newestCheckpoint())?.note.split('\n').at(-2) ?? '';
      await raw(`UPDATE checkpoints SET note = substr(note, 1, instr(note, char(8212)) - 1) || $1`, [
        `${line}\n`,
      ]);
      await publisher.stop();
      await store.close();
      await other.remove();
    },
    says: () => /is not signed with a key of this log/,
  },
  {
    name: 'how far the tree has come',
    edit: async (raw) => void (await raw('UPDATE log_published SET size = size - 1')),
    says: (from) =>
      new RegExp(`${from - 1} entries are said to be published, and the newest checkpoint is over ${from}`),
  },
];

for (const { name, edit, says } of edits)
  test(`edited before it is published: ${name}: it is not signed, and the first bad place is named`, async () => {
    const made = await publishing();
    const store = await made.open({});
    try {
      const first = await made.publish(store);
      for (let n = 0; n < 3; n += 1) value(await store.change(note(n)));
      await allPublished(store, first);
      await first.stop();
      const from = (await store.head()).size;
      for (let n = 0; n < 6; n += 1) value(await store.change(note(n)));
      await edit(made.raw, from);
      const second = await made.publish(store);
      assert.match(second.damage ?? 'none', says(from));
      assert.match(second.problem ?? 'none', says(from));
      assert.equal((await store.leaves(from, 10)).length, 0, 'nothing of it is signed');
      assert.equal((await store.checkpoints(100)).filter((one) => one.size > from).length, 0);
      assert.ok(made.lines.some((line) => line.startsWith('The stored log was altered:')));
      await second.stop();
    } finally {
      await store.close();
      await made.remove();
    }
  });

test('an edit while it is published is found, and once it is undone the tree goes on', async () => {
  const made = await publishing();
  const store = await made.open({});
  const beside: { publisher?: Publisher } = {};
  try {
    const publisher = (beside.publisher = await made.publish(store));
    await allPublished(store, publisher);
    const { size } = await store.head();
    // One transaction holds the writer, so that the edit is there before the publisher can read the entry.
    const [before] = await made.raw('SELECT head FROM log_head');
    await made.raw('UPDATE log_head SET head = $1', ['0'.repeat(64)]);
    await until('found', () => publisher.damage !== null);
    assert.match(publisher.damage ?? '', /head of the log is not the published one/);
    await made.raw('UPDATE log_head SET head = $1', [String(before?.['head'])]);
    await until('whole again', () => publisher.damage === null);
    value(await store.change(note(1)));
    await allPublished(store, publisher);
    await assertTree(store, 'audit.example.com');
    assert.ok((await store.head()).size > size);
  } finally {
    await beside.publisher?.stop();
    await store.close();
    await made.remove();
  }
});

test('a gate whose log was edited lets nothing run, denies as ever, says so, and goes on when a person has put it right', async () => {
  const gate = await startTestGate();
  try {
    const [bot, rosa, ada] = [
      await gate.token('agent', 'crm-bot'),
      await gate.token('person', 'rosa'),
      await gate.token('person', 'ada'),
    ];
    const ask = (cents: number) =>
      gate.call(bot, 'POST', '/v1/actions', { operation: 'shop___refund', input: { cents } });
    const held = await ask(500);
    assert.equal(held.status, 202);
    const { id: approval } = held.body.approval;
    const { directory } = { directory: join(gate.folder, 'data') };
    await gate.gate().close();
    const raw = (await sqliteBench(directory)).raw;
    // Entries that no tree holds yet, as a crash leaves them.
    const store: Store = await openSqlite({ directory, channels: [] });
    const { size } = await store.head();
    value(await store.change(note(1)));
    await store.close();
    await raw(`UPDATE entries SET statement = replace(statement, '"n":1', '"n":2') WHERE idx = $1`, [size]);
    await gate.restart();

    const standing = await gate.gate().parts.transparency?.standing();
    assert.match(standing?.problem ?? '', new RegExp(`entry ${size} of the log was changed`));
    const refused = await ask(5);
    assert.equal(refused.status, 503);
    assert.equal(refused.body.code, 'audit_unavailable');
    assert.equal((await ask(200_000)).status, 403, 'what is denied is denied');
    // A person may still say yes; it does not run.
    const { digest } = (await gate.call(rosa, 'GET', `/v1/approvals/${approval}`)).body;
    assert.equal(
      (await gate.call(rosa, 'POST', `/v1/approvals/${approval}/reviews`, { decision: 'approve', digest }))
        .status,
      201,
    );
    const claim = await gate.call(bot, 'POST', `/v1/actions/${held.body.id}/execution`);
    assert.deepEqual([claim.status, claim.body.code], [503, 'audit_unavailable']);
    assert.equal((await gate.call(null, 'GET', '/readyz')).status, 503);
    const checkpoint = await gate.call(ada, 'GET', '/tlog/checkpoint');
    assert.ok(!String(checkpoint.body).includes(`\n${size + 1}\n`), 'nothing of it is signed');

    await raw(`UPDATE entries SET statement = replace(statement, '"n":2', '"n":1') WHERE idx = $1`, [size]);
    await eventually(() => gate.gate().parts.transparency?.damage() === null, 'whole again');
    assert.equal((await gate.call(bot, 'POST', `/v1/actions/${held.body.id}/execution`)).status, 201);
    assert.equal((await ask(5)).status, 200);
  } finally {
    await gate.stop();
  }
});
