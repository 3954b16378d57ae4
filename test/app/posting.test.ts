/** Posting over a platform: one card at each place, always true, with what happens said under it and the outcome to owners. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cardsMax, createPosting } from '../../src/app/posting.ts';
import { isTagOf, tagOf, type Post } from '../../src/core/chat.ts';
import { asGroupId, asPersonId, type ApprovalId } from '../../src/core/ids.ts';
import { err } from '../../src/core/result.ts';
import type { Requirement } from '../../src/core/verdict.ts';
import type { Destination } from '../../src/ports/channel.ts';
import { createFakeMessenger, nowIn, replace, type FakeMessenger } from '../support/fake-messenger.ts';
import { requirement } from '../support/world.ts';
import { dataOwners, minuteMs, organisation, withRig, type Rig } from './posting-rig.ts';

interface World extends Rig {
  readonly fake: FakeMessenger;
  /** Whose accounts the platform's are; grows where more is found out. */
  readonly organisations: string[];
  readonly deliver: (
    ...args: Parameters<Rig['told']>
  ) => ReturnType<ReturnType<typeof createPosting>['deliver']>;
}

const withPosting = (work: (world: World) => Promise<void>): Promise<void> =>
  withRig(async (rig) => {
    const fake = createFakeMessenger();
    const organisations = [organisation];
    const channel = createPosting(rig.parts, fake, () => organisations);
    await work(
      Object.assign(rig, {
        fake,
        organisations,
        deliver: async (...args: Parameters<Rig['told']>) => channel.deliver(await rig.told(...args)),
      }),
    );
  });

const oncall: Destination = { group: asGroupId('security'), to: '#oncall' };

const cardsOf = async (rig: Rig, approval: ApprovalId): Promise<readonly Post[]> =>
  (await rig.posts(approval)).filter((post) => post.kind === 'card');

test('an approval is posted once at each place, with its buttons, and its delivery is proven in the log', () =>
  withPosting(async (world) => {
    const { fake, open, deliver, parts, entries } = world;
    const approval = await open();
    const to = [dataOwners, oncall];
    const first = await deliver('approval.opened', approval, { to });
    assert.deepEqual(first.ok && first.value.toSorted((a, b) => a.to.localeCompare(b.to)), [
      { to: '#data', ref: 'm1' },
      { to: '#oncall', ref: 'm2' },
    ]);
    assert.deepEqual((await deliver('approval.opened', approval, { to, again: true })).ok, true);
    assert.deepEqual(
      fake.messages.map((one) => one.to),
      ['#data', '#oncall'],
    );
    const card = (await cardsOf(world, approval)).find((post) => post.to === '#data');
    const shows = nowIn(fake.messages[0]);
    assert.ok(card !== undefined);
    assert.deepEqual(
      [card.state, card.group, card.at, card.whole],
      ['posted', 'data-owners', fake.messages[0]?.at, true],
    );
    assert.equal(fake.messages[0]?.id, card.id);
    for (const [use, tag] of [
      ['approve', shows.approve],
      ['deny', shows.deny],
    ] as const)
      assert.ok(tag !== null && isTagOf(tag, parts.store.joinKey(), use, [card.id, card.digest]));
    const shown = card.shown === null ? undefined : await parts.store.showing(card.shown);
    assert.deepEqual(shown?.body, shows, 'what people were shown is kept, word for word');
    assert.equal((await entries('notice.posted')).length, 2, 'once a copy');
  }));

test('what was decided before it was posted is never posted as open', () =>
  withPosting(async ({ fake, open, cancel, deliver }) => {
    const approval = await open();
    await cancel(approval);
    for (const kind of [
      'approval.opened',
      'approval.reviewed',
      'approval.escalated',
      'approval.reminded',
    ] as const)
      assert.deepEqual(await deliver(kind, approval), { ok: true, value: [] });
    assert.deepEqual(fake.messages, []);
  }));

test('what is decided while it is being posted says so at once, without another notice', () =>
  withPosting(async ({ fake, open, cancel, deliver }) => {
    const approval = await open();
    fake.plan = ({ what }) => {
      if (what === 'post') void cancelled();
      return 'ok';
    };
    let done: Promise<void> | undefined;
    const cancelled = (): Promise<void> => (done ??= cancel(approval));
    // The platform has it already when the decision is committed.
    replace(fake, 'post', (real) => async (...args) => {
      const at = await real(...args);
      await done;
      return at;
    });
    assert.equal((await deliver('approval.opened', approval)).ok, true);
    const shows = nowIn(fake.messages[0]);
    assert.deepEqual([shows.state, shows.open], ['Withdrawn', false]);
  }));

