/**
 * What Teams sends (a Bot Framework activity), read once into what the gate acts on: who presses which button where. Pure, and
 * it trusts nothing but the shape: whether it may be listened to at all is judged in origin.ts, what a press means behind `Chat`.
 */
import { asClickId, type ClickId, type ClickVerb, type Place } from '../../core/chat.ts';
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import type { Button } from '../../core/render/card.ts';
import { sha256Hex } from '../../core/sha256.ts';
import type { ChatAccount } from '../../ports/chat.ts';

export interface Press {
  readonly id: ClickId;
  readonly account: ChatAccount;
  /** What Teams calls the account in this conversation; compared with its member list. */
  readonly member: string;
  readonly verb: ClickVerb;
  /** What the button carried; empty texts where it is none of ours. */
  readonly button: Button;
  readonly at: Place;
  readonly reason: string | null;
  readonly unsafe: boolean;
}

export type Heard =
  | { readonly kind: 'press'; readonly press: Press }
  /** Somebody wrote to the bot. */
  | {
      readonly kind: 'said';
      readonly account: ChatAccount;
      readonly conversation: string;
      /** In a chat of theirs with the bot, where nobody else reads. */
      readonly alone: boolean;
      /** Eight digits; null where that was not what they wrote. */
      readonly code: string | null;
    }
  /** The app was installed in this conversation. */
  | { readonly kind: 'installed'; readonly conversation: string }
  /** A card's button or another question that the gate does not know: it is answered with an error. */
  | { readonly kind: 'unknown' }
  /** An event that needs no answer. */
  | { readonly kind: 'event' };

/** A reason that somebody typed is kept to so many characters. */
export const reasonCharsMax = 2000;
/** Identifiers of Teams are shorter. */
const idCharsMax = 512;

/** @param body has passed origin.ts. @param tenant the configured one. */
export function heard(body: JsonObject, tenant: string): Heard {
  const conversation = placeOf(idAt(body, 'conversation', 'id'));
  const type = body['type'];
  if (type === 'invoke') return pressIn(body, conversation, tenant) ?? { kind: 'unknown' };
  if (conversation === null) return { kind: 'event' };
  if (type === 'installationUpdate' && textAt(body, 'action') === 'add')
    return { kind: 'installed', conversation };
  const account = type === 'message' ? accountIn(body, tenant) : null;
  if (account === null) return { kind: 'event' };
  const alone = textAt(body, 'conversation', 'conversationType') === 'personal';
  return { kind: 'said', account, conversation, alone, code: codeIn(textAt(body, 'text') ?? '') };
}

function pressIn(body: JsonObject, conversation: string | null, tenant: string): Heard | null {
  const action = objectAt(body, 'value', 'action');
  const account = accountIn(body, tenant);
  const activity = idAt(body, 'id');
  const message = idAt(body, 'replyToId');
  const member = idAt(body, 'from', 'id');
  if (textAt(body, 'name') !== 'adaptiveCard/action' || action['type'] !== 'Action.Execute') return null;
  const verb = verbs.find((one) => one === action['verb']);
  if (verb === undefined || account === null || conversation === null) return null;
  if (activity === null || message === null || member === null) return null;
  const data = isJsonObject(action['data']) ? action['data'] : {};
  const carried = textAt(data, 'b') ?? '';
  const reason = (textAt(data, 'reason') ?? '').trim().slice(0, reasonCharsMax);
  const pressed = [account.kind, tenant, account.subject, conversation, message, activity, verb, carried];
  const press: Press = {
    id: asClickId(sha256Hex(`countersign.teams-press.v1\0${JSON.stringify(pressed)}`)),
    account,
    member,
    verb,
    button: carriedIn(carried),
    at: { place: conversation, message },
    reason: reason === '' ? null : reason.toWellFormed(),
    // A toggle sends its value as text.
    unsafe: verb === 'deny' && (data['unsafe'] === 'true' || data['unsafe'] === true),
  };
  return { kind: 'press', press };
}

const verbs: readonly ClickVerb[] = ['approve', 'deny', 'stop'];

/**
 * A person of the directory: Teams says their immutable id in it. Others (bots, people who only join a meeting) have none; agents
 * with a user account of their own have one, and the role says what they are.
 */
function accountIn(body: JsonObject, tenant: string): ChatAccount | null {
  const subject = textAt(body, 'from', 'aadObjectId')?.toLowerCase() ?? '';
  const role = textAt(body, 'from', 'role')?.toLowerCase() ?? 'user';
  if (!isGuid(subject) || role !== 'user') return null;
  const display = (textAt(body, 'from', 'name') ?? subject).slice(0, 200).toWellFormed();
  return { kind: 'teams', issuer: tenant, subject, display };
}

/** As Microsoft writes them: a GUID in lower case. */
export const isGuid = (text: string): boolean => /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(text);

/** What a button of ours carries: an id, a dot, a tag. */
export const carries = ({ id, tag }: Button): string => `${id}.${tag}`;

function carriedIn(text: string): Button {
  const [, id = '', tag = ''] = /^([a-z]{3}_[0-9A-Za-z]{1,64})\.([0-9a-f]{1,64})$/.exec(text) ?? [];
  return { id, tag };
}

/**
 * The conversation without its thread: in a channel an answer names the thread that it is in (`;messageid=…`), while a message
 * is posted to, changed in and known by the channel itself.
 */
export const placeOf = (conversation: string | null): string | null =>
  conversation === null ? null : (conversation.split(';', 1)[0] ?? null);

/** Eight digits and what people put between them; a mention of the bot may go before. */
function codeIn(text: string): string | null {
  const bare = text.replace(/<at>[^<]{0,100}<\/at>/g, '').replace(/&nbsp;/g, ' ');
  const digits = bare.replace(/[\s-]/g, '');
  return /^\d{8}$/.test(digits) ? digits : null;
}

/** What can name something of Teams in an address: no blanks, no slashes, nothing that a URL reads as a path. */
export const isId = (text: string): boolean =>
  text.length <= idCharsMax && /^(?!\.{1,2}$)[A-Za-z0-9:@.;=+_-]+$/.test(text);

function idAt(body: JsonObject, ...path: readonly string[]): string | null {
  const text = textAt(body, ...path);
  return text !== null && isId(text) ? text : null;
}

/** The text at a path; null where there is none. */
export function textAt(body: JsonObject, ...path: readonly string[]): string | null {
  let value: JsonValue | undefined = body;
  for (const key of path) value = isJsonObject(value) ? value[key] : undefined;
  return typeof value === 'string' ? value : null;
}

function objectAt(body: JsonObject, ...path: readonly string[]): JsonObject {
  let value: JsonValue | undefined = body;
  for (const key of path) value = isJsonObject(value) && !isJsonArray(value) ? value[key] : undefined;
  return isJsonObject(value) ? value : {};
}
