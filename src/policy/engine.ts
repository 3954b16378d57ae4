/**
 * The policy engine: holds the live set, replaces it at once, and judges. See ports/policy.ts for what it promises.
 *
 * Candidates are compiled in a worker (prove.ts); what comes back is plain data, so the instance of Cedar here only ever
 * sees text that was evaluated there before. Without a live set, and on anything unforeseen, the answer is a denial.
 */
import { splitOperation } from '../core/action.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Verdict, Versions } from '../core/verdict.ts';
import type { LivePolicy, PolicyEngine, PolicyProblem, PolicyTexts, PolicyWorld } from '../ports/policy.ts';
import { mayApproveWith } from './approve.ts';
import { startCedar, type Cedar } from './cedar.ts';
import type { Compiled } from './compile.ts';
import { EntityStore } from './entities.ts';
import { Evaluator } from './evaluator.ts';
import { LocalTime } from './context.ts';
import { explained } from './counterfactual.ts';
import { Allowance } from './allowance.ts';
import { bareExplanation } from './explain.ts';
import { createItems } from './items.ts';
import { judgeWith, permitsQuestionWith } from './judge.ts';
import { tellBroken, type Live } from './prepare.ts';
import { Memo } from './memo.ts';
import { createProver, prove, type Prove } from './prove.ts';
import { defaultRoles, mayDoWith, mayWithoutSet, RoleSlices } from './roles.ts';
import { approveSliceOf, sliceOf, type Slice } from './slice.ts';
import { policyDigest } from './texts.ts';
import { writtenPolicies } from './written.ts';

type Held = Live & {
  readonly world: PolicyWorld;
  readonly approve: Slice | null;
  readonly roles: RoleSlices;
  readonly texts: PolicyTexts;
};

/** There is no set: why, and since which versions. */
interface Broken {
  readonly reason: string;
  readonly versions: Versions;
}

/** What the engine is built from; tests replace them. */
export interface Parts {
  readonly start: () => Cedar;
  readonly prove: Prove;
  /** IANA name of the zone of `context.system.local`; default UTC. Throws where there is no such zone. */
  readonly timezone: string;
  /** How long the search for counterfactuals of one verdict may take. */
  readonly explainMsMax: number;
  /** And the searches of one second together: whoever floods the gate with denials gets fewer of them explained. */
  readonly explainMsPerSecond: number;
}

/** People wait for nothing here, but the gate does nothing else meanwhile. */
const explainDefaults = { msMax: 25, msPerSecond: 200 } as const;

/** Makes an engine without a set; everything is denied until `load`. */
export function createPolicyEngine(parts: Partial<Parts> = {}): PolicyEngine {
  const evaluator = new Evaluator(parts.start ?? startCedar);
  const zone = new LocalTime(parts.timezone ?? 'UTC');
  const explaining = new Allowance(
    parts.explainMsMax ?? explainDefaults.msMax,
    parts.explainMsPerSecond ?? explainDefaults.msPerSecond,
  );
  const proven = createProver(parts.prove ?? ((candidate) => prove(candidate)));
  let held: Held | Broken = {
    reason: 'no policy set was loaded yet',
    versions: { policySet: 0, directory: 0, tools: 0 },
  };
  let loads: Promise<unknown> = Promise.resolve();

  const replace = (next: Held | Broken): void => {
    held = next;
    evaluator.reset();
  };

  const loadNow = async (
    texts: PolicyTexts | null,
    world: PolicyWorld,
    reason: string | null,
  ): Promise<Result<null, readonly PolicyProblem[]>> => {
    if (texts === null) {
      replace({ reason: reason ?? 'there is no usable policy set', versions: world.versions });
      return ok(null);
    }
    const { compiled, problems } = await proven({ texts, world, contain: true });
    if (compiled === null) return err(problems);
    replace(liveOf(compiled, texts, { world, zone }));
    return ok(null);
  };

  const items = createItems(parts.start);
  return {
    items: (texts) => items.itemsOf(texts),
    tightened: (accepted, found, decision) => items.textsWith(accepted, found, decision),
    async check(texts, world) {
      const { compiled, problems } = await proven({ texts, world, contain: false });
      return { ok: compiled !== null, problems };
    },
    load(texts, world, reason) {
      // One after the other, so that the last one asked for is the one that stays.
      const done = loads.then(() => loadNow(texts, world, reason));
      loads = done.catch(() => undefined);
      return done;
    },
    ...judging(() => held, evaluator, explaining),
  };
}

