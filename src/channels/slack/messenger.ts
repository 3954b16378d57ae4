/**
 * The messages of Slack behind the port `Messenger`. A message carries its post's id in its metadata, which people do not see
 * and which `find` looks for when the answer to a post was lost.
 */
import type { Place, PostId } from '../../core/chat.ts';
import { isJsonArray, isJsonObject, type JsonObject } from '../../core/json.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { SlackSettings } from '../../ports/channel-settings.ts';
import type { Laid, Messenger, Note } from '../../ports/messenger.ts';
import type { SlackWeb } from './bolt.ts';
import type { SlackFailure } from './failure.ts';
import { blocksOf, modalOf, type Layout } from './layout.ts';
import { escaped } from './notes.ts';
import { textAt } from './payload.ts';

/** What our messages are marked with. */
const eventType = 'countersign_post';
/** Channels of a page, and pages that are looked through for a name. */
const channelsPage = 1000;
const channelPagesMax = 10;
/** Messages of a page, and pages that are looked through for one post. */
const historyPage = 200;
const historyPagesMax = 10;
/** Slack's clock and ours need not agree. */
const clocksDifferMs = 5 * 60_000;
/** How long a channel's name is taken for the same channel: names are given to others. */
const nameKeptMs = 3_600_000;
/** Names that are remembered. */
const namesMax = 1000;

export interface MessengerParts {
  readonly settings: SlackSettings;
  readonly web: SlackWeb;
  readonly layout: Layout;
  readonly nowMs: () => number;
}

export function createMessenger({ settings, web, layout, nowMs }: MessengerParts): Messenger {
  const channels = createChannels(web, nowMs);
  const send = async (channel: string, message: object): Promise<Result<Place, SlackFailure>> => {
    const sent = await web.call('chat.postMessage', {
      channel,
      unfurl_links: false,
      unfurl_media: false,
      ...message,
    });
    if (!sent.ok) return sent;
    const [place, ts] = [textAt(sent.value, 'channel'), textAt(sent.value, 'ts')];
    return place === null || ts === null ? err(odd) : ok({ place, message: ts });
  };
  return {
    name: 'slack',
    asksReason: true,
    lay: layout.card,
    async post(to, laid, id) {
      const metadata = { event_type: eventType, event_payload: { id } };
      return send(await channels.idOf(to), { ...messageOf(laid), metadata });
    },
    async update(at, laid) {
      const updated = await (isView(at)
        ? web.call('views.update', { view_id: at.message, view: modalOf(blocksOf(laid.body)) })
        : web.call('chat.update', { channel: at.place, ts: at.message, ...messageOf(laid) }));
      if (updated.ok) return ok('updated');
      return isGone(updated.error.code) ? ok('gone') : updated;
    },
    async reply(at, note) {
      // A modal has no thread.
      if (isView(at)) return ok(null);
      const sent = await send(at.place, { thread_ts: at.message, ...noteOf(layout, note) });
      return sent.ok ? ok(null) : sent;
    },
    // Slack opens the direct message by itself.
    tell: async (subject, note) => send(subject, noteOf(layout, note)),
    find: async (to, id, sinceMs) => find({ web, settings }, await channels.idOf(to), { id, sinceMs }),
  };
}

const odd: SlackFailure = {
  code: 'odd_answer',
  detail: 'Slack took a message and did not say where it is.',
  retryable: true,
};

const isView = ({ place }: Place): boolean => place.startsWith('view:');
/** Slack's word for a message or view that is not there any more. */
export const isGone = (code: string): boolean =>
  code === 'message_not_found' || code === 'not_found' || code === 'view_not_found';

const messageOf = ({ body, text }: Laid): object => ({ text, blocks: blocksOf(body) });
const noteOf = (layout: Layout, note: Note): object => ({
  text: escaped(note.text),
  blocks: layout.note(note),
});

interface Channels {
  /** Of `#name` the channel's id; the same text where that cannot be found out, or where it is an id. */
  idOf(to: string): Promise<string>;
}

