/**
 * The gate asks people whether what was found may be in force, and puts it in force once they approved that very candidate. The
 * people who may are those of the directory in force, never those that the candidate names.
 */
import { joinKeyOf, likeKeyOf } from '../core/action.ts';
import { requirementsOf, type Asked, type Case } from '../core/case.ts';
import type { Again } from '../core/judged.ts';
import type { Configuration, Difference, Origin } from '../core/config-change.ts';
import {
  actionInputOf,
  changeConfigProfile,
  changesOf,
  quorumFor,
  verdictOf,
  type Quorum,
} from '../core/config-change/asking.ts';
import { differenceOf } from '../core/config-change/compare.ts';
import { everybodyMay, gateAction, gateExecutionId } from '../core/gate-operations.ts';
import { gateName } from '../core/gate.ts';
import { actionIdOf, approvalIdOf, asDigest, type PersonId } from '../core/ids.ts';
import { refuse, type Refusal } from '../core/refusal.ts';
import { err, ok, type Result } from '../core/result.ts';
import { configDigest } from '../core/steps/config.ts';
import type { Verdict, Versions } from '../core/verdict.ts';
import type { Clock } from '../ports/clock.ts';
import type { PolicyEngine } from '../ports/policy.ts';
import type { Random } from '../ports/random.ts';
import type { Store } from '../ports/store.ts';
import { asJson, inForceNow, itemisedOf, wholeDirectory, worldOf, type InForce } from './acceptance.ts';

/** What asking and putting in force need. */
export interface ChangeParts {
  readonly store: Store;
  readonly policy: PolicyEngine;
  readonly clock: Clock;
  readonly random: Random;
}

export type AskedChange =
  | { readonly kind: 'held'; readonly held: Case }
  /** Nobody can accept it here, or it cannot be shown; in words, for operators. */
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'stale' }
  | { readonly kind: 'faulted' };

/** Who is asked today; the directory is the one in force, with what providers claim. */
async function quorumNow(
  { store, clock }: ChangeParts,
  { author, chain = [] }: Pick<Origin, 'author' | 'chain'>,
): Promise<{
  readonly quorum: Quorum;
  readonly versions: Versions;
  readonly people: readonly PersonId[];
  readonly verdict: (origin: Origin) => Verdict;
}> {
  const versions = await store.versions();
  const [directory, whole] = await Promise.all([store.directory(), wholeDirectory(store)]);
  const quorum = quorumFor({ directory, whole, author, chain, nowMs: clock.nowMs() });
  const people = directory.people.map((one) => one.id);
  const verdict = (origin: Origin): Verdict =>
    quorum.kind === 'ask'
      ? verdictOf({ quorum, origin, directory, versions })
      : nobody(
          quorum.kind === 'nobody' ? quorum.why : 'Nobody is asked in a company of one person.',
          versions,
        );
  return { quorum, versions, people, verdict };
}

const nobody = (why: string, versions: Versions): Verdict => ({
  effect: 'deny',
  code: 'nobody_left',
  versions,
  recent: null,
  policyDigest: null,
  explanation: { text: why, policies: [], clauses: [], wouldAllow: [] },
  toldAgent: why,
});

/** Asks for what is left of a candidate; joins where it was asked already. @param of.anew asks again for what was refused. */
export async function askChange(
  parts: ChangeParts,
  of: {
    readonly inForce: InForce;
    readonly found: Configuration;
    readonly left: readonly Difference[];
    readonly origin: Origin;
    readonly anew: boolean;
  },
): Promise<AskedChange> {
  const { store, clock, random } = parts;
  const { inForce, found, left, origin } = of;
  const body = asJson(found);
  const candidate = configDigest(body);
  const { quorum, verdict } = await quorumNow(parts, origin);
  if (quorum.kind !== 'ask') {
    const why = quorum.kind === 'nobody' ? quorum.why : 'It is accepted as it is found.';
    return { kind: 'refused', refusal: refuse('nobody_left', why) };
  }
  const input = actionInputOf(left, { base: inForce.digest, candidate, origin });
  if (!input.ok) return { kind: 'refused', refusal: input.error };
  const identified = gateAction({
    id: actionIdOf(random.bytes(16)),
    name: 'change_config',
    startedBy: origin.author,
    delegation: origin.chain ?? [],
    resource: { type: 'Server', id: gateName },
    input: input.value,
    profile: changeConfigProfile,
    salt: Buffer.from(random.bytes(32)).toString('hex'),
  });
  const key = store.joinKey();
  const asked: Asked = {
    ...identified,
    joinKey: joinKeyOf(key, identified.action, null),
    likeKey: likeKeyOf(key, identified.action),
    mode: 'enforce',
    callback: null,
    amount: null,
    run: null,
    verdict: { ...verdict(origin), versions: inForce.versions },
    profile: changeConfigProfile,
    preview: null,
    before: null,
    atMs: clock.nowMs(),
  };
  const result = await store.change({
    kind: 'askChange',
    asked,
    approval: approvalIdOf(random.bytes(16)),
    candidate: { digest: candidate, body },
    anew: of.anew,
    expected: inForce.versions,
  });
  if (result.ok && result.value.kind === 'case') return { kind: 'held', held: result.value.case };
  if (result.ok || result.error.kind === 'stale') return { kind: 'stale' };
  return result.error.kind === 'fault'
    ? { kind: 'faulted' }
    : { kind: 'refused', refusal: result.error.refusal };
}

