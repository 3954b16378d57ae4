/**
 * What Slack sends, read once into what the gate acts on: who presses which button where. Pure, and it trusts nothing but the
 * shape: whether the sender may speak at all is judged in origin.ts, what a press means behind the port `Chat`.
 */
import { asClickId, type ClickId, type ClickVerb, type Place } from '../../core/chat.ts';
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import type { Button } from '../../core/render/card.ts';
import { sha256Hex } from '../../core/sha256.ts';
import { actionIds, callbackIds } from './blocks.ts';

/** Whom a payload names. Null where it does not say. */
export interface Sender {
  readonly appId: string | null;
  /** The workspace that it comes from. */
  readonly team: string | null;
  readonly enterprise: string | null;
  readonly user: string;
  /** The workspace (or enterprise) that the user belongs to. */
  readonly userTeam: string | null;
  /** Whether payloads of this kind always say the user's workspace: then a missing one is a stranger's. */
  readonly saysUserTeam: boolean;
  /** For people to recognise the account by. */
  readonly name: string;
}

/** Where a button was, and what may be opened from there. */
export interface Press {
  readonly sender: Sender;
  /** `approveWhy`: asks for the form of an approval. */
  readonly verb: ClickVerb | 'approveWhy' | 'open' | 'inbox';
  /** What the button carried; empty texts where it is none of ours. */
  readonly button: Button;
  /** Null in App Home, and where the payload names no message. */
  readonly at: Place | null;
  /** Of the message or view, as the payload says who posted it; null where it does not. */
  readonly postedBy: string | null;
  /** In a modal: what is opened goes on top of it. */
  readonly inModal: boolean;
  /** Opens one modal within three seconds. */
  readonly trigger: string;
  readonly id: ClickId;
}

/** A form that was sent off. What for is a part of its id, which its tag covers. */
export interface Submission {
  readonly sender: Sender;
  /** What the form carried; empty texts where it is none of ours. */
  readonly button: Button;
  /** The view, for saying there what became of it. */
  readonly view: string;
  /** Of the view's app; null where the payload does not say. */
  readonly postedBy: string | null;
  readonly reason: string | null;
  readonly unsafe: boolean;
  /** The block that asks for the reason: where a refusal is shown. */
  readonly reasonBlock: string;
  readonly id: ClickId;
}

export type Heard =
  | { readonly kind: 'press'; readonly press: Press }
  | { readonly kind: 'submission'; readonly submission: Submission }
  | { readonly kind: 'home'; readonly sender: Sender }
  /** A direct message to the app: eight digits are a code, and anything else is null. */
  | {
      readonly kind: 'code';
      readonly sender: Sender;
      readonly channel: string;
      readonly code: string | null;
      readonly id: ClickId;
    }
  /** Anything else: acknowledged, and nothing happens. */
  | { readonly kind: 'other' };

/** Characters of what somebody wrote that are taken; forms allow fewer. */
const reasonCharsMax = 4000;

const at = (value: JsonValue | undefined, ...path: readonly string[]): JsonValue | undefined =>
  path.reduce<JsonValue | undefined>((now, key) => (isJsonObject(now) ? now[key] : undefined), value);

/** Text at a path; null where there is none, or where it is empty. */
export function textAt(value: JsonValue | undefined, ...path: readonly string[]): string | null {
  const found = at(value, ...path);
  return typeof found === 'string' && found !== '' ? found : null;
}

/** SHA-256 of what makes one press that press. Taken of JSON, so that no two lists have the same text. */
const clickIdOf = (sender: Sender, parts: readonly (string | null)[]): ClickId =>
  asClickId(
    sha256Hex(JSON.stringify(['slack', sender.appId, sender.team, sender.enterprise, sender.user, ...parts])),
  );

/** Who sends it; every payload names the app, interactions and events at different places. Null where no user is named. */
export function senderOf(body: JsonObject): Sender | null {
  return body['type'] === 'event_callback' ? senderOfEvent(body) : senderOfInteraction(body);
}

function senderOfInteraction(body: JsonObject): Sender | null {
  const user = textAt(body, 'user', 'id');
  if (user === null) return null;
  return {
    appId: textAt(body, 'api_app_id'),
    team: textAt(body, 'team', 'id'),
    // Of an installation for a whole enterprise `team` is null.
    enterprise: textAt(body, 'enterprise', 'id') ?? textAt(body, 'team', 'enterprise_id'),
    user,
    userTeam: textAt(body, 'user', 'team_id'),
    saysUserTeam: true,
    name: textAt(body, 'user', 'username') ?? textAt(body, 'user', 'name') ?? user,
  };
}

function senderOfEvent(body: JsonObject): Sender | null {
  const user = textAt(body, 'event', 'user');
  if (user === null) return null;
  return {
    appId: textAt(body, 'api_app_id'),
    team: textAt(body, 'team_id'),
    enterprise: textAt(body, 'enterprise_id') ?? textAt(body, 'context_enterprise_id'),
    user,
    userTeam: textAt(body, 'event', 'user_team') ?? textAt(body, 'event', 'team'),
    saysUserTeam: false,
    name: user,
  };
}

