/**
 * A chat platform in memory that keeps the promises of src/ports/messenger.ts, and fails as real ones do where a test says so:
 * refuses, cannot be reached, takes a message and loses the answer, or never answers because the gate died meanwhile.
 */
import type { ChatKind, Place, PostId } from '../../src/core/chat.ts';
import type { Card } from '../../src/core/render/card.ts';
import { err, ok, type Result } from '../../src/core/result.ts';
import type { ChannelFailure } from '../../src/ports/channel.ts';
import type { Laid, Messenger, Note } from '../../src/ports/messenger.ts';

export interface Message {
  readonly at: Place;
  readonly to: string;
  readonly id: PostId;
  /** All that it ever said, newest last. */
  readonly said: Shows[];
  readonly replies: string[];
  deleted: boolean;
}

/** What a message shows; the body that `lay` makes. */
export interface Shows {
  readonly headline: string;
  readonly state: string;
  readonly text: string;
  readonly approve: string | null;
  readonly approveNot: string | null;
  readonly approveAsks: string | null;
  readonly deny: string | null;
  readonly open: boolean;
}

export interface Call {
  readonly what: 'post' | 'update' | 'reply' | 'tell' | 'find';
  /** Where to: as configured, a place's message, or a subject. */
  readonly to: string;
}

/** What a call comes to. `hang`: the gate died before the platform had it; `hangAfter`: after. */
export type Plan =
  | 'ok'
  | 'hang'
  | 'hangAfter'
  | { readonly fail: ChannelFailure }
  /** Done there, and the answer is lost. */
  | { readonly lost: ChannelFailure };

export const cannotBeReached: ChannelFailure = {
  detail: 'the platform cannot be reached',
  retryable: true,
  whole: true,
};

export interface FakeMessenger extends Messenger {
  readonly messages: Message[];
  readonly told: { readonly subject: string; readonly text: string }[];
  readonly calls: Call[];
  /** What the next calls come to. */
  plan: (call: Call) => Plan;
  /** Whether it can look for a message that was sent with an id. */
  knows: boolean;
  asksReason: boolean;
  /** The messages at a place that nobody deleted. */
  readonly at: (to: string) => readonly Message[];
}

/** What a message shows now. */
export function nowIn(message: Message | undefined): Shows {
  const shows = message?.said.at(-1);
  if (shows === undefined) throw new TypeError('there is no such message');
  return shows;
}

export function createFakeMessenger(name: ChatKind = 'slack'): FakeMessenger {
  let serial = 0;
  const messages: Message[] = [];
  const told: FakeMessenger['told'] = [];
  const fake: FakeMessenger = {
    name,
    asksReason: false,
    messages,
    told,
    calls: [],
    plan: () => 'ok',
    knows: true,
    at: (to) => messages.filter((one) => one.to === to && !one.deleted),
    lay,
    post: (to, laid, id) =>
      done({ what: 'post', to }, () => {
        const at = { place: `place of ${to}`, message: `m${(serial += 1)}` };
        messages.push({ at, to, id, said: [showsOf(laid)], replies: [], deleted: false });
        return at;
      }),
    update: (at, laid) =>
      done({ what: 'update', to: at.message }, () => {
        const message = by(at);
        if (message === undefined || message.deleted) return 'gone';
        message.said.push(showsOf(laid));
        return 'updated';
      }),
    reply: (at, note) =>
      done({ what: 'reply', to: at.message }, () => {
        by(at)?.replies.push(wordsOf(note));
        return null;
      }),
    tell: (subject, note) =>
      done({ what: 'tell', to: subject }, () => {
        told.push({ subject, text: wordsOf(note) });
        return { place: `direct ${subject}`, message: `m${(serial += 1)}` };
      }),
    find: (to, id) =>
      done({ what: 'find', to }, () =>
        fake.knows ? (messages.find((one) => one.id === id && one.to === to)?.at ?? null) : 'unknown',
      ),
  };
  const by = (at: Place): Message | undefined =>
    messages.find((one) => one.at.message === at.message && one.at.place === at.place);
  const done = async <T>(call: Call, work: () => T): Promise<Result<T, ChannelFailure>> => {
    fake.calls.push(call);
    // Whoever waits for a platform lets others go on.
    await new Promise((resolve) => setImmediate(resolve));
    const plan = fake.plan(call);
    if (plan === 'hang') return never();
    if (plan !== 'ok' && plan !== 'hangAfter' && 'fail' in plan) return err(plan.fail);
    const value = work();
    if (plan === 'hangAfter') return never();
    return plan === 'ok' ? ok(value) : err(plan.lost);
  };
  return fake;
}

/** Puts something in the place of one method; what is put there may call the real one. */
export function replace<T extends object, K extends keyof T>(
  of: T,
  name: K,
  make: (real: T[K]) => T[K],
): void {
  Object.assign(of, { [name]: make(of[name]) });
}

const never = (): Promise<never> => new Promise(() => undefined);

const wordsOf = ({ text, url }: Note): string => (url === null ? text : `${text} ${url}`);

/** The simplest layout that keeps `shown-whole`. */
function lay(card: Card): Laid {
  const { buttons, whole } = card;
  const body = {
    headline: card.headline,
    state: card.state.title,
    text: JSON.stringify(card.sections),
    approve: whole ? (buttons?.approve?.tag ?? null) : null,
    approveNot: buttons?.approveNot ?? null,
    approveAsks: buttons?.approveAsks ?? null,
    deny: buttons?.deny?.tag ?? null,
    open: buttons !== null,
  };
  return { body, text: card.headline, whole };
}

/** `lay` made the body from these. */
const showsOf = ({ body }: Laid): Shows => body as unknown as Shows;
