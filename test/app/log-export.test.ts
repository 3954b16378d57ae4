/** An export of a long log: made a few entries at a time, whole, in order, and no further than the log was when it was asked for. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { exportLog, operatorReader, type ExportAsked } from '../../src/app/log-export.ts';
import { wantedFrom } from '../../src/app/log-wanted.ts';
import { aboutNothing } from '../../src/core/entry.ts';
import { casesMax } from '../../src/ports/overview.ts';
import type { Store } from '../../src/ports/store.ts';
import { openSqlite } from '../../src/store/sqlite.ts';

const asked = (more: Partial<ExportAsked> = {}): ExportAsked => ({
  wanted: wantedFrom(() => null),
  format: 'jsonl',
  version: '1.8.0',
  origin: 'gate.test',
  ...more,
});

async function withLog(count: number, work: (store: Store) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'countersign-export-'));
  const store = await openSqlite({ directory, channels: [] });
  try {
    await said(store, count);
    await work(store);
  } finally {
    await store.close();
    await rm(directory, { recursive: true });
  }
}

async function said(store: Store, count: number): Promise<void> {
  const entries = Array.from({ length: count }, (_, n) => ({
    type: 'notice.failed' as const,
    by: { kind: 'gate' as const },
    about: aboutNothing,
    subject: null,
    data: { n, channel: n % 10 === 0 ? 'slack' : 'teams' },
  }));
  assert.ok((await store.change({ kind: 'record', entries })).ok);
}

const begun = async (store: Store, more: Partial<ExportAsked> = {}) => {
  const made = await exportLog(store, operatorReader(store, await store.directory()), asked(more));
  assert.ok(made.ok, JSON.stringify(made));
  return made.value;
};

const indexesIn = (text: string): readonly number[] =>
  text === ''
    ? []
    : text
        .trimEnd()
        .split('\n')
        .map((one) => (JSON.parse(one) as { index: number }).index);

test('pieces are small, whole and in order, and what is written meanwhile is not in it', () =>
  withLog(3000, async (store) => {
    const { rows, pieces } = await begun(store);
    assert.equal(rows, 3000);
    const all: number[] = [];
    for await (const piece of pieces) {
      const indexes = indexesIn(piece);
      assert.ok(indexes.length <= casesMax);
      if (all.length < 100) await said(store, 3);
      all.push(...indexes);
    }
    assert.deepEqual(
      all,
      Array.from({ length: 3000 }, (_, n) => n),
    );
  }));

test('with a filter: as many rows as were counted and recorded, whatever lies between them', () =>
  withLog(3000, async (store) => {
    const { rows, pieces } = await begun(store, {
      wanted: wantedFrom((name) => (name === 'text' ? 'slack' : null)),
    });
    assert.equal(rows, 300);
    let text = '';
    for await (const piece of pieces) text += piece;
    assert.deepEqual(
      indexesIn(text),
      Array.from({ length: 300 }, (_, n) => n * 10),
    );
    const [entry] = await store.entries(2999, 1);
    assert.deepEqual(entry?.entry.data, { format: 'jsonl', rows: 300, query: { size: 3000, text: 'slack' } });
  }));

test('nothing is read ahead of whoever takes it, and an export that is aborted says so', () =>
  withLog(200, async (store) => {
    let reads = 0;
    const reader = operatorReader(store, await store.directory());
    const counted: typeof reader = {
      ...reader,
      scan: (query, as) => {
        reads += 1;
        return reader.scan(query, as);
      },
    };
    const ends = new AbortController();
    const made = await exportLog(store, counted, asked({ ends: ends.signal }));
    assert.ok(made.ok);
    assert.equal(reads, 0);
    await made.value.pieces.next();
    assert.equal(reads, 1);
    ends.abort();
    await assert.rejects(made.value.pieces.next(), /abort/i);
  }));
