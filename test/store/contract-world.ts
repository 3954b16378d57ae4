/** The contract, second part: what cases are judged in, who may speak, and what waits to be told. */
import assert from 'node:assert/strict';
import { asPersonId, asDigest, asSha256Hex } from '../../src/core/ids.ts';
import { sha256Hex } from '../../src/core/sha256.ts';
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

export function worldContract(name: string, make: MakeBench): void {
  acceptance(name, make);
  access(name, make);
  notices(name, make);
  lists(name, make);
}

function acceptance(name: string, make: MakeBench): void {
  storeTest(`${name}: accepted sets have versions and digests`, make, async ({ store, versions }) => {
    assert.deepEqual(versions, { policySet: 0, directory: 1, tools: 0 });
    assert.deepEqual(await store.directory(), world.directory);
    assert.equal(await store.accepted('policies'), undefined);
    const digest = asDigest(`sha256:${sha256Hex('p')}`);
    const body = { policies: [{ file: 'a.cedar', text: 'permit(…);\n' }] };
    const accept = {
      kind: 'accept',
      how: 'first',
      parts: [{ what: 'policies', body, digest }],
      by: { kind: 'operator' },
      expected: null,
    } as const;
    assert.deepEqual(value(await store.change(accept)), {
      kind: 'accepted',
      versions: { ...versions, policySet: 1 },
    });
    const { atMs: _atMs, ...accepted } = (await store.accepted('policies')) ?? { atMs: 0 };
    assert.deepEqual(accepted, { version: 1, body, digest, how: 'first' });
    const smaller = { ...world.directory, people: [] };
    value(await store.change(world.acceptDirectory(smaller)));
    assert.deepEqual(await store.directory(), smaller);
    assert.deepEqual(await store.versions(), { policySet: 1, directory: 2, tools: 0 });
  });

  storeTest(
    `${name}: tools are pinned, disabled when they change, and accepted by an operator`,
    make,
    async (opened) => {
      const { store, clock } = opened;
      const pin = (description: string) =>
        ({
          kind: 'pin',
          server: 'crm',
          pin: 'first-sight',
          definitions: [{ name: 'export', description }],
        }) as const;
      value(await store.change(pin('one')));
      assert.equal((await store.tools('crm'))[0]?.status, 'enabled');
      assert.equal((await store.versions()).tools, 1);
      value(await store.change(pin('one')));
      assert.equal((await store.versions()).tools, 1, 'nothing new');
      value(await store.change(pin('two')));
      const [changed] = await store.tools();
      assert.deepEqual([changed?.status, changed?.seen?.['description']], ['disabled', 'two']);
      assert.deepEqual(await store.tools('other'), []);
      const hash = changed?.seenHash ?? asSha256Hex('');
      const accept = { kind: 'acceptTool', server: 'crm', tool: 'export', hash } as const;
      assert.equal(noOf(await store.change({ ...accept, by: world.rosa })), 'not_permitted');
      const since = clock.nowMs() - 1;
      value(await store.change({ ...accept, by: world.oz }));
      assert.equal((await store.tools('crm'))[0]?.definition?.['description'], 'two');
      const changes = await store.changes(since);
      assert.deepEqual(
        changes.map((one) => [one.what, one.id, one.by]),
        [['tool', 'crm___export', world.oz]],
      );
      assert.deepEqual(await store.changes(clock.nowMs() + 60_000), []);
    },
  );
}

