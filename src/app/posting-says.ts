/**
 * What is said beside the cards: under each of them what happens to it, for those who follow it, and to the agent's owners the
 * outcome, in person. Each sentence once at each place.
 */
import { approvalStatusOf, stateOf, type Case } from '../core/case.ts';
import type { Post } from '../core/chat.ts';
import { escalatedTo } from '../core/escalation.ts';
import type { PersonId } from '../core/ids.ts';
import {
  approvedWords,
  closedWords,
  escalatedWords,
  glassWords,
  remindedWords,
  standingWords,
} from '../core/render/chat-words.ts';
import { needsOf, type Now } from '../core/render/people.ts';
import { line, say, short, type Shown } from '../core/render/shown.ts';
import { veiled } from '../core/sight.ts';
import type { Note } from '../ports/messenger.ts';
import { isOpenToItsReaders, seenBy } from './access.ts';
import { nowFor } from './chat/look.ts';
import { sayOnce } from './copies.ts';
import { heldNow, type Delivery } from './delivery.ts';
import { absencesNow } from './review.ts';

/** Longest headline in a sentence to an owner. */
const headlineCharsMax = 200;

/** One sentence; `key` tells it apart from the others at the same place. */
interface Sentence {
  readonly key: string;
  readonly text: Shown;
}

/** Says under each card that was there before this notice what it tells. */
export async function sayUnder(one: Delivery, before: readonly Post[]): Promise<void> {
  const { desk, gathered, approval, told } = one;
  const cards = before.filter((post) => post.kind === 'card' && post.state === 'posted');
  const held = cards.length === 0 ? undefined : await heldNow(one);
  if (held === undefined) return;
  const now = await nowFor(desk.parts, held, { person: null, channel: desk.messenger.name });
  // As the cards themselves (cards.ts).
  const sentences = sentencesOf(one, isOpenToItsReaders(desk.parts, now, held) ? held : veiled(held), now);
  if (sentences.length === 0) return;
  const known = await desk.parts.store.postsOf(approval, desk.messenger.name);
  for (const card of cards) {
    const { at, group, to, digest } = card;
    // Deleted meanwhile: nobody follows it.
    if (at === null || known.some((post) => post.id === card.id && post.state !== 'posted')) continue;
    for (const { key, text } of sentences) {
      if (gathered.isOver()) return;
      const draft = { approval, kind: 'note', group, to, digest } as const;
      const said = await sayOnce(desk, draft, {
        key: `${key} ${card.id}`,
        known,
        say: () => desk.messenger.reply(at, { text, url: told.url }),
      });
      if (!said.ok) gathered.failed(said.error);
    }
  }
}

/** What this notice says of the case as it is now; nothing where it has been overtaken. */
function sentencesOf({ told }: Delivery, held: Case, now: Now): readonly Sentence[] {
  const { directory, nowMs } = now;
  const pending = stateOf(held, nowMs) === 'pending';
  switch (told.kind) {
    case 'approval.reviewed': {
      const approves = held.reviews.filter((review) => review.decision === 'approve');
      const needs = needsOf(held, now);
      return approves.map((review) => ({
        key: `reviewed ${review.person}`,
        text: approvedWords(review, directory, pending && review === approves.at(-1) ? needs : []),
      }));
    }
    case 'approval.escalated': {
      const groups = escalatedTo(held, nowMs);
      return pending && groups.length > 0
        ? [{ key: `escalated ${groups.join(' ')}`, text: escalatedWords(groups) }]
        : [];
    }
    case 'approval.reminded':
      return pending && held.approval !== null
        ? [{ key: 'reminded', text: remindedWords(held.approval.expiresAtMs, nowMs) }]
        : [];
    case 'approval.closed':
      return [
        {
          key: `closed ${approvalStatusOf(held, nowMs)}`,
          text: closedWords(held, directory, nowMs),
        },
      ];
    case 'execution.ended':
      return [{ key: `ended ${stateOf(held, nowMs)}`, text: standingWords(held, directory, nowMs) }];
    // The card says it; and there is no card of break-glass.
    case 'approval.opened':
    case 'glass.opened':
    case 'glass.closed':
    case 'glass.reviewed':
      return [];
  }
}

/** Tells each owner of the agent who has an account there what became of it. */
export async function tellOwners(one: Delivery): Promise<void> {
  const { desk, gathered, approval, told } = one;
  const { messenger, parts } = desk;
  const outcome = await outcomeOf(one);
  if (outcome === null) return;
  const note: Note = { text: outcome.text, url: told.url };
  const known = await parts.store.postsOf(approval, messenger.name);
  const ours = new Set(one.organisations());
  const [held, now] = [await heldNow(one), await absencesNow(parts)];
  // Break-glass is hidden from nobody whom it concerns; of an action they are told what they may read.
  const mayRead = (id: PersonId): boolean =>
    told.glass !== undefined ||
    (held !== undefined && seenBy(parts, now, { kind: 'person', id }, held) !== undefined);
  for (const owner of told.owners) {
    if (!mayRead(owner.id)) continue;
    const account = (await parts.store.accountsOf(owner.id)).find(
      (each) => each.kind === messenger.name && ours.has(each.issuer) && each.endedAtMs === null,
    );
    if (account === undefined) continue;
    if (gathered.isOver()) return;
    const to = account.subject;
    const draft = { approval, kind: 'note', group: null, to, digest: told.case.asked.digest } as const;
    const said = await sayOnce(desk, draft, {
      key: outcome.key,
      known,
      say: () => messenger.tell(to, note),
    });
    if (!said.ok) gathered.failed(said.error);
    else gathered.arrived({ to, ref: said.value.at?.message ?? null });
  }
}

/** What owners are told of this notice; null: it is no outcome. */
async function outcomeOf(one: Delivery): Promise<Sentence | null> {
  const { told, desk } = one;
  const { kind, glass } = told;
  switch (kind) {
    case 'approval.opened':
    case 'approval.reviewed':
    case 'approval.escalated':
    case 'approval.reminded':
      return null;
    case 'glass.opened':
    case 'glass.closed':
    case 'glass.reviewed': {
      if (glass === undefined) return null;
      const { headline, lines } = glassWords(kind, glass.now, glass.names);
      return { key: kind, text: line([`${headline}.`, ...lines].join(' ')) };
    }
    case 'approval.closed':
    case 'execution.ended': {
      const held = await heldNow(one);
      const nowMs = desk.parts.clock.nowMs();
      if (held === undefined) return null;
      const state = stateOf(held, nowMs);
      // What was approved has no outcome before it has run.
      if (kind === 'approval.closed' && approvalStatusOf(held, nowMs) === 'approved') return null;
      const now = await absencesNow(desk.parts);
      const seen = isOpenToItsReaders(desk.parts, now, held) ? held : veiled(held);
      const standing = standingWords(seen, now.directory, nowMs);
      return { key: `${kind} ${state}`, text: say`${short(told.headline, headlineCharsMax)}: ${standing}` };
    }
  }
}
