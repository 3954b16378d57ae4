/** The contract, third part: what the database refuses by itself, and what a failure leaves behind: nothing. */
import assert from 'node:assert/strict';
import { asPersonId } from '../../src/core/ids.ts';
import { queueLimits } from '../../src/store/queue.ts';
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
  type MakeBench,
} from './bench.ts';
import * as world from './world.ts';

export function guardsContract(name: string, make: MakeBench): void {
  database(name, make);
  failures(name, make);
  processes(name, make);
}

const insertReview = `INSERT INTO reviews (approval_id, person_id, stops, decision, ord, digest, unsafe, channel, at_ms)
  VALUES ($1, $2, $3, $4, 5, 'sha256:x', 0, 'web', 1)`;

function database(name: string, make: MakeBench): void {
  storeTest(
    `${name}: the database itself refuses an approve of a conflicted person`,
    make,
    async (opened) => {
      const { store, raw } = opened;
      const { held, review } = await hold(opened);
      const { approval } = review;
      await assert.rejects(raw(insertReview, [approval, world.sam, 0, 'approve']), 'barred');
      await assert.rejects(
        raw(insertReview, [approval, world.sam, 1, 'approve']),
        'an approve is never in the place of a deny',
      );
      await assert.rejects(raw(insertReview, [approval, world.rosa, 0, 'deny']));
      await assert.rejects(raw(insertReview, [approval, world.rosa, 0, 'maybe']));
      assert.deepEqual(await store.caseBy({ approval }), held, 'a barred row is nobody’s word');
      await raw(insertReview, [approval, world.sam, 1, 'deny']);
      assert.deepEqual(
        (await store.caseBy({ approval }))?.reviews.map((one) => one.decision),
        ['deny'],
      );
    },
  );

  storeTest(`${name}: the database itself counts people, not clicks`, make, async (opened) => {
    const verdict = world.review(opened.versions, world.requirement({ quorum: 2 }));
    const { review } = await hold(opened, world.ask(verdict));
    value(await opened.store.change(world.reviewOf(handle(review), world.rosa)));
    await assert.rejects(opened.raw(insertReview, [review.approval, world.rosa, 0, 'approve']));
  });

  storeTest(`${name}: the database itself has room for one execution`, make, async (opened) => {
    const { store, raw } = opened;
    const ask = await approved(opened);
    value(await store.change(world.claim(ask.asked.id, ask.asked.verdict)));
    const second = `INSERT INTO executions (action_ord, id, status, started_at_ms, result)
      SELECT action_ord, 'exe_second', 'started', 1, 'null' FROM executions`;
    await assert.rejects(raw(second));
  });

  storeTest(
    `${name}: a consumed grant is not consumed again, whatever the step believes`,
    make,
    async (opened) => {
      const { store, raw } = opened;
      const ask = await approved(opened);
      // As if another writer had consumed it and its execution were lost.
      await raw('UPDATE actions SET consumed_at_ms = 1');
      const { size } = await store.head();
      assert.equal(noOf(await store.change(world.claim(ask.asked.id, ask.asked.verdict))), 'fault');
      assert.equal((await store.caseBy({ action: ask.asked.id }))?.execution, null);
      assert.equal((await store.head()).size, size);
      assert.equal(store.health().writable, true, 'one wrong change is not a broken store');
    },
  );
}

