/**
 * A whole gate with Slack beside it: real store, rules and chat (app/chat), the real wire of channels/slack, and a workspace
 * (workspace.ts) at its other end. What posts by itself is the gate's; here a card is posted when a test says so.
 */
import assert from 'node:assert/strict';
import { createSlack } from '../../../../src/channels/slack/slack.ts';
import { cardFor } from '../../../../src/app/cards.ts';
import { canonicalize } from '../../../../src/core/canonical.ts';
import { asPostId, type Post } from '../../../../src/core/chat.ts';
import { asGroupId, asSha256Hex, type ApprovalId } from '../../../../src/core/ids.ts';
import { sha256Hex } from '../../../../src/core/sha256.ts';
import { systemRandom } from '../../../../src/main.ts';
import type { Chat, ChatAccount } from '../../../../src/ports/chat.ts';
import type { ChatApp } from '../../../../src/ports/messenger.ts';
import type { SlackSettings } from '../../../../src/ports/channel-settings.ts';
import type { Standing } from '../../../../src/ports/standing.ts';
import { chatBench, startChatGate, type ChatBench } from '../../../support/chat.ts';
import { eventually } from '../../../support/gate.ts';
import { signed, type Signing } from './presses.ts';
import { startWorkspace, team, type Call, type Loose, type Workspace } from './workspace.ts';

export interface Card {
  readonly post: Post;
  readonly channel: string;
  readonly message: Loose;
}

/** Does something beside a rig in which some people have linked their accounts. @param options.linked default: Sam, Rosa, Mia */
export async function inRig(
  work: (rig: SlackRig) => Promise<void>,
  {
    linked = ['sam', 'rosa', 'mia'],
    ...options
  }: NonNullable<Parameters<typeof startSlackRig>[0]> & { readonly linked?: readonly string[] } = {},
): Promise<void> {
  const rig = await startSlackRig(options);
  try {
    for (const name of linked) await rig.bench.link(name, rig.account(name));
    await work(rig);
  } finally {
    await rig.stop();
  }
}

/** Who has said what about an approval: `rosa approve slack`. */
export const reviewsOf = async (rig: SlackRig, approval: ApprovalId): Promise<readonly string[]> =>
  (await rig.bench.held(approval)).reviews.map((one) => `${one.person} ${one.decision} ${one.channel}`);

export interface SlackRig {
  readonly workspace: Workspace;
  readonly bench: ChatBench;
  app(): ChatApp;
  /** What it said of itself, oldest first. */
  readonly standings: readonly Standing[];
  /** What operators read. */
  readonly lines: readonly string[];
  /** The account of somebody of the workspace. */
  account(name: string, issuer?: string): ChatAccount;
  /** Posts the card of an approval in #data-approvals. */
  card(approval: ApprovalId): Promise<Card>;
  /** Writes that card down as it is; `card` has done so. */
  note(post: Post): Promise<void>;
  /** Sends a signed request to the route; answers its status and body. */
  send(payload: Loose, signing?: Signing): Promise<{ readonly status: number; readonly body: string }>;
  /** What was said to somebody alone, once at least so much was. */
  told(name: string, atLeast?: number): Promise<readonly string[]>;
  /** Another process of the same gate: the one before is left as a crash leaves it. */
  again(wrap?: (chat: Chat) => Chat): Promise<void>;
  stop(): Promise<void>;
}

export async function startSlackRig(
  options: {
    readonly mode?: 'http' | 'socket';
    readonly settings?: (settings: SlackSettings) => SlackSettings;
    readonly wrap?: (chat: Chat) => Chat;
    readonly gate?: Parameters<typeof startChatGate>[0];
  } = {},
): Promise<SlackRig> {
  const workspace = await startWorkspace();
  const gate = await startChatGate(options.gate);
  const bench = chatBench(gate);
  const settings = (options.settings ?? ((same) => same))(workspace.settings(options.mode ?? 'http'));
  const standings: Standing[] = [];
  const lines: string[] = [];
  const apps: ChatApp[] = [];
  const connect = async (wrap: (chat: Chat) => Chat = (chat) => chat): Promise<void> => {
    const app = createSlack({
      settings,
      clock: gate.gate().parts.clock,
      board: { say: (standing) => void standings.push(standing) },
      say: (line) => lines.push(line),
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
  return {
    workspace,
    bench,
    app,
    standings,
    lines,
    account: (name, issuer = team) => ({
      kind: 'slack',
      issuer,
      subject: workspace.user(name),
      display: name,
    }),
    card: (approval) => post({ workspace, bench, messenger: app().messenger }, approval),
    async note(written) {
      const { store } = gate.gate().parts;
      assert.ok((await store.change({ kind: 'writePost', post: written, showing: null })).ok);
    },
    async send(payload, signing) {
      const response = await app().handle(signed(gate.gate().url, payload, signing));
      assert.ok(response !== undefined, 'it is the route’s');
      return { status: response.status, body: await response.text() };
    },
    async told(name, atLeast = 1) {
      const user = workspace.user(name);
      const words = (): readonly string[] =>
        workspace
          .calls()
          .filter((call) => isSaidTo(call, user))
          .map((call) => String(call.args.text));
      await eventually(() => words().length >= atLeast, `${name} is told`);
      return words();
    },
    again: (wrap) => connect(wrap),
    async stop() {
      // Those that a crash left have nobody to wait for.
      for (const dead of apps.slice(0, -1)) void dead.stop();
      await app().stop();
      await gate.stop();
      await workspace.stop();
    },
  };
}

const isSaidTo = ({ method, args, answer }: Call, user: string): boolean =>
  answer.ok === true &&
  ((method === 'chat.postEphemeral' && args.user === user) ||
    (method === 'chat.postMessage' && args.channel === user));

async function post(
  { workspace, bench, messenger }: Pick<SlackRig, 'workspace' | 'bench'> & Pick<ChatApp, 'messenger'>,
  approval: ApprovalId,
): Promise<Card> {
  const { parts } = bench.gate.gate();
  const held = await bench.held(approval);
  const nowMs = parts.clock.nowMs();
  const draft: Post = {
    id: asPostId(`pst_${Buffer.from(systemRandom.bytes(16)).toString('hex')}`),
    approval,
    channel: 'slack',
    kind: 'card',
    group: asGroupId('data-owners'),
    to: '#data-approvals',
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
  const sent = await messenger.post(draft.to, laid, draft.id);
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
  assert.ok(
    (await parts.store.change({ kind: 'writePost', post: written, showing: { digest, body: laid.body } })).ok,
  );
  const message = (await workspace.messages(sent.value.place)).find((one) => one.ts === sent.value.message);
  assert.ok(message !== undefined, 'it is there');
  return { post: written, channel: sent.value.place, message };
}