test('what is decided while a copy is being changed is what the copy says last', () =>
  withPosting(async ({ fake, open, review, cancel, deliver, posts }) => {
    const approval = await open(requirement('two', 'data-owners', { quorum: 2 }));
    await deliver('approval.opened', approval);
    await review(approval, 'rosa');
    let meanwhile: Promise<void> | undefined;
    replace(fake, 'update', (real) => async (...args) => {
      const sent = await real(...args);
      await (meanwhile ??= cancel(approval));
      return sent;
    });
    assert.equal((await deliver('approval.reviewed', approval)).ok, true);
    const [message] = fake.messages;
    assert.deepEqual(
      message?.said.map((one) => one.open),
      [true, true, false],
      'sent again after it was sent',
    );
    assert.equal(nowIn(message).state, 'Withdrawn');
    const card = (await posts(approval)).find((post) => post.kind === 'card');
    assert.match(card?.version ?? '', /cancelled$/);
  }));

test('every copy is changed, cards and open views, and what was deleted there is forgotten and asked anew', () =>
  withPosting(async (world) => {
    const { fake, open, review, deliver, parts, posts, later } = world;
    const approval = await open(requirement('two', 'data-owners', { quorum: 2 }));
    const to = [dataOwners, oncall];
    await deliver('approval.opened', approval, { to });
    const [card] = await cardsOf(world, approval);
    assert.ok(card !== undefined);
    fake.messages.push({
      at: { place: 'view:U1', message: 'v1' },
      to: 'view:U1',
      id: card.id,
      said: [],
      replies: [],
      deleted: false,
    });
    const view: Post = {
      ...card,
      id: 'pst_view' as Post['id'],
      kind: 'view',
      group: null,
      to: 'view:U1',
      at: { place: 'view:U1', message: 'v1' },
    };
    await parts.store.change({ kind: 'writePost', post: view, showing: null });
    const gone = fake.messages[1];
    assert.ok(gone !== undefined);
    gone.deleted = true;
    later(1000);
    await review(approval, 'rosa');
    assert.equal((await deliver('approval.reviewed', approval)).ok, true);
    assert.equal(fake.messages[0]?.said.length, 2);
    const seen = nowIn(fake.messages.find((one) => one.at.message === 'v1'));
    assert.deepEqual(
      [seen.approve, seen.deny],
      [null, null],
      'nobody is known who opened it: nothing to press',
    );
    assert.ok((await posts(approval)).some((post) => post.to === '#oncall' && post.state === 'gone'));
    assert.equal((await deliver('approval.reminded', approval, { to })).ok, true);
    assert.equal(fake.at('#oncall').length, 1, 'who deleted it is asked anew');
    assert.equal(fake.at('#data').length, 1);
    assert.equal((await cardsOf(world, approval)).filter((post) => post.state === 'posted').length, 2);
  }));

test('under the cards follows what happens, each sentence once, in names', () =>
  withPosting(async ({ fake, open, review, run, deliver, later }) => {
    const two = requirement('two', 'data-owners', {
      quorum: 2,
      escalate: { afterMs: 10 * minuteMs, group: asGroupId('security') },
    });
    const approval = await open(two);
    await deliver('approval.opened', approval);
    later(11 * minuteMs);
    await deliver('approval.escalated', approval, { to: [oncall] });
    later(109 * minuteMs);
    await deliver('approval.reminded', approval);
    await review(approval, 'rosa');
    await deliver('approval.reviewed', approval);
    await deliver('approval.reviewed', approval, { again: true });
    await review(approval, 'mia');
    await deliver('approval.closed', approval);
    await run(approval);
    await deliver('execution.ended', approval);
    await deliver('execution.ended', approval, { again: true });
    const said = fake.messages[0]?.replies.map((text) => text.replace(/ http:.*/, ''));
    assert.equal(said?.length, 5, JSON.stringify(said));
    assert.match(said[0] ?? '', /^Not decided yet, so security is asked too now\.$/);
    assert.match(said[1] ?? '', /^Still waiting: it expires at .* UTC, in 2 h\.$/);
    assert.equal(said[2], 'rosa approved in the web inbox. 1 of 2.');
    assert.equal(said[3], 'Approved by rosa and mia: it may run once.');
    assert.match(said[4] ?? '', /^Ran once\. Succeeded in /);
    // The card of whoever was asked later says the same from then on.
    assert.equal(fake.messages[1]?.replies.length, 4);
    assert.match(nowIn(fake.messages[1]).state, /succeeded/);
  }));

