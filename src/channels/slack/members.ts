/**
 * Asks Slack who somebody is, each time before they decide anything: who has left since must not. Fails closed. Whoever was turned
 * away stays so for a minute without a question: Slack takes so many, and guests could use up those that decisions need.
 */
import type { AccountKey } from '../../core/accounts.ts';
import type { SlackSettings } from '../../ports/channel-settings.ts';
import { refuse } from '../../core/refusal.ts';
import type { TurnedAway } from '../../ports/chat.ts';
import type { SlackWeb } from './bolt.ts';
import type { SlackFailure } from './failure.ts';
import { judgeMember } from './origin.ts';

export type Membership =
  | { readonly kind: 'member' }
  | ({ readonly kind: 'turned' } & TurnedAway)
  /** Slack could not be asked: nobody is taken for a member. */
  | { readonly kind: 'unasked'; readonly failure: SlackFailure };

export type AskMember = (account: AccountKey) => Promise<Membership>;

/** For how long, and how many of them. */
const turnedMs = 60_000;
const turnedMax = 1000;

export function askMemberOf(settings: SlackSettings, web: SlackWeb): AskMember {
  const turned = new Map<string, { readonly fromMs: number; readonly as: Membership }>();
  return async (account) => {
    const key = JSON.stringify([account.issuer, account.subject]);
    const before = turned.get(key);
    if (before !== undefined && performance.now() - before.fromMs < turnedMs) return before.as;
    turned.delete(key);
    const membership = await ask(settings, web, account);
    if (membership.kind === 'turned') turned.set(key, { fromMs: performance.now(), as: membership });
    const [oldest] = turned.keys();
    if (turned.size > turnedMax && oldest !== undefined) turned.delete(oldest);
    return membership;
  };
}

async function ask(settings: SlackSettings, web: SlackWeb, account: AccountKey): Promise<Membership> {
  const answer = await web.call('users.info', { user: account.subject });
  if (answer.ok) {
    const judged = judgeMember(answer.value, account, settings);
    return judged.ok ? { kind: 'member' } : { kind: 'turned', ...judged.error };
  }
  if (!/^user_not_(?:found|visible)$/.test(answer.error.code))
    return { kind: 'unasked', failure: answer.error };
  const refusal = refuse('not_permitted', 'Slack does not know this account here, so nothing was done.');
  return { kind: 'turned', refusal, evidence: { user: account.subject, slack: answer.error.code } };
}

/** What somebody is told whom Slack could not be asked about. */
export const unaskedRefusal = refuse(
  'upstream_unavailable',
  'Slack could not be asked who you are, so nothing was done. Press again in a moment, or use the web inbox.',
);
