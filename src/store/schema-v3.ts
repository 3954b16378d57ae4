/**
 * Version 3: who people are and how they prove it, what agents hold, what waits to be accepted, who stands in for whom, and
 * break-glass. What is here is never changed once it was released: stores were made with it, and a later version alters them.
 */
import type { Migration } from './migration.ts';

/** What two databases both take for a CHECK that must be another one: a new table with the rows of the old. */
const rebuilt = (table: string, columns: string, definition: string): readonly string[] => [
  `CREATE TABLE ${table}_v3 (${definition})`,
  `INSERT INTO ${table}_v3 (${columns}) SELECT ${columns} FROM ${table}`,
  `DROP TABLE ${table}`,
  `ALTER TABLE ${table}_v3 RENAME TO ${table}`,
];

// `how`: see core/command-config.ts, How. All but `tightened` were accepted whole.
const accepted: readonly string[] = [
  ...rebuilt(
    'accepted',
    'what, version, digest, at_ms, body',
    `
  what TEXT NOT NULL,
  version BIGINT NOT NULL,
  digest TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  body TEXT NOT NULL,
  how TEXT NOT NULL DEFAULT 'first',
  PRIMARY KEY (what, version),
  CHECK (what IN ('policies', 'directory', 'servers')),
  CHECK (how IN ('first', 'found', 'tightened', 'reviewed', 'machine'))
`,
  ),
  // What waits to be accepted, whole, by its digest; the approval's action names that digest.
  'CREATE TABLE candidates (digest TEXT PRIMARY KEY, body TEXT NOT NULL, at_ms BIGINT NOT NULL)',
];

const notices: readonly string[] = [
  ...rebuilt(
    'notices',
    'id, channel, kind, approval_id, ord, attempts, due_at_ms',
    `
  id TEXT PRIMARY KEY,
  channel TEXT NOT NULL,
  kind TEXT NOT NULL,
  approval_id TEXT NOT NULL,
  ord BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  due_at_ms BIGINT NOT NULL,
  CHECK (kind IN ('approval.opened', 'approval.closed', 'approval.escalated', 'approval.reminded', 'execution.ended', 'glass.opened', 'glass.closed', 'glass.reviewed'))
`,
  ),
  'CREATE INDEX notices_due ON notices (channel, due_at_ms)',
];

