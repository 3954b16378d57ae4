/**
 * What operators count. Promises: counting never fails and is never waited for; what is counted is kept in memory from the start
 * of the process on; every value of a label is one of a closed list, so that nobody outside makes up new ones, and none is an id.
 * Names are without `countersign_` before and the unit behind them: docs/metrics.md has them as Prometheus sees them.
 */
import type { ApprovalStatus, Channel, ExecutionStatus } from '../core/case.ts';
import type { ChatKind } from '../core/chat.ts';
import type { Code } from '../core/refusal.ts';
import type { Verdict } from '../core/verdict.ts';

/** What becomes of telling people, and of what they press in chats. */
export interface ChannelMeters {
  /** One try to tell a channel of one notice: whether it has arrived. */
  delivered(channel: string, ok: boolean): void;
  /** A press in a chat was carried out or refused. @param outcome `done`, or the code of a refusal. */
  pressed(channel: ChatKind, outcome: string): void;
}

/** Commands of the store that are told apart; all others are `other`. */
export type CommandName = 'ask' | 'review' | 'claim' | 'outcome' | 'cancel' | 'settle' | 'due' | 'other';

/** No labels. */
export type Bare = Readonly<Record<string, never>>;

/** What only grows, with its labels. */
export interface Counters {
  /** Flushes of the writer by how they ended. */
  readonly store_flushes: { readonly result: 'ok' | 'fault' };
  /** Flushes that were tried again: a conflict with another writer, a connection that broke. */
  readonly store_flush_retries: Bare;
  /** Changes that were turned away because too many waited. */
  readonly store_queue_full: Bare;
  /** Times that the connection to the database that listens broke. */
  readonly listener_lost: Bare;
  /** Reads that were tried again. */
  readonly store_read_retries: Bare;
  /** Looks at the log that found what no notification had told of. */
  readonly listener_missed: Bare;
  /** Notifications that arrived. */
  readonly listener_notifications: Bare;
  /** What agents asked, by what the policies said. */
  readonly verdicts: { readonly effect: Verdict['effect']; readonly mode: 'enforce' | 'observe' };
  /** Asks that joined an approval that was there. */
  readonly asks_joined: Bare;
  /** Commands that were refused. */
  readonly refusals: { readonly command: CommandName; readonly code: Code };
  /** Commands that failed because the store did: each was a deny. */
  readonly change_faults: { readonly command: CommandName };
  /** Commands that were judged in a world that had changed, and so were judged again. */
  readonly change_stale: { readonly command: CommandName };
  readonly reviews: { readonly decision: 'approve' | 'deny'; readonly channel: Channel };
  /** Approvals that ended, by how. */
  readonly approvals_ended: { readonly status: Exclude<ApprovalStatus, 'pending'> };
  /** Approvals that were given, and ended before the action ran. */
  readonly grants_unused: { readonly code: 'expired' | 'other' };
  readonly executions: {
    readonly status: Exclude<ExecutionStatus, 'started'>;
    readonly enforcement: 'mediated' | 'cooperative';
  };
  /** Requests that named nobody whom the gate knows. */
  readonly authentication_failures: { readonly how: 'bearer' | 'session' | 'sign_in' };
  readonly spans: { readonly result: 'exported' | 'dropped' | 'failed' };
}

/** What is measured often, with its labels: durations in seconds, or sizes. */
export interface Histograms {
  /** Jobs of one flush. */
  readonly store_flush_jobs: Bare;
  readonly store_flush_seconds: Bare;
  /** How long a change waited for its flush to begin. */
  readonly store_queue_wait_seconds: Bare;
  /** From a command to its answer. */
  readonly change_seconds: { readonly command: CommandName };
  readonly store_read_seconds: Bare;
  /** From an approval that opens to how it ends. */
  readonly decision_seconds: { readonly status: Exclude<ApprovalStatus, 'pending'> };
  /** From the last approval to the start of the run. */
  readonly approved_to_run_seconds: Bare;
  readonly execution_seconds: { readonly enforcement: 'mediated' | 'cooperative' };
  readonly http_request_seconds: {
    readonly method: string;
    /** A template, never an address. */
    readonly route: string;
    readonly status: string;
  };
}

/** What is so and so much now. */
export type GaugeName =
  /** Changes that wait for the writer. */
  | 'store_queue_jobs'
  /** 1 where the last write worked. */
  | 'store_writable'
  /** 1 while notifications of other gates can arrive. */
  | 'listener_connected'
  /** 1 where this gate publishes the tree. */
  | 'tree_held'
  /** Agents and pages that wait for a case to change. */
  | 'waiting'
  /** MCP calls that are held while people decide. */
  | 'mcp_calls_held'
  | 'http_requests_open';

export interface Meters {
  /** Adds one, or as many as are given. */
  count<N extends keyof Counters>(name: N, labels: Counters[N], by?: number): void;
  /** One measurement. Durations are in seconds. */
  observe<N extends keyof Histograms>(name: N, value: number, labels: Histograms[N]): void;
  /** Asks `read` whenever somebody looks; it must not wait, and what it throws is left out. The newest of a name counts. Answers how to stop. */
  gauge(name: GaugeName, read: () => number): () => void;
}

/** Counts nothing. */
export const noMeters: Meters = {
  count: () => undefined,
  observe: () => undefined,
  gauge: () => () => undefined,
};
