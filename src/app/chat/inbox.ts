/** What waits for the person of an account, as a list: what they may approve first, the newest first in each half. */
import { stateOf, type Case } from '../../core/case.ts';
import { tagOf } from '../../core/chat.ts';
import { standingOf } from '../../core/render/standing.ts';
import { headlineOf } from '../../core/render/headline.ts';
import { exactOf } from '../../core/render/exact.ts';
import { line } from '../../core/render/shown.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ChatAccount, InboxLine, Word } from '../../ports/chat.ts';
import { approvalUrl } from '../notices.ts';
import type { Parts } from '../parts.ts';
import { listHeld } from '../review.ts';
import type { Links } from './link.ts';
import { nowIn, refusesHere, worldNow } from './look.ts';
import { inboxBound, readerOf } from './view.ts';

/** Lines of one list. */
export const linesMax = 20;
/** Approvals that are looked at for them. */
const lookMax = 100;

export interface Listed {
  readonly lines: readonly InboxLine[];
  /** How many more were found. */
  readonly more: number;
  readonly url: string;
}

export async function inboxOf(
  parts: Parts,
  links: Links,
  account: ChatAccount,
): Promise<Result<Listed, Word>> {
  const person = await readerOf(parts, links, account);
  if (!person.ok) return person;
  const by = person.value;
  const { items } = await listHeld(parts, by, { status: 'pending', limit: lookMax });
  const world = await worldNow(parts);
  const open = items.filter((held) => stateOf(held, world.nowMs) === 'pending');
  const mine = (held: Case): boolean => {
    const now = nowIn(parts, world, held, { person: by, channel: account.kind });
    // What they approve elsewhere waits for them all the same.
    const refusal = refusesHere(held, by, now, exactOf(held.asked).whole);
    return refusal === undefined || elsewhere.has(refusal.code);
  };
  const asked = open.map((held) => ({ held, isMine: mine(held) }));
  const ordered = [...asked.filter((one) => one.isMine), ...asked.filter((one) => !one.isMine)];
  const lines = ordered.slice(0, linesMax).flatMap(({ held }) => lineOf(parts, account, held, world));
  return ok({ lines, more: ordered.length - lines.length, url: `${parts.origin}/inbox` });
}

const elsewhere: ReadonlySet<string> = new Set(['wrong_channel', 'step_up_required', 'shown_incomplete']);

function lineOf(
  parts: Parts,
  account: ChatAccount,
  held: Case,
  { directory, nowMs }: Awaited<ReturnType<typeof worldNow>>,
): readonly InboxLine[] {
  const { approval, asked } = held;
  if (approval === null) return [];
  const standing = standingOf(held, directory, nowMs);
  const tag = tagOf(parts.store.joinKey(), 'inbox', inboxBound(approval.id, account));
  return [
    {
      headline: headlineOf(asked).text,
      agent: line(asked.action.agent),
      state: standing.title,
      untilMs: standing.untilMs,
      url: approvalUrl(parts.origin, approval.id),
      open: { use: 'inbox', id: approval.id, tag },
    },
  ];
}
