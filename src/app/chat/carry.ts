/**
 * Carrying a recorded press out: once, whatever crashes in between. Who may do what is decided by core/review.ts alone; nothing
 * here permits, and nothing skips a rule. A review carries the press as its idempotency key, so that a press which was carried
 * out and not yet marked so answers what it did before.
 */
import { clickMs, type Click, type Post } from '../../core/chat.ts';
import type { Case } from '../../core/case.ts';
import type { Idempotency } from '../../core/command.ts';
import type { JsonObject } from '../../core/json.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { sha256Hex } from '../../core/sha256.ts';
import type { Word } from '../../ports/chat.ts';
import type { Parts } from '../parts.ts';
import { review } from '../review.ts';
import { stopAgent } from '../stops.ts';
import { outOfDate } from './check.ts';
import { offerLink, type Links } from './link.ts';
import { nowFor } from './look.ts';
import { notedPost, notNoted } from './noted.ts';
import { personOf, type Person } from './person.ts';
import { toldOf } from './refused.ts';
import { doneWord, refusedBefore, refusedReview, refusedWord } from './words.ts';

const neverRecorded = refuse('not_found', 'This press was never recorded, so nothing was done.');
const tooLate = refuse(
  'not_permitted',
  'This was pressed too long ago to be carried out now, so nothing was done. Look at it again, and press again if you still mean it.',
  { why: 'too late' },
);

export async function carryOut(parts: Parts, links: Links, { id }: Click): Promise<Word> {
  const { store, clock } = parts;
  // What was recorded is carried out, and not what somebody says that it was.
  const click = await store.click(id);
  if (click === undefined) return refusedWord(neverRecorded);
  if (click.doneAtMs !== null) return answered(parts, click);
  // The clock of a log never runs backwards; one that was set back makes no press younger.
  if (Math.abs(clock.nowMs() - click.atMs) > clickMs) return refused(parts, click, tooLate);
  const post = await notedPost(parts, click.post, click.atMs);
  if (post?.state === 'sending') return refused(parts, click, notNoted);
  if (post?.at == null || post.at.place !== click.at.place || post.at.message !== click.at.message)
    return refused(parts, click, outOfDate('copy'));
  const person = await personOf(parts, click.account, await store.directory());
  if (!person.ok) {
    const word = await refused(parts, click, person.error);
    return offerLink(links, { ...click.account, kind: click.channel, display: click.display }, word);
  }
  return done(parts, click, { post, person: person.value });
}

interface Pressing {
  readonly post: Post;
  readonly person: Person;
}

async function done(parts: Parts, click: Click, { post, person }: Pressing): Promise<Word> {
  const { verb } = click;
  const result = await (verb === 'stop'
    ? stopped(parts, click, { post, person })
    : reviewed(parts, click, { post, person, decision: verb }));
  if (!result.ok) {
    const { error } = result;
    // A review that was refused has its entry; a stop has none of its own.
    const told = verb === 'stop' ? toldOf(parts, click.account, error) : null;
    await finish(parts, click, error.code, told);
    return refusedReview(
      error.code === 'audit_unavailable' ? unknown(error) : error,
      parts.origin,
      post.approval,
    );
  }
  await finish(parts, click, 'done', null);
  const held = result.value;
  return doneWord(verb, held, await nowFor(parts, held, { person, channel: click.channel }));
}

/** Nobody knows whether a write that failed was written (ports/store.ts). */
const unknown = ({ code, detail }: Refusal): Refusal =>
  refuse(code, `${detail} Whether this was recorded is not known; look at it before you press again.`);

/** What makes the press one request of that person. */
const once = (click: Click, person: Person): Idempotency => ({
  principal: `person:${person.id}`,
  key: `chat:${click.id}`,
  fingerprint: sha256Hex(JSON.stringify(['chat', click.id, click.verb, click.post])),
});

function reviewed(
  parts: Parts,
  click: Click,
  { post, person, decision }: Pressing & { readonly decision: 'approve' | 'deny' },
): Promise<Result<Case, Refusal>> {
  // What was there when it was pressed, and not what the copy has been made to show since.
  const { shown, whole } = click.seen ?? post;
  return review(parts, person, post.approval, {
    decision,
    digest: post.digest,
    reason: click.reason,
    unsafe: click.unsafe,
    channel: click.channel,
    shownWhole: whole,
    ...(shown === null ? {} : { shown }),
    idempotency: once(click, person),
  });
}

async function stopped(
  parts: Parts,
  click: Click,
  { post, person }: Pressing,
): Promise<Result<Case, Refusal>> {
  const { approval } = post;
  const held = await parts.store.caseBy({ approval });
  if (held === undefined) return err(refuse('not_found', 'There is no such approval.'));
  const { reason } = click;
  const result = await stopAgent(parts, person.id, held.asked.action.agent, {
    reason,
    approval,
    idempotency: once(click, person),
  });
  return result.ok ? ok(held) : result;
}

/** Where it cannot be marked, the press stays open: it is looked at again at the next start, and does nothing twice. */
export async function finish(
  parts: Pick<Parts, 'store'>,
  click: Click,
  outcome: string,
  told: JsonObject | null,
): Promise<void> {
  await parts.store.change({ kind: 'finishClick', click: click.id, outcome, refused: told });
}

/** Before it was a review: its entry is the press's own. */
export async function refused(
  parts: Parts,
  click: Click,
  refusal: Refusal,
  evidence: JsonObject = {},
): Promise<Word> {
  const told = toldOf(parts, click.account, refusal);
  await finish(parts, click, refusal.code, told === null ? null : { ...told, ...evidence });
  return refusedWord(refusal);
}

/** What became of a press that was carried out, or refused, before. */
export async function answered(parts: Parts, click: Click): Promise<Word> {
  const approval = (await parts.store.post(click.post))?.approval;
  const held = approval === undefined ? undefined : await parts.store.caseBy({ approval });
  if (click.outcome !== 'done' || held === undefined)
    return refusedBefore(click.outcome ?? '', parts.origin, approval);
  const now = await nowFor(parts, held, { person: null, channel: click.channel });
  return doneWord(click.verb, held, now);
}
