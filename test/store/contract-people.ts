/** The contract, part on people: sessions, accounts at providers, claimed memberships, and what was begun. */
import assert from 'node:assert/strict';
import type { PersonId } from '../../src/core/ids.ts';
import { asGroupId } from '../../src/core/ids.ts';
import { begunMax } from '../../src/core/begun.ts';
import type { SignInWithCommand } from '../../src/core/command-people.ts';
import { noOf, storeTest, value, type MakeBench } from './bench.ts';
import * as world from './world.ts';

const dayMs = 24 * 3_600_000;
const issuer = 'https://login.acme.test';
const account = (subject: string) => ({ kind: 'oidc', issuer, subject, display: subject }) as const;
const key = (subject: string) => ({ kind: 'oidc', issuer, subject }) as const;
/** The clock runs on while a test does. */
const near = (ms: number | undefined, otherMs: number): boolean => Math.abs((ms ?? 0) - otherMs) < 60_000;

const fresh = (nowMs: number) => ({ via: { kind: 'link' }, countsFromMs: 0, authAtMs: nowMs }) as const;

const linkOf = (person: PersonId, subject: string, nowMs: number) =>
  ({
    kind: 'linkAccount',
    person,
    way: fresh(nowMs),
    account: account(subject),
    code: null,
    coolOffMs: dayMs,
  }) as const;

const signInOf = (
  subject: string,
  nowMs: number,
  more: Partial<SignInWithCommand> = {},
): SignInWithCommand => ({
  kind: 'signInWith',
  account: account(subject),
  authAtMs: nowMs,
  groups: null,
  email: null,
  sessionHash: world.freshKey(),
  expiresAtMs: nowMs + dayMs,
  coolOffMs: dayMs,
  ...more,
});

export function peopleContract(name: string, make: MakeBench): void {
  accounts(name, make);
  claims(name, make);
  others(name, make);
}

function accounts(name: string, make: MakeBench): void {
  storeTest(
    `${name}: an account belongs to one person, ever; the second of a person counts later`,
    make,
    async (opened) => {
      const { store, clock, later } = opened;
      const nowMs = (): number => clock.nowMs();
      assert.equal(noOf(await store.change(signInOf('a', nowMs()))), 'unauthenticated');
      value(await store.change(linkOf(world.rosa, 'a', nowMs())));
      value(await store.change(linkOf(world.rosa, 'b', nowMs())));
      const [first, second] = await store.accountsOf(world.rosa);
      assert.ok(near(first?.countsFromMs, nowMs()) && near(second?.countsFromMs, nowMs() + dayMs));
      assert.deepEqual((await store.unconfirmed()).accounts, [second]);
      assert.equal(noOf(await store.change(linkOf(world.mia, 'a', nowMs()))), 'not_permitted');
      assert.equal(noOf(await store.change(linkOf(world.rosa, 'a', nowMs()))), 'not_permitted');

      const [byA, byB] = [signInOf('a', nowMs()), signInOf('b', nowMs() + 5000)];
      for (const command of [byA, byB])
        assert.deepEqual(value(await store.change(command)), { kind: 'person', person: world.rosa });
      const found = await store.sessionOf(byB.sessionHash);
      assert.deepEqual(
        [found?.way.via, found?.way.countsFromMs],
        [{ kind: 'account', account: key('b') }, second?.countsFromMs],
      );
      // A provider’s clock that is ahead proves nothing of the future.
      assert.equal(found?.way.authAtMs, found?.row.openedAtMs);
      assert.equal((await store.sessionOf(byA.sessionHash))?.way.countsFromMs, first?.countsFromMs);

      assert.equal(
        noOf(await store.change({ kind: 'unlinkAccount', person: world.mia, account: key('b') })),
        'not_found',
      );
      value(await store.change({ kind: 'unlinkAccount', person: world.rosa, account: key('b') }));
      assert.equal(await store.sessionOf(byB.sessionHash), undefined, 'ended with its account');
      assert.notEqual(await store.sessionOf(byA.sessionHash), undefined);
      assert.equal(noOf(await store.change(signInOf('b', nowMs()))), 'unauthenticated');
      assert.equal(noOf(await store.change(linkOf(world.mia, 'b', nowMs()))), 'not_permitted');
      later(60_000);
      value(await store.change(linkOf(world.rosa, 'b', nowMs())));
      assert.ok(near((await store.account(key('b')))?.countsFromMs, nowMs() + dayMs));
      assert.equal(await store.account(key('c')), undefined);
      assert.deepEqual((await store.notesOf(world.rosa, 10)).map((one) => one.kind).toSorted(), [
        'account.linked',
        'account.linked',
        'account.linked',
        'account.unlinked',
      ]);
      value(await store.change({ kind: 'seenNotes', person: world.rosa }));
      assert.ok((await store.notesOf(world.rosa, 10)).every((note) => note.seenAtMs !== null));
    },
  );

  storeTest(
    `${name}: linking needs a session that was proven lately, confirming another person`,
    make,
    async (opened) => {
      const { store, clock } = opened;
      const nowMs = (): number => clock.nowMs();
      const old = { ...linkOf(world.rosa, 'a', nowMs()), way: fresh(nowMs() - 6 * 60_000) };
      assert.equal(noOf(await store.change(old)), 'not_permitted');
      assert.deepEqual(await store.accountsOf(world.rosa), []);
      value(await store.change(linkOf(world.rosa, 'a', nowMs())));
      value(await store.change(linkOf(world.rosa, 'b', nowMs())));
      const admins = asGroupId('admins');
      const people = world.directory.people.map((one) =>
        one.id === world.oz || one.id === world.rosa ? { ...one, groups: [...one.groups, admins] } : one,
      );
      const confirm = (by: PersonId, countsFromMs = 0) =>
        store.change({
          kind: 'confirmAccount',
          account: key('b'),
          by,
          way: { ...fresh(nowMs()), countsFromMs },
        });
      assert.equal(noOf(await confirm(world.oz)), 'not_permitted', 'there are no admins');
      value(await store.change(world.acceptDirectory({ ...world.directory, people })));
      assert.equal(noOf(await confirm(world.rosa)), 'not_permitted', 'oneself');
      assert.equal(noOf(await confirm(world.mia)), 'not_permitted', 'no admin');
      assert.equal(noOf(await confirm(world.oz, nowMs() + dayMs)), 'not_permitted', 'by a new account');
      value(await confirm(world.oz));
      const confirmed = await store.account(key('b'));
      assert.ok(near(confirmed?.countsFromMs, nowMs()));
      assert.equal(confirmed?.confirmedBy, world.oz);
    },
  );
}

