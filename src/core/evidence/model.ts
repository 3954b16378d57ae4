/**
 * The evidence of a period: what an auditor is given, as one value. It is made from entries of the log alone and from the versions
 * that those entries name, so that the same query gives the same; whoever renders it (PDF, XLSX, pages) adds nothing to it. The rows
 * of the population are not in it: they come in pages (app/evidence.ts), because there may be a hundred thousand.
 *
 * Promises: what cannot be computed is `unknown` and never `passed`; what was only observed, passed under break-glass or ran in the
 * agent's own process says so. Text of agents, tools and people in it is `Shown` where it is a sentence, and raw where it is a name
 * or a file: a renderer escapes that.
 */
import type { Answered, Exception } from './model-exceptions.ts';
import type {
  AccessReview,
  PolicyVersion,
  Reconciliation,
  ReviewerStatistics,
  Roster,
  Scope,
} from './model-sections.ts';
import type { Counts, Sample } from './model-rows.ts';
import type { Shown } from '../render/shown.ts';
import type { AgentId, PersonId, Sha256Hex } from '../ids.ts';
import type { KeyUse } from '../log-key.ts';
import type { ControlResult, Suggested } from './model-controls.ts';

/** Half open: from inclusive, to exclusive. */
export interface Period {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What was asked for: with this and the log, anybody makes the same again. */
export interface EvidenceQuery extends Period {
  /**
   * Entries of the log that count, for what is read beyond the period (answers of management): those below this index. Null: all
   * there are; the evidence then names the number.
   */
  readonly asOf: number | null;
  readonly samples: SampleQuery | null;
}

/** Which rows an auditor looks at closely. */
export type SampleQuery =
  /** From 1, as the population numbers them. */
  | { readonly kind: 'rows'; readonly rows: readonly number[] }
  /** By the end checkpoint's root and a number that the auditor chose after seeing it: `core/evidence/selection.ts`. */
  | { readonly kind: 'seed'; readonly number: string; readonly count: number };

export interface CheckpointRef {
  readonly origin: string;
  readonly size: number;
  /** Base64 of 32 bytes. */
  readonly root: string;
  /** The signed note without cosignatures. */
  readonly note: string;
  readonly atMs: number;
  /** Verifier keys of the witnesses that cosigned it. */
  readonly cosignedBy: readonly string[];
  readonly cosignatures: readonly string[];
  /** RFC 3161 token over the note's body, DER, base64; null: none. */
  readonly stamp: string | null;
  readonly stampedAtMs: number | null;
}

/** `witnessed`: enough others have signed the end checkpoint; `unpublished`: no checkpoint covers the period's last entry. */
export type Tier = 'witnessed' | 'tamper-detecting' | 'unpublished';

export interface KeyRef {
  readonly id: string;
  readonly use: KeyUse;
  readonly origin: string | null;
  /** SubjectPublicKeyInfo, DER, base64. */
  readonly spki: string;
  readonly begunAtMs: number;
  /** The tree's size when it began to sign. */
  readonly begunAt: number;
  readonly endedAtMs: number | null;
}

/** The part of the log that the evidence is made of. */
export interface LogRange {
  readonly origin: string | null;
  /** Index of the first entry of the period; equals `to + 1` where the period has none. */
  readonly from: number;
  /** Index of the last, inclusive. */
  readonly to: number;
  /** Entries: `to - from + 1`. */
  readonly count: number;
  /** Chain heads before the first and with the last entry; null before the log's first. */
  readonly headBefore: Sha256Hex | null;
  readonly headAfter: Sha256Hex | null;
  /** The first that covers all entries before the period; null: none does, or there are none. */
  readonly start: CheckpointRef | null;
  /** The first that covers the period's last entry; null: none does yet. */
  readonly end: CheckpointRef | null;
  readonly tier: Tier;
  /** Distinct witnesses that `witnessed` wants. */
  readonly quorum: number;
  /** Keys that signed while any entry of the period was signed. */
  readonly keys: readonly KeyRef[];
}

/**
 * Who made it. `operator`: somebody with the rights of the configuration's files, whom the gate cannot tell apart; `stated` is the
 * name that they gave with it, which nobody checked: it is never taken for a person of the log.
 */
export type Maker =
  | { readonly kind: 'person'; readonly id: PersonId; readonly name: Shown }
  | { readonly kind: 'operator'; readonly stated: Shown | null };

/** How the number of rows is known to be right. */
export interface Completeness {
  /** Entries `action.asked` counted over the index range, whatever they say. */
  readonly asked: number;
  /** Rows of the population, made from the entries about each action. */
  readonly rows: number;
  /** Entries seen in the range; as many as indexes, with none missing. */
  readonly entries: number;
  readonly dense: boolean;
  readonly complete: boolean;
  /** How to count it again without this program, in one sentence. */
  readonly how: Shown;
}

export interface Evidence {
  readonly v: 1;
  readonly period: Period;
  readonly madeAtMs: number;
  readonly madeBy: Maker;
  readonly generator: { readonly name: string; readonly version: string };
  /** The public origin of the gate. */
  readonly gate: string;
  /** The exact command that makes the same at the gate's machine; from another one, with `--url` and the gate behind it. */
  readonly command: string;
  readonly query: EvidenceQuery & { readonly asOf: number };
  readonly log: LogRange;
  readonly completeness: Completeness;
  readonly counts: Counts;
  /** Attempts that were refused before they were actions (bad input, stopped agent, limits), by code: no rows of the population. */
  readonly attempts: readonly { readonly code: string; readonly count: number }[];
  /** Reviews that the gate refused, by code: people who tried to approve or deny what was not theirs to decide. */
  readonly refusedReviews: readonly { readonly code: string; readonly count: number }[];
  /** Asked before the period, and decided or run in it: rows of an earlier population, counted here so that none falls between. */
  readonly carriedIn: {
    readonly count: number;
    readonly indexes: readonly number[];
    readonly more: number;
  };
  readonly scope: Scope;
  readonly exceptions: readonly Exception[];
  /** Exceptions of a kind that are not listed one by one, because there are more than a report can hold. */
  readonly exceptionsLeftOut: readonly { readonly kind: Exception['kind']; readonly count: number }[];
  /** Answers of management that name no exception of this period. */
  readonly otherAnswers: readonly Answered[];
  readonly policies: readonly PolicyVersion[];
  readonly roster: Roster;
  readonly access: AccessReview;
  readonly reviewers: readonly ReviewerStatistics[];
  readonly reconciliations: readonly Reconciliation[];
  readonly controls: readonly ControlResult[];
  readonly suggested: readonly Suggested[];
  readonly samples: {
    readonly query: SampleQuery | null;
    /** How they were chosen, so that anybody can choose the same. */
    readonly how: readonly Shown[];
    readonly chosen: readonly Sample[];
  };
  /** What the evidence does not show, in plain sentences. */
  readonly notCovered: readonly Shown[];
  /** Agents of the period, for whoever lists them first. */
  readonly agents: readonly AgentId[];
}
