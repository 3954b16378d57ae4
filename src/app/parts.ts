/** What the use cases are made of: ports, limits, and the world as it is accepted now. Only `main.ts` builds one. */
import { askLimitDefaults, type AskLimits } from '../core/stops.ts';
import type { Catalog } from '../ports/catalog.ts';
import type { Clock } from '../ports/clock.ts';
import type { PolicyEngine } from '../ports/policy.ts';
import type { Random } from '../ports/random.ts';
import type { Board } from '../ports/standing.ts';
import type { Store } from '../ports/store.ts';
import type { Paces } from './pace.ts';
import type { Turns } from './turns.ts';
import type { Waiters } from './waiters.ts';

export interface Limits extends AskLimits {
  /** How long an ended held action is replayed to its agent, delivered or not. */
  readonly replayMs: number;
  /** How long an MCP call is held where the client gave no progress token. */
  readonly holdMs: number;
  /** The same with a progress token. */
  readonly holdProgressMs: number;
  /** How long a preview may take. */
  readonly previewMs: number;
  /** Largest result that is kept for replay, in UTF-16 units of its JSON. */
  readonly resultCharsMax: number;
}

export const limitDefaults: Limits = {
  ...askLimitDefaults,
  replayMs: 10 * 60_000,
  holdMs: 50_000,
  holdProgressMs: 5 * 60_000,
  previewMs: 5000,
  resultCharsMax: 1_000_000,
};

/** What is accepted now, kept in step with the store; see `world.ts`. */
export interface WorldNow {
  readonly catalog: Catalog;
  /** What is observed now, by name: `crm`, `files___write_file`; the catalog says of each operation what holds for it. */
  observed(): readonly string[];
  /** Brings catalog, directory and policy engine in step with what the store has accepted. */
  sync(): Promise<void>;
}

export interface Parts {
  readonly store: Store;
  readonly policy: PolicyEngine;
  readonly clock: Clock;
  readonly random: Random;
  readonly waiters: Waiters;
  /** Takes those who count the same operation one after another. */
  readonly turns: Turns;
  /** How often things happened within a minute. */
  readonly pace: Paces;
  readonly world: WorldNow;
  readonly limits: Limits;
  /** Where upstreams and channels say how they stand; the status page reads it. */
  readonly board?: Board;
  /** The public origin, without a slash at its end. */
  readonly origin: string;
}
