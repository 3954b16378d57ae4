/** The contract, reads for pages: what was asked lately, by whom, who decided, what waits, and the log, searched. */
import assert from 'node:assert/strict';
import type { Command } from '../../src/core/command.ts';
import { aboutNothing, type EntryType } from '../../src/core/entry.ts';
import { asAgentId, asDigest, type AgentId } from '../../src/core/ids.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { sha256Hex } from '../../src/core/sha256.ts';
import type { LogFound, LogQuery } from '../../src/ports/overview.ts';
import { searchMax } from '../../src/store/log-search.ts';
import { caseOf, channels, handle, hold, storeTest, value, type MakeBench, type Opened } from './bench.ts';
import * as world from './world.ts';

export function overviewContract(name: string, make: MakeBench): void {
  actions(name, make);
  search(name, make);
  searchedFar(name, make);
}

const everything: LogQuery = {
  text: null,
  type: null,
  agent: null,
  operation: null,
  person: null,
  resource: null,
  verdict: null,
  policy: null,
  fromMs: null,
  toMs: null,
  before: null,
  limit: 50,
};
const indices = (found: LogFound): readonly number[] => found.entries.map((one) => one.entry.index);
const say = (type: EntryType, ...rows: readonly JsonObject[]): Command => ({
  kind: 'record',
  entries: rows.map((data) => ({ type, by: { kind: 'gate' }, about: aboutNothing, subject: null, data })),
});
const searching =
  ({ store }: Opened) =>
  (query: Partial<LogQuery>) =>
    store.searchLog({ ...everything, ...query });

function actions(name: string, make: MakeBench): void {
  storeTest(`${name}: recent actions, newest first, of all and of one agent`, make, async (opened) => {
    const { store, versions, clock } = opened;
    const started = clock.nowMs();
    const asks = [
      world.ask(world.allow(versions), { operation: 'crm___read', atMs: started + 1 }),
      world.ask(world.deny(versions), { operation: 'crm___drop', atMs: started + 2 }),
      world.ask(world.review(versions), { atMs: started + 3 }),
      world.ask(world.allow(versions), { operation: 'crm___read', atMs: started + 4, mode: 'observe' }),
    ];
    for (const ask of asks) value(await store.change(ask));
    const all = await store.recentActions({ limit: 10, sinceMs: started });
    assert.deepEqual(
      all.map((one) => [one.operation, one.verdict.effect, one.mode, one.approval !== null]),
      [
        ['crm___read', 'allow', 'observe', false],
        ['crm___export', 'review', 'enforce', true],
        ['crm___drop', 'deny', 'enforce', false],
        ['crm___read', 'allow', 'enforce', false],
      ],
    );
    assert.deepEqual(await store.recentActions({ limit: 10, sinceMs: started, agent: world.agent }), all);
    assert.deepEqual(
      await store.recentActions({ limit: 2, sinceMs: started, agent: world.agent }),
      all.slice(0, 2),
    );
    assert.deepEqual(await store.recentActions({ limit: 2, sinceMs: started }), all.slice(0, 2));
    assert.equal((await store.recentActions({ limit: 10, sinceMs: started + 3 })).length, 2);
    assert.equal(
      (await store.recentActions({ limit: 9, sinceMs: started + 3, agent: world.agent })).length,
      2,
    );
    assert.deepEqual(await store.recentActions({ limit: 9, sinceMs: 0, agent: asAgentId('nobody') }), []);
    assert.deepEqual(
      (await store.usedOperations(world.agent)).map((one) => one.operation),
      ['crm___read', 'crm___export', 'crm___drop'],
    );
  });

  storeTest(
    `${name}: what waits is counted until it has ended, and what is over by its time is shown as over`,
    make,
    async (opened) => {
      const { store, later } = opened;
      const held = [await hold(opened), await hold(opened)];
      const pendingOf = async (agent: AgentId): Promise<number> =>
        (await store.crowd({ agent, people: [] })).pending;
      assert.deepEqual([await pendingOf(world.agent), await pendingOf(asAgentId('nobody'))], [2, 0]);
      assert.equal(await store.pendingApprovals(), 2);
      assert.equal(await store.waitingNotices(channels[0], 10), 2);
      assert.equal(await store.waitingNotices('none', 10), 0);
      later(5 * 3_600_000);
      assert.equal((await store.recentActions({ limit: 1, sinceMs: 0 }))[0]?.state, 'expired');
      for (const { review } of held) value(await store.change({ kind: 'due', action: review.asked.id }));
      assert.equal(await pendingOf(world.agent), 0);
      assert.equal(await store.pendingApprovals(), 0);
    },
  );

  storeTest(`${name}: a person’s reviews, and nobody’s who was only barred`, make, async (opened) => {
    const { store } = opened;
    const { review } = await hold(opened);
    caseOf(await store.change(world.reviewOf(handle(review), world.rosa)));
    const [mine, ...more] = await store.reviewsBy(world.rosa, 10);
    assert.deepEqual(more, []);
    assert.deepEqual(
      [mine?.approval, mine?.operation, mine?.agent, mine?.review.decision, mine?.review.channel],
      [review.approval, 'crm___export', world.agent, 'approve', 'web'],
    );
    // Sam owns the agent, and has a row that bars him.
    assert.deepEqual(await store.reviewsBy(world.sam, 10), []);
  });

  storeTest(`${name}: accepted versions with the entries that accepted them`, make, async ({ store }) => {
    for (const text of ['a', 'b']) {
      const digest = asDigest(`sha256:${sha256Hex(text)}`);
      value(
        await store.change({
          kind: 'accept',
          how: 'found',
          parts: [{ what: 'policies', body: { text }, digest }],
          by: { kind: 'operator' },
          expected: null,
        }),
      );
    }
    const versions = await store.acceptedVersions('policies', 5);
    assert.deepEqual(
      versions.map(({ version, digest, entry }) => [version, digest, entry?.type, entry?.by.kind]),
      [
        [2, `sha256:${sha256Hex('b')}`, 'policies.accepted', 'operator'],
        [1, `sha256:${sha256Hex('a')}`, 'policies.accepted', 'operator'],
      ],
    );
    assert.notEqual(versions[0]?.entry?.index, versions[1]?.entry?.index);
    assert.equal((await store.acceptedVersions('policies', 1)).length, 1);
  });
}

