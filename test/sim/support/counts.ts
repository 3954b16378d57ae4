/** What a life was full of, and what it hangs on where it does not end: for whoever reads the line of a seed. */
import type { EntryType } from '../../../src/core/entry.ts';
import type { SimGate } from './gate.ts';
import { clockOf, type Life } from './life.ts';
import type { Model } from './model.ts';

export function countsOf({ stage, dones, receipts }: Life, model: Model): Readonly<Record<string, number>> {
  const of = (type: EntryType): number => model.types.get(type) ?? 0;
  return {
    entries: model.size,
    ...stage.counts,
    asked: of('action.asked'),
    held: of('approval.opened'),
    approved: of('approval.approved'),
    ran: of('execution.started'),
    effects: dones.length,
    receipts: receipts.length,
    glasses: of('glass.opened'),
    stopped: of('agent.stopped'),
    delegations: of('delegation.made'),
    erasures: of('payloads.erased'),
    refusedReviews: of('review.refused'),
    configs: of('policies.accepted') + of('directory.accepted'),
    seconds: Math.round(stage.time.steadyMs / 1000),
  };
}

/** What is still open. */
export async function leftOf(life: Life, model: Model, gates: readonly SimGate[]): Promise<string> {
  const open = [...model.actions.values()].filter(
    (told) =>
      (told.approval !== null && told.ended === null && told.execution === null) ||
      (told.execution !== null && told.outcome === null),
  );
  const tables = new Map(await life.ground.dump());
  return JSON.stringify({
    parked: life.stage.parked,
    open: open.map(({ id, granted, execution }) => ({ id, granted, execution })),
    gates: gates.map(({ publisher }) => [publisher.given, publisher.problem]),
    notices: tables.get('notices')?.length,
    rows: tables.get('gates'),
    nowMs: clockOf(life).nowMs(),
    size: model.size,
    shipped: life.shipped.get('siem')?.length,
  });
}
