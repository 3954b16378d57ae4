/** Keeps a comparison with what a target recorded. */
import type { KeptReconciliation } from '../core/reconcile.ts';
import type { Driver } from './driver.ts';

export async function writeReconciliation(driver: Driver, kept: KeptReconciliation): Promise<void> {
  await driver.run('INSERT INTO reconciliations (id, at_ms, body) VALUES ($1, $2, $3)', [
    kept.id,
    Date.parse(kept.at),
    JSON.stringify(kept),
  ]);
}
