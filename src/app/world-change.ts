/**
 * What is left of a proposal, once what only tightens is in force: asked about, withdrawn where it is moot, put in force where
 * people approved it, said where nobody can accept it.
 */
import { stateOf, type Case } from '../core/case.ts';
import type { Configuration, Difference, Origin } from '../core/config-change.ts';
import { aboutNothing } from '../core/entry.ts';
import type { Digest } from '../core/ids.ts';
import type { JsonObject } from '../core/json.ts';
import { refuse, type Refusal } from '../core/refusal.ts';
import { configDigest, isLive } from '../core/steps/config.ts';
import { asJson, inForceNow } from './acceptance.ts';
import { applyChange, askChange } from './change-config.ts';
import { putInForce, type Held } from './world-held.ts';

/** Somebody stands for one candidate, and for no other: files may say another by the time that they are read for it. */
export interface Standing {
  readonly origin: Origin;
  readonly candidate: Digest;
}

/** Asks about what is left, or withdraws what is moot. `moved`: something else came into force meanwhile. */
export async function askOnce(
  held: Held,
  found: Configuration,
  left: readonly Difference[],
  { standing }: { readonly standing?: Standing },
): Promise<'moved' | 'done'> {
  const candidate = configDigest(asJson(found));
  const origin = standing?.candidate === candidate ? standing.origin : undefined;
  const changed = held.seen !== null && held.seen !== candidate;
  held.now = { candidate, left, stuck: null, unasked: false };
  if (held.inForce === null) return 'moved';
  if (left.length === 0) {
    held.seen = candidate;
    await dropLive(held);
    return 'done';
  }
  const asked = await askChange(held, {
    inForce: held.inForce,
    found,
    left,
    origin: origin ?? { author: null },
    anew: changed || origin !== undefined,
  });
  if (asked.kind === 'stale') return 'moved';
  held.seen = candidate;
  switch (asked.kind) {
    case 'faulted':
      held.now = { ...held.now, unasked: true };
      return 'done';
    case 'refused':
      // What somebody may not stand for leaves what is asked already as it is.
      if (origin === undefined) await stuck(held, asked.refusal);
      else held.declined = asked.refusal;
      return 'done';
    case 'held':
      return settle(held, asked.held);
  }
}

/** What was approved is put in force now: by the review that completed it, or after a crash in between. */
async function settle(held: Held, one: Case): Promise<'moved' | 'done'> {
  if (one.ending?.code === 'nobody_left')
    await stuck(held, refuse('nobody_left', one.asked.verdict.explanation.text));
  if (stateOf(one, held.clock.nowMs()) !== 'ready') return 'done';
  const applied = await applyChange(held, one);
  if (applied.ok) return 'moved';
  held.now = {
    ...held.now,
    stuck: applied.error.detail,
    unasked: applied.error.code === 'audit_unavailable',
  };
  return 'done';
}

/** The last approval has come. What files say by now is compared with it afterwards; what people approved is what counts. */
export async function approved(held: Held, one: Case): Promise<Case> {
  if (stateOf(one, held.clock.nowMs()) === 'ready') {
    const applied = await applyChange(held, one);
    if (!applied.ok) {
      held.now = { ...held.now, stuck: applied.error.detail };
      // It is approved: whoever looks at the files next tries again.
      held.uncompared = true;
    } else if (one.asked.action.input['candidate'] === held.now.candidate)
      held.now = { ...held.now, left: [], stuck: null, unasked: false };
    held.inForce = await inForceNow(held.store);
    await putInForce(held);
  }
  return (await held.store.caseBy({ action: one.asked.id })) ?? one;
}

/** Nobody can accept it here: said once in the log, and wherever somebody asks. */
async function stuck(held: Held, refusal: Refusal): Promise<void> {
  await dropLive(held);
  held.now = { ...held.now, stuck: refusal.detail };
  const telling = `${held.now.candidate ?? ''} ${refusal.detail}`;
  if (held.toldStuck === telling) return;
  held.toldStuck = telling;
  const data: JsonObject = {
    code: refusal.code,
    reason: refusal.detail,
    candidate: held.now.candidate,
    changes: held.now.left.slice(0, 100).map((one) => one.says),
  };
  await held.store.change({
    kind: 'record',
    entries: [{ type: 'config.refused', by: { kind: 'gate' }, about: aboutNothing, subject: null, data }],
  });
}

/** Withdraws what was asked about a configuration that the files no longer say. */
async function dropLive({ store, clock }: Held): Promise<void> {
  const newest = await store.newestChange();
  if (newest === undefined || !isLive(newest, clock.nowMs())) return;
  await store.change({
    kind: 'dropChange',
    reason: 'The files no longer say this, or nobody can accept it.',
  });
}
