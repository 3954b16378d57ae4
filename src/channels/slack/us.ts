/**
 * Whose the app is, as Slack says it of the bot's token: whether that is what the configuration names, and which enterprise the
 * workspace is of, whose people have accounts of the enterprise (Enterprise Grid). Asked at the start, and until Slack answers;
 * before that nobody of an enterprise is known here.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from '../../core/json.ts';
import type { SlackSettings } from '../../ports/channel-settings.ts';
import type { Aloud } from '../aloud.ts';
import type { SlackWeb } from './bolt.ts';
import { textAt } from './payload.ts';

/** Pause before Slack is asked again, and the longest one. */
const pauseMs = 1000;
const pauseMsMax = 60_000;

export interface Us {
  /** Ids of the workspace or enterprise that is configured, and of the enterprise that the workspace is of, once known. */
  organisations(): readonly string[];
  /** Asks Slack until it answers. What is wrong is said. Never rejects. */
  ask(): Promise<void>;
  stop(): void;
}

interface UsParts {
  readonly settings: SlackSettings;
  readonly web: SlackWeb;
  readonly aloud: Pick<Aloud, 'stands' | 'fails'>;
}

export function createUs({ settings, web, aloud }: UsParts): Us {
  const stopping = new AbortController();
  const { signal } = stopping;
  let enterprise: string | null = null;
  const asked = async (): Promise<JsonObject | null> => {
    for (let pause = pauseMs; !signal.aborted; pause = Math.min(pause * 2, pauseMsMax)) {
      const us = await web.call('auth.test', {});
      if (us.ok) return us.value;
      // Of the same failure whoever delivers says more; here it is said once.
      if (pause === pauseMs && !signal.aborted) aloud.fails(us.error.detail);
      await sleep(pause, null, { signal, ref: false }).catch(() => undefined);
    }
    return null;
  };
  return {
    organisations: () =>
      enterprise === null || enterprise === settings.team ? [settings.team] : [settings.team, enterprise],
    async ask() {
      const us = await asked();
      if (us === null || signal.aborted) return;
      const from = textAt(us, settings.team.startsWith('E') ? 'enterprise_id' : 'team_id');
      if (from !== settings.team)
        return aloud.fails('The bot token is of another workspace than `channels.slack.team` names.');
      enterprise = textAt(us, 'enterprise_id');
      const app = await appOf(web, us);
      if (app !== null && app !== settings.appId)
        return aloud.fails('The bot token is of another app than `channels.slack.appId` names.');
      // A connection says for itself how it stands.
      if (settings.mode.kind === 'http') aloud.stands(null);
    },
    stop: () => stopping.abort(),
  };
}

/** The app's id; null where Slack does not say. */
async function appOf(web: SlackWeb, us: JsonObject): Promise<string | null> {
  const bot = textAt(us, 'bot_id');
  const said = textAt(us, 'app_id');
  if (said !== null || bot === null) return said;
  const info = await web.call('bots.info', { bot });
  return info.ok ? textAt(info.value, 'bot', 'app_id') : null;
}
