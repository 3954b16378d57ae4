/**
 * What a policy hides does not get out through a chat: marks stand in everything that an action holds, and everything that a chat,
 * a mail or a webhook is sent about it is read for them, as is everything that somebody who may not see it can open there.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createChat } from '../../src/app/chat/chat.ts';
import { finishLink } from '../../src/app/chat/link.ts';
import { claim, effectOnce } from '../../src/app/execute.ts';
import { deliverNotice } from '../../src/app/notices.ts';
import { createPosting } from '../../src/app/posting.ts';
import { cancel, review } from '../../src/app/review.ts';
import { mailOf } from '../../src/channels/email-text.ts';
import { eventOf } from '../../src/channels/webhook.ts';
import { layCard } from '../../src/channels/slack/card.ts';
import { homeView } from '../../src/channels/slack/home.ts';
import type { Case } from '../../src/core/case.ts';
import { asClickId, tagOf, type TagUse } from '../../src/core/chat.ts';
import { asGroupId, asPersonId, type ApprovalId } from '../../src/core/ids.ts';
import type { NoticeKind } from '../../src/core/loaded.ts';
import { headlineOf } from '../../src/core/render/headline.ts';
import { sha256Hex } from '../../src/core/sha256.ts';
import type { Channel, Destination, Routing, Told } from '../../src/ports/channel.ts';
import type { Chat, ChatAccount, Pressed } from '../../src/ports/chat.ts';
import { openPages, type PagesGate } from '../http/pages/support.ts';
import { seen } from '../http/pages/scenes.ts';
import { createFakeMessenger, type FakeMessenger } from '../support/fake-messenger.ts';

const marks = {
  input: 'MARKED-input-7f3a',
  path: 'MARKED-path-91bc',
  look: 'MARKED-look-c0de',
  reason: 'MARKED-reason-e5e5',
  session: 'MARKED-session-1b1b',
  result: 'MARKED-result-aa00',
  detail: 'MARKED-detail-bb11',
  withdrawn: 'MARKED-withdrawn-cc22',
} as const;
const marked = /MARKED/i;

const accountOf = (person: string): ChatAccount => ({
  kind: 'slack',
  issuer: 'T1',
  subject: `U${person.toUpperCase()}`,
  display: person,
});

const kinds: readonly NoticeKind[] = [
  'approval.opened',
  'approval.reviewed',
  'approval.reminded',
  'approval.escalated',
  'approval.closed',
  'execution.ended',
];

const routing: Routing = {
  groups: new Map([[asGroupId('data-owners'), [{ channel: 'slack', to: '#data' }]]]),
  otherwise: [],
};

/** Attaches somebody's account of the chat, as they do it. */
async function linked(gate: PagesGate, chat: Chat, person: string): Promise<void> {
  const url = await chat.linkUrl(accountOf(person));
  assert.ok(url.ok);
  const way = { via: { kind: 'link' }, countsFromMs: 0, authAtMs: gate.clock.nowMs } as const;
  const secret = new URL(url.value).hash.slice(1);
  const done = await finishLink(gate.parts, { person: asPersonId(person), way }, secret);
  assert.ok(done.ok, JSON.stringify(done));
}

