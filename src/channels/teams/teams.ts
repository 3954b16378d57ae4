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
import { heard } from './activity.ts';
import { createConnector, type Connector } from './connector.ts';
import { carryLeft } from './left.ts';
import { createMessenger } from './messenger.ts';
import { askMemberOf, away, createPresses, notOurs, type Presses } from './presses.ts';
import { createReplies, type Replies } from './replies.ts';
import { createSdk, type Hear, type PressAnswer, type Sdk } from './sdk.ts';
import { createDoor } from './token.ts';

/** Where Teams sends what people do. */
export const messagesPath = '/channels/teams/messages';
/** Activities under way at once; more are answered that it is too much. */
const underWayMax = 200;
/** How often something is said again that anybody can bring about. */
const sayEveryMs = 60_000;
/** How long presses under way may take at the end. */
const stopMs = 5000;

export interface TeamsParts {
  readonly settings: TeamsSettings;
  readonly board: Pick<Board, 'say'>;
  readonly clock: Clock;
  /** One line for the operator's terminal. */
  readonly say: (line: string) => void;
}

/** What works once the gate can be asked. */
interface Running {
  readonly chat: Chat;
  readonly presses: Presses;
}

export function createTeams({ settings, board, clock, say }: TeamsParts): ChatApp {
  const nowMs = (): number => clock.nowMs();
  const sayAtTimes = oncePer(sayEveryMs, nowMs, say);
  const failed = (error: unknown): void =>
    sayAtTimes(`Teams: a press failed: ${error instanceof Error ? error.message : String(error)}`);
  const connector = createConnector(settings, clock);
  const stopping = new AbortController();
  let running: Running | null = null;
  const now = (): Running | null => (stopping.signal.aborted ? null : running);

  let made: Promise<Sdk> | undefined;
  const sdk = (): Promise<Sdk> => (made ??= createSdk(settings, connector, hear, sayAtTimes));
  const messenger: Messenger = createMessenger(settings, sdk);
  const askMember = askMemberOf(sdk);
  const replies = createReplies({ messenger, askMember, nowMs, say: sayAtTimes });
  const hear = hearing(settings, now, replies);
  const door = createDoor(settings, clock, say);
  let underWay = 0;

  const start = async (chat: Chat): Promise<void> => {
    const presses = createPresses({
      chat,
      askMember,
      tell: (subject, note) => messenger.tell(subject, note),
      failed,
    });
    await carryLeft({ chat, presses, messenger, nowMs, stopping: stopping.signal, failed });
    running = { chat, presses };
    void compare({ connector, board, say: sayAtTimes, nowMs });
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
      const rest = running?.presses.settled();
      await Promise.race([rest, sleep(stopMs, null, { ref: false })]);
    },
  };
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

interface Compared {
  readonly connector: Connector;
  readonly board: Pick<Board, 'say'>;
  readonly say: (line: string) => void;
  readonly nowMs: () => number;
}

/** Whether the bot can sign in at all: said at a start, and not only when somebody has to be told. */
async function compare({ connector, board, say, nowMs }: Compared): Promise<void> {
  const failure = await connector.standing();
  const detail = failure?.detail ?? null;
  board.say({ kind: 'channel', name: 'teams', ok: detail === null, detail, atMs: nowMs() });
  if (detail !== null) say(`Teams: ${detail}`);
}

/** Says the same at most once in a while. Bounded: forgets all but the last few. */
function oncePer(everyMs: number, nowMs: () => number, say: (line: string) => void): (line: string) => void {
  const saidAtMs = new Map<string, number>();
  return (text) => {
    const last = saidAtMs.get(text);
    if (last !== undefined && nowMs() - last < everyMs) return;
    if (saidAtMs.size >= 20) saidAtMs.clear();
    saidAtMs.set(text, nowMs());
    say(text);
  };
}
