/**
 * The part of `/metrics` that says how things stand that gates share: the tree of the log, the gates on the store, the upstreams, and
 * what waits longest. Everything here is one row, or a row for each of a few: nothing grows with what was asked.
 */
import { Gauge, Registry } from 'prom-client';
import type { Parts } from '../app/parts.ts';
import { living, unlike } from '../core/alike.ts';

type StandingParts = Pick<Parts, 'store' | 'board' | 'transparency'>;

/** In Prometheus's text format. Rejects where the store cannot be read. */
export async function standingMetrics(
  { store, board, transparency }: StandingParts,
  nowMs: number,
): Promise<string> {
  const [oldestMs, gates, tree] = await Promise.all([
    store.oldestPendingMs(),
    store.gates(),
    transparency?.standing(),
  ]);
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string, value: number): void =>
    new Gauge({ name: `countersign_${name}`, help, registers }).set(value);
  const seconds = (sinceMs: number | null): number =>
    sinceMs === null ? 0 : Math.max(0, nowMs - sinceMs) / 1000;

  gauge(
    'approvals_oldest_seconds',
    'For how long the oldest approval has waited for people; 0: none waits.',
    seconds(oldestMs),
  );
  const alive = living(gates);
  gauge('gates_alive', 'Gates on this store that were heard of lately.', alive.length);
  gauge(
    'gates_differ',
    '1 where gates on this store read different configurations, run different versions, or one is gone; else 0.',
    store.shared && unlike(gates).length > 0 ? 1 : 0,
  );
  const durability = store.durability();
  if (durability.kind === 'standby')
    gauge(
      'standby_synchronous',
      '1 where each commit waits for a standby, else 0.',
      durability.synchronous ? 1 : 0,
    );
  if (tree !== undefined) {
    gauge('log_entries', 'Entries in the log.', tree.size);
    gauge('tree_behind_entries', 'Entries that are in no published tree yet.', tree.size - tree.published);
    if (tree.checkpoint !== null)
      gauge(
        'tree_checkpoint_age_seconds',
        'How old the newest checkpoint is.',
        seconds(tree.checkpoint.atMs),
      );
    gauge('tree_problem', '1 where something keeps the tree from being published, else 0.', tree.problem === null ? 0 : 1); // prettier-ignore
    gauge('log_damaged', '1 where the stored log was found altered, so that nothing runs.', transparency?.damage() == null ? 0 : 1); // prettier-ignore
  }
  const up = new Gauge({
    name: 'countersign_upstream_up',
    help: '1 where an MCP server was reached when it was last needed, else 0.',
    labelNames: ['server'],
    registers,
  });
  const sessions = new Gauge({
    name: 'countersign_upstream_sessions',
    help: 'Connections of agents to an MCP server.',
    labelNames: ['server'],
    registers,
  });
  for (const { name, ok } of board?.upstreams() ?? []) {
    up.set({ server: name }, ok ? 1 : 0);
    sessions.set({ server: name }, board?.sessionsOf(name) ?? 0);
  }
  return registry.metrics();
}