function search(name: string, make: MakeBench): void {
  storeTest(
    `${name}: the log is searched by text, type, agent, operation and person`,
    make,
    async (opened) => {
      const { store, versions } = opened;
      const look = searching(opened);
      const { review } = await hold(opened, world.ask(world.review(versions), { operation: 'crm___export' }));
      value(await store.change(world.reviewOf(handle(review), world.rosa)));
      value(await store.change(world.ask(world.allow(versions), { operation: 'crm___read' })));
      const types = async (query: Partial<LogQuery>) =>
        (await look(query)).entries.map((one) => one.entry.type);
      assert.deepEqual(await types({ type: 'review.recorded' }), ['review.recorded']);
      assert.deepEqual(await types({ text: 'LOOKS right' }), ['review.recorded']);
      assert.deepEqual(await types({ operation: 'crm___read' }), ['action.asked']);
      assert.ok((await types({ agent: world.agent })).length >= 5);
      assert.deepEqual(await types({ agent: asAgentId('nobody') }), []);
      // A reviewer is named by the entry of the review, and by those of whom it asked and who approved.
      assert.ok((await types({ person: world.rosa, type: 'review.recorded' })).includes('review.recorded'));
      assert.deepEqual(await types({ person: world.rosa, operation: 'crm___read' }), []);
      // All that is named must hold.
      assert.deepEqual(await types({ text: 'looks right', type: 'gate.started' }), []);
      const { size } = await store.head();
      assert.deepEqual(
        (await look({ limit: 3 })).entries.map((one) => one.entry.index),
        [size - 1, size - 2, size - 3],
      );
      assert.deepEqual(await store.entry(size), undefined);
      assert.equal((await store.entry(1))?.entry.index, 1);
    },
  );

  storeTest(
    `${name}: text means itself: wildcards, quotes, backslashes, other alphabets`,
    make,
    async (opened) => {
      const { store } = opened;
      const look = searching(opened);
      const rows = [
        '100% sure',
        '100x sure',
        'a_b',
        'axb',
        'C:\\temp',
        'say "hi"',
        'Ärger mit Größe',
        'ТЕСТ',
        'bang!%_',
      ];
      const first = (await store.head()).size;
      value(await store.change(say('notice.failed', ...rows.map((detail) => ({ detail })))));
      const found = async (text: string) => indices(await look({ text })).map((index) => rows[index - first]);
      assert.deepEqual(await found('100%'), ['100% sure']);
      assert.deepEqual(await found('a_b'), ['a_b']);
      assert.deepEqual(await found('%'), ['bang!%_', '100% sure']);
      assert.deepEqual(await found('!%_'), ['bang!%_']);
      assert.deepEqual(await found('c:\\t'), ['C:\\temp']);
      assert.deepEqual(await found('"hi"'), ['say "hi"']);
      assert.deepEqual(await found('größe'), ['Ärger mit Größe']);
      assert.deepEqual(await found('тест'), ['ТЕСТ']);
      assert.deepEqual(await found('nothing like it'), []);
      // The envelope of an entry is not its content.
      assert.deepEqual(await found('in-toto'), []);
    },
  );

  storeTest(`${name}: a masked secret is not found by its text`, make, async (opened) => {
    const secret = 'AKIAIOSFODNN7EXAMPLE';
    value(
      await opened.store.change(
        say('notice.failed', { password: 'hunter2-hunter2', detail: `key ${secret}` }),
      ),
    );
    const look = searching(opened);
    assert.equal((await look({ text: 'key', type: 'notice.failed' })).entries.length, 1);
    for (const guess of ['hunter2', 'hunter', secret, secret.slice(0, 8)])
      assert.deepEqual(indices(await look({ text: guess })), [], guess);
  });

  storeTest(`${name}: from and to are found by time`, make, async (opened) => {
    const { store, clock, later } = opened;
    const look = searching(opened);
    const first = (await store.head()).size;
    const times: number[] = [];
    for (const n of [0, 1, 2]) {
      later(60_000);
      value(await store.change(say('gate.started', { n })));
      times.push(Date.parse((await store.entry(first + n))?.entry.at ?? ''));
    }
    const [t0 = 0, t1 = 0, t2 = 0] = times;
    assert.deepEqual(indices(await look({ fromMs: t1 })), [first + 2, first + 1]);
    assert.deepEqual(indices(await look({ fromMs: t1, toMs: t2 })), [first + 1]);
    assert.deepEqual(indices(await look({ fromMs: t0 + 1, toMs: t1 })), []);
    assert.deepEqual(indices(await look({ fromMs: clock.nowMs() + 1e9 })), []);
    assert.deepEqual(indices(await look({ toMs: 0 })), []);
    assert.equal((await look({ fromMs: t1, limit: 1 })).more, true);
    assert.equal((await look({ fromMs: t2, limit: 1 })).more, false);
  });
}

function searchedFar(name: string, make: MakeBench): void {
  storeTest(
    `${name}: a search goes back in pages, each from where the last one stopped`,
    make,
    async (opened) => {
      const { store } = opened;
      const look = searching(opened);
      const rows = Array.from({ length: 1500 }, (_, n) => ({ detail: n % 100 === 7 ? 'needle' : 'hay' }));
      const first = (await store.head()).size;
      value(await store.change(say('notice.failed', ...rows)));
      const all: number[] = [];
      let before: number | null = null;
      for (let pages = 0; pages < 10; pages += 1) {
        const page: LogFound = await look({ text: 'needle', limit: 4, before });
        all.push(...indices(page).map((index) => index - first));
        before = page.searchedTo;
        if (!page.more) break;
      }
      assert.deepEqual(
        all,
        Array.from({ length: 15 }, (_, n) => 1407 - n * 100),
      );
      assert.ok(searchMax >= rows.length);
      const none = await look({ text: 'nowhere' });
      assert.deepEqual([indices(none), none.searchedTo, none.more], [[], 0, false]);
    },
  );
}
