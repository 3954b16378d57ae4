/**
 * One AuthZEN evaluation: what the gate would answer now if the caller asked for this action. It is read by agents, so of the
 * verdict it tells what an agent is told, and no more: no clause, no value, no change that would be allowed.
 *
 * Promise: nothing is created. A `true` is no grant: whoever runs an action asks for it (`POST /v1/actions`), and is then on
 * record.
 */
import { stateOf, type Case } from '../../core/case.ts';
import type { AgentPrincipal } from '../../core/directory.ts';
import { refuse, statusOf, type Refusal } from '../../core/refusal.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { rfc3339 } from '../../core/time.ts';
import { hex, resourceOf, type Attempt } from '../../app/authorize.ts';
import { foresee } from '../../app/foresee.ts';
import type { Parts } from '../../app/parts.ts';
import { attemptOf, type Wanted } from '../api/ask.ts';
import type { Evaluation } from './read.ts';

/** AuthZEN 1.0 §5: the decision, and a context whose members are ours. */
export interface Evaluated {
  readonly decision: boolean;
  readonly context: Readonly<Record<string, unknown>>;
}

/** How long a hint that an approval can be asked for is good; what is asked is judged anew in any case. */
const requestableMs = 10 * 60_000;

/** Refused: the request is wrong, or about somebody else; there is no decision then. */
export async function evaluate(
  parts: Parts,
  by: AgentPrincipal,
  wanted: Evaluation,
): Promise<Result<Evaluated, Refusal>> {
  const { subject } = wanted;
  if (subject.type.toLowerCase() !== 'agent' || subject.id !== by.id)
    return err(
      refuse('not_permitted', 'An agent asks about itself: the subject is of type Agent with its own id.'),
    );
  const attempt = attemptFor(parts, by, wanted);
  const base = {
    evaluation_id: `evl_${hex(parts.random.bytes(16))}`,
    evaluated_at: rfc3339(parts.clock.nowMs()),
  };
  const foreseen = attempt.ok ? await foresee(parts, attempt.value) : attempt;
  if (foreseen.ok) return ok(decided(parts, foreseen.value, base));
  const { code, detail } = foreseen.error;
  const status = statusOf(code);
  if (status === 400 || status === 413) return foreseen;
  // What asking would be refused with: stopped, paused, too much, disabled.
  return ok({ decision: false, context: { ...base, reason: code, code, reason_user: { en: detail } } });
}

/** As `POST /v1/actions` would have it, with a resource that must be what is judged: AuthZEN callers always name one. */
function attemptFor(parts: Parts, by: AgentPrincipal, wanted: Evaluation): Result<Attempt, Refusal> {
  const { operation, resource, input } = wanted;
  const profile = parts.world.catalog.entry(operation)?.profile ?? null;
  const implied = resourceOf({ operation, resource: null, input, profile });
  const said = resource === null || same(resource, implied) ? null : resource;
  const asked: Wanted = { operation, resource: said, input, reason: null, session: null, callback: null };
  const attempt = attemptOf(parts, by, asked, null);
  if (!attempt.ok || said === null || same(resourceOf(attempt.value), said)) return attempt;
  return err(
    refuse('input_invalid', '"resource" is not what this is about: the operation’s profile says that.', {
      pointer: '/resource',
    }),
  );
}

const same = (a: Attempt['resource'], b: Attempt['resource']): boolean =>
  a?.type === b?.type && a?.id === b?.id;

/** The decision on a case that asking would make. */
function decided(parts: Parts, held: Case, base: Evaluated['context']): Evaluated {
  const { action, verdict, mode, glass, atMs } = held.asked;
  const state = stateOf(held, atMs);
  const { enforcement } = action;
  // To its agent what is observed, or passes under break-glass, is allowed: else it would learn what will be held.
  if (mode === 'observe' || glass !== undefined)
    return { decision: true, context: { ...base, verdict: 'allow', enforcement } };
  const context = { ...base, verdict: verdict.effect, ...whyOf(held), enforcement };
  if (state !== 'pending') return { decision: state === 'ready', context };
  // OpenID AuthZEN Access Request and Approval Profile, draft 1: a denial that can be asked for stays a denial.
  const access_request = {
    endpoint: `${parts.origin}/v1/actions`,
    template: action.operation,
    expires_at: rfc3339(atMs + requestableMs),
  };
  return { decision: false, context: { ...context, access_request } };
}

/** What the agent is told of a verdict that does not simply allow. */
function whyOf({ asked: { verdict } }: Case): Evaluated['context'] {
  const reason_user = { en: verdict.toldAgent };
  switch (verdict.effect) {
    case 'allow':
      return {};
    case 'review':
      return { reason: 'approval_required', reason_user };
    case 'deny':
      return { reason: verdict.code, code: verdict.code, reason_user };
  }
}
