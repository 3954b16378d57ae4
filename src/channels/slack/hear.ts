/**
 * One door for everything that Slack sends, over HTTP or Socket Mode alike: admits what is for this gate, and hands each payload
 * to whoever acts on it. Bounded: so many at once, and what writes nothing down is done once.
 */
import type { JsonObject } from '../../core/json.ts';
import { line } from '../../core/render/shown.ts';
import type { SlackSettings } from '../../ports/channel-settings.ts';
import type { Chat } from '../../ports/chat.ts';
import type { Aloud } from '../aloud.ts';
import type { Ack } from './bolt.ts';
import type { Homes } from './homes.ts';
import type { Left } from '../left.ts';
import { unaskedRefusal, type AskMember } from './members.ts';
import { judgeOrigin } from './origin.ts';
import { readPayload, senderOf, textAt, type Heard } from './payload.ts';
import { accountOf, NotRecorded } from './account.ts';
import type { Presses } from './presses.ts';
import { wordOf, type Words } from './tell.ts';

/** Payloads under way at once; more are not answered, and Slack shows that nothing was done. */
const underWayMax = 200;
/** Payloads that are remembered, so that what writes nothing down is done once. */
const seenMax = 1000;
/** Openings of the Home and codes of one user within a minute: each costs a question of Slack's, of which decisions need theirs. */
export const eventsPerMinute = 10;
const minuteMs = 60_000;
/** Users whose events are counted; then the one whose minute began first is forgotten. */
const countedMax = 1000;

/** Null where a payload is for this gate; else why not. Operators read of it. */
export const admitOf =
  (settings: SlackSettings, aloud: Aloud) =>
  (body: JsonObject): string | null => {
    const sender = senderOf(body);
    // Where nobody speaks, nothing is done either.
    if (sender === null) return textAt(body, 'api_app_id') === settings.appId ? null : 'of another app';
    const origin = judgeOrigin(sender, settings);
    if (origin.kind !== 'foreign') return null;
    aloud.says(`a message is ${origin.detail}; it was refused.`);
    return origin.detail;
  };

export interface HearingParts {
  readonly settings: SlackSettings;
  readonly chat: Pick<Chat, 'sendCode'>;
  readonly presses: Presses;
  readonly homes: Homes;
  readonly left: Left;
  readonly words: Words;
  readonly askMember: AskMember;
  readonly aloud: Aloud;
}

export interface Hearing {
  /** Rejects only where nothing was acknowledged; what fails afterwards is said, and tried again. */
  hear(body: JsonObject, ack: Ack): Promise<void>;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

export function createHearing(parts: HearingParts): Hearing {
  const { presses, homes, left, aloud, settings } = parts;
  const underWay = new Set<Promise<void>>();
  const isNew = createSeen();
  const isSeldom = createSeldom();
  const act = async (heard: Heard, ack: Ack): Promise<void> => {
    switch (heard.kind) {
      case 'press': {
        const { press } = heard;
        // An approval is written down, and answers a repeat with what became of it; a form would open twice.
        return press.verb === 'approve' || isNew(press.id) ? presses.press(press, ack) : ack();
      }
      case 'submission':
        return presses.submission(heard.submission, ack);
      case 'home': {
        const { stranger, ...account } = accountOf(heard.sender, settings);
        return stranger || !isSeldom(account.subject) ? undefined : homes.opened(account);
      }
      case 'code':
        return isNew(heard.id) && isSeldom(heard.sender.user) ? sendCode(parts, heard) : undefined;
      case 'other':
        return ack();
    }
  };
  return {
    async hear(body, ack) {
      if (underWay.size >= underWayMax) throw new NotRecorded('too much at once');
      let acknowledged = false;
      const acking: Ack = async (response) => {
        acknowledged = true;
        await ack(response);
      };
      const work = act(readPayload(body), acking).catch((error: unknown) => {
        aloud.says(`a press failed: ${error instanceof Error ? error.message : String(error)}`);
        if (!acknowledged) throw error;
        // Written down and not carried out: as after a crash.
        left.keep();
      });
      const quiet = work.catch(() => undefined);
      underWay.add(quiet);
      await quiet;
      underWay.delete(quiet);
      await work;
    },
    idle: async () => {
      await Promise.all(underWay);
    },
  };
}

/** Whether it is the first time that something is seen; forgets what was seen long ago. */
function createSeen(): (id: string) => boolean {
  const seen = new Set<string>();
  return (id) => {
    if (seen.has(id)) return false;
    seen.add(id);
    const [oldest] = seen;
    if (seen.size > seenMax && oldest !== undefined) seen.delete(oldest);
    return true;
  };
}

/** Whether a user's events of this minute are still few. */
function createSeldom(): (user: string) => boolean {
  const known = new Map<string, { readonly fromMs: number; readonly count: number }>();
  return (user) => {
    const nowMs = performance.now();
    const before = known.get(user);
    const isOver = before === undefined || nowMs - before.fromMs >= minuteMs;
    const now = isOver ? { fromMs: nowMs, count: 1 } : { ...before, count: before.count + 1 };
    if (isOver) known.delete(user);
    known.set(user, now);
    const [oldest] = known.keys();
    if (known.size > countedMax && oldest !== undefined) known.delete(oldest);
    return now.count <= eventsPerMinute;
  };
}

const noCode = line(
  'To link this account, send the eight digits that your account page in the web inbox shows. What waits for you is on the tab Home.',
);

async function sendCode(
  { settings, chat, askMember, words }: HearingParts,
  { sender, code }: Extract<Heard, { kind: 'code' }>,
): Promise<void> {
  const { stranger, ...account } = accountOf(sender, settings);
  if (stranger) return;
  if (code === null) return words.aside(null, sender.user, { kind: 'done', text: noCode });
  const membership = await askMember(account);
  const word =
    membership.kind === 'member'
      ? await chat.sendCode(account, code)
      : wordOf(membership.kind === 'turned' ? membership.refusal : unaskedRefusal);
  await words.aside(null, sender.user, word);
}
