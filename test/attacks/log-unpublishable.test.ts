/**
 * Somebody with the database's file writes entries at the log's end, with digests and heads that fit. What whoever verifies the log
 * would call altered is never signed: once a leaf is in the tree, nothing takes it out again. Rows that cannot even be read are an
 * edit too, and while an edit is known the gate does not fill the log with what it says of itself.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalize } from '../../src/core/canonical.ts';
import { chain, payloadType, preAuthentication } from '../../src/core/entry.ts';
import { asSha256Hex } from '../../src/core/ids.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { sha256Hex } from '../../src/core/sha256.ts';
import { note, until, value } from '../store/bench.ts';
import { allPublished, publishing, type Publishing } from '../log/support/publishing.ts';

/** The last entry with another statement; digest and heads fit. */
async function lastSays(made: Publishing, change: (statement: string) => string): Promise<number> {
  const [row] = await made.raw('SELECT idx, statement FROM entries ORDER BY idx DESC LIMIT 1');
  const idx = Number(row?.['idx']);
  const [before] = await made.raw('SELECT head FROM entries WHERE idx = $1', [idx - 1]);
  const statement = change(String(row?.['statement']));
  const pae = asSha256Hex(sha256Hex(preAuthentication(payloadType, statement)));
  const head = chain(asSha256Hex(String(before?.['head'])), pae);
  const read = JSON.parse(statement) as { readonly predicate?: { readonly at?: string } };
  const atMs = Date.parse(read.predicate?.at ?? '');
  await made.raw('UPDATE entries SET statement = $2, pae = $3, head = $4, at_ms = $5 WHERE idx = $1', [
    idx,
    statement,
    pae,
    head,
    atMs,
  ]);
  await made.raw('UPDATE log_head SET head = $1', [head]);
  return idx;
}

/** Canonical, with something else in it. */
const remade = (change: (statement: JsonObject, predicate: JsonObject) => JsonObject) => (text: string) => {
  const statement = JSON.parse(text) as JsonObject;
  return canonicalize(change(statement, statement['predicate'] as JsonObject));
};

const statements: readonly (readonly [name: string, change: (statement: string) => string])[] = [
  ['a second key of one name', (text) => text.replace('"n":1', '"n":7,"n":1')],
  ['white space', (text) => text.replace('"n":1', '"n": 1')],
  ['another form of a number', (text) => text.replace('"n":1', '"n":1.0')],
  ['a number that two readers read in two ways', (text) => text.replace('"n":1', '"n":9007199254740993')],
  ['another form of a letter', (text) => text.replace('"data"', '"d\\u0061ta"')],
  [
    'a type that there is not',
    remade((all, one) => ({ ...all, predicate: { ...one, type: 'approval.granted' } })),
  ],
  ['another format', remade((all, one) => ({ ...all, predicate: { ...one, v: 2 } }))],
  ['two subjects', remade((all) => ({ ...all, subject: [...(all['subject'] as []), { name: 'action' }] }))],
  [
    'a log before it that was another',
    remade((all) => ({ ...all, subject: [{ name: 'log', digest: { sha256: 'a'.repeat(64) } }] })),
  ],
  [
    'a time before the entry before it',
    remade((all, one) => ({ ...all, predicate: { ...one, at: '2020-01-01T00:00:00.000Z' } })),
  ],
];

for (const [name, change] of statements)
  test(`an entry that no verifier would take is not signed: ${name}`, async () => {
    const made = await publishing();
    const store = await made.open({});
    try {
      const first = await made.publish(store);
      await allPublished(store, first);
      await first.stop();
      value(await store.change(note(0)));
      value(await store.change(note(1)));
      const index = await lastSays(made, change);
      const second = await made.publish(store);
      await until('looked', () => second.holds);
      assert.match(second.damage ?? 'none', new RegExp(`entry ${index} of the log`));
      assert.equal((await store.leaves(index, 1)).length, 0, 'nothing of it is signed');
      await second.stop();
    } finally {
      await store.close();
      await made.remove();
    }
  });

for (const [name, sql] of [
  ['a digest', `UPDATE entries SET pae = 'x' WHERE idx = $1`],
  ['a head', `UPDATE entries SET head = 'x' WHERE idx = $1`],
  ['a time', `UPDATE entries SET at_ms = 'noon' WHERE idx = $1`],
  ['a statement', `UPDATE entries SET statement = x'00ff' WHERE idx = $1`],
] as const)
  test(`a row that cannot be read (${name}) is an edit, not a fault that passes`, async () => {
    const made = await publishing();
    const store = await made.open({});
    try {
      const first = await made.publish(store);
      await allPublished(store, first);
      await first.stop();
      const { size } = await store.head();
      for (let n = 0; n < 3; n += 1) value(await store.change(note(n)));
      await made.raw(sql, [size + 1]);
      const second = await made.publish(store);
      assert.match(second.damage ?? 'none', /log/, second.problem ?? '');
      assert.equal((await store.leaves(size, 10)).length, 0);
      await second.stop();
    } finally {
      await store.close();
      await made.remove();
    }
  });

test('while an edit stands, the log does not grow by what the gate says of itself', async () => {
  const made = await publishing();
  const store = await made.open({});
  try {
    for (let n = 0; n < 3; n += 1) value(await store.change(note(n)));
    await made.raw(`UPDATE entries SET statement = replace(statement, '"n":1', '"n":7') WHERE idx = 1`);
    let looks = 0;
    const publisher = await made.publish({
      ...store,
      takeTree: (...of) => {
        looks += 1;
        return store.takeTree(...of);
      },
    });
    assert.match(publisher.damage ?? 'none', /entry 1 of the log was changed/);
    const { size } = await store.head();
    await until('looked again and again', () => looks > 4);
    assert.equal((await store.head()).size, size);
    await publisher.stop();
  } finally {
    await store.close();
    await made.remove();
  }
});
