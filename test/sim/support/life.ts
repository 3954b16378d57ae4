/** What one simulated life is made of: the scheduler, the world outside the gates, and what was promised to whom. */
import type { KeyObject } from 'node:crypto';
import type { ActionId, AgentId, ApprovalId, ExecutionId, PersonId } from '../../../src/core/ids.ts';
import type { Assertion } from '../../../src/ports/passkeys.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import type { Store } from '../../../src/ports/store.ts';
import type { Row } from '../../../src/store/driver.ts';
import type { SimGate } from './gate.ts';
import type { Files } from './organisation.ts';
import type { Generator } from './random.ts';
import type { Stage } from './stage.ts';
import type { Owner, Running } from './time.ts';

/** Where the gates of a life keep what they know. */
export interface Ground {
  readonly kind: 'sqlite' | 'postgres';
  /** Gates that may run beside one another. */
  readonly gatesMax: number;
  /** Opens the store as the gate of this id does. */
  open(clock: Clock, gate: string): Promise<Store>;
  /** Opens it beside the gates, to look. */
  watch(clock: Clock): Promise<Store>;
  /** Breaks some of the connections that gates have, where there are any. */
  breakConnections(): Promise<void>;
  /** Every row of every table. */
  dump(): Promise<readonly (readonly [table: string, rows: readonly Row[]])[]>;
  remove(): Promise<void>;
}

/** Something that somebody was told has happened: it must be in the store from then on. */
export type Ack =
  | { readonly kind: 'asked'; readonly action: ActionId }
  | {
      readonly kind: 'reviewed';
      readonly approval: ApprovalId;
      readonly person: PersonId;
      readonly decision: 'approve' | 'deny';
    }
  | { readonly kind: 'cancelled'; readonly approval: ApprovalId }
  | { readonly kind: 'claimed'; readonly action: ActionId; readonly execution: ExecutionId }
  | { readonly kind: 'reported'; readonly execution: ExecutionId; readonly status: string }
  | { readonly kind: 'settled'; readonly execution: ExecutionId; readonly status: string }
  | { readonly kind: 'stopped'; readonly agent: AgentId }
  /** An entry of this type whose data has this value in this field. */
  | { readonly kind: 'said'; readonly type: string; readonly field: string; readonly value: string }
  | { readonly kind: 'erased'; readonly indexes: readonly number[] };

/** One run of something outside. */
export interface Done {
  readonly action: ActionId;
  readonly execution: ExecutionId;
  readonly how: 'mediated' | 'cooperative';
}

/** Somebody waits for a case to change. */
export interface Wait {
  readonly owner: Owner;
  readonly action: ActionId;
  readonly ms: number;
  readonly by: Running | undefined;
}

export interface Witness {
  readonly url: string;
  readonly vkey: string;
  add(vkey: string): void;
}

export interface Life {
  readonly seed: number;
  readonly random: Generator;
  readonly stage: Stage;
  readonly ground: Ground;
  /** Reads the store beside all gates, and fails never. */
  readonly watcher: Store;
  readonly keys: { readonly log: KeyObject; readonly receipt: KeyObject };
  /** The newest checkpoint that was given out, as it lies beside an embedded store. */
  readonly beside: { note: string | undefined };
  readonly witness: Witness;
  /** What the files say now; counts how often they were written. */
  files: Files & { readonly version: number };
  /** Whether the upstream says something else of one of its tools. */
  changedMind: boolean;
  readonly acks: Ack[];
  readonly dones: Done[];
  /** By channel: kind and approval of what arrived. */
  readonly arrived: Map<string, Set<string>>;
  /** By place: what was shipped there, in order of arrival. */
  readonly shipped: Map<string, { readonly index: number; readonly id: string }[]>;
  /** Checkpoints that were given out: root by origin and size. */
  readonly given: Map<string, string>;
  /** Indexes of receipts that were given, and verified. */
  readonly receipts: number[];
  /** Who waits for what, at which gate. */
  readonly waits: Set<Wait>;
  /** Texts that only these actions, or words about them, hold. */
  readonly secrets: Map<string, Set<ActionId>>;
  /** What went wrong, told where it was noticed. */
  readonly wrongs: string[];
  /** How far the clock is from the steady time: on PostgreSQL all gates go by the database's, else by that of their machine. */
  readonly wall: { skewMs: number };
  /** Gives everybody a passkey, as the operator's command does. */
  enrol(gate: SimGate): Promise<void>;
  /** Signs with a person's authenticator. */
  sign(person: PersonId, challenge: string): Assertion | undefined;
}

/** When every life begins. */
export const beginsAtMs = 1_800_000_000_000;

/** The clock that all go by; it jumps, and is set back. */
export const clockOf = ({ stage, wall }: Pick<Life, 'stage' | 'wall'>): Clock => ({
  nowMs: () => Math.floor(beginsAtMs + stage.time.steadyMs + wall.skewMs),
});

/** A text becomes a part of an action, or of what is said of it. */
export function notes(life: Pick<Life, 'secrets'>, secret: unknown, action: ActionId): void {
  if (typeof secret !== 'string') return;
  const actions = life.secrets.get(secret) ?? new Set();
  life.secrets.set(secret, actions.add(action));
}

/** Text that is in one place of the life alone, so that one can look whether it is still anywhere. */
export function secretOf(life: Life): string {
  return `secret-${Buffer.from(life.random.bytes(8)).toString('hex')}`;
}
