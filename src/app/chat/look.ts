/** What somebody sees of a held action from a chat, and what they could do there: core/review.ts is asked, and nothing stored. */
import { requirementsOf, type Case } from '../../core/case.ts';
import type { ChatKind } from '../../core/chat.ts';
import { changeConflictMs } from '../../core/conflict.ts';
import { voiceOf } from '../../core/counting.ts';
import { absentOf, type Absences } from '../../core/delegation.ts';
import type { World } from '../../core/eligible.ts';
import type { Refusal } from '../../core/refusal.ts';
import type { Now } from '../../core/render/people.ts';
import { present, type Presentation } from '../../core/render/present.ts';
import { checkReview } from '../../core/review.ts';
import { mayApproveOf } from '../../core/steps/common.ts';
import { askable } from '../authorize.ts';
import { mayApproveNow } from '../gates.ts';
import type { Parts } from '../parts.ts';
import type { Person } from './person.ts';

/** Who looks, and where; null: nobody in particular. */
interface Looking {
  readonly person: Person | null;
  readonly channel: ChatKind;
}

/** The world as it is now, read at one moment. */
export async function worldNow(parts: Parts): Promise<World & Required<Absences>> {
  const nowMs = parts.clock.nowMs();
  const [directory, changes, delegations] = await Promise.all([
    parts.store.directory(),
    parts.store.changes(nowMs - changeConflictMs),
    parts.store.delegations(),
  ]);
  return { directory, changes, delegations, nowMs };
}

/** Everything that judging a case needs now, for those who read or decide it. */
export const nowFor = async (parts: Parts, held: Case, looking: Looking): Promise<Now> =>
  nowIn(parts, await worldNow(parts), held, looking);

/** The same, in a world that was read for many cases. */
export function nowIn(
  parts: Parts,
  world: World & Required<Absences>,
  held: Case,
  { person, channel }: Looking,
): Now {
  const { directory, delegations, nowMs } = world;
  const people = new Set([
    ...(person === null ? [] : [person.id, ...absentOf(person.id, world)]),
    ...askable(directory, requirementsOf(held), delegations),
    ...held.reviews.flatMap((review) => [review.person, voiceOf(review)]),
  ]);
  const mayApprove = mayApproveOf(mayApproveNow(parts, held, [...people], nowMs));
  return { ...world, mayApprove, channel };
}

/** The whole of it for one reader. @param held as they may see it. */
export async function presentedTo(parts: Parts, held: Case, reader: Person, now: Now): Promise<Presentation> {
  const { action, atMs } = held.asked;
  const past = await parts.store.past(action.agent, action.operation, atMs).catch(() => null);
  return present(held, { ...now, past, reader });
}

/** Why this person's approve would be refused here; undefined where it would not, or only because it says no reason yet. */
export function refusesHere(held: Case, by: Person, now: Now, shownWhole: boolean): Refusal | undefined {
  const asked = { by, decision: 'approve', digest: held.asked.digest, reason: null, unsafe: false } as const;
  const result = checkReview(held, { ...asked, channel: now.channel, shownWhole }, now);
  return result.ok || result.error.code === 'reason_required' ? undefined : result.error;
}
