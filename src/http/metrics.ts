/**
 * `/metrics`: what operators watch, in Prometheus's text format. Promises: no secret, no name of a person, place or action; every
 * label is a name of the gate's own, so that nobody outside makes new series; asking often costs no more than asking seldom.
 */
import { Counter, Gauge, Registry } from 'prom-client';
import type { Parts } from '../app/parts.ts';
import { standingMetrics } from './metrics-standing.ts';

export type MetricsParts = Pick<Parts, 'store' | 'board' | 'clock' | 'scrape' | 'transparency'>;

/** An answer is given again for so long: whoever may ask may ask often. */
const keptMs = 1000;

/** Answers `GET /metrics`. Rejects where the store cannot be read. */
export function createMetrics(parts: MetricsParts): () => Promise<Response> {
  let kept: { readonly atMs: number; readonly text: Promise<string> } | undefined;
  return async () => {
    const nowMs = parts.clock.nowMs();
    if (kept === undefined || Math.abs(nowMs - kept.atMs) >= keptMs) {
      const text = whole(parts, nowMs);
      kept = { atMs: nowMs, text };
      // What failed is asked again.
      text.catch(() => (kept = undefined));
    }
    return new Response(await kept.text, { headers: { 'content-type': Registry.PROMETHEUS_CONTENT_TYPE } });
  };
}

/** What the store and the board say now, what was counted since the start, and how the parts stand that others share. */
async function whole(parts: MetricsParts, nowMs: number): Promise<string> {
  const texts = [measured(parts, nowMs)];
  if (parts.scrape !== undefined) texts.push(parts.scrape(), standingMetrics(parts, nowMs));
  return (await Promise.all(texts)).join('');
}

/** A registry of its own each time: nothing is counted in two places, and what is gone is not told any more. */
async function measured({ store, board }: Pick<Parts, 'store' | 'board'>, nowMs: number): Promise<string> {
  const [waiting, failing, pending] = await Promise.all([
    store.noticesByChannel(),
    store.failingNotices(),
    store.pendingApprovals(),
  ]);
  const registry = new Registry();
  const registers = [registry];
  const channels = board?.channels() ?? [];

  const deliveries = new Counter({
    name: 'countersign_deliveries_total',
    help: 'Tries to tell a channel of one notice, by what became of them.',
    labelNames: ['channel', 'result'],
    registers,
  });
  // A series that is not there cannot be compared with itself of an hour ago.
  for (const { name } of channels)
    for (const result of ['ok', 'failed']) deliveries.inc({ channel: name, result }, 0);
  for (const { channel, what, times } of board?.deliveries() ?? [])
    deliveries.inc({ channel, result: what }, times);

  const presses = new Counter({
    name: 'countersign_presses_total',
    help: 'Presses of buttons in chats, by what became of them: done, or the code of a refusal.',
    labelNames: ['channel', 'outcome'],
    registers,
  });
  for (const { channel, what, times } of board?.presses() ?? [])
    presses.inc({ channel, outcome: what }, times);

  const down = new Gauge({
    name: 'countersign_channel_failing',
    help: '1 where the last delivery failed, or failed before a restart and was not tried since; else 0.',
    labelNames: ['channel'],
    registers,
  });
  for (const { channel } of failing) down.set({ channel }, 1);
  for (const { name, ok } of channels) down.set({ channel: name }, ok ? 0 : 1);

  const notices = new Gauge({
    name: 'countersign_notices_waiting',
    help: 'Notices that a channel has still to be told.',
    labelNames: ['channel'],
    registers,
  });
  const oldest = new Gauge({
    name: 'countersign_notices_oldest_seconds',
    help: 'For how long the oldest of them has waited.',
    labelNames: ['channel'],
    registers,
  });
  for (const { name } of channels) {
    notices.set({ channel: name }, 0);
    oldest.set({ channel: name }, 0);
  }
  for (const { channel, count, oldestMs } of waiting) {
    notices.set({ channel }, count);
    oldest.set({ channel }, Math.max(0, nowMs - oldestMs) / 1000);
  }

  await shippingGauges(registers, store, board);

  new Gauge({
    name: 'countersign_approvals_pending',
    help: 'Approvals that wait for people.',
    registers,
  }).set(pending);
  return registry.metrics();
}

/** How far each place that the log is shipped to is behind. */
async function shippingGauges(
  registers: Registry[],
  store: Parts['store'],
  board: Parts['board'],
): Promise<void> {
  const [cursors, { size }] = await Promise.all([store.cursors(), store.head()]);
  const behind = new Gauge({
    name: 'countersign_shipping_behind_entries',
    help: 'Entries of the log that a place has still to be shipped.',
    labelNames: ['place'],
    registers,
  });
  const shipFails = new Gauge({
    name: 'countersign_shipping_failing',
    help: '1 where the last batch could not be shipped, else 0.',
    labelNames: ['place'],
    registers,
  });
  // Places that are configured no more have a cursor still.
  for (const { name, ok } of board?.shipping() ?? []) {
    const next = cursors.find((one) => one.name === name)?.next ?? 0;
    behind.set({ place: name }, Math.max(0, size - next));
    shipFails.set({ place: name }, ok ? 0 : 1);
  }
}
