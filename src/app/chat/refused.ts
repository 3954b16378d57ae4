/**
 * What the log is told of presses that were refused before they were a review: enough to see an attack, and so little that an
 * account which presses all day fills nothing.
 */
import type { AccountKey } from '../../core/accounts.ts';
import type { Place } from '../../core/chat.ts';
import { aboutNothing } from '../../core/entry.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Refusal } from '../../core/refusal.ts';
import type { ChatAccount, Pressed } from '../../ports/chat.ts';
import type { Parts } from '../parts.ts';

/** Entries of one account within a minute. */
export const toldPerMinute = 10;
/** Characters of anything that a platform says, in an entry. */
const textMax = 200;

const bounded = (text: string): string => text.slice(0, textMax).toWellFormed();

export const keyOf = ({ kind, issuer, subject }: AccountKey): AccountKey => ({ kind, issuer, subject });

/** Evidence for an entry, with a note where it is the last within its minute; null: this minute has had its entries. */
export function toldOf(
  { pace, clock }: Pick<Parts, 'pace' | 'clock'>,
  account: AccountKey,
  { detail, evidence }: Refusal,
): JsonObject | null {
  const key = `press ${JSON.stringify([account.kind, account.issuer, account.subject])}`;
  const count = pace.told.count(key, clock.nowMs());
  if (count > toldPerMinute) return null;
  return {
    detail: bounded(detail),
    ...evidence,
    ...(count === toldPerMinute ? { note: 'Further refusals within a minute leave no entry.' } : {}),
  };
}

/** Leaves an entry about a press that was not even recorded. Where it cannot be written, it is refused all the same. */
export async function tellRefused(
  parts: Parts,
  press: { readonly account: ChatAccount; readonly pressed: Pressed; readonly at: Place | null },
  refusal: Refusal,
): Promise<void> {
  const { account, pressed, at } = press;
  const told = toldOf(parts, account, refusal);
  if (told === null) return;
  await parts.store.change({
    kind: 'record',
    entries: [
      {
        type: 'click.refused',
        by: { kind: 'gate' },
        about: aboutNothing,
        subject: null,
        data: {
          channel: account.kind,
          verb: pressed.use,
          code: refusal.code,
          account: { kind: account.kind, issuer: bounded(account.issuer), subject: bounded(account.subject) },
          at: at === null ? null : { place: bounded(at.place), message: bounded(at.message) },
          post: bounded(pressed.id),
          ...told,
        },
      },
    ],
  });
}
