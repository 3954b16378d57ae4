/**
 * Version 4: copies of approvals in chats, what they showed, and what is pressed there; and notices that say why they wait. What
 * is here is never changed once it was released: stores were made with it, and a later version alters them.
 */
import type { Migration } from './migration.ts';

const notices: readonly string[] = [
  `CREATE TABLE notices_v4 (
  id TEXT PRIMARY KEY,
  channel TEXT NOT NULL,
  kind TEXT NOT NULL,
  approval_id TEXT NOT NULL,
  ord BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  due_at_ms BIGINT NOT NULL,
  instead_of TEXT,
  fell_back BIGINT NOT NULL DEFAULT 0,
  detail TEXT,
  since_ms BIGINT NOT NULL DEFAULT 0,
  CHECK (kind IN ('approval.opened', 'approval.reviewed', 'approval.closed', 'approval.escalated', 'approval.reminded', 'execution.ended', 'glass.opened', 'glass.closed', 'glass.reviewed'))
)`,
  `INSERT INTO notices_v4 (id, channel, kind, approval_id, ord, attempts, due_at_ms, since_ms)
  SELECT id, channel, kind, approval_id, ord, attempts, due_at_ms, due_at_ms FROM notices`,
  'DROP TABLE notices',
  'ALTER TABLE notices_v4 RENAME TO notices',
  'CREATE INDEX notices_due ON notices (channel, due_at_ms)',
  // What failed at least once and waits: shown on the approval, in the inbox and on the status page.
  'CREATE INDEX notices_failing ON notices (approval_id) WHERE detail IS NOT NULL',
];

const chats: readonly string[] = [
  // JSON `body`: what the columns do not hold (core/chat.ts, Post).
  `CREATE TABLE posts (
  id TEXT PRIMARY KEY,
  approval_id TEXT NOT NULL,
  channel TEXT NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  body TEXT NOT NULL,
  CHECK (channel IN ('slack', 'teams')),
  CHECK (kind IN ('card', 'view', 'note')),
  CHECK (state IN ('sending', 'posted', 'lost', 'gone'))
)`,
  'CREATE INDEX posts_approval ON posts (approval_id, channel)',
  // What people were shown, as the platform got it, by its SHA-256. Never changed.
  'CREATE TABLE showings (digest TEXT PRIMARY KEY, body TEXT NOT NULL, at_ms BIGINT NOT NULL)',
  `CREATE TABLE clicks (
  id TEXT PRIMARY KEY,
  channel TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  done_at_ms BIGINT,
  body TEXT NOT NULL,
  CHECK (channel IN ('slack', 'teams'))
)`,
  'CREATE INDEX clicks_open ON clicks (channel, at_ms) WHERE done_at_ms IS NULL',
  'CREATE INDEX clicks_at ON clicks (at_ms)',
];

export const version4: Migration = {
  version: 4,
  statements: () => [...notices, ...chats],
  tables: ['posts', 'showings', 'clicks'],
};
