/**
 * What each thing that is counted (ports/meters.ts) is called for Prometheus, and what it says. docs/metrics.md has every one of
 * these names, with what to alert on; a test compares the two.
 */
import type { Counters, GaugeName, Histograms } from '../ports/meters.ts';

/** Before every name. */
export const prefix = 'countersign_';

export const counterHelp: Readonly<Record<keyof Counters, string>> = {
  store_flushes: 'Flushes of the writer, by how they ended.',
  store_flush_retries: 'Flushes that were tried again after a conflict or a lost connection.',
  store_queue_full: 'Changes that were turned away because too many waited to be written.',
  listener_lost: 'Times that the connection on which other gates’ changes are heard broke.',
  store_read_retries: 'Reads that were tried again after a lost connection.',
  listener_missed: 'Looks at the log that found what no notification had told of.',
  listener_notifications: 'Notifications of other gates that arrived.',
  verdicts: 'Actions that agents asked for, by what the policies said.',
  asks_joined: 'Asks that joined an approval or an outcome that was there already.',
  refusals: 'Commands that were refused, by their code.',
  change_faults: 'Commands that failed because the store did; each counts as a deny.',
  change_stale: 'Commands that were judged in a world that had changed, and were judged again.',
  reviews: 'Words of people on approvals.',
  approvals_ended: 'Approvals that were decided or ended, by how.',
  grants_unused: 'Approvals that were given and ran out, or were withdrawn, before the action ran.',
  executions: 'Runs of actions, by how they ended.',
  authentication_failures: 'Requests whose token, session or sign-in was not accepted.',
  spans: 'Spans of traces, by whether the collector took them.',
};

/** What is measured in seconds is measured from a thousandth of it on. */
const briefly = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** People take minutes. */
const slowly = [1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 72 * 3600];

export const histogramHelp: Readonly<
  Record<keyof Histograms, { readonly help: string; readonly buckets: readonly number[] }>
> = {
  store_flush_jobs: {
    help: 'Changes that were written together.',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
  },
  store_flush_seconds: { help: 'How long a flush takes, its fsync included.', buckets: briefly },
  store_queue_wait_seconds: { help: 'How long a change waits for its flush to begin.', buckets: briefly },
  change_seconds: { help: 'From a command to its durable answer.', buckets: briefly },
  store_read_seconds: { help: 'How long a read takes.', buckets: briefly },
  decision_seconds: { help: 'From an approval that opens until it is decided or ends.', buckets: slowly },
  approved_to_run_seconds: { help: 'From the last approval until the action starts.', buckets: slowly },
  execution_seconds: {
    help: 'How long actions run.',
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800, 3600],
  },
  http_request_seconds: {
    help: 'From a request to the head of its answer; what waits for people waits here too.',
    buckets: [0.005, 0.025, 0.1, 0.5, 1, 5, 30, 60, 300],
  },
};

export const gaugeHelp: Readonly<Record<GaugeName, string>> = {
  store_queue_jobs: 'Changes that wait for the writer.',
  store_writable: '1 where the last write worked, else 0.',
  listener_connected: '1 while notifications of other gates can arrive, else 0.',
  tree_held: '1 where this gate publishes the tree of the log, else 0.',
  waiting: 'Agents and pages that wait for an action to change.',
  mcp_calls_held: 'MCP calls that are held while people decide.',
  http_requests_open: 'Requests that are being answered.',
};