test('owners are told the outcome in person, once, at their account of this organisation', () =>
  withPosting(async (world) => {
    const { fake, open, review, run, cancel, deliver, parts } = world;
    const of = (issuer: string, subject: string, endedAtMs: number | null = null) => ({
      kind: 'slack' as const,
      issuer,
      subject,
      person: asPersonId('sam'),
      display: 'Sam',
      atMs: 0,
      countsFromMs: 0,
      confirmedBy: null,
      endedAtMs,
    });
    replace(
      parts.store,
      'accountsOf',
      (real) => (person) =>
        person === 'sam'
          ? Promise.resolve([of('T0OTHER', 'U9'), of(organisation, 'U8', 5), of(organisation, 'U1')])
          : real(person),
    );
    const ran = await open();
    await deliver('approval.opened', ran);
    await review(ran, 'rosa');
    await deliver('approval.closed', ran);
    assert.equal(fake.told.length, 0, 'an approval is no outcome yet');
    await run(ran);
    await deliver('execution.ended', ran);
    await deliver('execution.ended', ran, { again: true });
    const denied = await open();
    await review(denied, 'rosa', 'deny');
    await deliver('approval.closed', denied);
    const withdrawn = await open();
    await cancel(withdrawn);
    await deliver('approval.closed', withdrawn);
    assert.deepEqual(
      fake.told.map((one) => one.subject),
      ['U1', 'U1', 'U1'],
    );
    const texts = fake.told.map((one) => one.text);
    assert.match(
      texts[0] ?? '',
      /^Export rows of customers: Ran once\. Succeeded in .* http:\/\/gate\.test\/approvals\/apr_/,
    );
    assert.match(texts[1] ?? '', /Denied by rosa/);
    assert.match(texts[2] ?? '', /Withdrawn by sam/);
  }));

test('owners of an enterprise are told once it is known that the workspace is of it, and not before', () =>
  withPosting(async ({ fake, open, review, deliver, parts, organisations }) => {
    const account = { kind: 'slack', issuer: 'E0GRID', subject: 'W1', person: asPersonId('sam') } as const;
    const row = { ...account, display: 'Sam', atMs: 0, countsFromMs: 0, confirmedBy: null, endedAtMs: null };
    replace(parts.store, 'accountsOf', () => () => Promise.resolve([row]));
    const denied = await open();
    await review(denied, 'rosa', 'deny');
    assert.ok((await deliver('approval.closed', denied)).ok);
    assert.equal(fake.told.length, 0);
    organisations.push('E0GRID');
    assert.ok((await deliver('approval.closed', denied, { again: true })).ok);
    assert.deepEqual(
      fake.told.map((one) => one.subject),
      ['W1'],
    );
  }));

test('nobody approves from here what no policy lets be approved from here, and the card says where', () =>
  withPosting(async ({ fake, open, deliver }) => {
    const shown = async (...needs: readonly Requirement[]) => {
      const approval = await open(...needs);
      await deliver('approval.opened', approval);
      return nowIn(fake.messages.at(-1));
    };
    const web = await shown(requirement('a', 'data-owners', { channels: ['web', 'cli'] }));
    assert.deepEqual(
      [web.approve, web.approveNot],
      [null, 'It cannot be approved in Slack: the policy wants it in web and cli.'],
    );
    assert.notEqual(web.deny, null);
    const key = await shown(requirement('b', 'data-owners', { stepUp: 'passkey' }));
    assert.match(key.approveNot ?? '', /passkey/);
    const reason = await shown(requirement('c', 'data-owners', { reasonRequired: true }));
    assert.match(reason.approveNot ?? '', /reason/);
    assert.equal(reason.approve, null);
    fake.asksReason = true;
    const asked = await shown(requirement('r', 'data-owners', { reasonRequired: true }));
    assert.notEqual(asked.approve, null, 'where it can be asked for, it can be given');
    assert.equal(asked.approveNot, null);
    assert.match(asked.approveAsks ?? '', /asks for a reason/);
    const partly = await shown(
      requirement('s', 'data-owners', { reasonRequired: true }),
      requirement('t', 'security'),
    );
    assert.match(partly.approveAsks ?? '', /asks for a reason/);
    const signed = await shown(
      requirement('u', 'data-owners', { reasonRequired: true, stepUp: 'passkey' }),
      requirement('v', 'security'),
    );
    assert.deepEqual(
      [signed.approve === null, signed.approveAsks],
      [false, null],
      'not for what is signed elsewhere',
    );
    const plain = await shown(requirement('w', 'data-owners'));
    assert.equal(plain.approveAsks, null);
    const one = await shown(
      requirement('d', 'data-owners', { channels: ['web'] }),
      requirement('e', 'security', { channels: ['slack'] }),
    );
    assert.notEqual(one.approve, null, 'somebody may approve a part of it here');
  }));

