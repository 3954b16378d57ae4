/**
 * Somebody with the database and without a single key writes another history, with keys of their own among those that the store
 * names: the gate's keys never vouch for it under the log's name.
 */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { chain, emptyHead, payloadType, preAuthentication } from '../../src/core/entry.ts';
import { asSha256Hex } from '../../src/core/ids.ts';
import { sha256Hex } from '../../src/core/sha256.ts';
import { checkpointText } from '../../src/log/checkpoint.ts';
import { leafBody, receiptKeyId, signPayload, spkiOf } from '../../src/log/leaf.ts';
import { hashLeaf, rootOf } from '../../src/log/merkle.ts';
import { keyIdOf, noteWith, rawEd25519, signLine } from '../../src/log/note.ts';
import { note, value } from '../store/bench.ts';
import { allPublished, publishing, type Publishing } from '../log/support/publishing.ts';

const origin = 'audit.example.com';

/** All entries anew but for the word; signed with keys of whoever does it; under 256 entries. */
async function rewrite(made: Publishing, name: string): Promise<void> {
  const { raw } = made;
  const log = generateKeyPairSync('ed25519').privateKey;
  const receipt = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const spki = spkiOf(receipt);
  const keyId = receiptKeyId(spki);
  const hashes: Uint8Array[] = [];
  let head = emptyHead;
  const rows = await raw('SELECT idx, statement FROM entries ORDER BY idx');
  for (const row of rows) {
    const statement = String(row['statement']).replace('"n":1', '"n":7');
    const pae = asSha256Hex(sha256Hex(preAuthentication(payloadType, statement)));
    head = chain(head, pae);
    const idx = Number(row['idx']);
    await raw('UPDATE entries SET statement = $2, pae = $3, head = $4 WHERE idx = $1', [
      idx,
      statement,
      pae,
      head,
    ]);
    const signature = signPayload(statement, receipt);
    hashes.push(hashLeaf(leafBody({ pae, signature, spki })));
    await raw('UPDATE leaves SET key_id = $2, signature = $3 WHERE idx = $1', [idx, keyId, signature]);
  }
  await raw('UPDATE log_head SET head = $1', [head]);
  await raw('UPDATE log_published SET head = $1', [head]);
  await raw('UPDATE tiles SET hashes = $1 WHERE level = 0', [Buffer.concat(hashes).toString('base64')]);
  const root = rootOf(hashes);
  const text = checkpointText({ origin: name, size: rows.length, root });
  await raw('DELETE FROM checkpoints');
  await raw(
    `INSERT INTO checkpoints (origin, size, root, note, at_ms, cosignatures) VALUES ($1, $2, $3, $4, $5, '[]')`,
    [
      name,
      rows.length,
      Buffer.from(root).toString('base64'),
      noteWith(text, [signLine(text, name, log)]),
      Date.now(),
    ],
  );
  for (const key of [
    { id: keyIdOf(name, 1, rawEd25519(log)), use: 'log', spki: spkiOf(log), origin: name },
    { id: keyId, use: 'receipt', spki, origin: null },
  ])
    await raw('INSERT INTO log_keys (id, use, begun_at_ms, ended_at_ms, body) VALUES ($1, $2, 0, NULL, $3)', [
      key.id,
      key.use,
      JSON.stringify({ ...key, begunAtMs: 0, begunAt: 0, endedAtMs: null }),
    ]);
}

for (const how of [
  { what: 'where nothing beside the store remembers', folder: null, name: origin, goesOn: `r2.${origin}` },
  { what: 'as the name that comes next', folder: undefined, name: `r2.${origin}`, goesOn: `r3.${origin}` },
])
  test(`a history of somebody else, ${how.what}: the log's name is not put on it`, async () => {
    const made = await publishing();
    const store = await made.open({});
    const { folder, name, goesOn } = how;
    try {
      const first = await made.publish(store, folder === null ? { folder } : {});
      for (let n = 0; n < 3; n += 1) value(await store.change(note(n)));
      await allPublished(store, first);
      await first.stop();
      await rewrite(made, name);
      const second = await made.publish(store, folder === null ? { folder } : {});
      value(await store.change(note(9)));
      if (second.damage === null) await allPublished(store, second);
      const signed = (await store.checkpoints(100)).map((one) => one.origin);
      assert.deepEqual(
        [...new Set(signed.filter((one) => one !== name))],
        second.damage === null ? [goesOn] : [],
        `signed on as ${signed.join()}`,
      );
      assert.equal(signed.filter((one) => one === name).length, 1, 'nothing was added to it');
      await second.stop();
    } finally {
      await store.close();
      await made.remove();
    }
  });

test('the database is put back under a running gate, and nothing beside it remembers: no name has two trees', async () => {
  const made = await publishing();
  const store = await made.open({});
  try {
    const publisher = await made.publish(store, { folder: null });
    await allPublished(store, publisher);
    const { size } = await store.head();
    for (let n = 0; n < 3; n += 1) value(await store.change(note(n)));
    await allPublished(store, publisher);
    const first = await store.checkpoint(origin, (await store.head()).size);
    assert.ok(first !== undefined);
    // As it was at that size, down to its tiles; by somebody who knows what the publisher looks at.
    const [row] = await made.raw('SELECT head FROM entries WHERE idx = $1', [size - 1]);
    const [tile] = await made.raw('SELECT hashes FROM tiles WHERE level = 0');
    const hashes = Buffer.from(String(tile?.['hashes']), 'base64').subarray(0, size * 32);
    for (const sql of ['DELETE FROM entries WHERE idx >= $1', 'DELETE FROM leaves WHERE idx >= $1'])
      await made.raw(sql, [size]);
    await made.raw('DELETE FROM checkpoints WHERE size > $1', [size]);
    await made.raw('UPDATE tiles SET hashes = $1 WHERE level = 0', [hashes.toString('base64')]);
    for (const table of ['log_head', 'log_published'])
      await made.raw(`UPDATE ${table} SET size = $1, head = $2`, [size, String(row?.['head'])]);
    for (let n = 7; n < 12; n += 1) value(await store.change(note(n)));
    await allPublished(store, publisher);
    const again = await store.checkpoint(origin, first.size);
    assert.equal(again?.root ?? first.root, first.root, 'two trees of one size under one name');
    assert.equal(publisher.origin, `r2.${origin}`);
    await publisher.stop();
  } finally {
    await store.close();
    await made.remove();
  }
});