/** A change judged again: by whom it needs today. */
export async function judgeChange(parts: ChangeParts, held: Case): Promise<Again> {
  const { startedBy, delegation } = held.asked.action;
  const { people, verdict } = await quorumNow(parts, { author: startedBy, chain: delegation });
  const today = verdict({ author: startedBy });
  const wanted = [...requirementsOf(held), ...(today.effect === 'review' ? today.requirements : [])];
  return { verdict: today, mayApprove: everybodyMay(people, wanted), targetHolds: true, mode: 'enforce' };
}

/** How often a change is judged anew where the world moves meanwhile. */
const applyTries = 3;

/** Puts an approved change in force: in the store; the caller then loads it. Refused where it cannot be (any more). */
export async function applyChange(parts: ChangeParts, held: Case): Promise<Result<Case, Refusal>> {
  const { store, policy } = parts;
  const { id, action } = held.asked;
  const named = action.input['candidate'];
  for (let tries = 0; tries < applyTries; tries += 1) {
    const inForce = await inForceNow(store);
    const body = typeof named === 'string' ? await store.candidate(asDigest(named)) : undefined;
    if (body === undefined) return err(refuse('not_found', 'What was approved is not in the store.'));
    // Only a Configuration is kept as a candidate; that it is this one is checked in the transaction.
    const candidate = body as unknown as Configuration;
    const problem = await unproven(parts, candidate, inForce);
    if (problem !== null) return err(refuse('policy_error', problem));
    const differences = differenceOf(
      itemisedOf(policy, inForce.configuration),
      itemisedOf(policy, candidate),
    );
    const touched = changesOf(differences, action.startedBy, null, 0).map(({ what, id: of }) => ({
      what,
      id: of,
    }));
    const again = await judgeChange(parts, held);
    const result = await store.change({
      kind: 'applyChange',
      action: id,
      execution: gateExecutionId(id),
      again,
      expected: inForce.versions,
      base: inForce.digest,
      candidate: body,
      touched,
    });
    if (result.ok && result.value.kind === 'case') return ok(result.value.case);
    if (!result.ok && result.error.kind === 'refused') return err(result.error.refusal);
    if (!result.ok && result.error.kind === 'fault')
      return err(refuse('audit_unavailable', 'The log cannot be written, so it is not in force yet.'));
  }
  return err(
    refuse('policy_error', 'What is in force kept changing while this was put in force; try again.'),
  );
}

/** Why the candidate cannot be judged by; null where it can. It was proven when it was asked, with the tools of then. */
async function unproven(
  { store, policy }: ChangeParts,
  candidate: Configuration,
  { versions, parts }: InForce,
): Promise<string | null> {
  if (candidate.policies === null) return 'It has no policies.';
  if (configDigest(asJson(candidate.policies)) === parts.policies?.digest) return null;
  const world = worldOf(candidate, { tools: await store.tools(), versions });
  const { ok: proven, problems } = await policy.check(candidate.policies, world);
  const first = problems.find((one) => one.severity === 'error');
  return proven
    ? null
    : `Its policies cannot be used: ${first?.file ?? ''}:${first?.line ?? 0}: ${first?.message ?? ''}`;
}