describe('where a policy keeps inputs from auditors, and one action from an approver', () => {
  let gate: PagesGate;
  let chat: Chat;
  let slack: FakeMessenger;
  let posting: Channel;
  const told: Told[] = [];
  before(async () => {
    gate = await openPages({
      forbids: `
@id("hr.auditors") @title("Auditors see no inputs of it")
forbid (principal, action == Action::"read_input", resource)
when { principal in context.roles.auditors && resource.server == "ops" };
@id("hr.mia") @title("Mia does not see it at all")
forbid (principal == Person::"mia", action == Action::"read", resource) when { resource.operation == "ops___write_file" };
@id("hr.owner") @title("Its agent’s owner does not see such exports at all")
forbid (principal == Person::"sam", action == Action::"read", resource) when { resource.operation == "ops___export_rows" };
`,
    });
    chat = createChat(gate.parts, new Set());
    slack = createFakeMessenger();
    posting = createPosting(gate.parts, slack, () => ['T1']);
    for (const person of ['sam', 'rosa', 'mia', 'ada', 'olga', 'tom']) await linked(gate, chat, person);
  });
  after(() => gate.close());

  const ask = (name: string): Promise<Case> =>
    gate.ask(
      'write_file',
      { path: `/${marks.path}/${name}`, content: marks.input },
      {
        reason: marks.reason,
        session: marks.session,
        look: () =>
          Promise.resolve(seen('read_file', { path: marks.path }, { text: marks.look }, gate.clock.nowMs)),
      },
    );
  const idOf = (held: Case): ApprovalId => {
    assert.ok(held.approval !== null);
    return held.approval.id;
  };
  const tell = async (approval: ApprovalId, kind: NoticeKind): Promise<void> => {
    const channel: Channel = {
      name: 'slack',
      deliver: (one) => {
        told.push(one);
        return posting.deliver(one);
      },
    };
    await deliverNotice(
      gate.parts,
      { channel, headlineOf: (held) => headlineOf(held.asked).text, routing: () => routing },
      {
        id: `n-${kind}-${approval}`,
        channel: 'slack',
        kind,
        approval,
        attempts: 0,
        sinceMs: 0,
        insteadOf: null,
        fellBack: false,
      },
    );
  };
  const decide = async (held: Case, by: string, decision: 'approve' | 'deny'): Promise<void> => {
    const done = await review(gate.parts, { kind: 'person', id: asPersonId(by) }, idOf(held), {
      decision,
      digest: held.asked.digest,
      reason: 'words of a person',
      unsafe: false,
      channel: 'web',
      shownWhole: true,
    });
    assert.ok(done.ok, JSON.stringify(done));
  };

  test('no card, no sentence under it, no word to an owner, no mail and no webhook holds any of it', async () => {
    const [ran, denied, withdrawn] = [await ask('1'), await ask('2'), await ask('3')];
    const all = [ran, denied, withdrawn];
    for (const held of all) for (const kind of kinds) await tell(idOf(held), kind);
    assert.equal(slack.at('#data').length, all.length);
    await decide(ran, 'rosa', 'approve');
    await decide(denied, 'rosa', 'deny');
    const by = { kind: 'agent', id: withdrawn.asked.action.agent } as const;
    assert.ok((await cancel(gate.parts, by, idOf(withdrawn), { reason: marks.withdrawn })).ok);
    for (const held of all) for (const kind of kinds) await tell(idOf(held), kind);
    const taken = await claim(gate.parts, by.id, ran.asked.id);
    assert.ok(taken.ok);
    await effectOnce(gate.parts, taken.value.held, taken.value.execution.id, () =>
      Promise.resolve({ status: 'failed', detail: marks.detail, result: { text: marks.result } }),
    );
    for (const kind of kinds) await tell(idOf(ran), kind);
    assert.ok(slack.messages.some((one) => one.replies.length > 0));
    assert.ok(slack.told.some(({ subject }) => subject === 'USAM'));
    const said = JSON.stringify([slack.messages, slack.told]);
    assert.doesNotMatch(said, marked);
    for (const one of told) assert.doesNotMatch(JSON.stringify([eventOf(one), mailOf(one)]), marked);
    const entries = (await gate.parts.store.entries(-1, 1000)).map(({ entry }) => entry);
    const ofChats = entries.filter(({ type }) => /^(?:notice|click)\./.test(type));
    assert.ok(ofChats.length > 0);
    assert.doesNotMatch(JSON.stringify(ofChats), marked);
  });

  test('whoever may not see it opens nothing of it: no view, no form, no list, no word', async () => {
    const held = await ask('open');
    await tell(idOf(held), 'approval.opened');
    const post = (await gate.parts.store.postsOf(idOf(held), 'slack')).find((one) => one.kind === 'card');
    assert.ok(post?.at != null);
    assert.equal(slack.at('#data').at(-1)?.said.at(-1)?.approve, null);
    const { at } = post;
    const button = (use: TagUse): Pressed => ({
      use,
      id: post.id,
      tag: tagOf(gate.parts.store.joinKey(), use, [post.id, post.digest]),
    });
    for (const person of ['mia', 'ada', 'olga', 'tom']) {
      const account = accountOf(person);
      const view = await chat.view(account, button('open'), at);
      const laid = view.ok ? layCard(view.value.card, 'view') : null;
      const forms = [
        await chat.form(account, button('approve'), at),
        await chat.form(account, button('deny'), at),
        await chat.form(account, button('stop'), at),
      ];
      const inbox = await chat.inbox(account);
      const home = inbox.ok ? homeView(inbox.value) : null;
      const click = await chat.record({
        id: asClickId(sha256Hex(`${person} approves`)),
        account,
        pressed: button('approve'),
        at,
        reason: null,
        unsafe: false,
      });
      assert.ok(click.ok);
      const word = await chat.carryOut(click.value);
      assert.equal(word.kind, 'refused', person);
      assert.doesNotMatch(JSON.stringify([view, laid, forms, inbox, home, word]), marked, person);
      if (laid !== null) assert.equal(laid.whole, false);
    }
    // Who may see it does.
    const rosa = await chat.view(accountOf('rosa'), button('open'), at);
    assert.match(JSON.stringify(rosa), marked);
    assert.equal((await gate.parts.store.caseBy({ approval: idOf(held) }))?.reviews.length, 0);
  });

  test('an owner whom a policy keeps from reading it is not told of it either', async () => {
    const held = await gate.ask('export_rows', { table: 'customers', destination: marks.input });
    const toldBefore = slack.told.length;
    await tell(idOf(held), 'approval.opened');
    await decide(held, 'rosa', 'deny');
    await tell(idOf(held), 'approval.closed');
    assert.match(slack.at('#data').at(-1)?.replies.at(-1) ?? '', /Denied by Rosa/);
    assert.deepEqual(slack.told.slice(toldBefore), []);
  });
});