function claims(name: string, make: MakeBench): void {
  storeTest(
    `${name}: what a provider claims is in the directory, with its own version, and no part of what was accepted`,
    make,
    async (opened) => {
      const { store, clock } = opened;
      const nowMs = (): number => clock.nowMs();
      const [group, owners] = [asGroupId('security'), world.owners];
      const now = async () => (await store.directory()).people.find((one) => one.id === world.rosa);
      value(await store.change(linkOf(world.rosa, 'a', nowMs())));
      const before = await store.versions();
      value(await store.change(signInOf('a', nowMs(), { groups: [group, owners] })));
      const claimed = await now();
      assert.deepEqual(
        [claimed?.groups, claimed?.fresh?.map((one) => one.group)],
        [[owners, group], [group]],
      );
      assert.ok(near(claimed?.fresh?.[0]?.countsFromMs, nowMs() + dayMs));
      assert.equal((await store.versions()).directory, before.directory + 1);
      assert.deepEqual((await store.accepted('directory'))?.body, world.directory);
      value(await store.change(signInOf('a', nowMs(), { groups: [owners, group] })));
      assert.equal((await store.versions()).directory, before.directory + 1, 'nothing new');
      value(await store.change(signInOf('a', nowMs())));
      assert.deepEqual(
        (await now())?.groups,
        [owners, group],
        'a provider that is not asked takes nothing away',
      );

      // Accepting another directory keeps the claims; both writers and readers see them.
      value(await store.change(world.acceptDirectory({ ...world.directory, agents: [] })));
      assert.deepEqual((await now())?.groups, [owners, group]);
      assert.equal((await store.versions()).directory, before.directory + 2);
      value(await store.change(signInOf('a', nowMs(), { groups: [owners] })));
      assert.deepEqual(await now(), { id: world.rosa, name: 'Rosa Diaz', groups: [owners] });
      value(await store.change({ kind: 'dropClaims', keep: [{ provider: issuer, groups: [] }] }));
      assert.deepEqual(await store.membershipsOf(world.rosa), []);
      const types = (await store.entries(-1, 100)).map(({ entry }) => entry);
      assert.deepEqual(
        types
          .filter((one) => one.type === 'membership.changed')
          .map((one) => [one.data['group'], one.data['how']]),
        [
          ['security', 'claimed'],
          ['data-owners', 'claimed'],
          ['security', 'lost'],
          ['data-owners', 'lost'],
        ],
      );
    },
  );
}

