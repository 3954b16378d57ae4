/**
 * What a press opens for one person: the form of an approval, of a denial or of a stop, the whole of an approval. Nothing is
 * decided here, so nothing is written down; members alone get to see it. Slack lets something be opened for three seconds.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { say } from '../../core/render/shown.ts';
import type { SlackSettings } from '../../ports/channel-settings.ts';
import type { Chat, ChatAccount, Opened, Word } from '../../ports/chat.ts';
import type { Laid } from '../../ports/messenger.ts';
import type { SlackWeb } from './bolt.ts';
import { blocksOf, modalOf, type Layout } from './layout.ts';
import { unaskedRefusal, type AskMember } from './members.ts';
import { isGone } from './messenger.ts';
import { accountOf, stranger } from './account.ts';
import { textAt, viewPlaceOf, type Press } from './payload.ts';
import { wordOf } from './tell.ts';
import type { ClickVerb, Place } from '../../core/chat.ts';

/** How often a view that was opened a moment ago is brought up to date, and the pause after Slack did not take it. */
const updatesMax = 5;
const updatePauseMs = 1000;

export interface OpeningParts {
  readonly settings: SlackSettings;
  readonly chat: Pick<Chat, 'form' | 'view' | 'viewed'>;
  readonly web: SlackWeb;
  readonly askMember: AskMember;
  readonly layout: Layout;
}

/** Each answers what is to be said instead; null: it is open. */
export interface Opening {
  form(press: Press, verb: ClickVerb, at: Place): Promise<Word | null>;
  whole(press: Press, use: 'open' | 'inbox'): Promise<Word | null>;
}

export function createOpening(parts: OpeningParts): Opening {
  const { settings, chat, layout } = parts;
  return {
    async form(press, verb, at) {
      const account = accountOf(press.sender, settings);
      const not = await notMember(parts, account);
      if (not !== null) return not;
      const form = await chat.form(account, { use: verb, ...press.button }, at);
      if (!form.ok) return form.error;
      const view = layout.forms[verb](form.value);
      return (await open(parts.web, press, view)) === null ? tooLate(null) : null;
    },
    async whole(press, use) {
      const account = accountOf(press.sender, settings);
      const not = await notMember(parts, account);
      if (not !== null) return not;
      // A line of an inbox is at no message; it is bound to the account instead.
      const viewed = await chat.view(account, { use, ...press.button }, use === 'inbox' ? null : press.at);
      if (!viewed.ok) return viewed.error;
      const laid = layout.card(viewed.value.card, 'view');
      const message = await open(parts.web, press, modalOf(blocksOf(laid.body)));
      if (message === null) return tooLate(viewed.value.card.url);
      await keepTrue(parts, account, { opened: viewed.value, laid, message });
      return null;
    },
  };
}

interface Showing {
  readonly opened: Opened;
  readonly laid: Laid;
  /** The view's id. */
  readonly message: string;
}

/** Says that the view is there, and brings it up to date with what has happened since it was made. */
async function keepTrue(
  { chat, web, layout }: OpeningParts,
  account: ChatAccount,
  { message, ...first }: Showing,
): Promise<void> {
  const at = { place: viewPlaceOf(account.subject), message };
  let { opened, laid } = first;
  for (let tries = 0; tries < updatesMax; tries += 1) {
    const newer = await chat.viewed(account, opened, at, laid);
    if (newer === null) return;
    const next = layout.card(newer.card, 'view');
    const updated = await web.call('views.update', { view_id: message, view: modalOf(blocksOf(next.body)) });
    if (updated.ok) [opened, laid] = [newer, next];
    // It was closed; or what is next told of the approval brings it up to date.
    else if (isGone(updated.error.code) || !updated.error.retryable) return;
    else await sleep(updatePauseMs, null, { ref: false });
  }
  // What it shows now is what it is written down as; whoever changed the case last has told of that since.
  await chat.viewed(account, opened, at, laid);
}

/** Null for a member. */
async function notMember(
  { askMember }: OpeningParts,
  account: ChatAccount & { readonly stranger: boolean },
): Promise<Word | null> {
  if (account.stranger) return wordOf(stranger);
  const membership = await askMember(account);
  if (membership.kind === 'member') return null;
  return wordOf(membership.kind === 'turned' ? membership.refusal : unaskedRefusal);
}

/** The view's id; null where it could not be opened. */
async function open(web: SlackWeb, press: Press, view: object): Promise<string | null> {
  // On top of a modal that is open already, it would take that one's place.
  const method = press.inModal ? 'views.push' : 'views.open';
  const opened = await web.call(method, { trigger_id: press.trigger, view });
  return opened.ok ? textAt(opened.value, 'view', 'id') : null;
}

const tooLate = (url: string | null): Word => ({
  kind: 'refused',
  code: 'upstream_unavailable',
  text: say`Slack did not open it in time. Press again, or use the web inbox.`,
  link: url === null ? null : { text: say`Open it on the web`, url },
});
