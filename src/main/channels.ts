/**
 * Who is told of approvals, out of the settings: the terminal always, then the webhook, the chats and e-mail. A chat is its
 * platform, the channel over it, and what it may ask of the gate; its program is loaded only where it is configured.
 */
import { createChat } from '../app/chat/chat.ts';
import type { Parts } from '../app/parts.ts';
import { createPosting } from '../app/posting.ts';
import { createEmail } from '../channels/email.ts';
import { createTerminal } from '../channels/terminal.ts';
import { createWebhook } from '../channels/webhook.ts';
import type { Settings } from '../config.ts';
import type { ChatKind } from '../core/chat.ts';
import type { Channel } from '../ports/channel.ts';
import type { ChannelSettings } from '../ports/channel-settings.ts';
import type { ChatApp } from '../ports/messenger.ts';
import type { ChannelMeters } from '../ports/meters.ts';
import type { Say } from '../ports/say.ts';
import type { Board } from '../ports/standing.ts';
import { counted } from './counted.ts';

/** What speaks on the terminal, and whether it shows colours. */
export interface Speaks {
  readonly write: Say;
  readonly colours: boolean;
  /** For what operators should read; escapes by itself. */
  readonly say: (line: string) => void;
}

export interface Channels {
  readonly channels: readonly Channel[];
  /** Answers what a platform sends over HTTP; undefined for a path that is none of theirs. */
  handle(request: Request): Promise<Response | undefined>;
  /** Begins to take presses. */
  start(): Promise<void>;
  /** Something that people look at has changed. Never waits. */
  changed(): void;
  /** Takes none any more; those under way are finished. */
  stop(): Promise<void>;
}

type PartsWithBoard = Parts & { readonly board: Board & ChannelMeters };

/** Names of the channels, in the order in which the store keeps a notice for each. */
export const channelNames = ({ channels }: Pick<Settings, 'channels'>): readonly string[] => [
  'terminal',
  ...(['webhook', 'slack', 'teams', 'email'] as const).filter((name) => channels[name] !== null),
];

export async function openChannels(
  parts: PartsWithBoard,
  settings: ChannelSettings,
  { write, colours, say }: Speaks,
  platforms: Platforms = {},
): Promise<Channels> {
  const apps = await appsOf(parts, settings, { say, platforms });
  const reasons = apps.filter((app) => app.messenger.asksReason).map((app) => app.messenger.name);
  const chat = counted(createChat(parts, new Set(reasons)), parts.board);
  return {
    channels: [
      createTerminal({ write, colours }),
      ...(settings.webhook === null ? [] : [createWebhook(settings.webhook, () => Date.now())]),
      ...apps.map((app) => createPosting(parts, app.messenger, () => app.organisations())),
      ...(settings.email === null ? [] : [createEmail(settings.email)]),
    ],
    async handle(request) {
      for (const app of apps) {
        const response = await app.handle(request);
        if (response !== undefined) return response;
      }
      return undefined;
    },
    start: async () => void (await Promise.all(apps.map((app) => app.start(chat)))),
    changed() {
      for (const app of apps) app.changed();
    },
    stop: async () => void (await Promise.all(apps.map((app) => app.stop()))),
  };
}

/** A platform in the place of the real one, which must still be configured. */
export type Platforms = { readonly [K in ChatKind]?: ChatApp };

async function appsOf(
  { board, clock }: PartsWithBoard,
  { slack, teams }: ChannelSettings,
  { say, platforms }: { readonly say: (line: string) => void; readonly platforms: Platforms },
): Promise<readonly ChatApp[]> {
  const apps: ChatApp[] = [];
  if (slack !== null) {
    const make = async (): Promise<ChatApp> => {
      const { createSlack } = await import('../channels/slack/slack.ts');
      return createSlack({ settings: slack, board, clock, say });
    };
    apps.push(platforms.slack ?? (await make()));
  }
  if (teams !== null) {
    const make = async (): Promise<ChatApp> => {
      const { createTeams } = await import('../channels/teams/teams.ts');
      return createTeams({ settings: teams, board, clock, say });
    };
    apps.push(platforms.teams ?? (await make()));
  }
  return apps;
}