function createChannels(web: SlackWeb, nowMs: () => number): Channels {
  const known = new Map<string, { readonly id: string; readonly atMs: number }>();
  return {
    async idOf(to) {
      if (!to.startsWith('#')) return to;
      const before = known.get(to);
      if (before !== undefined && nowMs() - before.atMs < nameKeptMs) return before.id;
      const id = await lookUp(web, to.slice(1));
      if (id === null) return to;
      if (known.size >= namesMax) known.clear();
      known.set(to, { id, atMs: nowMs() });
      return id;
    },
  };
}

const publicAlone = 'public_channel';

/** Null where no channel that the app sees is called so, or where it may not look. */
async function lookUp(
  web: SlackWeb,
  name: string,
  types = 'public_channel,private_channel',
): Promise<string | null> {
  let cursor = '';
  for (let page = 0; page < channelPagesMax; page += 1) {
    const found = await web.call('conversations.list', {
      types,
      exclude_archived: true,
      limit: channelsPage,
      ...(cursor === '' ? {} : { cursor }),
    });
    // To see private ones takes a permission of its own.
    if (!found.ok)
      return found.error.code === 'missing_scope' && types !== publicAlone
        ? lookUp(web, name, publicAlone)
        : null;
    const channel = itemsOf(found.value, 'channels').find((one) => one['name'] === name);
    const id = channel === undefined ? null : textAt(channel, 'id');
    cursor = textAt(found.value, 'response_metadata', 'next_cursor') ?? '';
    if (id !== null || cursor === '') return id;
  }
  return null;
}

/** Objects of a list in an answer. */
function itemsOf(answer: JsonObject, key: string): readonly JsonObject[] {
  const items = answer[key];
  return isJsonArray(items) ? items.filter(isJsonObject) : [];
}

/** Looks through the newest messages; answers `unknown` where it cannot tell for sure. */
async function find(
  { web, settings }: Pick<MessengerParts, 'web' | 'settings'>,
  channel: string,
  { id, sinceMs }: { readonly id: PostId; readonly sinceMs: number },
): Promise<Result<Place | null | 'unknown', SlackFailure>> {
  const us = await web.call('auth.test', {});
  if (!us.ok) return us;
  let cursor = '';
  for (let page = 0; page < historyPagesMax; page += 1) {
    const found = await web.call('conversations.history', {
      channel,
      oldest: ((sinceMs - clocksDifferMs) / 1000).toFixed(6),
      include_all_metadata: true,
      limit: historyPage,
      ...(cursor === '' ? {} : { cursor }),
    });
    if (!found.ok) return mayNotRead(found.error) ? ok('unknown') : found;
    const mine = itemsOf(found.value, 'messages').find(
      (one) => isOurs(one, us.value, settings.appId) && isPost(one, id),
    );
    const ts = mine === undefined ? null : textAt(mine, 'ts');
    if (ts !== null) return ok({ place: channel, message: ts });
    cursor = textAt(found.value, 'response_metadata', 'next_cursor') ?? '';
    if (cursor === '') return ok(null);
  }
  return ok('unknown');
}

/** A channel that it may post to, and not read. Anything else is over some time, and then it is known. */
const mayNotRead = ({ code, retryable }: SlackFailure): boolean =>
  !retryable || code === 'missing_scope' || code === 'no_permission' || code === 'access_denied';

const isPost = (message: JsonObject, id: PostId): boolean =>
  textAt(message, 'metadata', 'event_type') === eventType &&
  textAt(message, 'metadata', 'event_payload', 'id') === id;

/** Anybody's app may write metadata like ours. */
function isOurs(message: JsonObject, us: JsonObject, appId: string): boolean {
  const app = textAt(message, 'app_id');
  if (app !== null) return app === appId;
  const [bot, user] = [textAt(us, 'bot_id'), textAt(us, 'user_id')];
  return (bot !== null && message['bot_id'] === bot) || (user !== null && message['user'] === user);
}