test('where a policy hides from somebody what a case holds, the card hides it and approves nothing', () =>
  withPosting(async ({ fake, open, deliver, parts }) => {
    const approval = await open();
    replace(parts.policy, 'narrows', () => () => true);
    replace(parts.policy, 'mayDo', () => (person) => person !== 'mia');
    await deliver('approval.opened', approval);
    const shows = nowIn(fake.messages[0]);
    assert.doesNotMatch(JSON.stringify(shows), /customers|"t1"/);
    assert.deepEqual([shows.approve, shows.deny === null], [null, false]);
    assert.match(shows.approveNot ?? '', /not for everybody who reads here/);
  }));

test('where one place fails the others are posted, and the next try posts that one alone', () =>
  withPosting(async ({ fake, open, deliver }) => {
    const approval = await open();
    const to = [dataOwners, oncall];
    fake.plan = (call) =>
      call.to === '#data' ? { fail: { detail: 'no such channel', retryable: false } } : 'ok';
    const first = await deliver('approval.opened', approval, { to });
    assert.deepEqual(first, err({ detail: 'no such channel', retryable: false }));
    assert.deepEqual(
      fake.messages.map((one) => one.to),
      ['#oncall'],
    );
    fake.plan = () => 'ok';
    assert.equal((await deliver('approval.opened', approval, { to, again: true })).ok, true);
    assert.deepEqual(
      fake.messages.map((one) => one.to),
      ['#oncall', '#data'],
    );
    assert.equal(fake.messages.length, 2);
  }));

test('there are as many copies as are kept true, and no more', () =>
  withPosting(async ({ fake, open, deliver }) => {
    const approval = await open();
    const to = Array.from({ length: cardsMax + 2 }, (_, at) => ({
      group: asGroupId(`g${at}`),
      to: `#${at}`,
    }));
    const result = await deliver('approval.opened', approval, { to });
    assert.ok(!result.ok && !result.error.retryable && result.error.detail.includes(String(cardsMax)));
    assert.equal(fake.messages.length, cardsMax);
  }));

test('break-glass is a message of its own with nothing to press, once for each of its notices', () =>
  withPosting(async ({ fake, open, deliver, parts }) => {
    const approval = await open();
    const now = {
      id: 'gls_1',
      approval,
      agent: 'crm-bot',
      operation: 'crm___export_rows',
      fromMs: 0,
      untilMs: parts.clock.nowMs() + minuteMs,
      asker: 'sam',
      approvers: ['rosa', 'mia'],
      owners: ['sam'],
      reason: 'the database is on fire\u202E',
      ended: null,
      review: null,
    } as never;
    const glass = { now, names: new Map([[asPersonId('rosa'), 'Rosa Diaz']]) };
    await deliver('glass.opened', approval, { glass });
    await deliver('glass.opened', approval, { glass, again: true });
    await deliver('glass.closed', approval, { glass });
    assert.equal(fake.messages.length, 2);
    const [opened, closed] = fake.messages.map(nowIn);
    assert.match(opened?.headline ?? '', /^BREAK-GLASS is open: crm___export_rows of crm-bot$/);
    assert.match(opened?.text ?? '', /approved by Rosa Diaz and mia/);
    assert.match(opened?.text ?? '', /on fire⟨U\+202E⟩/);
    assert.equal(opened?.open, false);
    assert.match(closed?.headline ?? '', /is over/);
  }));

test('a button of a copy is no button of another one', () =>
  withPosting(async (world) => {
    const { fake, open, deliver, parts } = world;
    const approval = await open();
    await deliver('approval.opened', approval, { to: [dataOwners, oncall] });
    const [one, other] = await cardsOf(world, approval);
    assert.ok(one !== undefined && other !== undefined);
    const shows = nowIn(fake.messages.find((message) => message.id === one.id));
    assert.notEqual(one.id, other.id);
    assert.ok(!isTagOf(shows.approve ?? '', parts.store.joinKey(), 'approve', [other.id, other.digest]));
    assert.notEqual(shows.approve, tagOf(parts.store.joinKey(), 'deny', [one.id, one.digest]));
  }));