/** The half of the engine that answers at once, from whatever set is held at that moment. */
function judging(
  now: () => Held | Broken,
  evaluator: Evaluator,
  allowance: Allowance,
): Omit<PolicyEngine, 'check' | 'load' | 'items' | 'tightened'> {
  /** Split once for each set, when somebody first reads it. */
  let read: { readonly held: Held; readonly policies: readonly LivePolicy[] } | undefined;
  return {
    judge(action, nowMs, recent) {
      const held = now();
      if ('reason' in held) return denied(held, `The policy set cannot be used: ${held.reason}`);
      try {
        return judgeWith(held, evaluator, { action, nowMs, recent });
      } catch (error) {
        return denied(held, `The judgement failed: ${error instanceof Error ? error.message : 'unknown'}`);
      }
    },
    readsRecent(operation) {
      const held = now();
      return !('reason' in held) && held.slice(operation)?.reads.recent != null;
    },
    explain(action, nowMs, verdict, forOperators = false) {
      const held = now();
      if ('reason' in held) return verdict;
      const question = { action, nowMs, recent: verdict.recent };
      try {
        return allowance.spend((msMax) =>
          explained(held, evaluator, question, { verdict, forOperators, msMax }),
        );
      } catch {
        return verdict; // what is not told changes nothing
      }
    },
    mayApprove(action, requirements, people, nowMs) {
      const held = now();
      try {
        if (!('reason' in held))
          return mayApproveWith(held, evaluator, held, { action, requirements, people, nowMs });
      } catch {
        // Nobody may, as without a set.
      }
      return people.map((person) => ({ person, requirements: [] }));
    },
    ...roleAnswers(now, evaluator),
    permitsQuestion(action, nowMs, recent = null) {
      const held = now();
      try {
        return !('reason' in held) && permitsQuestionWith(held, evaluator, { action, nowMs, recent });
      } catch {
        return false;
      }
    },
    policies: () => {
      const held = now();
      if ('reason' in held) return [];
      if (read?.held !== held)
        read = { held, policies: writtenPolicies(held.texts, held.compiled.statements) };
      return read.policies;
    },
    versions: () => now().versions,
    broken: () => {
      const held = now();
      return 'reason' in held ? held.reason : null;
    },
  };
}

/** Who reads and administers. */
function roleAnswers(
  now: () => Held | Broken,
  evaluator: Evaluator,
): Pick<PolicyEngine, 'mayDo' | 'narrows' | 'roles'> {
  return {
    mayDo(person, act, facts, nowMs) {
      const held = now();
      if ('reason' in held) return mayWithoutSet(act);
      try {
        return mayDoWith(held, evaluator, held.roles.slice(act), { person, facts, nowMs });
      } catch {
        return false;
      }
    },
    narrows(act) {
      const held = now();
      return 'reason' in held ? !mayWithoutSet(act) : held.roles.narrows(act);
    },
    roles: () => defaultRoles,
  };
}

function denied(held: Held | Broken, text: string): Verdict {
  return {
    effect: 'deny',
    code: 'policy_error',
    versions: held.versions,
    recent: null,
    policyDigest: 'digest' in held ? held.digest : null,
    explanation: bareExplanation(text),
    toldAgent: tellBroken,
  };
}

function liveOf(
  compiled: Compiled,
  texts: PolicyTexts,
  { world, zone }: { readonly world: PolicyWorld; readonly zone: LocalTime },
): Held {
  const slices = new Map<string, Slice>();
  return {
    compiled,
    world,
    texts,
    store: new EntityStore(world.directory, compiled.entities),
    versions: world.versions,
    zone,
    profiles: world.profiles ?? {},
    digest: policyDigest(texts),
    memo: new Memo(),
    approve: approveSliceOf(compiled),
    roles: new RoleSlices(compiled),
    slice(action) {
      const known = slices.get(action);
      if (known !== undefined) return known;
      // Only names of the set's operations have a slice, so there are finitely many.
      const slice = splitOperation(action) === undefined ? undefined : sliceOf(compiled, action);
      if (slice !== undefined) slices.set(action, slice);
      return slice;
    },
  };
}
