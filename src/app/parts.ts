/** What the use cases are made of: ports, limits, and the world as it is accepted now. Only `main.ts` builds one. */
import { coolOffDefaultMs } from '../core/accounts.ts';
import type { Case } from '../core/case.ts';
import type { Difference, Origin } from '../core/config-change.ts';
import type { Digest } from '../core/ids.ts';
import type { OcsfVersion } from '../core/ocsf/ocsf.ts';
import type { Refusal } from '../core/refusal.ts';
import type { Result } from '../core/result.ts';
import { askLimitDefaults, type AskLimits } from '../core/stops.ts';
import type { Catalog } from '../ports/catalog.ts';
import type { Clock } from '../ports/clock.ts';
import type { Meters } from '../ports/meters.ts';
import type { Passkeys } from '../ports/passkeys.ts';
import type { PolicyEngine } from '../ports/policy.ts';
import type { Random } from '../ports/random.ts';
import type { Store } from '../ports/store.ts';
import type { Tracing } from '../ports/tracing.ts';
import type { Transparency } from '../ports/transparency.ts';
import type { Effective } from './accepted.ts';
import type { EvidenceDesk } from './evidence-make.ts';
import type { Paces } from './pace.ts';
import type { SignInNow } from './sign-in.ts';
import type { ReadBoard } from './standing.ts';
import type { Turns } from './turns.ts';
import type { Unwritten } from './unwritten.ts';
import type { Waiters } from './waiters.ts';

export interface Limits extends AskLimits {
  /** How long an ended held action is replayed to its agent, delivered or not. */
  readonly replayMs: number;
  /** How long a second account, a new passkey or a claimed group does not count. */
  readonly coolOffMs: number;
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
  coolOffMs: coolOffDefaultMs,
  holdMs: 50_000,
  holdProgressMs: 5 * 60_000,
  previewMs: 5000,
  resultCharsMax: 1_000_000,
};

/** How what the files say stands to what is in force. */
export interface ConfigNow {
  /** Names what the files say; null while they cannot be used. */
  readonly candidate: Digest | null;
  /** Empty where nothing waits; else all that differs still, what tightens with it. */
  readonly left: readonly Difference[];
  /** Why nobody is asked about what is left, in one sentence; null where people are, or nothing is left. */
  readonly stuck: string | null;
  /** True where asking failed for the moment. */
  readonly unasked: boolean;
  /** Since when another gate's files are newer, so that nothing of these is proposed; absent: none are. */
  readonly olderSinceMs?: number;
}

/** What is accepted now, kept in step with the store; see `world.ts`. */
export interface WorldNow {
  readonly catalog: Catalog;
  /** Servers and operations that are accepted, with the secrets of the files. */
  inForce(): Effective;
  /** How people and agents sign in, as far as it is accepted and the files still say it. */
  signIn(): SignInNow;
  config(): ConfigNow;
  /** Somebody stands for what the files say, so that it is asked about as theirs. Refused where that is not `candidate`. */
  stand(origin: Origin, candidate: Digest): Promise<Result<Case, Refusal>>;
  /** A change of the configuration has its approvals: puts it in force, and answers the case as it is then. */
  approved(held: Case): Promise<Case>;
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
  /** Verifies passkeys; absent: nobody can enrol or sign, and what asks for it is not approved. */
  readonly passkeys?: Passkeys;
  /** Where upstreams and channels say how they stand; the status page reads it. */
  readonly board?: ReadBoard;
  /** Where denials are kept that could not be written; absent: nowhere. */
  readonly unwritten?: Unwritten;
  /** Checkpoints, receipts and proofs; absent: none are given. */
  readonly transparency?: Transparency;
  /** Version of the OCSF schema that exports are written in; absent: 1.8.0. */
  readonly ocsf?: OcsfVersion;
  /** Makes evidence; absent: none is made. */
  readonly evidence?: EvidenceDesk;
  /** Spans; absent: none are made. */
  readonly tracing?: Tracing;
  /** Counts for operators; absent: nothing is counted. */
  readonly meters?: Meters;
  /** All that was counted, in Prometheus's text format; absent: nothing is. */
  readonly scrape?: () => Promise<string>;
  /** False where other gates may have taken this one for gone (app/alive.ts); absent: there are no others. */
  readonly lives?: () => boolean;
  /** The public origin, without a slash at its end. */
  readonly origin: string;
}
