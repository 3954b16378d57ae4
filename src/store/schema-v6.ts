/**
 * Version 6: many gates on one database. Which gates there are, which of them runs what, who has a lease; what tells a writer
 * that the world has moved, and one of an older program that it may write no more. What is here is never changed once it was
 * released: stores were made with it, and a later version alters them.
 */
import type { Migration } from './migration.ts';
import { cut, prove } from './partitions.ts';

const head: readonly string[] = [
  // Grows with every commit that changes the world that actions are judged in: while it stands, what was read of it holds.
  'ALTER TABLE log_head ADD COLUMN world BIGINT NOT NULL DEFAULT 0',
  // The lowest schema whose programs may write; a later version that they would harm raises it.
  'ALTER TABLE log_head ADD COLUMN writers BIGINT NOT NULL DEFAULT 6',
];

const gates: readonly string[] = [
  // JSON `body`: where it listens, its version, what configuration it reads (ports/gates.ts).
  `CREATE TABLE gates (
  id TEXT PRIMARY KEY,
  started_at_ms BIGINT NOT NULL,
  -- Since when it was heard of without a gap.
  steady_at_ms BIGINT NOT NULL,
  seen_at_ms BIGINT NOT NULL,
  body TEXT NOT NULL
)`,
  // The gate that runs it; NULL: an agent's own process does, or an earlier program wrote it.
  'ALTER TABLE executions ADD COLUMN gate TEXT',
  // Work that one gate at a time does.
  `CREATE TABLE leases (
  name TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  until_ms BIGINT NOT NULL
)`,
  // Configurations that gates proposed, by digest: a gate whose files are older than the newest proposes nothing.
  `CREATE TABLE proposals (
  digest TEXT PRIMARY KEY,
  at_ms BIGINT NOT NULL
)`,
  // Why nothing may run any more: the gate that holds the tree found the log altered.
  'ALTER TABLE log_published ADD COLUMN damage TEXT',
  // W3C traceparent of whoever asked, so that later spans can be linked to that one.
  'ALTER TABLE actions ADD COLUMN trace TEXT',
];

/** For what is asked again and again however much there is: sweeps, the outbox, pages of what people did. */
const indexes: readonly string[] = [
  'CREATE INDEX sessions_expires ON sessions (expires_at_ms)',
  'CREATE INDEX links_expires ON links (expires_at_ms)',
  'CREATE INDEX recent_minute ON recent (minute) WHERE minute <> 0',
  // What was due once and still waits: most notices are about a later time.
  'CREATE INDEX notices_since ON notices (since_ms, channel)',
  "CREATE INDEX accepted_machine ON accepted (at_ms) WHERE how = 'machine'",
  'CREATE INDEX glasses_from ON glasses (from_ms, id)',
  'CREATE INDEX reconciliations_at ON reconciliations (at_ms, id)',
  'CREATE INDEX delegations_from ON delegations (from_person)',
  'CREATE INDEX delegations_to ON delegations (to_person)',
  'CREATE INDEX tokens_principal ON tokens (kind, principal_id)',
  'CREATE INDEX tokens_at ON tokens (at_ms)',
  'CREATE INDEX links_person ON links (person_id)',
  'CREATE INDEX begun_person ON begun (person_id) WHERE person_id IS NOT NULL',
  'CREATE INDEX unsafe_agent ON unsafe (agent, operation)',
  // An erasure looks for what was answered about an action, among the keys of a whole day.
  'CREATE INDEX idempotency_answer ON idempotency (answer)',
];

export const version6: Migration = {
  version: 6,
  statements: () => [...head, ...gates, ...indexes],
  prepare: prove,
  arrange: cut,
  tables: ['gates', 'leases', 'proposals'],
};
