/**
 * A chat platform as a channel: an approval's notices become one card at each place where those are reached whom it is for, and
 * every copy of it, cards and open views, says afterwards what the store says. Under a card follows what happens; the agent's
 * owners are told the outcome in person. The same for every platform: what they can do is in ports/messenger.ts.
 *
 * Promises: what is over is never posted as open; no copy is left saying what was; what has arrived is in the log, once a copy
 * (copies.ts); whatever could not be done is an answer, and done by the next try, without doing the rest again.
 */
import { stateOf, type Case } from '../core/case.ts';
import type { Post } from '../core/chat.ts';
import { shortDigest } from '../core/render/shown.ts';
import { glassWords } from '../core/render/chat-words.ts';
import type { ApprovalId } from '../core/ids.ts';
import { err, ok } from '../core/result.ts';
import type { Channel, Destination, Proof } from '../ports/channel.ts';
import type { Messenger } from '../ports/messenger.ts';
import { cardFor, glassCard, versionAt } from './cards.ts';
import { Gathered, heldNow, type Delivery } from './delivery.ts';
import { once, refresh, settle, type Source } from './copies.ts';
import {
  busy,
  isUnderWay,
  rememberAgain,
  wasSentAgain,
  write,
  type Desk,
  type Draft,
  type Tried,
} from './desk.ts';
import type { Parts } from './parts.ts';
import { sayUnder, tellOwners } from './posting-says.ts';

/** Places that one approval is posted to on one channel. */
export const cardsMax = 20;
/** Copies of one approval on one channel that are kept true: all cards, and the newest views. */
export const copiesMax = 100;

/** The channel of a messenger. @param organisations whose accounts read there: `issuer` of account keys. */
export function createPosting(
  parts: Parts,
  messenger: Messenger,
  organisations: () => readonly string[],
): Channel {
  const desk: Desk = { parts, messenger, ended: new Map(), again: new Set() };
  return {
    name: messenger.name,
    async deliver(told) {
      const approval = told.case.approval?.id;
      if (approval === undefined) return ok([]);
      const gathered = new Gathered(parts.clock);
      await deliver({ desk, told, approval, organisations, gathered });
      return gathered.answer();
    },
  };
}

async function deliver(one: Delivery): Promise<void> {
  switch (one.told.kind) {
    case 'glass.opened':
    case 'glass.closed':
    case 'glass.reviewed':
      return deliverGlass(one, one.told.kind);
    case 'approval.opened':
    case 'approval.reviewed':
    case 'approval.escalated':
    case 'approval.reminded':
    case 'approval.closed':
    case 'execution.ended': {
      const before = await postsOf(one);
      await keepTrue(one, await askAt(one, before));
      await sayUnder(one, before);
      return tellOwners(one);
    }
  }
}

const postsOf = ({ desk, approval }: Delivery): Promise<readonly Post[]> =>
  desk.parts.store.postsOf(approval, desk.messenger.name);

const isPending = (one: Delivery, held: Case): boolean =>
  stateOf(held, one.desk.parts.clock.nowMs()) === 'pending';

/** What a delivery has begun at the places of its notice. */
interface Begun {
  /** Copies that it has posted. */
  readonly posted: ReadonlySet<Post['id']>;
  /** Places that it has tried. */
  readonly tried: ReadonlySet<string>;
}

/** Posts what is asked where it is not yet, while it is pending. */
async function askAt(one: Delivery, known: readonly Post[]): Promise<Begun> {
  const { told, gathered } = one;
  const posted = new Set<Post['id']>();
  const tried = new Set<string>();
  if (told.to.length > cardsMax)
    gathered.failed({ detail: `it is posted to ${cardsMax} places at most`, retryable: false });
  for (const place of told.to.slice(0, cardsMax)) {
    const held = gathered.isOver() ? undefined : await heldNow(one);
    if (held === undefined || !isPending(one, held)) break;
    if (known.some((post) => isCardAt(post, place))) continue;
    tried.add(place.to);
    const draft = draftOf(held, one.approval, place);
    const sent = await once(one.desk, draft, { key: '', known, source: sourceOf(one, true) });
    if (!sent.ok) gathered.failed(sent.error);
    else if (sent.value !== null) posted.add(sent.value.id);
  }
  return { posted, tried };
}

const isCardAt = (post: Post, { to }: Destination): boolean =>
  post.kind === 'card' && post.state === 'posted' && post.to === to;

