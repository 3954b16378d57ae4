/**
 * A whole gate with Teams beside it: real store, rules and chat (app/chat), the real wire of channels/teams, and a connector
 * (platform.ts) at its other end. What posts by itself is the gate's; here a card is posted when a test says so.
 */
import assert from 'node:assert/strict';
import { createTeams, messagesPath } from '../../../../src/channels/teams/teams.ts';
import { cardFor } from '../../../../src/app/cards.ts';
import { canonicalize } from '../../../../src/core/canonical.ts';
import { asPostId, type ClickVerb, type Post } from '../../../../src/core/chat.ts';
import { asGroupId, asSha256Hex, type ApprovalId } from '../../../../src/core/ids.ts';
import { sha256Hex } from '../../../../src/core/sha256.ts';
import { systemRandom } from '../../../../src/main.ts';
import type { TeamsSettings } from '../../../../src/ports/channel-settings.ts';
import type { Chat, ChatAccount } from '../../../../src/ports/chat.ts';
import type { ChatApp } from '../../../../src/ports/messenger.ts';
import type { Standing } from '../../../../src/ports/standing.ts';
import { chatBench, startChatGate, type ChatBench } from '../../../support/chat.ts';
import { buttonsIn, dataOf, readable } from '../card-check.ts';
import {
  channel,
  clientId,
  startPlatform,
  tenant,
  type Loose,
  type Message,
  type Platform,
  type Signing,
} from './platform.ts';

export interface Posted {
  readonly post: Post;
  readonly message: Message;
}

export interface Answer {
  readonly status: number;
  readonly body: Loose;
}

export interface PressMore {
  /** What the person typed or switched, beside the button's data. */
  readonly inputs?: Loose;
  /** Of the activity: the same one again is the same press. */
  readonly id?: string;
  /** Changes the activity before it is sent. */
  readonly tamper?: (activity: Loose) => void;
  readonly signing?: Signing;
}

export interface TeamsRig {
  readonly platform: Platform;
  readonly bench: ChatBench;
  app(): ChatApp;
  /** What it said of itself, oldest first. */
  readonly standings: readonly Standing[];
  /** What operators read. */
  readonly lines: readonly string[];
  account(name: string): ChatAccount;
  /** Posts the card of an approval in the channel. */
  card(approval: ApprovalId, to?: string): Promise<Posted>;
  /** What Teams sends when somebody presses a button of a card. */
  pressed(card: Posted, name: string, verb: ClickVerb, more?: PressMore): Loose;
  /** Sends that, with a token. */
  press(card: Posted, name: string, verb: ClickVerb, more?: PressMore): Promise<Answer>;
  send(activity: unknown, signing?: Signing): Promise<Answer>;
  /** Sends with this header, or none. */
  sendWith(activity: unknown, authorization: string | null): Promise<Answer>;
  /** Who has said what about an approval: `rosa approve teams`. */
  reviews(approval: ApprovalId): Promise<readonly string[]>;
  /** Another process of the same gate: the one before is left as a crash leaves it. */
  again(wrap?: (chat: Chat) => Chat): Promise<void>;
  stop(): Promise<void>;
}

/** Does something beside a rig in which some people have linked their accounts. @param options.linked default: Sam, Rosa, Mia, Gus as Lee */
export async function inRig(
  work: (rig: TeamsRig) => Promise<void>,
  {
    linked = ['sam', 'rosa', 'mia'],
    ...options
  }: NonNullable<Parameters<typeof startTeamsRig>[0]> & { readonly linked?: readonly string[] } = {},
): Promise<void> {
  const rig = await startTeamsRig(options);
  try {
    for (const name of linked) await rig.bench.link(name, rig.account(name));
    await work(rig);
  } finally {
    await rig.stop();
  }
}

export async function startTeamsRig(
  options: {
    readonly settings?: (settings: TeamsSettings) => TeamsSettings;
    readonly wrap?: (chat: Chat) => Chat;
    /** Instead of the usual ones. */
    readonly policies?: string;
    readonly leftEveryMs?: number;
  } = {},
): Promise<TeamsRig> {
  const platform = await startPlatform();
  const { policies, leftEveryMs } = options;
  const gate = await startChatGate(policies === undefined ? {} : { policies });
  const bench = chatBench(gate, 'teams');
  const settings = options.settings?.(platform.settings) ?? platform.settings;
  const standings: Standing[] = [];
  const lines: string[] = [];
  const apps: ChatApp[] = [];
  const connect = async (wrap: (chat: Chat) => Chat = (chat) => chat): Promise<void> => {
    const app = createTeams({
      settings,
      clock: gate.gate().parts.clock,
      board: { say: (standing) => void standings.push(standing) },
      say: (line) => lines.push(line),
      ...(leftEveryMs === undefined ? {} : { leftEveryMs }),
    });
    apps.push(app);
    await app.start(wrap(bench.chat()));
  };
  const app = (): ChatApp => {
    const last = apps.at(-1);
    assert.ok(last !== undefined);
    return last;
  };
  await connect(options.wrap);
  const sendWith = async (activity: unknown, authorization: string | null): Promise<Answer> => {
    const response = await app().handle(requestOf(gate.gate().url, activity, authorization));
    assert.ok(response !== undefined, 'it is the route’s');
    const text = await response.text();
    return { status: response.status, body: text === '' ? null : JSON.parse(text) };
  };
  const send = async (activity: unknown, signing?: Signing): Promise<Answer> =>
    sendWith(activity, `Bearer ${await platform.token(signing)}`);
  const pressed: TeamsRig['pressed'] = (card, name, verb, more) =>
    pressOf({ platform, card: card.message, name, verb }, more);
  return {
    platform,
    bench,
    app,
    standings,
    lines,
    account: (name) => ({
      kind: 'teams',
      issuer: tenant,
      subject: platform.person(name).aadObjectId,
      display: name,
    }),
    card: (approval, to = channel) => post({ platform, bench, messenger: app().messenger }, approval, to),
    pressed,
    press: (card, name, verb, more) => send(pressed(card, name, verb, more), more?.signing),
    send,
    sendWith,
    reviews: async (approval) =>
      (await bench.held(approval)).reviews.map((one) => `${one.person} ${one.decision} ${one.channel}`),
    again: (wrap) => connect(wrap),
    async stop() {
      await Promise.all(apps.map((one) => one.stop()));
      await gate.stop();
      await platform.stop();
    },
  };
}

