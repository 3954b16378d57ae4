/**
 * Version 2: what was asked in which mode, where its asker is called back, what of it is added up; and what keeps agents in
 * bounds. What is here is never changed: stores were made with it, and a later version alters them.
 */
import type { Dialect } from './driver.ts';
import { fillInbox } from './inbox-rows.ts';
import type { Migration } from './migration.ts';

const statements = ({ ordinal }: Dialect): readonly string[] => [
  "ALTER TABLE actions ADD COLUMN mode TEXT NOT NULL DEFAULT 'enforce' CHECK (mode IN ('enforce', 'observe'))",
  "ALTER TABLE actions ADD COLUMN like_key TEXT NOT NULL DEFAULT ''",
  'ALTER TABLE actions ADD COLUMN callback TEXT',
  'ALTER TABLE actions ADD COLUMN amount BIGINT',
  "CREATE INDEX actions_pending_agent ON actions (agent) WHERE state = 'pending'",
  // The list of what is closed, found behind however much is pending.
  "CREATE INDEX actions_closed ON actions (ord) WHERE approval_id IS NOT NULL AND state <> 'pending'",
  'CREATE INDEX actions_opened ON actions (agent, asked_at_ms) WHERE approval_id IS NOT NULL',
  // A person's pending approvals, found without reading anybody else's.
  `CREATE TABLE inbox (person_id TEXT NOT NULL, ord ${ordinal}, PRIMARY KEY (person_id, ord))`,
  // How much waits: of an agent (`agent:ID`), for a person (`person:ID`). Kept, because counting what waits costs more the more waits.
  'CREATE TABLE waiting (who TEXT PRIMARY KEY, n BIGINT NOT NULL)',
  // Counts of grants by minute; minute 0 holds the count since the beginning. No window needs the single actions.
  `CREATE TABLE recent (
  operation TEXT NOT NULL,
  agent TEXT NOT NULL,
  minute BIGINT NOT NULL,
  count BIGINT NOT NULL,
  sum BIGINT NOT NULL,
  PRIMARY KEY (operation, agent, minute)
)`,
  `INSERT INTO recent (operation, agent, minute, count, sum)
  SELECT operation, agent, asked_at_ms / 60000, count(*), 0 FROM actions
    WHERE grant_expires_at_ms IS NOT NULL GROUP BY operation, agent, asked_at_ms / 60000`,
  `INSERT INTO recent (operation, agent, minute, count, sum)
  SELECT operation, agent, 0, count(*), 0 FROM actions
    WHERE grant_expires_at_ms IS NOT NULL GROUP BY operation, agent`,
  // An operation of an agent; '' stands for everything it does.
  `CREATE TABLE stops (
  agent TEXT NOT NULL,
  operation TEXT NOT NULL,
  stopped_by TEXT NOT NULL,
  reason TEXT,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (agent, operation)
)`,
  `CREATE TABLE unsafe (
  approval_id TEXT PRIMARY KEY,
  agent TEXT NOT NULL,
  operation TEXT NOT NULL,
  like_key TEXT NOT NULL,
  person_id TEXT NOT NULL,
  reason TEXT,
  at_ms BIGINT NOT NULL
)`,
  'CREATE INDEX unsafe_at ON unsafe (at_ms)',
  'CREATE TABLE used (hash TEXT PRIMARY KEY, expires_at_ms BIGINT NOT NULL)',
  'CREATE INDEX used_expires ON used (expires_at_ms)',
];

/** Fills `inbox` and `waiting` with what was pending before. */
export const version2: Migration = {
  version: 2,
  statements,
  fill: fillInbox,
  tables: ['inbox', 'waiting', 'recent', 'stops', 'unsafe', 'used'],
};
