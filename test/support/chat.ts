/** Chats without a platform: accounts, copies that were posted, and presses on their buttons, straight at the port `Chat`. */
import assert from 'node:assert/strict';
import { beginChatLink, finishChatLink } from '../../src/app/accounts.ts';
import { createChat } from '../../src/app/chat/chat.ts';
import { stateOf, type Case } from '../../src/core/case.ts';
import {
  asClickId,
  asPostId,
  tagOf,
  versionOf,
  type ChatKind,
  type Click,
  type ClickVerb,
  type Place,
  type Post,
  type TagUse,
} from '../../src/core/chat.ts';
import type { Entry, EntryType } from '../../src/core/entry.ts';
import { asApprovalId, asGroupId, asPersonId, asSha256Hex, type ApprovalId } from '../../src/core/ids.ts';
import { canonicalize } from '../../src/core/canonical.ts';
import type { Refusal } from '../../src/core/refusal.ts';
import type { Result } from '../../src/core/result.ts';
import { sha256Hex } from '../../src/core/sha256.ts';
import { systemRandom } from '../../src/main.ts';
import type { Chat, ChatAccount, Pressed, Word } from '../../src/ports/chat.ts';
import { operations, people, startTestGate, type TestGate } from './gate.ts';

export const slackOf = (subject: string, display = subject): ChatAccount => ({
  kind: 'slack',
  issuer: 'T1',
  subject,
  display,
});

/** A gate that lets its agents ask for much at a time. @param options.operations more of them, as lines of the configuration. */
export const startChatGate = ({
  operations: more = '',
  ...options
}: Omit<NonNullable<Parameters<typeof startTestGate>[0]>, 'config'> & {
  readonly operations?: string;
} = {}): Promise<TestGate> =>
  startTestGate({
    ...options,
    config: `${people}limits: { pendingPerAgent: 1000, inbox: 1000, creationsPerMinute: 1000 }\n${operations}${more}`,
  });

const random = (bytes: number): string => Buffer.from(systemRandom.bytes(bytes)).toString('hex');
export const freshClick = () => asClickId(random(32));

export interface ChatBench {
  readonly gate: TestGate;
  /** Of the gate as it runs now; another after `restarted`. */
  chat(): Chat;
  /** After a restart of the gate. */
  restarted(): void;
  /** Attaches an account to a person; their first counts at once. */
  link(person: string, account: ChatAccount): Promise<void>;
  /** An approval of a refund that crm-bot asks for. */
  ask(cents?: number, more?: Record<string, unknown>): Promise<ApprovalId>;
  held(approval: ApprovalId): Promise<Case>;
  /** A copy of it that was posted. */
  post(approval: ApprovalId, more?: Partial<Post>): Promise<Post>;
  button(post: Post, use: TagUse): Pressed;
  /** Presses where the copy is, as a platform would: recorded, then carried out. */
  press(account: ChatAccount, post: Post, verb: ClickVerb, more?: PressMore): Promise<Word>;
  record(account: ChatAccount, pressed: Pressed, at: Place | null, more?: PressMore): Recorded;
  entries(type?: EntryType): Promise<readonly Entry[]>;
}

type Recorded = Promise<Result<Click, Refusal>>;

export interface PressMore {
  readonly id?: Click['id'];
  readonly reason?: string;
  readonly unsafe?: boolean;
}

/** @param asksReason whether its platform can ask for a reason before an approval; default: as the real ones. */
export function chatBench(
  gate: TestGate,
  channel: ChatKind = 'slack',
  asksReason = channel === 'slack',
): ChatBench {
  const reasons = new Set(asksReason ? [channel] : []);
  let chat = createChat(gate.gate().parts, reasons);
  let agent: string | undefined;
  const store = () => gate.gate().parts.store;
  const button = (post: Post, use: TagUse): Pressed => ({
    use,
    id: post.id,
    tag: tagOf(store().joinKey(), use, [post.id, post.digest]),
  });
  const record: ChatBench['record'] = (account, pressed, at, more = {}) =>
    chat.record({
      id: more.id ?? freshClick(),
      account,
      pressed,
      at,
      reason: more.reason ?? null,
      unsafe: more.unsafe ?? false,
    });
  const held = async (approval: ApprovalId): Promise<Case> => {
    const found = await store().caseBy({ approval });
    assert.ok(found !== undefined);
    return found;
  };
  return {
    gate,
    chat: () => chat,
    restarted: () => {
      chat = createChat(gate.gate().parts, reasons);
    },
    link: async (person, account) => {
      const { parts } = gate.gate();
      const by = asPersonId(person);
      const code = await beginChatLink(parts, by);
      assert.ok(code.ok, JSON.stringify(code));
      assert.equal((await chat.sendCode(account, code.value)).kind, 'done');
      const way = { via: { kind: 'link' }, countsFromMs: 0, authAtMs: parts.clock.nowMs() } as const;
      const linked = await finishChatLink(parts, { person: by, way });
      assert.ok(linked.ok, JSON.stringify(linked));
    },
    ask: async (cents = 500, more = {}) => {
      agent ??= await gate.token('agent', 'crm-bot');
      const answer = await gate.call(agent, 'POST', '/v1/actions', {
        operation: 'shop___refund',
        input: { cents, note: random(8) },
        ...more,
      });
      assert.equal(answer.status, 202, JSON.stringify(answer.body));
      return asApprovalId(String(answer.body.approval.id));
    },
    held,
    post: async (approval, more = {}) => {
      const found = await held(approval);
      const nowMs = gate.gate().parts.clock.nowMs();
      const body = { blocks: [random(4)] };
      const digest = asSha256Hex(sha256Hex(canonicalize(body)));
      const post: Post = {
        id: asPostId(`pst_${random(16)}`),
        approval,
        channel,
        kind: 'card',
        group: asGroupId('data-owners'),
        to: '#data',
        at: { place: 'C1', message: `1700000000.${random(3)}` },
        state: 'posted',
        digest: found.asked.digest,
        shown: digest,
        whole: true,
        version: versionOf(stateOf(found, nowMs), found.approval?.version ?? 0),
        atMs: nowMs,
        updatedAtMs: nowMs,
        ...more,
      };
      const written = await store().change({ kind: 'writePost', post, showing: { digest, body } });
      assert.ok(written.ok, JSON.stringify(written));
      return post;
    },
    button,
    press: async (account, post, verb, more) => {
      const recorded = await record(account, button(post, verb), post.at, more);
      assert.ok(recorded.ok, JSON.stringify(recorded));
      return chat.carryOut(recorded.value);
    },
    record,
    entries: async (type) => {
      const all = (await store().entries(-1, 1000)).map((one) => one.entry);
      return type === undefined ? all : all.filter((one) => one.type === type);
    },
  };
}

/** What somebody was told, in short: `done` or the code, and the words. */
export const told = (word: Word): readonly [code: string, text: string] => [
  word.kind === 'done' ? 'done' : word.code,
  word.text,
];