/** How somebody proved who they are: sessions, accounts at providers, groups that a provider claims, passkeys. */
const people: readonly string[] = [
  'ALTER TABLE sessions ADD COLUMN opened_at_ms BIGINT NOT NULL DEFAULT 0',
  'ALTER TABLE sessions ADD COLUMN seen_at_ms BIGINT NOT NULL DEFAULT 0',
  // When the person last proved themself to whoever vouches for them (OpenID Connect auth_time).
  'ALTER TABLE sessions ADD COLUMN auth_at_ms BIGINT NOT NULL DEFAULT 0',
  // JSON: how it was opened (core/accounts.ts, Via).
  `ALTER TABLE sessions ADD COLUMN via TEXT NOT NULL DEFAULT '{"kind":"link"}'`,
  'CREATE INDEX sessions_person ON sessions (person_id)',
  // A row stays when the account is taken away (ended_at_ms): an account belongs to one person, ever.
  `CREATE TABLE accounts (
  kind TEXT NOT NULL,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  person_id TEXT NOT NULL,
  display TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  counts_from_ms BIGINT NOT NULL,
  confirmed_by TEXT,
  ended_at_ms BIGINT,
  PRIMARY KEY (kind, issuer, subject),
  CHECK (kind IN ('oidc', 'slack', 'teams'))
)`,
  'CREATE INDEX accounts_person ON accounts (person_id)',
  `CREATE TABLE memberships (
  person_id TEXT NOT NULL,
  group_id TEXT NOT NULL,
  provider TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  counts_from_ms BIGINT NOT NULL,
  confirmed_by TEXT,
  PRIMARY KEY (person_id, group_id, provider)
)`,
  `CREATE TABLE passkeys (
  id TEXT PRIMARY KEY,
  person_id TEXT NOT NULL,
  public_key TEXT NOT NULL,
  counter BIGINT NOT NULL,
  transports TEXT NOT NULL,
  aaguid TEXT NOT NULL,
  name TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  counts_from_ms BIGINT NOT NULL,
  cools_until_ms BIGINT NOT NULL,
  confirmed_by TEXT,
  revoked_at_ms BIGINT
)`,
  'CREATE INDEX passkeys_person ON passkeys (person_id)',
  // One-time things: what was begun and must be finished by the same person (codes, WebAuthn challenges, OpenID Connect requests).
  `CREATE TABLE begun (
  hash TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  person_id TEXT,
  body TEXT NOT NULL,
  expires_at_ms BIGINT NOT NULL,
  used_at_ms BIGINT
)`,
  'CREATE INDEX begun_expires ON begun (expires_at_ms)',
  // What a person is told about their own accounts, passkeys and standing in; shown on their page.
  `CREATE TABLE notes (
  id TEXT PRIMARY KEY,
  person_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  body TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  seen_at_ms BIGINT
)`,
  'CREATE INDEX notes_person ON notes (person_id, at_ms)',
  'ALTER TABLE reviews ADD COLUMN shown TEXT',
  'ALTER TABLE reviews ADD COLUMN via TEXT',
  // JSON: the signature of a passkey, as anybody can check it later.
  'ALTER TABLE reviews ADD COLUMN proof TEXT',
  // Whose place it fills, where its person stood in for somebody who was away.
  'ALTER TABLE reviews ADD COLUMN standing_in_for TEXT',
  `CREATE TABLE delegations (
  id TEXT PRIMARY KEY,
  from_person TEXT NOT NULL,
  to_person TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  from_ms BIGINT NOT NULL,
  until_ms BIGINT NOT NULL,
  ended_at_ms BIGINT,
  CHECK (from_person <> to_person)
)`,
  'CREATE INDEX delegations_until ON delegations (until_ms)',
];

/** Bearer tokens: a public id to name one by, and an end. */
const tokens: readonly string[] = [
  "ALTER TABLE tokens ADD COLUMN id TEXT NOT NULL DEFAULT ''",
  'ALTER TABLE tokens ADD COLUMN expires_at_ms BIGINT',
  'ALTER TABLE tokens ADD COLUMN revoked_at_ms BIGINT',
  // The start of the hash: 16 hexadecimal characters are unique enough to name one, and lead nowhere.
  "UPDATE tokens SET id = 'tok_' || substr(hash, 1, 16)",
  'CREATE UNIQUE INDEX tokens_id ON tokens (id)',
];

const glass: readonly string[] = [
  // JSON `body`: who asked, who approved, why, what was found (core/glass.ts).
  `CREATE TABLE glasses (
  id TEXT PRIMARY KEY,
  approval_id TEXT NOT NULL UNIQUE,
  agent TEXT NOT NULL,
  operation TEXT NOT NULL,
  from_ms BIGINT NOT NULL,
  until_ms BIGINT NOT NULL,
  body TEXT NOT NULL,
  reviewed_at_ms BIGINT
)`,
  'CREATE INDEX glasses_unreviewed ON glasses (from_ms) WHERE reviewed_at_ms IS NULL',
  'ALTER TABLE actions ADD COLUMN glass TEXT',
  'CREATE INDEX actions_glass ON actions (glass) WHERE glass IS NOT NULL',
];

export const version3: Migration = {
  version: 3,
  statements: () => [...accepted, ...notices, ...people, ...tokens, ...glass],
  tables: ['candidates', 'accounts', 'memberships', 'passkeys', 'begun', 'notes', 'delegations', 'glasses'],
};