function failures(name: string, make: MakeBench): void {
  storeTest(`${name}: a change that fails leaves nothing and takes nobody with it`, make, async (opened) => {
    const { store, versions } = opened;
    const first = world.ask(world.allow(versions), { execute: true });
    value(await store.change(first));
    // Its action is written before its execution is refused, whose id is taken.
    const half = { ...world.ask(world.allow(versions)), execution: first.execution };
    // Its first entry is sealed before its second, whose text has no digest.
    const bad = {
      ...note(0),
      entries: [entryOf(note(0)), { ...entryOf(note(0)), data: { text: '\ud800' } }],
    };
    const key = { principal: 'agent:a', key: 'k', fingerprint: 'f' };
    const person = { kind: 'person', id: world.rosa } as const;
    const together = await Promise.all([
      store.change(note(1)),
      store.change(half, key),
      store.change(world.ask(world.review(versions))),
      store.change(bad),
      store.change(world.acceptDirectory()),
      store.change({ kind: 'token', principal: { kind: 'agent', id: world.agent }, hash: 'h' }),
      store.change({ kind: 'token', principal: person, hash: 'h' }),
      store.change(note(2)),
    ]);
    assert.deepEqual(together.map(noOf), ['ok', 'fault', 'ok', 'fault', 'ok', 'ok', 'fault', 'ok']);
    assert.equal(await store.caseBy({ action: half.asked.id }), undefined);
    assert.deepEqual(await store.principalOf('h'), { kind: 'agent', id: world.agent });
    assert.equal((await store.held({ status: 'all', limit: 10 })).length, 1);
    assert.equal(store.health().writable, true);
    const types = await assertLog(store);
    assert.equal(types.filter((type) => type === 'token.issued').length, 1);
    assert.equal(types.filter((type) => type === 'gate.started').length, 2);
    const now = await store.versions();
    assert.equal(now.directory, versions.directory + 1);
    value(await store.change(world.ask(world.allow(now)), key));
  });

  storeTest(`${name}: the queue has a limit`, make, async ({ store }) => {
    const all = Array.from({ length: queueLimits.queuedMax + 300 }, (_, n) =>
      store.change({ kind: 'signOut', person: asPersonId('rosa'), sessionHash: String(n) }),
    );
    const answers = (await Promise.all(all)).map(noOf);
    const faults = answers.filter((answer) => answer === 'fault').length;
    assert.ok(faults > 0 && faults <= 300, `${faults} faults`);
    assert.equal(answers.length - faults, answers.filter((answer) => answer === 'ok').length);
    assert.equal(store.health().writable, true);
  });

  storeTest(`${name}: time in the log never runs backwards`, make, async ({ store, later }) => {
    later(3_600_000);
    value(await store.change(note(1)));
    later(-7_200_000);
    value(await store.change(note(2)));
    const times = (await store.entries(-1, 10)).map((one) => Date.parse(one.entry.at));
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
  });

  storeTest(`${name}: after close every change is a fault`, make, async ({ store }) => {
    const last = store.change(note(1));
    const closed = store.close();
    assert.equal(noOf(await store.change(note(2))), 'fault');
    await closed;
    assert.equal(noOf(await last), 'ok', 'what was submitted before is written');
  });
}

const entryOf = (command: ReturnType<typeof note>) => {
  const [entry] = command.kind === 'record' ? command.entries : [];
  assert.ok(entry !== undefined);
  return entry;
};

function processes(name: string, make: MakeBench): void {
  storeTest(`${name}: everything is there after reopening`, make, async (opened) => {
    const { store } = opened;
    const ask = await approved(opened);
    const before = {
      case: await store.caseBy({ action: ask.asked.id }),
      head: await store.head(),
      versions: await store.versions(),
      joinKey: store.joinKey(),
    };
    assert.equal(before.joinKey.length, 32);
    await store.close();
    const reopened = await opened.open({});
    try {
      const after = {
        case: await reopened.caseBy({ action: ask.asked.id }),
        head: await reopened.head(),
        versions: await reopened.versions(),
        joinKey: reopened.joinKey(),
      };
      assert.deepEqual(after, before);
      caseOf(await reopened.change(world.claim(ask.asked.id, ask.asked.verdict)));
      await assertLog(reopened);
    } finally {
      await reopened.close();
    }
  });

  storeTest(
    `${name}: a second gate is refused where there is room for one, a command line is not`,
    make,
    async (opened) => {
      const { store, versions } = opened;
      if (!store.shared) await assert.rejects(opened.open({ exclusive: true }), /Another gate is running/);
      const cli = await opened.open({ exclusive: false });
      try {
        const heard: (readonly string[])[] = [];
        store.onChange((changed) => heard.push(changed));
        const principal = { kind: 'person', id: world.rosa } as const;
        value(await cli.change({ kind: 'token', principal, hash: 'cli' }));
        assert.deepEqual(await store.principalOf('cli'), principal);
        value(await cli.change(world.acceptDirectory()));
        await until('the gate noticed', () => heard.some((one) => one.length === 0));
        assert.equal(noOf(await store.change(world.ask(world.allow(versions)))), 'stale');
        const mixed = await Promise.all([cli, store, cli, store].map((one, n) => one.change(note(n))));
        assert.deepEqual(mixed.map(noOf), ['ok', 'ok', 'ok', 'ok']);
        await assertLog(store);
      } finally {
        await cli.close();
      }
    },
  );
}
