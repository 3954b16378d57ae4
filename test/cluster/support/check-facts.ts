/** Whether what was acknowledged is still so: as it was told, or as it may have become since. */
import type { Fact } from './ledger.ts';
import type { Life } from './lives.ts';

/** What may become of each state. */
const later: Readonly<Record<string, readonly string[]>> = {
  pending: [
    'pending',
    'ready',
    'denied',
    'expired',
    'cancelled',
    'started',
    'succeeded',
    'failed',
    'unknown',
  ],
  ready: ['ready', 'denied', 'expired', 'cancelled', 'started', 'succeeded', 'failed', 'unknown'],
  started: ['started', 'succeeded', 'failed', 'unknown'],
  // A gate that was taken for gone may tell how it ended after all.
  unknown: ['unknown', 'succeeded', 'failed'],
  succeeded: ['succeeded'],
  failed: ['failed'],
  denied: ['denied'],
  // By its time, perhaps before the log says so.
  expired: ['expired', 'pending', 'ready'],
  cancelled: ['cancelled'],
};

/** The state of an action by what the log holds. What only time has ended has no entry yet. */
function stateOf({ ended, started, closed, approved, opened, asked }: Life): string {
  const end = ended.at(-1);
  if (end !== undefined) return end.type.slice('execution.'.length);
  if (started.length > 0) return 'started';
  const close = closed.at(-1);
  if (close !== undefined)
    return close.type === 'grant.expired' ? 'expired' : close.type.slice('approval.'.length);
  if (approved.length > 0) return 'ready';
  if (opened.length > 0) return 'pending';
  // As the gate writes it; anything else is taken for a denial, and found by what was acknowledged.
  const verdict = asked[0]?.data['verdict'] as { readonly effect?: string } | undefined;
  return verdict?.effect === 'allow' ? 'ready' : 'denied';
}

export function wrongWithFacts(facts: readonly Fact[], lives: ReadonlyMap<string, Life>): readonly string[] {
  const byApproval = new Map<string, Life>();
  for (const life of lives.values())
    for (const { about } of life.opened) if (about.approval !== null) byApproval.set(about.approval, life);
  const problems = new Set<string>();
  const asks = new Map<string, string>();
  for (const fact of facts) {
    const wrong = (what: string): void =>
      void problems.add(`acknowledged and lost: ${what} ${JSON.stringify(fact)}`);
    const life = 'action' in fact ? lives.get(fact.action) : byApproval.get(fact.approval);
    if (life === undefined) {
      wrong('there is no such action');
      continue;
    }
    switch (fact.kind) {
      case 'state': {
        const now = stateOf(life);
        if (later[fact.state]?.includes(now) !== true) wrong(`it is ${now}`);
        if (fact.ask === null) break;
        const before = asks.get(fact.ask) ?? fact.action;
        if (before !== fact.action) wrong(`the same key was answered ${before}`);
        asks.set(fact.ask, before);
        break;
      }
      case 'reviewed': {
        const { person, decision } = fact;
        const there = life.reviews.filter((one) => one.person === person && one.decision === decision);
        if (there.length !== 1) wrong(`${there.length} such reviews`);
        break;
      }
      case 'barred':
        if (life.reviews.some((one) => one.person === fact.person && one.decision === 'approve'))
          wrong('it counted after all');
        break;
      case 'cancelled':
        if (!life.closed.some((one) => one.type === 'approval.cancelled')) wrong('it was not cancelled');
        break;
      case 'started':
        if (life.started[0]?.about.execution !== fact.execution) wrong('it never started');
        break;
      case 'outcome':
        if (life.ended.at(-1)?.type !== `execution.${fact.status}`)
          wrong(`it ended ${life.ended.at(-1)?.type ?? 'never'}`);
    }
  }
  return [...problems];
}
