/**
 * The policy engine: holds the live set, replaces it at once, and judges. See ports/policy.ts for what it promises.
 *
 * Candidates are compiled in a worker (prove.ts); what comes back is plain data, so the instance of Cedar here only ever
 * sees text that was evaluated there before. Without a live set, and on anything unforeseen, the answer is a denial.
 */
import { splitOperation } from '../core/action.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Verdict, Versions } from '../core/verdict.ts';
import type { PolicyEngine, PolicyProblem, PolicyTexts, PolicyWorld } from '../ports/policy.ts';
import { mayApproveWith } from './approve.ts';
import { startCedar, type Cedar } from './cedar.ts';
import type { Compiled } from './compile.ts';
import { EntityStore } from './entities.ts';
import { Evaluator } from './evaluator.ts';
import { bareExplanation } from './explain.ts';
import { judgeWith, permitsQuestionWith, tellBroken, type Live } from './judge.ts';
import { questionOf } from './operations.ts';
import { createProver, prove, type Prove } from './prove.ts';
import { approveSliceOf, sliceOf, type Slice } from './slice.ts';
import { policyDigest } from './texts.ts';

type Held = Live & { readonly world: PolicyWorld; readonly approve: Slice | null };

/** There is no set: why, and since which versions. */
interface Broken {
  readonly reason: string;
  readonly versions: Versions;
}

/** What the engine is built from; tests replace them. */
export interface Parts {
  readonly start: () => Cedar;
  readonly prove: Prove;
}

/** Makes an engine without a set; everything is denied until `load`. */
export function createPolicyEngine(parts: Partial<Parts> = {}): PolicyEngine {
  const evaluator = new Evaluator(parts.start ?? startCedar);
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
    replace(liveOf(compiled, texts, world));
    return ok(null);
  };

  return {
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
    ...judging(() => held, evaluator),
  };
}

/** The half of the engine that answers at once, from whatever set is held at that moment. */
function judging(now: () => Held | Broken, evaluator: Evaluator): Omit<PolicyEngine, 'check' | 'load'> {
  return {
    judge(action, nowMs) {
      const held = now();
      if ('reason' in held) return denied(held, `The policy set cannot be used: ${held.reason}`);
      try {
        return judgeWith(held, evaluator, action, nowMs);
      } catch (error) {
        return denied(held, `The judgement failed: ${error instanceof Error ? error.message : 'unknown'}`);
      }
    },
    mayApprove(action, requirements, people, nowMs) {
      const held = now();
      try {
        if (!('reason' in held))
          return mayApproveWith(held, evaluator, held.approve, { action, requirements, people, nowMs });
      } catch {
        // Nobody may, as without a set.
      }
      return people.map((person) => ({ person, requirements: [] }));
    },
    permitsQuestion(action, nowMs) {
      const held = now();
      const question = { ...action, action: questionOf(action.operation) };
      try {
        return !('reason' in held) && permitsQuestionWith(held, evaluator, question, nowMs);
      } catch {
        return false;
      }
    },
    versions: () => now().versions,
    broken: () => {
      const held = now();
      return 'reason' in held ? held.reason : null;
    },
  };
}

function denied(held: Held | Broken, text: string): Verdict {
  return {
    effect: 'deny',
    code: 'policy_error',
    versions: held.versions,
    policyDigest: 'digest' in held ? held.digest : null,
    explanation: bareExplanation(text),
    toldAgent: tellBroken,
  };
}

function liveOf(compiled: Compiled, texts: PolicyTexts, world: PolicyWorld): Held {
  const slices = new Map<string, Slice>();
  return {
    compiled,
    world,
    store: new EntityStore(world.directory, compiled.entities),
    versions: world.versions,
    digest: policyDigest(texts),
    approve: approveSliceOf(compiled),
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