function access(name: string, make: MakeBench): void {
  storeTest(`${name}: tokens, sign-in links and sessions`, make, async ({ store, later, clock }) => {
    const token = world.freshKey();
    const principal = { kind: 'agent', id: world.agent } as const;
    value(await store.change({ kind: 'token', principal, hash: token }));
    assert.deepEqual(await store.principalOf(token), principal);
    assert.equal(await store.principalOf(world.freshKey()), undefined);
    const bearer = await store.bearerOf(token);
    assert.deepEqual([bearer?.token.principal, bearer?.directory], [principal, await store.directory()]);
    assert.equal(await store.bearerOf(world.freshKey()), undefined);
    // The directory of the very moment, not one that was read before.
    const nobody = { ...world.directory, agents: [] };
    value(await store.change(world.acceptDirectory(nobody)));
    assert.deepEqual((await store.bearerOf(token))?.directory, nobody);

    const hash = world.freshKey();
    const expiresAtMs = clock.nowMs() + 60_000;
    value(await store.change({ kind: 'link', person: world.rosa, hash, expiresAtMs }));
    assert.equal(await store.linkOf(hash), world.rosa);
    const signIn = { kind: 'signIn', linkHash: hash, expiresAtMs: expiresAtMs + 60_000 } as const;
    const [first, second] = [world.freshKey(), world.freshKey()];
    const both = await Promise.all([
      store.change({ ...signIn, sessionHash: first }),
      store.change({ ...signIn, sessionHash: second }),
    ]);
    assert.deepEqual(both.map(noOf), ['ok', 'unauthenticated'], 'a link is used once');
    assert.equal(await store.linkOf(hash), undefined);
    assert.equal(await store.sessionOf(second), undefined);
    const found = await store.sessionOf(first);
    assert.deepEqual(
      [found?.row.person, found?.row.expiresAtMs, found?.way],
      [
        world.rosa,
        expiresAtMs + 60_000,
        { via: { kind: 'link' }, countsFromMs: 0, authAtMs: found?.row.openedAtMs },
      ],
    );
    later(120_000);
    assert.equal(await store.sessionOf(first), undefined, 'too old');
    later(-120_000);
    value(await store.change({ kind: 'signOut', person: asPersonId('rosa'), sessionHash: first }));
    assert.equal(await store.sessionOf(first), undefined, 'ended');

    const old = world.freshKey();
    value(await store.change({ kind: 'link', person: world.rosa, hash: old, expiresAtMs }));
    later(61_000);
    assert.equal(await store.linkOf(old), undefined);
    assert.equal(
      noOf(await store.change({ ...signIn, linkHash: old, sessionHash: world.freshKey() })),
      'unauthenticated',
    );
  });

  storeTest(`${name}: a repeat under the same key answers what the first did`, make, async (opened) => {
    const { store, versions } = opened;
    const key = { principal: `agent:${world.agent}`, key: 'k1', fingerprint: 'one' };
    const first = caseOf(await store.change(world.ask(world.review(versions)), key));
    const { size } = await store.head();
    const repeat = value(await store.change(world.ask(world.review(versions)), key));
    assert.ok(repeat.kind === 'case' && repeat.joined, 'never to be taken for a new one');
    assert.deepEqual(repeat.case, first);
    assert.equal((await store.head()).size, size, 'and writes nothing');
    const other = await store.change(world.ask(world.review(versions)), { ...key, fingerprint: 'two' });
    assert.equal(noOf(other), 'idempotency_conflict');
    const somebodyElse = value(
      await store.change(world.ask(world.review(versions)), { ...key, principal: 'agent:x' }),
    );
    assert.ok(somebodyElse.kind === 'case' && !somebodyElse.joined);
    // Twice in one flush, and a refusal, which is judged again.
    const racing = { ...key, key: 'k2' };
    const two = await Promise.all([1, 2].map(() => store.change(world.ask(world.allow(versions)), racing)));
    assert.equal(new Set(two.map((one) => caseOf(one).asked.id)).size, 1);
    const refused = { ...key, key: 'k3' };
    const cancel = {
      kind: 'cancel',
      approval: first.approval?.id ?? world.ask(world.allow(versions)).approval,
      by: { kind: 'agent', id: world.agent },
      reason: null,
    } as const;
    const review = world.reviewOf(
      { approval: cancel.approval, digest: first.asked.digest, verdict: first.asked.verdict },
      world.sam,
    );
    assert.equal(noOf(await store.change(review, refused)), 'no_self_approval');
    value(await store.change(cancel, refused));
  });
}

