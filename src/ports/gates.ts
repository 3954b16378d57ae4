/**
 * The gates that share one store: which there are, what only one of them does at a time, and whether the log may be gone on with.
 * Promises of every implementation (test/store/contract-gates.ts): times are the store's own, so that no gate's clock decides who
 * is gone; a lease has one holder at any time; what is told here is told to all gates.
 */
import type { ExecutionId } from '../core/ids.ts';

/** What a gate says of itself. */
export interface GateBody {
  readonly host: string;
  readonly pid: number;
  /** Where it listens. */
  readonly url: string;
  /** Of the program. */
  readonly version: string;
  /** The schema that the program knows. */
  readonly schema: number;
  /** The digest of the configuration that its files say; null: they say none that can be used. */
  readonly config: string | null;
  /** Whether that is what was proposed last; false: its files are older, and wait for nothing. */
  readonly current: boolean;
}

export interface GateRow {
  readonly id: string;
  readonly startedAtMs: number;
  /** Since when it has been heard of without a gap. */
  readonly steadyAtMs: number;
  /** For how long nothing was heard of it, by the store's clock. */
  readonly silentMs: number;
  readonly body: GateBody;
}

/** What was proposed of the configuration, by the digest of the whole. */
export interface ProposedRow {
  readonly digest: string;
  /** When it was proposed last; later than all that was proposed before it. */
  readonly atMs: number;
}

export interface Gates {
  /** Whether other gates may be on the same store; false: the store lets in one at a time. */
  readonly shared: boolean;
  /** Says that the gate lives; null where that could not be written. Those that were silent for long are forgotten. */
  beat(gate: string, body: GateBody): Promise<readonly GateRow[] | null>;
  /** The gate is no more: it runs nothing. */
  leave(gate: string): Promise<void>;
  /** The longest there first. */
  gates(): Promise<readonly GateRow[]>;
  /** Mediated executions that are `started` and whose gate is gone (core/runner.ts); those that no gate runs too. */
  orphans(): Promise<readonly ExecutionId[]>;
  /**
   * Takes a lease for `forMs` (60 s at most), or keeps it; false while another holder has it, or it could not be written. With 0
   * it is given back.
   */
  takeLease(name: string, holder: string, forMs: number): Promise<boolean>;
  /** Whether a lease could be taken by this holder now. */
  leaseFree(name: string, holder: string): Promise<boolean>;
  /** Whether this holder could take the tree now (ports/log-store.ts). */
  treeFree(holder: string): Promise<boolean>;
  /** Why nothing may run, told to all gates; null: no more. False where it could not be written. */
  setDamage(what: string | null): Promise<boolean>;
  /** What a gate found altered in the log, in a sentence; null: nothing. */
  damage(): Promise<string | null>;
  /** A configuration is proposed: from here on it is the newest. False where it could not be written. */
  propose(digest: string): Promise<boolean>;
  /** Whether this one was ever proposed, and the newest of all; undefined: none was. */
  proposals(digest: string): Promise<{
    readonly known: ProposedRow | undefined;
    readonly newest: ProposedRow | undefined;
  }>;
}
