/**
 * App Home as an inbox: shown when somebody opens it, and again when something changes, to those who opened it within the
 * last hour. Best effort: what could not be shown is shown when it is opened next.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Chat, ChatAccount } from '../../ports/chat.ts';
import type { SlackWeb } from './bolt.ts';
import type { Layout } from './layout.ts';
import { unaskedRefusal, type AskMember } from './members.ts';
import { wordOf } from './tell.ts';

/** How long after it was opened an App Home is kept up to date. */
const openedMs = 3_600_000;
/** People whose App Home is kept up to date: whoever opened it last. */
const peopleMax = 50;
/** Changes within this are shown together: Slack takes so many calls a minute, and decisions need them more. */
const gatherMsDefault = 5000;

export interface HomesParts {
  readonly chat: Pick<Chat, 'inbox'>;
  readonly web: SlackWeb;
  readonly askMember: AskMember;
  readonly layout: Pick<Layout, 'home' | 'homeWord'>;
  readonly nowMs: () => number;
  /** Changes within this are shown together; default: five seconds. */
  readonly gatherMs?: number;
}

export interface Homes {
  opened(account: ChatAccount): Promise<void>;
  /** Something that may be in an inbox has changed. */
  changed(): void;
  stop(): void;
}

export function createHomes({
  chat,
  web,
  askMember,
  layout,
  nowMs,
  gatherMs = gatherMsDefault,
}: HomesParts): Homes {
  const people = new Map<string, { readonly account: ChatAccount; readonly openedAtMs: number }>();
  const stopping = new AbortController();
  let gathering = false;
  /** False where Slack wants to be left alone. */
  const publish = async (account: ChatAccount): Promise<boolean> => {
    const membership = await askMember(account);
    const inbox = membership.kind === 'member' ? await chat.inbox(account) : null;
    const view =
      inbox === null
        ? layout.homeWord(wordOf(membership.kind === 'turned' ? membership.refusal : unaskedRefusal))
        : inbox.ok
          ? layout.home(inbox.value)
          : layout.homeWord(inbox.error);
    const published = await web.call('views.publish', { user_id: account.subject, view });
    return published.ok || published.error.retryAfterMs === undefined;
  };
  const again = async (): Promise<void> => {
    await sleep(gatherMs, null, { signal: stopping.signal, ref: false });
    gathering = false;
    for (const [user, { account, openedAtMs }] of people) {
      if (nowMs() - openedAtMs > openedMs) people.delete(user);
      else if (stopping.signal.aborted || !(await publish(account))) return;
    }
  };
  return {
    async opened(account) {
      // Deleted first: the order of the map is the order of opening.
      people.delete(account.subject);
      people.set(account.subject, { account, openedAtMs: nowMs() });
      const [oldest] = people.keys();
      if (people.size > peopleMax && oldest !== undefined) people.delete(oldest);
      await publish(account);
    },
    changed() {
      if (gathering || people.size === 0) return;
      gathering = true;
      again().catch(() => {
        gathering = false;
      });
    },
    stop: () => stopping.abort(),
  };
}
