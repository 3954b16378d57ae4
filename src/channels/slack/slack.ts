/**
 * Slack as a chat platform (ports/messenger.ts): brings Slack's libraries, the checks, what is laid out and what a press does
 * together. Loaded only where Slack is configured.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SlackSettings } from '../../ports/channel-settings.ts';
import type { Chat } from '../../ports/chat.ts';
import type { ChatApp } from '../../ports/messenger.ts';
import { NotRecorded } from './account.ts';
import { createAloud, type Aloud, type AloudParts } from '../aloud.ts';
import { createLeft, type Left } from '../left.ts';
import { createBolt, createWeb, type SlackWeb } from './bolt.ts';
import { layCard } from './card.ts';
import { approveForm, denyForm, stopForm } from './forms.ts';
import { admitOf, createHearing, type Hearing } from './hear.ts';
import { homeView, homeWord } from './home.ts';
import { createHomes, type Homes } from './homes.ts';
import { eventsPath, handleHttp } from './http.ts';
import type { Layout } from './layout.ts';
import { askMemberOf, unaskedRefusal } from './members.ts';
import { createMessenger } from './messenger.ts';
import { noteBlocks, wordBlocks } from './notes.ts';
import { createPresses } from './presses.ts';
import { keepSocket } from './socket.ts';
import { createWords } from './tell.ts';
import { createUs } from './us.ts';

/** How long a call may take that delivers something; and one that somebody waits for, who has three seconds. */
const callMs = 10_000;
const askMs = 2000;
/** How long presses under way may take at the end. */
const stopMs = 5000;

export interface SlackParts extends Omit<AloudParts, 'name'> {
  readonly settings: SlackSettings;
  /** Changes within this are shown together in App Homes; default: five seconds. */
  readonly gatherMs?: number;
}

const layout: Layout = {
  card: layCard,
  forms: { approve: approveForm, deny: denyForm, stop: stopForm },
  home: homeView,
  homeWord,
  note: noteBlocks,
  word: wordBlocks,
};

/** What works once the gate can be asked. */
interface Running {
  readonly hearing: Hearing;
  readonly homes: Homes;
  readonly left: Left;
}

interface Wires {
  readonly settings: SlackSettings;
  readonly web: SlackWeb;
  readonly quick: SlackWeb;
  readonly aloud: Aloud;
  readonly nowMs: () => number;
  readonly homes: { readonly gatherMs?: number };
}

export function createSlack({ settings, gatherMs, ...to }: SlackParts): ChatApp {
  const { mode, apiUrl, botToken } = settings;
  const aloud = createAloud({ name: 'slack', ...to });
  const nowMs = (): number => to.clock.nowMs();
  const web = createWeb(botToken, apiUrl, callMs);
  const us = createUs({ settings, web, aloud });
  const quick = createWeb(botToken, apiUrl, askMs);
  const wires = { settings, web, quick, aloud, nowMs, homes: gatherMs === undefined ? {} : { gatherMs } };
  let running: Running | null = null;
  const bolt = createBolt({
    appToken: mode.kind === 'socket' ? mode.appToken : null,
    apiUrl,
    timeoutMs: callMs,
    admit: admitOf(settings, aloud),
    hear: async (body, ack) => {
      if (running === null) throw new NotRecorded('not running');
      await running.hearing.hear(body, ack);
    },
  });
  const socket = keepSocket(bolt, nowMs, (failure) =>
    failure === null ? aloud.stands(null) : aloud.fails(failure),
  );
  return {
    messenger: createMessenger({ settings, web, layout, nowMs }),
    organisations: () => us.organisations(),
    changed: () => running?.homes.changed(),
    async handle(request) {
      if (mode.kind !== 'http' || new URL(request.url).pathname !== eventsPath) return undefined;
      return handleHttp(request, {
        signingSecret: mode.signingSecret,
        nowMs,
        process: async (body, ack) => bolt.process(body, ack),
        refused: (why) => aloud.says(`a request was refused: ${why}.`),
      });
    },
    async start(chat) {
      const now = runningOf(wires, chat);
      await now.left.carryAll().catch((error: unknown) => {
        aloud.fails(`Presses from before the start cannot be read: ${String(error)}`);
      });
      running = now;
      void us.ask();
      if (mode.kind === 'socket') await socket.start();
    },
    async stop() {
      const now = running;
      running = null;
      us.stop();
      now?.homes.stop();
      now?.left.stop();
      if (mode.kind === 'socket') await socket.stop();
      await Promise.race([now?.hearing.idle(), sleep(stopMs, null, { ref: false })]);
    },
  };
}

function runningOf({ settings, web, quick, aloud, nowMs, ...more }: Wires, chat: Chat): Running {
  const askMember = askMemberOf(settings, quick);
  const words = createWords(web, layout);
  const presses = createPresses({ settings, chat, web, askMember, words, layout });
  const homes = createHomes({ chat, web, askMember, layout, nowMs, ...more.homes });
  const left = createLeft({
    name: 'slack',
    chat,
    carry: (click) => presses.carry(click),
    unasked: unaskedRefusal,
    tell: (click, word) => words.aside(click.at, click.account.subject, word),
    nowMs,
  });
  const hearing = createHearing({ settings, chat, presses, homes, left, words, askMember, aloud });
  return { hearing, homes, left };
}
