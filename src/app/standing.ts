/**
 * The board of the status page: what each part said of itself last, in memory. After a restart nothing is known until
 * something happens, and the page says so. Bounded: beyond `namesMax` names whoever was silent longest gives way.
 */
import type { ChatKind } from '../core/chat.ts';
import { codesByStatus } from '../core/refusal.ts';
import type { Channel } from '../ports/channel.ts';
import type { Clock } from '../ports/clock.ts';
import type { ChannelMeters } from '../ports/meters.ts';
import type { Board, Standing } from '../ports/standing.ts';

/** Parts that are remembered. */
export const namesMax = 500;
/** UTF-16 units of one detail. */
const detailCharsMax = 500;

/** What is known of one part. */
export interface Stood {
  readonly kind: Standing['kind'];
  readonly name: string;
  /** Whether what it did last worked. */
  readonly ok: boolean;
  readonly atMs: number;
  readonly lastFailure: { readonly detail: string; readonly atMs: number } | null;
  /** Failures since it last worked. */
  readonly failures: number;
  /** When the first of these was; null where it works. */
  readonly failingSinceMs: number | null;
}

/** How often something was counted since the start. */
export interface Counted {
  readonly channel: string;
  readonly what: string;
  readonly times: number;
}

export interface ReadBoard extends Board, ChannelMeters {
  /** Undefined where it has said nothing yet. */
  of(kind: Standing['kind'], name: string): Stood | undefined;
  /** Channels that have said something, in the order of their names. */
  channels(): readonly Stood[];
  /** Places that the log is shipped to and that have said something, in the order of their names. */
  shipping(): readonly Stood[];
  /** Upstreams that have said something, in the order of their names. */
  upstreams(): readonly Stood[];
  /** Connections of agents to a server now. */
  sessionsOf(server: string): number;
  /** Tries by channel: `ok`, `failed`. */
  deliveries(): readonly Counted[];
  /** Presses by chat: `done`, the code of a refusal, or `other`. */
  presses(): readonly Counted[];
  /** Called whenever a channel fails, and when it works again. Answers how to stop. */
  watch(listener: () => void): () => void;
}

/** Counts by channel and by something of a closed list. */
class Counts {
  readonly #counts = new Map<string, Counted>();

  add(channel: string, what: string): void {
    const key = JSON.stringify([channel, what]);
    this.#counts.set(key, { channel, what, times: (this.#counts.get(key)?.times ?? 0) + 1 });
  }

  all(): readonly Counted[] {
    return [...this.#counts.values()];
  }
}

/** Why a press comes to nothing, besides the codes of refusals; the list is closed, so that no count has a name of somebody's choice. */
const outcomes: ReadonlySet<string> = new Set(['done', ...Object.values(codesByStatus).flat()]);

export function createBoard(): ReadBoard {
  const stood = new Map<string, Stood>();
  const sessions = new Map<string, number>();
  const deliveries = new Counts();
  const presses = new Counts();
  const watchers = new Set<() => void>();
  const keyOf = (kind: Standing['kind'], name: string): string => `${kind} ${name}`;
  const those = (wanted: Standing['kind']): readonly Stood[] =>
    [...stood.values()].filter(({ kind }) => kind === wanted).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return {
    say({ kind, name, ok, detail, atMs }) {
      const key = keyOf(kind, name);
      const before = stood.get(key);
      const failed = { detail: (detail ?? 'no reason given').slice(0, detailCharsMax).toWellFormed(), atMs };
      // Deleted first: the order of the map is the order of speaking.
      stood.delete(key);
      stood.set(key, {
        kind,
        name,
        ok,
        atMs,
        lastFailure: ok ? (before?.lastFailure ?? null) : failed,
        failures: ok ? 0 : (before?.failures ?? 0) + 1,
        failingSinceMs: ok ? null : (before?.failingSinceMs ?? atMs),
      });
      const [oldest] = stood.keys();
      if (stood.size > namesMax && oldest !== undefined) stood.delete(oldest);
      if (kind === 'channel' && (!ok || before?.ok === false)) for (const listener of watchers) listener();
    },
    sessions(server, by) {
      const count = (sessions.get(server) ?? 0) + by;
      if (count > 0) sessions.set(server, count);
      else sessions.delete(server);
    },
    of: (kind, name) => stood.get(keyOf(kind, name)),
    channels: () => those('channel'),
    shipping: () => those('shipping'),
    upstreams: () => those('upstream'),
    sessionsOf: (server) => sessions.get(server) ?? 0,
    delivered: (channel, ok) => deliveries.add(channel, ok ? 'ok' : 'failed'),
    pressed: (channel: ChatKind, outcome) => presses.add(channel, outcomes.has(outcome) ? outcome : 'other'),
    deliveries: () => deliveries.all(),
    presses: () => presses.all(),
    watch: (listener) => {
      watchers.add(listener);
      return () => void watchers.delete(listener);
    },
  };
}

/** A channel that says on the board how each delivery went, and is counted there. */
export const toldOn = (board: Board & ChannelMeters, clock: Clock, channel: Channel): Channel => ({
  name: channel.name,
  async deliver(told) {
    const say = (ok: boolean, detail: string | null): void => {
      board.delivered(channel.name, ok);
      board.say({ kind: 'channel', name: channel.name, ok, detail, atMs: clock.nowMs() });
    };
    try {
      const result = await channel.deliver(told);
      // Who waits for somebody else has not asked the channel.
      if (result.ok || result.error.busy !== true) say(result.ok, result.ok ? null : result.error.detail);
      return result;
    } catch (error) {
      say(false, error instanceof Error ? error.message : String(error));
      throw error;
    }
  },
});

/** What one connection to an upstream says of itself on the board, where there is one. */
export interface UpstreamStanding {
  opened(): void;
  /** It could not be opened. The detail holds no credential: agents are told the same. */
  failed(detail: string): void;
  /** It ended; again: nothing more. */
  ended(): void;
}

export function upstreamOn(
  { board, clock }: { readonly board?: Board; readonly clock: Clock },
  name: string,
): UpstreamStanding {
  let open = false;
  const say = (ok: boolean, detail: string | null): void =>
    board?.say({ kind: 'upstream', name, ok, detail, atMs: clock.nowMs() });
  return {
    opened() {
      open = true;
      board?.sessions(name, 1);
      say(true, null);
    },
    failed: (detail) => say(false, detail),
    ended() {
      if (open) board?.sessions(name, -1);
      open = false;
    },
  };
}