function notices(name: string, make: MakeBench): void {
  storeTest(`${name}: each channel is told of each approval, at least once`, make, async (opened) => {
    const { store, later, clock } = opened;
    const { review } = await hold(opened);
    value(await store.change(world.reviewOf(handle(review), world.rosa)));
    const taken = await store.takeNotices('hook', 60_000, 10);
    const told = [
      ['approval.opened', review.approval, 0],
      ['approval.closed', review.approval, 0],
    ];
    assert.deepEqual(
      taken.map((one) => [one.kind, one.approval, one.attempts]),
      told,
    );
    assert.deepEqual(await store.takeNotices('hook', 60_000, 10), [], 'leased');
    assert.equal((await store.takeNotices('web', 60_000, 1)).length, 1, 'each channel has its own');
    const [opening, closing] = taken;
    assert.ok(opening !== undefined && closing !== undefined);
    await store.noticeDone(opening.id);
    await store.noticeLater(closing.id, clock.nowMs() + 120_000);
    later(61_000);
    assert.deepEqual(await store.takeNotices('hook', 60_000, 10), [], 'done, and not yet');
    later(60_000);
    const again = await store.takeNotices('hook', 60_000, 10);
    assert.deepEqual(again, [{ ...closing, attempts: 1 }]);
    later(61_000);
    const lease = await store.takeNotices('hook', 60_000, 10);
    assert.deepEqual(lease, [{ ...closing, attempts: 2 }], 'a deliverer that died');
    assert.deepEqual(await store.takeNotices('nobody', 60_000, 10), []);
  });
}

function lists(name: string, make: MakeBench): void {
  storeTest(`${name}: held cases and entries by the page`, make, async (opened) => {
    const { store } = opened;
    const all = [];
    for (let n = 0; n < 5; n += 1) all.unshift((await hold(opened)).held);
    const [newest, second, third] = all;
    assert.ok(newest !== undefined && second?.approval && third !== undefined);
    assert.deepEqual(await store.held({ status: 'all', limit: 2 }), [newest, second]);
    const rest = await store.held({ status: 'pending', limit: 9, after: second.approval.id });
    assert.deepEqual(rest, all.slice(2));
    assert.deepEqual(await store.held({ status: 'all', limit: 9, agent: world.agent }), all);
    const nobody = (await import('../../src/core/ids.ts')).asAgentId('nobody');
    assert.deepEqual(await store.held({ status: 'all', limit: 9, agent: nobody }), []);
    for (let n = 0; n < 5; n += 1) value(await store.change(note(n)));
    const { size } = await store.head();
    const page = await store.entries(size - 4, 2);
    assert.deepEqual(
      page.map((one) => one.entry.index),
      [size - 3, size - 2],
    );
    await assertLog(store);
  });

  storeTest(`${name}: what went before, by agent and operation`, make, async (opened) => {
    const { store, versions } = opened;
    const noonMs = Math.floor(opened.clock.nowMs() / 86_400_000) * 86_400_000 + 43_200_000;
    const at = (atMs: number) => ({ atMs, operation: 'crm___count' });
    value(await store.change(world.ask(world.deny(versions), at(noonMs - 86_400_000))));
    value(await store.change(world.ask(world.allow(versions), { ...at(noonMs - 1000), execute: true })));
    value(await store.change(world.ask(world.deny(versions), at(noonMs - 500))));
    value(await store.change(world.ask(world.deny(versions), at(noonMs))));
    assert.deepEqual(await store.past(world.agent, 'crm___count', noonMs), {
      operation: 'crm___count',
      total: 3,
      byState: { denied: 2, started: 1 },
      sinceMidnight: 2,
      last: { atMs: noonMs - 500, state: 'denied' },
    });
    const none = { operation: 'x___y', total: 0, byState: {}, sinceMidnight: 0, last: null };
    assert.deepEqual(await store.past(world.agent, 'x___y', noonMs), none);
  });

  storeTest(`${name}: listeners hear which actions changed`, make, async (opened) => {
    const { store } = opened;
    const heard: (readonly string[])[] = [];
    const stop = store.onChange((changed) => heard.push(changed));
    const { review } = await hold(opened);
    await until('told of the action', () => heard.some((one) => one.includes(review.asked.id)));
    value(await store.change(world.acceptDirectory()));
    await until('told that all may have changed', () => heard.some((one) => one.length === 0));
    stop();
    const before = heard.length;
    await approved({ ...opened, versions: await store.versions() });
    assert.equal(heard.length, before);
  });
}
