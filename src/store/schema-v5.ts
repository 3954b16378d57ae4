/**
 * Version 5: the transparency log over the entries, and what is kept about it: signatures and tiles, checkpoints, keys, what was
 * erased or must not be, what was shipped where, what a target itself recorded. What is here is never changed once it was
 * released: stores were made with it, and a later version alters them.
 */
import type { Dialect, Driver } from './driver.ts';
import type { Migration } from './migration.ts';

// A grant names the entry that gave it.
const grants = 'ALTER TABLE actions ADD COLUMN grant_index BIGINT';

/** Grants of earlier programs: the entry that gave them was written in the same transaction, and is about the same action. */
async function fillGrants(driver: Driver): Promise<void> {
  await driver.run(`UPDATE actions SET grant_index = COALESCE(
    (SELECT MAX(e.idx) FROM entries e WHERE e.action_ord = actions.ord AND e.type = 'approval.approved'),
    ord) WHERE grant_expires_at_ms IS NOT NULL`);
}

const tree = ({ ordinal }: Dialect): readonly string[] => [
  // A leaf is made of the entry's digest, this signature and this key's public half (docs/log-format.md). DER, base64.
  `CREATE TABLE leaves (
  idx ${ordinal} PRIMARY KEY,
  key_id TEXT NOT NULL,
  signature TEXT NOT NULL
)`,
  // Up to 256 hashes of 32 bytes, base64. The last tile of a level grows; a partial tile is a beginning of the full one.
  `CREATE TABLE tiles (
  level BIGINT NOT NULL,
  n BIGINT NOT NULL,
  hashes TEXT NOT NULL,
  PRIMARY KEY (level, n)
)`,
  // `note`: as it was signed. `cosignatures`: JSON, [{key, line, atMs}]. `stamp`: an RFC 3161 token, DER, base64.
  `CREATE TABLE checkpoints (
  origin TEXT NOT NULL,
  size BIGINT NOT NULL,
  root TEXT NOT NULL,
  note TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  cosignatures TEXT NOT NULL,
  stamp TEXT,
  stamped_at_ms BIGINT,
  PRIMARY KEY (origin, size)
)`,
  'CREATE INDEX checkpoints_at ON checkpoints (at_ms)',
  // How far the tree has come, and who may go on with it: an `epoch` that is not the newest publishes nothing.
  `CREATE TABLE log_published (
  one BIGINT PRIMARY KEY CHECK (one = 1),
  size BIGINT NOT NULL,
  head TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  holder TEXT,
  until_ms BIGINT NOT NULL
)`,
  // Public halves of the keys that have signed. `body`: JSON (core/log-key.ts).
  `CREATE TABLE log_keys (
  id TEXT PRIMARY KEY,
  use TEXT NOT NULL,
  begun_at_ms BIGINT NOT NULL,
  ended_at_ms BIGINT,
  body TEXT NOT NULL,
  CHECK (use IN ('log', 'receipt'))
)`,
];

const kept: readonly string[] = [
  // Whose it is, so that it is found when that is erased; NULL: kept by an earlier program.
  'ALTER TABLE showings ADD COLUMN approval_id TEXT',
  'CREATE INDEX showings_approval ON showings (approval_id)',
  'CREATE TABLE holds (id TEXT PRIMARY KEY, placed_at_ms BIGINT NOT NULL, released_at_ms BIGINT, body TEXT NOT NULL)',
  // How far a place that the log is shipped to has come. `detail`: why it does not go on.
  `CREATE TABLE shipping (
  name TEXT PRIMARY KEY,
  next BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  detail TEXT
)`,
  // What a target itself recorded, compared with the log: JSON (core/reconcile.ts).
  'CREATE TABLE reconciliations (id TEXT PRIMARY KEY, at_ms BIGINT NOT NULL, body TEXT NOT NULL)',
];

export const version5: Migration = {
  version: 5,
  statements: (dialect) => [grants, ...tree(dialect), ...kept],
  fill: fillGrants,
  tables: [
    'leaves',
    'tiles',
    'checkpoints',
    'log_published',
    'log_keys',
    'holds',
    'shipping',
    'reconciliations',
  ],
};