function others(name: string, make: MakeBench): void {
  storeTest(
    `${name}: what was begun is finished once, in time, by whoever began it, with the very body`,
    make,
    async (opened) => {
      const { store, clock, later } = opened;
      const nowMs = (): number => clock.nowMs();
      const begin = (kind: string, person: PersonId | null = null) => {
        const hash = world.freshKey();
        const begun = { hash, kind, person, body: '{"a":1}', expiresAtMs: nowMs() + 1000 };
        return store.change({ kind: 'begin', begun }).then((made) => (value(made), hash));
      };
      const hash = await begin('oidc');
      const finish = (more: object = {}) =>
        store.change({ kind: 'finish', hash, of: 'oidc', person: null, body: '{"a":1}', ...more });
      for (const more of [{ of: 'chat' }, { person: world.rosa }, { body: '{}' }, { hash: world.freshKey() }])
        assert.equal(noOf(await finish(more)), 'unauthenticated');
      const both = await Promise.all([finish(), finish()]);
      assert.deepEqual(both.map(noOf).toSorted(), ['ok', 'unauthenticated']);
      const late = await begin('oidc', world.rosa);
      later(1000);
      assert.equal(noOf(await finish({ hash: late, person: world.rosa })), 'unauthenticated');
      assert.ok(begunMax >= 1000);
    },
  );

  storeTest(
    `${name}: sessions of one person are listed, ended one by one and all at once`,
    make,
    async (opened) => {
      const { store, clock, later } = opened;
      const nowMs = (): number => clock.nowMs();
      value(await store.change(linkOf(world.rosa, 'a', nowMs())));
      const hashes: string[] = [];
      for (let more = 0; more < 3; more += 1) {
        const command = signInOf('a', nowMs());
        value(await store.change(command));
        hashes.push(command.sessionHash);
        later(1000);
      }
      value(await store.change({ kind: 'seenSession', sessionHash: hashes[0] ?? '' }));
      const [used] = await store.sessionsOf(world.rosa);
      assert.ok(used !== undefined && used.hash === hashes[0] && used.seenAtMs > used.openedAtMs);
      const end = (which: object, person = world.rosa) =>
        // Made of the very shapes of EndSessionsCommand.
        store.change({ kind: 'endSessions', person, which: which as { kind: 'all' } });
      value(await end({ kind: 'all' }, world.mia));
      value(await end({ kind: 'one', id: `ses_${(hashes[1] ?? '').slice(0, 16)}` }));
      assert.deepEqual(
        (await store.sessionsOf(world.rosa)).map((one) => one.hash).toSorted(),
        [hashes[0] ?? '', hashes[2] ?? ''].toSorted(),
      );
      value(await end({ kind: 'others', but: hashes[2] ?? '' }));
      assert.deepEqual(
        (await store.sessionsOf(world.rosa)).map((one) => one.hash),
        [hashes[2]],
      );
      value(await end({ kind: 'all' }));
      assert.deepEqual(await store.sessionsOf(world.rosa), []);
    },
  );

  storeTest(
    `${name}: an account of a chat comes with a sign-in, or by a link that is used once; neither takes one from anybody`,
    make,
    async (opened) => {
      const { store, clock } = opened;
      const nowMs = (): number => clock.nowMs();
      const chat = (subject: string) => ({ kind: 'slack', issuer: 'T1', subject, display: subject }) as const;
      const chatKey = (subject: string) => ({ kind: 'slack', issuer: 'T1', subject }) as const;
      for (const [person, subject] of [
        [world.rosa, 'a'],
        [world.mia, 'm'],
      ] as const)
        value(await store.change(linkOf(person, subject, nowMs())));
      value(await store.change(signInOf('a', nowMs(), { also: [chat('U1')] })));
      const [own, also] = [await store.account(key('a')), await store.account(chatKey('U1'))];
      assert.deepEqual([also?.person, also?.countsFromMs], [world.rosa, own?.countsFromMs]);
      value(await store.change(signInOf('m', nowMs(), { also: [chat('U1'), chat('U2')] })));
      assert.equal((await store.account(chatKey('U1')))?.person, world.rosa);
      assert.equal((await store.account(chatKey('U2')))?.person, world.mia);

      const link = world.freshKey();
      const body = JSON.stringify({ kind: 'slack', issuer: 'T1', subject: 'U3', display: 'U3' });
      const begun = { hash: link, kind: 'chat.link', person: null, body, expiresAtMs: nowMs() + 60_000 };
      value(await store.change({ kind: 'begin', begun }));
      const by = (person: PersonId, subject: string) =>
        store.change({ ...linkOf(person, 'x', nowMs()), account: chat(subject), link });
      assert.equal(noOf(await by(world.mia, 'U4')), 'not_permitted', 'of another account');
      const both = await Promise.all([by(world.mia, 'U3'), by(world.rosa, 'U3')]);
      assert.deepEqual(both.map(noOf), ['ok', 'not_permitted']);
      assert.equal((await store.account(chatKey('U3')))?.person, world.mia);
      assert.notEqual((await store.begun(link))?.usedAtMs, null);
    },
  );
}
