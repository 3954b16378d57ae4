/**
 * The messages of Teams behind the port `Messenger`. Conversations are posted to at the configured connector, never at an
 * address that somebody sent. Teams keeps nothing out of sight with a message and lets a bot read no history, so what became of
 * a post whose answer was lost is `unknown`.
 */
import type { Place } from '../../core/chat.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { TeamsSettings } from '../../ports/channel-settings.ts';
import type { Laid, Messenger, Note } from '../../ports/messenger.ts';
import { isGuid, isId, placeOf } from './activity.ts';
import { layCard, noteCard } from './card.ts';
import { failureOf, type TeamsFailure } from './failure.ts';
import type { Sdk } from './sdk.ts';

type Conversations = Sdk['api']['conversations'];
type Outgoing = Parameters<Conversations['createActivity']>[1];

/** @param sdk is made when the first call is: that takes some hundred milliseconds. */
export function createMessenger(settings: TeamsSettings, sdk: () => Promise<Sdk>): Messenger {
  const bot = `28:${settings.clientId}`;
  const channelData = { tenant: { id: settings.tenant } };
  const call: Calling = async (work) => {
    try {
      return ok(await work((await sdk()).api.conversations));
    } catch (error) {
      return err(failureOf(error));
    }
  };
  const message = (place: string, { content, summary }: Content): Outgoing => {
    const activity = {
      type: 'message',
      from: { id: bot, role: 'bot' },
      conversation: { id: place, tenantId: settings.tenant },
      channelData,
      summary,
      attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content }],
    };
    // What the Bot Framework takes for a message; the SDK's type is that of its own builder.
    return activity as unknown as Outgoing;
  };
  /** @param thread null: a new one in a channel, or simply a message elsewhere. */
  const send = async (
    place: string,
    content: Content,
    thread: string | null = null,
  ): Promise<Result<Place, TeamsFailure>> => {
    if (!isId(place)) return err(noPlace);
    const to = thread === null ? place : `${place};messageid=${thread}`;
    const sent = await call((api) => api.createActivity(inPath(to), message(to, content)));
    if (!sent.ok) return sent;
    const id: unknown = sent.value?.id;
    return typeof id === 'string' && isId(id) ? ok({ place, message: id }) : err(odd);
  };
  const update: Messenger['update'] = async ({ place, message: id }, laid) => {
    if (!isId(place) || !isId(id)) return err(noPlace);
    const changed = message(place, ofLaid(laid));
    const updated = await call((api) => api.updateActivity(inPath(place), inPath(id), changed));
    if (updated.ok) return ok('updated');
    return updated.error.status === 404 ? ok('gone') : updated;
  };
  const tell: Messenger['tell'] = async (subject, note) => {
    if (!isGuid(subject)) return err(noPlace);
    // A person may be named by their id in the directory. The same chat every time.
    const members = [{ id: subject, role: 'user' as const }];
    const { tenant: tenantId } = settings;
    const opened = await call((api) =>
      api.create({ bot: { id: bot }, members, isGroup: false, tenantId, channelData }),
    );
    if (!opened.ok) return opened;
    const place: unknown = opened.value?.id;
    return typeof place === 'string' ? send(place, ofNote(note)) : err(odd);
  };
  return {
    name: 'teams',
    asksReason: true,
    lay: layCard,
    post: (to, laid) => send(placeOf(to) ?? '', ofLaid(laid)),
    update,
    async reply({ place, message: id }, note) {
      const thread = isChannel(place) && /^\d+$/.test(id) ? id : null;
      const sent = await send(place, ofNote(note), thread);
      return sent.ok ? ok(null) : sent;
    },
    tell,
    find: (to) => lookAt(call, placeOf(to) ?? '', settings.clientId),
  };
}

type Calling = <T>(work: (api: Conversations) => Promise<T>) => Promise<Result<T, TeamsFailure>>;

/**
 * Whether anybody answers for that conversation, at which what was sent there is `unknown`: while nobody does it stays as it is,
 * because another copy would only be lost as well. That the bot is a member is asked because it can be asked everywhere; what is
 * answered says nothing here.
 */
async function lookAt(call: Calling, place: string, bot: string): Promise<Result<'unknown', TeamsFailure>> {
  if (!isId(place)) return err(noPlace);
  const asked = await call((api) => api.getMemberById(inPath(place), inPath(bot)));
  return !asked.ok && (asked.error.whole === true || asked.error.status === null) ? asked : ok('unknown');
}

interface Content {
  readonly content: unknown;
  readonly summary: string;
}

const ofLaid = ({ body, text }: Laid): Content => ({ content: body, summary: text });
const ofNote = (note: Note): Content => ({ content: noteCard(note), summary: note.text });

/**
 * A part of a path: the SDK puts ids into addresses as they are. Ids have passed `isId`, which leaves nothing that leads elsewhere;
 * this is the form that the service documents.
 */
export const inPath = (id: string): string => encodeURIComponent(id);

/** Channels of teams have threads; chats have none. */
const isChannel = (place: string): boolean => /@thread\.(?:tacv2|skype)$/.test(place);

const noPlace: TeamsFailure = {
  status: null,
  detail:
    'That is no id of a conversation in Teams. Install the app there: it answers with the id that belongs in the configuration.',
  retryable: false,
  unsent: true,
};

const odd: TeamsFailure = {
  status: null,
  detail: 'Teams took a message and did not say where it is.',
  retryable: true,
};