/** Reads a payload whose signature has been verified. */
export function readPayload(body: JsonObject): Heard {
  const sender = senderOf(body);
  if (sender === null) return { kind: 'other' };
  if (body['type'] === 'block_actions') return readPress(body, sender);
  if (body['type'] === 'view_submission') return readSubmission(body, sender);
  return body['type'] === 'event_callback' ? readEvent(body, sender) : { kind: 'other' };
}

/** Of `ID.TAG`. A text that no button of ours carried has no tag, and is refused where tags are checked. */
function buttonIn(value: string | null): Button {
  const [, id = '', tag = ''] = /^([\w.-]{1,128})\.([0-9a-f]{32})$/.exec(value ?? '') ?? [];
  return { id, tag };
}

const verbs = ['approve', 'approveWhy', 'deny', 'stop', 'open', 'inbox'] as const;
const forms: readonly (string | null)[] = [callbackIds.approve, callbackIds.deny, callbackIds.stop];

function readPress(body: JsonObject, sender: Sender): Heard {
  const actions = body['actions'];
  // Slack sends one; of several it would not be known which one was meant.
  const [action] = isJsonArray(actions) && actions.length === 1 ? actions : [];
  const actionId = textAt(action, 'action_id');
  const verb = verbs.find((one) => actionId === actionIds[one]);
  const actionTs = textAt(action, 'action_ts');
  if (verb === undefined || actionTs === null) return { kind: 'other' };
  const place = placeOf(body, sender);
  return {
    kind: 'press',
    press: {
      sender,
      verb,
      button: buttonIn(textAt(action, 'value')),
      at: place,
      postedBy: textAt(body, 'message', 'app_id') ?? textAt(body, 'view', 'app_id'),
      inModal: textAt(body, 'view', 'type') === 'modal',
      trigger: textAt(body, 'trigger_id') ?? '',
      id: clickIdOf(sender, [
        textAt(body, 'container', 'type'),
        textAt(body, 'container', 'channel_id'),
        textAt(body, 'container', 'message_ts') ?? textAt(body, 'container', 'view_id'),
        actionId,
        actionTs,
      ]),
    },
  };
}

/** Where it was pressed, as our rows name places. */
function placeOf(body: JsonObject, sender: Sender): Place | null {
  const channel = textAt(body, 'container', 'channel_id');
  const message = textAt(body, 'container', 'message_ts');
  if (textAt(body, 'container', 'type') === 'message')
    return channel === null || message === null ? null : { place: channel, message };
  const view = textAt(body, 'container', 'view_id');
  const isModal = textAt(body, 'view', 'type') === 'modal';
  return view === null || !isModal ? null : { place: viewPlaceOf(sender.user), message: view };
}

/** What a modal of one person is called as a place. */
export const viewPlaceOf = (user: string): string => `view:${user}`;

function readSubmission(body: JsonObject, sender: Sender): Heard {
  const callback = textAt(body, 'view', 'callback_id');
  const view = textAt(body, 'view', 'id');
  if (!forms.includes(callback) || view === null) return { kind: 'other' };
  const written = readState(at(body, 'view', 'state', 'values'));
  return {
    kind: 'submission',
    submission: {
      sender,
      button: buttonIn(textAt(body, 'view', 'private_metadata')),
      view,
      postedBy: textAt(body, 'view', 'app_id'),
      ...written,
      id: clickIdOf(sender, ['view_submission', view, textAt(body, 'view', 'hash'), callback]),
    },
  };
}

/** A form has one field of text and perhaps a box to tick; which is which is told by what they are. */
function readState(values: JsonValue | undefined): Pick<Submission, 'reason' | 'unsafe' | 'reasonBlock'> {
  let reason: string | null = null;
  let reasonBlock = '';
  let unsafe = false;
  for (const [block, fields] of Object.entries(isJsonObject(values) ? values : {})) {
    for (const field of Object.values(isJsonObject(fields) ? fields : {})) {
      if (textAt(field, 'type') === 'plain_text_input') {
        reasonBlock = block;
        reason = textAt(field, 'value')?.slice(0, reasonCharsMax) ?? null;
      }
      const ticked = at(field, 'selected_options');
      if (isJsonArray(ticked)) unsafe ||= ticked.some((one) => textAt(one, 'value') === 'unsafe');
    }
  }
  return { reason, reasonBlock, unsafe };
}

function readEvent(body: JsonObject, sender: Sender): Heard {
  const type = textAt(body, 'event', 'type');
  if (type === 'app_home_opened')
    return textAt(body, 'event', 'tab') === 'messages' ? { kind: 'other' } : { kind: 'home', sender };
  const channel = textAt(body, 'event', 'channel');
  // People write as they read: "1234 5678".
  const code = textAt(body, 'event', 'text')?.replaceAll(/[\s-]/g, '') ?? '';
  const isDirect = type === 'message' && textAt(body, 'event', 'channel_type') === 'im';
  // An edit, a bot's message or one with a file is not somebody sending a code.
  const isPlain = textAt(body, 'event', 'subtype') === null && textAt(body, 'event', 'bot_id') === null;
  if (!isDirect || !isPlain || channel === null) return { kind: 'other' };
  const id = clickIdOf(sender, ['message', channel, textAt(body, 'event', 'ts')]);
  return { kind: 'code', sender, channel, code: /^\d{8}$/.test(code) ? code : null, id };
}