const draftOf = (held: Case, approval: ApprovalId, { group, to }: Destination): Draft => ({
  approval,
  kind: 'card',
  group,
  to,
  digest: held.asked.digest,
});

const proofOf = ({ to, at }: Post): Proof => ({ to, ref: at?.message ?? null });

/** @param asking only while people are waited for: what is over is not posted as a question. */
function sourceOf(one: Delivery, asking: boolean): Source {
  const { desk } = one;
  return {
    version: async () => {
      const held = await heldNow(one);
      return held === undefined || (asking && !isPending(one, held))
        ? null
        : versionAt(held, desk.parts.clock.nowMs());
    },
    content: async (post) => {
      const held = (await heldNow(one)) ?? one.told.case;
      const { card, version } = await cardFor(desk.parts, held, post, desk.messenger.asksReason);
      return { laid: desk.messenger.lay(card, post.kind === 'view' ? 'view' : 'card'), version };
    },
  };
}

/** Brings every copy in step with the store. */
async function keepTrue(one: Delivery, { posted, tried }: Begun): Promise<void> {
  const { desk, gathered, told } = one;
  const source = sourceOf(one, false);
  const version = await source.version();
  const isWrong = (post: Post): boolean => post.state === 'posted' && post.version !== version;
  const copies = copiesOf(await postsOf(one));
  // What says what was comes first: sending the rest again may take all the time that there is.
  for (const post of copies.toSorted((a, b) => Number(isWrong(b)) - Number(isWrong(a)))) {
    if (gathered.isOver()) return;
    // Nobody asks twice within a moment what became of it.
    if (post.state === 'sending' && post.kind === 'card' && tried.has(post.to)) continue;
    const there = post.state === 'posted' ? ok(post) : await found(one, post);
    if (!there.ok) gathered.failed(there.error);
    if (!there.ok || there.value.state !== 'posted') continue;
    const again = told.again === true && !posted.has(post.id) && !wasSentAgain(desk, told.id, post);
    const kept = await refresh(desk, there.value, source, again);
    if (kept.ok && again) rememberAgain(desk, told.id, post);
    if (!kept.ok) gathered.failed(kept.error);
    else if (kept.value.state === 'posted') gathered.arrived(proofOf(kept.value));
  }
}

/** All cards, and the newest of the views, that are there or may be. */
function copiesOf(posts: readonly Post[]): readonly Post[] {
  const live = posts.filter((post) => post.state === 'posted' || post.state === 'sending');
  const cards = live.filter((post) => post.kind === 'card').slice(0, copiesMax);
  const views = live.filter((post) => post.kind === 'view').toReversed();
  return [...cards, ...views.slice(0, copiesMax - cards.length)];
}

/** A copy that is written down as being sent: by somebody who died, or who is at it now. */
async function found(one: Delivery, post: Post): Tried<Post> {
  // A view is asked for by somebody who waits for it; what did not arrive then never does.
  if (post.kind === 'view') return isUnderWay(one.desk, post) ? err(busy) : ok(post);
  const settled = await settle(one.desk, post);
  if (!settled.ok || settled.value.state !== 'sending') return settled;
  const held = await heldNow(one);
  if (held !== undefined && isPending(one, held)) return settled; // whoever was to post it will
  return write(one.desk, { ...post, state: 'lost' });
}

/** There is no card of break-glass that could be kept true: each of its notices is a message of its own, for good. */
async function deliverGlass(
  one: Delivery,
  kind: 'glass.opened' | 'glass.closed' | 'glass.reviewed',
): Promise<void> {
  const { desk, told, gathered, approval } = one;
  const { glass, url } = told;
  if (glass === undefined) return;
  const words = glassWords(kind, glass.now, glass.names);
  const { digest } = told.case.asked;
  const card = glassCard(words, {
    url,
    shortDigest: shortDigest(digest),
    open: kind === 'glass.opened',
  });
  const source: Source = {
    version: () => Promise.resolve(kind),
    content: () => Promise.resolve({ laid: desk.messenger.lay(card, 'card'), version: kind }),
  };
  const known = await postsOf(one);
  for (const { group, to } of told.to.slice(0, cardsMax)) {
    if (gathered.isOver()) return;
    const sent = await once(
      desk,
      { approval, kind: 'note', group, to, digest },
      { key: kind, known, source },
    );
    if (!sent.ok) gathered.failed(sent.error);
    else if (sent.value !== null) gathered.arrived(proofOf(sent.value));
  }
  return tellOwners(one);
}
