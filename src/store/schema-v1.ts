/** The tables of version 1. What is here is never changed: stores were made with it, and a later version alters them. */
import type { Dialect } from './driver.ts';
import type { Migration } from './migration.ts';

// An action's number (`ord`: the index of its first entry) is its key inside the store. Ids are random, and each index over
// random keys costs every new row a page of its own to write; numbers grow, so that new rows share their pages.
const actions = ({ ordinal }: Dialect): string => `CREATE TABLE actions (
  ord ${ordinal} PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  agent TEXT NOT NULL,
  operation TEXT NOT NULL,
  enforcement TEXT NOT NULL,
  join_key TEXT NOT NULL,
  run TEXT,
  asked_at_ms BIGINT NOT NULL,
  state TEXT NOT NULL,
  due_at_ms BIGINT,
  approval_id TEXT,
  approval TEXT,
  grant_expires_at_ms BIGINT,
  consumed_at_ms BIGINT,
  ending TEXT,
  digest TEXT NOT NULL,
  subject TEXT NOT NULL,
  verdict TEXT NOT NULL,
  profile TEXT,
  preview TEXT,
  look_before TEXT,
  canonical TEXT NOT NULL,
  CHECK ((approval_id IS NULL) = (approval IS NULL)),
  CHECK (consumed_at_ms IS NULL OR grant_expires_at_ms IS NOT NULL)
)`;

// The second guard of the rules no-self-approval and distinct-people: each person of the conflict set has a row `barred`
// from the moment the approval is opened, and so no room for a row `approve`. A deny (`stops`) has a place of its own.
const reviews = `CREATE TABLE reviews (
  approval_id TEXT NOT NULL,
  person_id TEXT NOT NULL,
  stops BIGINT NOT NULL,
  decision TEXT NOT NULL,
  ord BIGINT NOT NULL,
  digest TEXT,
  reason TEXT,
  unsafe BIGINT NOT NULL,
  channel TEXT,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (approval_id, person_id, stops),
  CHECK (decision IN ('approve', 'deny', 'barred')),
  CHECK (stops IN (0, 1)),
  CHECK ((decision = 'deny') = (stops = 1)),
  CHECK (decision = 'barred' OR (digest IS NOT NULL AND channel IS NOT NULL))
)`;

// The second guard of running once: an action has room for one execution.
const executions = ({ ordinal }: Dialect): string => `CREATE TABLE executions (
  action_ord ${ordinal} PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  status TEXT NOT NULL,
  started_at_ms BIGINT NOT NULL,
  ended_at_ms BIGINT,
  outcome_by TEXT,
  detail TEXT,
  result TEXT NOT NULL,
  CHECK (status IN ('started', 'succeeded', 'failed', 'unknown')),
  CHECK ((status = 'started') = (ended_at_ms IS NULL))
)`;

const log = ({ ordinal }: Dialect): readonly string[] => [
  `CREATE TABLE entries (
  idx ${ordinal} PRIMARY KEY,
  at_ms BIGINT NOT NULL,
  type TEXT NOT NULL,
  action_ord BIGINT,
  stray_action TEXT,
  statement TEXT NOT NULL,
  pae TEXT NOT NULL,
  head TEXT NOT NULL
)`,
  'CREATE INDEX entries_action ON entries (action_ord, idx) WHERE action_ord IS NOT NULL',
  'CREATE INDEX entries_stray ON entries (stray_action, idx) WHERE stray_action IS NOT NULL',
  `CREATE TABLE log_head (
  one BIGINT PRIMARY KEY CHECK (one = 1),
  size BIGINT NOT NULL,
  head TEXT NOT NULL,
  at_ms BIGINT NOT NULL
)`,
];

const indexes: readonly string[] = [
  'CREATE UNIQUE INDEX actions_approval ON actions (approval_id) WHERE approval_id IS NOT NULL',
  "CREATE INDEX actions_join ON actions (join_key, ord) WHERE approval_id IS NOT NULL OR state = 'unknown'",
  'CREATE INDEX actions_held ON actions (ord) WHERE approval_id IS NOT NULL',
  "CREATE INDEX actions_pending ON actions (ord) WHERE state = 'pending'",
  'CREATE INDEX actions_due ON actions (due_at_ms) WHERE due_at_ms IS NOT NULL',
  'CREATE INDEX actions_past ON actions (agent, operation, asked_at_ms, state, due_at_ms)',
  "CREATE INDEX executions_running ON executions (action_ord) WHERE status = 'started'",
];

const world: readonly string[] = [
  `CREATE TABLE accepted (
  what TEXT NOT NULL,
  version BIGINT NOT NULL,
  digest TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (what, version),
  CHECK (what IN ('policies', 'directory'))
)`,
  `CREATE TABLE tools (
  server TEXT NOT NULL,
  tool TEXT NOT NULL,
  status TEXT NOT NULL,
  hash TEXT,
  seen_hash TEXT,
  at_ms BIGINT NOT NULL,
  definition TEXT,
  seen TEXT,
  PRIMARY KEY (server, tool),
  CHECK (status IN ('enabled', 'waiting', 'disabled'))
)`,
  `CREATE TABLE changes (
  what TEXT NOT NULL,
  subject TEXT NOT NULL,
  person_id TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  accepted_by TEXT,
  PRIMARY KEY (what, subject, person_id, at_ms)
)`,
  'CREATE INDEX changes_at ON changes (at_ms)',
];

const access: readonly string[] = [
  'CREATE TABLE tokens (hash TEXT PRIMARY KEY, kind TEXT NOT NULL, principal_id TEXT NOT NULL, at_ms BIGINT NOT NULL)',
  'CREATE TABLE links (hash TEXT PRIMARY KEY, person_id TEXT NOT NULL, expires_at_ms BIGINT NOT NULL, used_at_ms BIGINT)',
  'CREATE TABLE sessions (hash TEXT PRIMARY KEY, person_id TEXT NOT NULL, expires_at_ms BIGINT NOT NULL)',
];

const delivery: readonly string[] = [
  `CREATE TABLE notices (
  id TEXT PRIMARY KEY,
  channel TEXT NOT NULL,
  kind TEXT NOT NULL,
  approval_id TEXT NOT NULL,
  ord BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  due_at_ms BIGINT NOT NULL,
  CHECK (kind IN ('approval.opened', 'approval.closed'))
)`,
  'CREATE INDEX notices_due ON notices (channel, due_at_ms)',
  `CREATE TABLE idempotency (
  principal TEXT NOT NULL,
  key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  answer TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (principal, key)
)`,
  'CREATE INDEX idempotency_at ON idempotency (at_ms)',
];

/** Everything that a store of the first version holds. */
export const version1: Migration = {
  version: 1,
  statements: (dialect) => [
    actions(dialect),
    reviews,
    executions(dialect),
    ...log(dialect),
    ...indexes,
    ...world,
    ...access,
    ...delivery,
  ],
  tables: [
    'actions',
    'reviews',
    'executions',
    'entries',
    'log_head',
    'accepted',
    'tools',
    'changes',
    'tokens',
    'links',
    'sessions',
    'notices',
    'idempotency',
  ],
};