test('what is said beside a card, and to an owner, is the gate’s and people’s: an agent says nothing there', async () => {
  const gate = await openPages();
  try {
    const messenger = createFakeMessenger();
    const posting = createPosting(gate.parts, messenger, () => ['T1']);
    const chat = createChat(gate.parts, new Set());
    await linked(gate, chat, 'sam');
    const held = await gate.ask('export_rows', { table: 'customers', destination: 's3://x' });
    const { approval } = held;
    assert.ok(approval !== null);
    const to: Destination[] = [{ group: asGroupId('data-owners'), to: '#data' }];
    const say = async (kind: NoticeKind): Promise<void> => {
      const now = await gate.parts.store.caseBy({ approval: approval.id });
      assert.ok(now !== undefined);
      const url = `${gate.parts.origin}/approvals/${approval.id}`;
      const owners = [{ id: asPersonId('sam'), name: 'Sam Lee' }];
      const done = await posting.deliver({
        kind,
        id: `n ${kind}`,
        case: now,
        url,
        headline: headlineOf(now.asked).text,
        to,
        insteadOf: null,
        owners,
        nowMs: gate.clock.nowMs,
      });
      assert.ok(done.ok, JSON.stringify(done));
    };
    await say('approval.opened');
    const by = { kind: 'agent', id: held.asked.action.agent } as const;
    const reason = 'Approved by Rosa Diaz: it may run once.';
    assert.ok((await cancel(gate.parts, by, approval.id, { reason })).ok);
    await say('approval.closed');
    const [card] = messenger.at('#data');
    assert.match(card?.replies.at(-1) ?? '', /^Withdrawn by the agent crm-bot/);
    assert.equal(messenger.told.length, 1);
    assert.doesNotMatch(JSON.stringify([card?.replies, messenger.told]), /Approved by/);
    // On the card it stands as what it is.
    assert.match(JSON.stringify(card?.said.at(-1)), /Approved by Rosa/);
  } finally {
    await gate.close();
  }
});
