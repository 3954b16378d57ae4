/**
 * What a copy of an approval in a chat says now: the stored case as a card, with the buttons of that very copy. A card is for
 * whoever reads at that place; a view is for the one person who opened it, and says what that person may see.
 *
 * Promises: a card has buttons only while people are waited for; nobody sees in a card what a policy hides from any of those
 * who may read the case, nor approves there; a button carries its copy's id and a keyed tag, and nothing else.
 */
import { stateOf, type Case } from '../core/case.ts';
import { tagOf, versionOf, type ChatKind, type Post, type TagUse } from '../core/chat.ts';
import { gateAgent } from '../core/gate.ts';
import type { Button, Buttons, Card } from '../core/render/card.ts';
import { cardOf } from '../core/render/card-of.ts';
import { channelName } from '../core/render/channels.ts';
import { present, type Presentation } from '../core/render/present.ts';
import { line, listed, say, type Shown } from '../core/render/shown.ts';
import { veiled } from '../core/sight.ts';
import { isOpenToItsReaders } from './access.ts';
import { bound, openedBy } from './chat/check.ts';
import { nowFor, presentedTo } from './chat/look.ts';
import { personOf } from './chat/person.ts';
import { asksFor, buttonsOf as buttonsFor, onTheWeb } from './chat/view.ts';
import { approvalUrl } from './notices.ts';
import type { Parts } from './parts.ts';
import { readHeld } from './review.ts';

/** A card, and what the case was when it was made. */
export interface Made {
  readonly card: Card;
  readonly version: string;
}

/** What a copy is, as far as its content depends on it. */
export type CopyOf = Pick<Post, 'id' | 'approval' | 'channel' | 'kind' | 'to' | 'digest'>;

/** What a copy says of a held case. @param asksReason whether the platform can ask for a reason before an approval. */
export const cardFor = (parts: Parts, held: Case, copy: CopyOf, asksReason: boolean): Promise<Made> =>
  copy.kind === 'view' ? viewFor(parts, held, copy, asksReason) : sharedFor(parts, held, copy, asksReason);

async function sharedFor(parts: Parts, held: Case, copy: CopyOf, asksReason: boolean): Promise<Made> {
  const now = await nowFor(parts, held, { person: null, channel: copy.channel });
  const seen = isOpenToItsReaders(parts, now, held) ? held : veiled(held);
  const { action, atMs } = held.asked;
  const past = await parts.store.past(action.agent, action.operation, atMs).catch(() => null);
  const shown = present(seen, { ...now, past, reader: null });
  const buttons = sharedButtons(parts, seen, copy, { shown, asksReason });
  return madeOf(parts, held, now.nowMs, { shown, buttons });
}

/** As its reader may see it today; somebody who may not any more is left with what everybody may see, and nothing to press. */
async function viewFor(parts: Parts, held: Case, copy: CopyOf, asksReason: boolean): Promise<Made> {
  const person = await personOf(parts, openedBy(copy), await parts.store.directory());
  const seen = person.ok ? await readHeld(parts, person.value, copy.approval) : person;
  if (!person.ok || !seen.ok) {
    const now = await nowFor(parts, held, { person: null, channel: copy.channel });
    const shown = present(veiled(held), { ...now, past: null, reader: null });
    return madeOf(parts, held, now.nowMs, { shown, buttons: null });
  }
  const now = await nowFor(parts, seen.value, { person: person.value, channel: copy.channel });
  const shown = await presentedTo(parts, seen.value, person.value, now);
  const reading = { held: seen.value, reader: person.value, now, shown, asksReason };
  const buttons = buttonsFor(parts, copy, reading);
  return madeOf(parts, seen.value, now.nowMs, { shown, buttons });
}

const madeOf = (
  parts: Parts,
  held: Case,
  nowMs: number,
  { shown, buttons }: { readonly shown: Presentation; readonly buttons: Buttons | null },
): Made => {
  const url = held.approval === null ? parts.origin : approvalUrl(parts.origin, held.approval.id);
  return { card: cardOf(shown, { url, buttons }), version: versionAt(held, nowMs) };
};

/** What a copy must be of to tell the truth. */
export const versionAt = (held: Case, nowMs: number): string =>
  versionOf(stateOf(held, nowMs), held.approval?.version ?? 0);

function sharedButtons(
  parts: Parts,
  held: Case,
  copy: CopyOf,
  { shown, asksReason }: { readonly shown: Presentation; readonly asksReason: boolean },
): Buttons | null {
  if (shown.standing.state !== 'pending') return null;
  const key = parts.store.joinKey();
  const button = (use: TagUse): Button => ({ id: copy.id, tag: tagOf(key, use, bound(copy)) });
  const approveNot = cannotApproveIn(copy.channel, shown, asksReason);
  // It is for all who read there: where one of them must give a reason, each is asked for one.
  const asks = shown.needs.some((need) => need.reasonRequired && !need.passkey && isFor(copy.channel, need));
  return {
    approve: approveNot === null ? button('approve') : null,
    approveNot,
    ...(approveNot === null && asks && asksReason ? { approveAsks: asksFor } : {}),
    deny: button('deny'),
    // The gate is no agent that could be stopped.
    stop: held.asked.action.agent === gateAgent ? null : button('stop'),
    open: button('open'),
  };
}

/** Why nobody at all can approve it from this channel, whoever they are; null where somebody can. Pure. */
export function cannotApproveIn(
  channel: ChatKind,
  { needs, exact }: Presentation,
  asksReason: boolean,
): Shown | null {
  if (exact.hidden === true)
    return line('It cannot be approved from here: what it holds is not for everybody who reads here.');
  const left = needs.filter((need) => !need.met);
  const here = left.filter((need) => isFor(channel, need));
  if (here.length === 0) {
    const where = listed([...new Set(left.flatMap((need) => need.channels ?? []))]);
    return say`It cannot be approved in ${channelName(channel)}: the policy wants it in ${where}.`;
  }
  if (here.every((need) => need.passkey))
    return line('Approve it in the web inbox: the policy asks for a passkey.');
  // A card of that platform has no field for one.
  return !asksReason && here.every((need) => need.passkey || need.reasonRequired) ? onTheWeb : null;
}

const isFor = (channel: ChatKind, { channels }: Presentation['needs'][number]): boolean =>
  channels === null || channels.some((one) => one === channel);

/** Break-glass as a card, loud and with nothing to press: what passes without people is told where people are asked. */
export function glassCard(
  told: { readonly headline: Shown; readonly lines: readonly Shown[] },
  at: { readonly url: string; readonly shortDigest: Shown; readonly open: boolean },
): Card {
  return {
    headline: told.headline,
    environment: null,
    state: { title: line(at.open ? 'Open' : 'Over'), tone: at.open ? 'bad' : 'over' },
    reversible: { text: line('Somebody can end it on the web'), tone: 'plain' },
    consequence: null,
    sections: [
      {
        id: 'standing',
        title: line('Break-glass'),
        mark: null,
        must: false,
        parts: [{ as: 'items', items: told.lines.map((text) => ({ text, tone: 'plain' })) }],
      },
    ],
    untilMs: null,
    shortDigest: at.shortDigest,
    url: at.url,
    whole: true,
    buttons: null,
  };
}
