/** What a failed call of Slack's Web API means for whoever has to deliver something. Pure. */
import type { ChannelFailure } from '../../ports/channel.ts';
import { unsentBy } from '../unreached.ts';

/** A failure with Slack's word for it. */
export interface SlackFailure extends ChannelFailure {
  /** Slack's `error`; `unreachable`, `ratelimited` or `http` where there was no such answer. */
  readonly code: string;
}

/** Nothing can be done with this app until somebody mends it. */
const broken: Readonly<Record<string, string>> = {
  invalid_auth:
    'Slack does not accept the bot token. Put the app’s current one (xoxb-…) in the configuration.',
  not_authed: 'Slack got no bot token. Put the app’s (xoxb-…) in the configuration.',
  token_revoked:
    'The bot token was revoked. Install the app again and put the new token in the configuration.',
  token_expired:
    'The bot token has expired. Turn token rotation off, or put a new token in the configuration.',
  account_inactive: 'The app was removed from the workspace. Install it again.',
  app_uninstalled: 'The app was removed from the workspace. Install it again.',
  access_denied: 'Slack denies this app access. Ask the administrators of the workspace.',
  missing_scope: 'The app lacks a permission. Compare it with the manifest and install it again.',
  no_permission: 'The app lacks a permission. Compare it with the manifest and install it again.',
  not_allowed_token_type: 'The bot token is of the wrong kind. It begins with xoxb-.',
  ekm_access_denied: 'The administrators of the workspace have suspended access to messages.',
};

/** This place, or this content; repeating it mends nothing. */
const refused: Readonly<Record<string, string>> = {
  channel_not_found:
    'There is no such channel, or the app is not in it. Invite the app there: /invite @Countersign',
  not_in_channel: 'The app is not in that channel. Invite it there: /invite @Countersign',
  is_archived: 'That channel is archived. Name another one in the configuration.',
  restricted_action:
    'Only some people may post in that channel. Let the app post there, or name another one.',
  restricted_action_read_only_channel: 'That channel is read only. Name another one in the configuration.',
  user_not_found: 'There is no such person in Slack.',
  user_disabled: 'That person’s Slack account is deactivated.',
  cannot_dm_bot: 'That is a bot’s account.',
  messages_tab_disabled: 'The app takes no messages. Turn its Messages tab on (see the manifest).',
  invalid_blocks:
    'Slack does not take what was laid out. This is a mistake of Countersign’s; please report it.',
  invalid_blocks_format:
    'Slack does not take what was laid out. This is a mistake of Countersign’s; please report it.',
  invalid_arguments:
    'Slack does not take what was sent. This is a mistake of Countersign’s; please report it.',
  msg_too_long: 'Slack does not take so much text. This is a mistake of Countersign’s; please report it.',
  cant_update_message: 'That message is not the app’s own.',
  edit_window_closed: 'Slack no longer lets that message be changed.',
};

const halfDone: ReadonlySet<string> = new Set(['internal_error', 'fatal_error', 'unknown_error']);

/** A code as Slack writes them; anything else is not repeated. */
const isCode = (code: string): boolean => /^[a-z0-9_]{1,64}$/.test(code);

/** Opens Socket Mode, with a token of its own. */
export const socketMethod = 'apps.connections.open';

/** Slack answered `ok: false`. */
export function ofCode(method: string, code: string): SlackFailure {
  const known = isCode(code) ? code : 'unknown_error';
  if (method === socketMethod)
    return {
      code: known,
      detail: `Slack does not open Socket Mode (${known}). Check the app-level token (xapp-…, with connections:write) and that Socket Mode is on.`,
      retryable: true,
      whole: true,
    };
  const mend = broken[known];
  if (mend !== undefined)
    return { code: known, detail: `${mend} (${known})`, retryable: true, whole: true, unsent: true };
  const say = refused[known];
  if (say !== undefined) return { code: known, detail: `${say} (${known})`, retryable: false, unsent: true };
  const odd = { code: known, detail: `Slack answered ${known} to ${method}.`, retryable: true };
  // Of these Slack's documents say that some of it may have been done.
  return halfDone.has(known) ? odd : { ...odd, unsent: true };
}

/** Slack asks for patience with one method (HTTP 429). */
export const ofRate = (method: string, seconds: number): SlackFailure => ({
  code: 'ratelimited',
  detail: `Slack takes no more of ${method} for ${seconds} s.`,
  retryable: true,
  retryAfterMs: seconds * 1000,
  unsent: true,
});

/** Slack answered something that is not an answer: its own failure, or that of a proxy. */
export const ofStatus = (status: number): SlackFailure => ({
  code: 'http',
  detail: `Slack answered HTTP ${status}.`,
  retryable: true,
  whole: true,
});

/** There was no answer. @param why as the operating system says it. */
export const unreachable = (why: string): SlackFailure => ({
  code: 'unreachable',
  detail: `Slack cannot be reached: ${why}.`,
  retryable: true,
  whole: true,
  ...unsentBy(why),
});
