/** What goes on by itself while a gate runs: deadlines, telling people, calling askers back, shipping and keeping the log. */
import { keepCallbacks } from '../app/callbacks.ts';
import { keepDeadlines } from '../app/deadlines.ts';
import { keepLease, type Leased } from '../app/lease.ts';
import { keepNotices } from '../app/notices.ts';
import { gatherMs } from '../app/outbox.ts';
import type { Parts } from '../app/parts.ts';
import { keepRetention } from '../app/retention.ts';
import { keepShipping } from '../app/shipping.ts';
import { toldOn } from '../app/standing.ts';
import { createCallback } from '../channels/callback.ts';
import type { Settings } from '../config.ts';
import { headlineOf } from '../core/render/headline.ts';
import { actionView, lookerOf } from '../http/api/views.ts';
import type { Channel, Routing } from '../ports/channel.ts';
import type { Channels } from './channels.ts';
import type { Closers } from './closers.ts';
import { createShippers } from './ship.ts';

/** Starts all of it; what is started is stopped by the closers. */
export function keepGoing(
  parts: Parts & Required<Pick<Parts, 'board'>>,
  settings: Settings,
  {
    gate,
    channels,
    routing,
    closers,
  }: {
    /** Its id. */
    readonly gate: string;
    readonly channels: Channels;
    readonly routing: () => Routing;
    readonly closers: Closers;
  },
): void {
  const { board, clock, store } = parts;
  const leased: Leased = (name, taken) =>
    keepLease(store, { name, holder: gate, ...(taken !== undefined && { taken }) });
  const deadlines = keepDeadlines(parts);
  closers.add(() => deadlines.stop());
  const told = channels.channels.map((channel) => toldOn(board, clock, channel));
  const notices = keepNotices(parts, told, (held) => headlineOf(held.asked).text, {
    routing,
    // What keeps its words true tells a moment's news as one; what cannot take a word back tells each.
    gatherMsOf: (name) => (name === 'slack' || name === 'teams' ? gatherMs : 0),
  });
  closers.add(() => notices.stop());
  const callbacks = keepCallbacks(parts, {
    channel: toldOn(board, clock, callbackOf(parts, settings)),
    headlineOf: () => '',
  });
  closers.add(() => callbacks.stop());
  const { lateMs } = settings.log;
  const shipping = keepShipping(parts, { places: createShippers(parts, settings.log), lateMs, leased });
  closers.add(() => shipping.stop());
  const retention = keepRetention(parts, { payloadsMs: settings.log.payloadsMs, leased });
  closers.add(() => retention.stop());
}

function callbackOf(parts: Parts, { callbacks }: Settings): Channel {
  return createCallback({
    settings: callbacks,
    // What its agent gets where it asks for the action itself, and no more.
    body: (held) => actionView(held, lookerOf(parts, { kind: 'agent', id: held.asked.action.agent })),
    nowMs: () => Date.now(),
  });
}
