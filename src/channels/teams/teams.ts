/**
 * Microsoft Teams as a chat platform (ports/messenger.ts): brings the door, the SDK, what is laid out and what a press does
 * together. Loaded only where Teams is configured: the SDK brings a web server of its own, which is never started.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from '../../core/json.ts';
import type { TeamsSettings } from '../../ports/channel-settings.ts';
import type { Chat } from '../../ports/chat.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ChatApp, Messenger } from '../../ports/messenger.ts';
import type { Board } from '../../ports/standing.ts';
import { createAloud, type Aloud } from '../aloud.ts';
import { createLeft, type Left } from '../left.ts';
import { heard } from './activity.ts';
import { createConnector, type Connector } from './connector.ts';
import { createMessenger } from './messenger.ts';
import {
  askMemberOf,
  away,
  createPresses,
  notOurs,
  unasked,
  type AskMember,
  type Presses,
} from './presses.ts';
import { createReplies, type Replies } from './replies.ts';
import { createSdk, type Hear, type PressAnswer, type Sdk } from './sdk.ts';
import { createDoor } from './token.ts';

/** Where Teams sends what people do. */
export const messagesPath = '/channels/teams/messages';
/** Activities under way at once; more are answered that it is too much. */
const underWayMax = 200;
/** How long presses under way may take at the end. */
const stopMs = 5000;

export interface TeamsParts {
  readonly settings: TeamsSettings;
  readonly board: Pick<Board, 'say'>;
  readonly clock: Clock;
  /** One line for the operator's terminal. */
  readonly say: (line: string) => void;
  /** How often presses that were not carried out are tried; default: as left.ts says. */
  readonly leftEveryMs?: number;
}

/** What works once the gate can be asked. */
interface Running {
  readonly chat: Chat;
  readonly presses: Presses;
  readonly left: Left;
}

export function createTeams({ settings, board, clock, say, leftEveryMs }: TeamsParts): ChatApp {
  const nowMs = (): number => clock.nowMs();
  const aloud = createAloud({ name: 'teams', board, clock, say });
  const says = (line: string): void => aloud.says(line);
  const failed = (error: unknown): void =>
    aloud.says(`a press failed: ${error instanceof Error ? error.message : String(error)}`);
  const connector = createConnector(settings, clock);
  const stopping = new AbortController();
  let running: Running | null = null;
  let left: Left | null = null;
  const now = (): Running | null => (stopping.signal.aborted ? null : running);

  let made: Promise<Sdk> | undefined;
  const sdk = (): Promise<Sdk> => (made ??= createSdk(settings, connector, hear, says));
  const messenger: Messenger = createMessenger(settings, sdk);
  const askMember = askMemberOf(sdk);
  const replies = createReplies({ messenger, askMember, nowMs, say: says });
  const hear = hearing(settings, now, replies);
  const door = createDoor(settings, clock, say);
  let underWay = 0;

  const start = async (chat: Chat): Promise<void> => {
    const begun = runningOf({ chat, messenger, askMember, nowMs, failed, leftEveryMs });
    left = begun.left;
    await begun.left.carryAll().catch(failed);
    running = begun;
    void compare(connector, aloud);
  };
  return {
    messenger,
    organisations: () => [settings.tenant],
    changed: () => undefined,
    start,
    async handle(request) {
      if (new URL(request.url).pathname !== messagesPath) return undefined;
      if (request.method !== 'POST') return new Response(null, { status: 405, headers: { allow: 'POST' } });
      if (underWay >= underWayMax)
        return new Response(null, { status: 503, headers: { 'retry-after': '5' } });
      underWay += 1;
      try {
        const activity = await door(request);
        return activity.ok
          ? await received(activity.value, settings.tenant, sdk)
          : new Response(null, { status: 401 });
      } catch (error) {
        failed(error);
        return new Response(null, { status: 500 });
      } finally {
        underWay -= 1;
      }
    },
    async stop() {
      stopping.abort();
      left?.stop();
      const rest = running?.presses.settled();
      await Promise.race([rest, sleep(stopMs, null, { ref: false })]);
    },
  };
}

interface Beginning {
  readonly chat: Chat;
  readonly messenger: Messenger;
  readonly askMember: AskMember;
  readonly nowMs: () => number;
  readonly failed: (error: unknown) => void;
  readonly leftEveryMs: number | undefined;
}

function runningOf({ chat, messenger, askMember, nowMs, failed, leftEveryMs }: Beginning): Running {
  const presses = createPresses({
    chat,
    askMember,
    tell: (subject, note) => messenger.tell(subject, note),
    failed(error) {
      failed(error);
      // Written down and not carried out: as after a crash.
      left.keep();
    },
  });
  const left = createLeft({
    name: 'teams',
    chat,
    carry: (click) => presses.carry(click),
    unasked,
    tell: (click, word) => presses.aside(click, word),
    nowMs,
    ...(leftEveryMs === undefined ? {} : { everyMs: leftEveryMs }),
  });
  return { chat, presses, left };
}

/** What the SDK hands back to us. */
const hearing = ({ tenant }: TeamsSettings, now: () => Running | null, replies: Replies): Hear => ({
  async pressed(activity) {
    const one = heard(activity, tenant);
    if (one.kind !== 'press') return notOurs;
    const running = now();
    return running === null ? away : running.presses.press(one.press);
  },
  async told(activity) {
    const one = heard(activity, tenant);
    const running = now();
    if (running !== null && (one.kind === 'said' || one.kind === 'installed'))
      await replies(running.chat, one);
  },
});

/** What has passed the door. Only what something is done with gets to the SDK, which would listen to more. */
async function received(activity: JsonObject, tenant: string, sdk: () => Promise<Sdk>): Promise<Response> {
  switch (heard(activity, tenant).kind) {
    case 'press':
    case 'said':
    case 'installed': {
      const { status, body } = await (await sdk()).receive(activity);
      return body === undefined ? new Response(null, { status }) : Response.json(body, { status });
    }
    case 'unknown':
      return Response.json(notOurs satisfies PressAnswer);
    case 'event':
      return new Response(null, { status: 200 });
  }
}

/** Whether the bot can sign in at all: said at a start, and not only when somebody has to be told. */
async function compare(connector: Connector, aloud: Aloud): Promise<void> {
  const failure = await connector.standing();
  if (failure === null) aloud.stands(null);
  else aloud.fails(failure.detail);
}