/** As Teams sends something to the route of a gate. @param origin of the gate */
export const requestOf = (origin: string, activity: unknown, authorization: string | null): Request =>
  new Request(new URL(messagesPath, origin), {
    method: 'POST',
    headers: {
      'content-type': 'application/json; charset=utf-8',
      ...(authorization === null ? {} : { authorization }),
    },
    body: typeof activity === 'string' ? activity : JSON.stringify(activity),
  });

let activities = 0;

/** What every activity has. In a channel the conversation is that of the thread, while a message is known by the channel's. */
export function activityOf(platform: Platform, name: string, conversation: string): Loose {
  activities += 1;
  const { mri, aadObjectId } = platform.person(name);
  return {
    id: `f:${String(activities).padStart(36, '0')}`,
    timestamp: new Date().toISOString(),
    channelId: 'msteams',
    serviceUrl: platform.serviceUrl,
    from: { id: mri, name: `${name} of Contoso`, aadObjectId },
    recipient: { id: `28:${clientId}`, name: 'Countersign' },
    conversation: { id: conversation, conversationType: 'channel', tenantId: tenant, isGroup: true },
    channelData: { tenant: { id: tenant }, source: { name: 'message' } },
    locale: 'en-US',
  };
}

/** A press on a button of a card, with the data that Teams gives back. */
export function pressOf(
  of: {
    readonly platform: Platform;
    readonly card: Message;
    readonly name: string;
    readonly verb: ClickVerb;
  },
  { inputs = {}, id, tamper }: PressMore = {},
): Loose {
  const { platform, card, name, verb } = of;
  const data: Loose = dataOf(cardIn(card), verb);
  assert.ok(data !== undefined, `the card has the button ${verb}`);
  const inThread = card.conversation.endsWith('@thread.tacv2')
    ? `${card.conversation};messageid=${card.id}`
    : card.conversation;
  const activity: Loose = {
    ...activityOf(platform, name, inThread),
    type: 'invoke',
    name: 'adaptiveCard/action',
    replyToId: card.id,
    value: {
      action: { type: 'Action.Execute', title: verb, verb, data: { ...data, ...inputs } },
      trigger: 'manual',
    },
  };
  if (id !== undefined) activity.id = id;
  tamper?.(activity);
  return activity;
}

export const cardIn = ({ activity }: Message): Loose => activity.attachments[0].content;
export const textIn = (message: Message): string => readable(cardIn(message));
/** Whether a message lets somebody decide. */
export const isOpen = (message: Message): boolean =>
  buttonsIn(cardIn(message)).some((one) => one === 'approve' || one === 'deny');

async function post(
  { platform, bench, messenger }: Pick<TeamsRig, 'platform' | 'bench'> & Pick<ChatApp, 'messenger'>,
  approval: ApprovalId,
  to: string,
): Promise<Posted> {
  const { parts } = bench.gate.gate();
  const held = await bench.held(approval);
  const nowMs = parts.clock.nowMs();
  const draft: Post = {
    id: asPostId(`pst_${Buffer.from(systemRandom.bytes(16)).toString('hex')}`),
    approval,
    channel: 'teams',
    kind: 'card',
    group: asGroupId('data-owners'),
    to,
    at: null,
    state: 'sending',
    digest: held.asked.digest,
    shown: null,
    whole: false,
    version: '',
    atMs: nowMs,
    updatedAtMs: nowMs,
  };
  const { card, version } = await cardFor(parts, held, draft, messenger.asksReason);
  const laid = messenger.lay(card, 'card');
  const sent = await messenger.post(to, laid, draft.id);
  assert.ok(sent.ok, JSON.stringify(sent));
  const digest = asSha256Hex(sha256Hex(canonicalize(laid.body)));
  const written: Post = {
    ...draft,
    at: sent.value,
    state: 'posted',
    shown: digest,
    whole: laid.whole,
    version,
  };
  const change = { kind: 'writePost', post: written, showing: { digest, body: laid.body } } as const;
  assert.ok((await parts.store.change(change)).ok);
  const message = platform.messages.find(
    (one) => one.conversation === sent.value.place && one.id === sent.value.message,
  );
  assert.ok(message !== undefined, 'it is there');
  return { post: written, message };
}
