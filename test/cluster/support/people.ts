/** People: they look at what is pending on any gate, and decide as the seed has it, often two at one moment on two gates. */
import { answered, type Field } from './client.ts';
import { approvers, auditor, owners } from './organisation.ts';
import { decisionOf, type Word } from './plan.ts';
import { chanceOf, pause } from './random.ts';

const lookMs = 120;
const listMax = 200;
/** How soon people come back to what still waits. */
const againMs = 1000;

interface Pending {
  readonly id: string;
  readonly digest: string;
  readonly requirements: readonly { readonly quorum: number }[];
  readonly action: {
    readonly id: string;
    readonly agent: string;
    readonly operation: string;
    readonly input: { readonly n: number };
  };
}

/** Decides whatever is pending, until it is told to end; then finishes what it has begun. */
export async function keepDeciding(field: Field, seed: number, ended: AbortSignal): Promise<void> {
  const chance = chanceOf(seed, 3);
  /** When each was decided last; never, while that goes on. */
  const decidedMs = new Map<string, number>();
  const times = new Map<number, number>();
  const deciding = new Set<Promise<void>>();
  while (!ended.aborted) {
    const path = `/v1/approvals?status=pending&limit=${listMax}`;
    const listed = await answered(field, chance, { method: 'GET', path, token: field.tokens[auditor] ?? '' });
    if (listed.status !== 200) {
      field.ledger.surprise(`the inbox was answered ${listed.status} ${JSON.stringify(listed.body)}`);
      await pause(lookMs);
      continue;
    }
    // The API's own form of an approval.
    for (const one of listed.body.items as readonly Pending[]) {
      const lastMs = decidedMs.get(one.id);
      // What waits although it was decided is looked at again, but for what nobody has time for.
      if (lastMs !== undefined && (isBrief(one) || Date.now() - lastMs < againMs)) continue;
      decidedMs.set(one.id, Number.POSITIVE_INFINITY);
      const { n } = one.action.input;
      const time = times.get(n) ?? 0;
      times.set(n, time + 1);
      const done = decide(field, seed, one, time).finally(() => {
        decidedMs.set(one.id, Date.now());
        deciding.delete(done);
      });
      deciding.add(done);
    }
    await pause(lookMs);
  }
  await Promise.all(deciding);
}

const isBrief = ({ action }: Pending): boolean => action.operation.endsWith('brief');

async function decide(field: Field, seed: number, held: Pending, time: number): Promise<void> {
  const { agent, input } = held.action;
  const quorum = held.requirements[0]?.quorum ?? 1;
  const brief = isBrief(held);
  const { delayMs, moments, goesOn, chance } = decisionOf(seed, { n: input.n, agent, quorum, brief }, time);
  await pause(delayMs);
  const spoke = new Set<string>();
  const say = async (word: Word, first: number, key: string): Promise<number> => {
    spoke.add(word.person);
    const sentMs = Date.now();
    const said = await answered(field, chance, {
      method: 'POST',
      path: `/v1/approvals/${held.id}/reviews`,
      token: field.tokens[word.person] ?? '',
      key: `review-${held.id}-${time}-${key}`,
      body: {
        decision: word.decision,
        digest: held.digest,
        ...(word.decision === 'deny' ? { reason: 'no', unsafe: word.unsafe } : {}),
      },
      first,
    });
    const { person, decision } = word;
    if (said.body?.status === 'approved') field.ledger.decided(held.action.id, sentMs);
    if (said.status === 201) field.ledger.note({ kind: 'reviewed', approval: held.id, person, decision });
    else noteRefusal(field, held.id, word, said);
    return said.status;
  };
  for (const [at, words] of moments.entries()) {
    const first = chance.below(field.gates.length);
    await Promise.all(words.map((word, nth) => say(word, first + nth, `${at}-${nth}`)));
  }
  if (!goesOn) return;
  for (const person of approvers) {
    if (spoke.has(person) || person === owners[agent]) continue;
    const looked = await answered(field, chance, {
      method: 'GET',
      path: `/v1/approvals/${held.id}`,
      token: field.tokens[auditor] ?? '',
    });
    if (looked.status !== 200 || looked.body.status !== 'pending') return;
    await say({ person, decision: 'approve', unsafe: false }, chance.below(field.gates.length), 'later');
  }
}

/** The codes that a review may be refused with here: it was decided, they spoke already, or they may not. */
function noteRefusal(
  { ledger, readsAhead }: Field,
  approval: string,
  { person }: Word,
  { status, body }: { readonly status: number; readonly body: { readonly code?: string } },
): void {
  const { code } = body;
  // As of what is not there: they were shown what only a primary had that is gone.
  const gone = status === 404 || code === 'not_an_approver';
  if (code === 'no_self_approval') ledger.note({ kind: 'barred', approval, person });
  else if (gone && readsAhead) ledger.count('reviews of what was gone with its primary');
  else if (code !== 'approval_closed' && code !== 'already_reviewed')
    ledger.surprise(`the review of ${approval} by ${person} was answered ${status} ${JSON.stringify(body)}`);
}
