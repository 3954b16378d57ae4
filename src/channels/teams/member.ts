/**
 * Whether whoever pressed is a full member of our directory, as Teams' own list of the conversation says. What the press itself
 * says of its account is not enough: guests of a team have an id in our directory, too. Pure; fails closed.
 */
import type { AccountKey } from '../../core/accounts.ts';
import type { JsonObject, JsonValue } from '../../core/json.ts';
import { refuse } from '../../core/refusal.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { TurnedAway } from '../../ports/chat.ts';

/** What Teams has of a member; all of it may be missing. */
type Member = Readonly<Record<string, unknown>>;

/**
 * @param member what Teams calls the account in the conversation; null where that is not known (after a crash).
 *
 * `userRole` alone does not tell guests: Teams has been seen to call them `user`. Their sign-in name does (`#EXT#`), and so does
 * the directory of people from a shared channel.
 */
export function judgeMember(
  answer: Member,
  account: Pick<AccountKey, 'issuer' | 'subject'>,
  member: string | null,
): Result<null, TurnedAway> {
  const evidence = {
    user: account.subject,
    tenant: textOf(answer['tenantId']),
    role: textOf(answer['userRole']),
  };
  const object = textOf(answer['aadObjectId']) ?? textOf(answer['objectId']);
  if (object?.toLowerCase() !== account.subject || (member !== null && answer['id'] !== member))
    return turned('Teams does not say who you are, so nothing was done.', evidence);
  if (textOf(answer['tenantId'])?.toLowerCase() !== account.issuer)
    return turned('You are not of the organisation that this gate serves, so nothing was done.', {
      ...evidence,
      stranger: true,
    });
  const name = textOf(answer['userPrincipalName']) ?? '';
  const role = textOf(answer['userRole'])?.toLowerCase() ?? 'user';
  if (name === '' || /#ext#/i.test(name) || !fullRoles.includes(role))
    return turned('Guests decide nothing here; only full members of the organisation do.', {
      ...evidence,
      guest: true,
    });
  return ok(null);
}

/** Of people who are not guests. Others that Teams names: `guest`, `anonymous`, `federated`. */
const fullRoles: readonly string[] = ['user', 'owner', 'member', 'admin'];

/** Teams could not be asked, or does not know them there. */
export const notAsked = (subject: string, status: number | null): TurnedAway => ({
  refusal: refuse(
    'not_permitted',
    status === 404
      ? 'Teams does not list you in this conversation, so nothing was done.'
      : 'Teams could not be asked who you are, so nothing was done. Press again in a moment, or decide in the web inbox.',
  ),
  evidence: { user: subject, asked: false, status },
});

const turned = (detail: string, evidence: JsonObject): Result<never, TurnedAway> =>
  err({ refusal: refuse('not_permitted', detail), evidence: evidence satisfies JsonValue });

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value.slice(0, 300) : null);
