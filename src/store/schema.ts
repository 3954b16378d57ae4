/**
 * The tables, in the SQL that SQLite and PostgreSQL both take: times are BIGINT milliseconds, JSON is
 * TEXT, and nothing relies on triggers, sequences or foreign keys. What is queried is a column; the rest is JSON.
 *
 * Promise: a database is never opened half migrated, nor by an older program than the one that migrated it.
 * docs/storage.md shows a row of each table.
 */
import { SqlFault, type Dialect, type Driver } from './driver.ts';
import { fillInbox } from './inbox-rows.ts';

interface Migration {
  readonly version: number;
  readonly statements: (dialect: Dialect) => readonly string[];
  /** What SQL alone cannot do, after the statements. */
  readonly fill?: (driver: Driver) => Promise<void>;
}

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

/** What was asked in which mode, where its asker is called back, what of it is added up; and what keeps agents in bounds. */
const limits = ({ ordinal }: Dialect): readonly string[] => [
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

const migrations: readonly Migration[] = [
  {
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
  },
  { version: 2, statements: limits, fill: fillInbox },
];

/** What this program writes. */
export const schemaVersion = 2;

/** Every table whose rows a restore takes from the backup; `meta`'s rows are decided one by one. */
export const tables = [
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
  'inbox',
  'waiting',
  'recent',
  'stops',
  'unsafe',
  'used',
] as const;

/** The schema of a database that has a table `meta`; 0 where it has no version yet. */
export async function schemaVersionOf(driver: Driver): Promise<number> {
  const rows = await driver.query(
    `SELECT value FROM meta WHERE key = 'schema_version'${driver.dialect.forUpdate}`,
  );
  return Number(rows[0]?.['value'] ?? 0);
}

/** Refuses a database of a newer program: `by` names it for the operator. */
export function checkVersion(version: number, by: string): void {
  if (version > schemaVersion) {
    throw new SqlFault(
      `${by} was written by a newer Countersign (schema ${version}, this one knows ${schemaVersion}).`,
      'database',
    );
  }
}

/**
 * Brings a database to this program's schema, in one transaction. A new one gets `first`: rows of `meta` and the head of
 * the empty log. @param to an earlier version, for tests of what comes from it.
 */
export async function migrate(
  driver: Driver,
  first: { readonly joinKey: string; readonly emptyHead: string },
  to: number = schemaVersion,
): Promise<void> {
  await driver.transaction(async () => {
    await driver.run('CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)');
    const from = await schemaVersionOf(driver);
    checkVersion(from, 'This store');
    for (const { version, statements, fill } of migrations) {
      if (version <= from || version > to) continue;
      for (const statement of statements(driver.dialect)) await driver.run(statement);
      if (from > 0) await fill?.(driver);
      await driver.run(
        "INSERT INTO meta (key, value) VALUES ('schema_version', $1) ON CONFLICT (key) DO UPDATE SET value = $1",
        [String(version)],
      );
    }
    if (from > 0) return;
    const rows = [
      ['join_key', first.joinKey],
      ['policySet', '0'],
      ['directory', '0'],
      ['tools', '0'],
    ] as const;
    for (const row of rows) await driver.run('INSERT INTO meta (key, value) VALUES ($1, $2)', row);
    await driver.run('INSERT INTO log_head (one, size, head, at_ms) VALUES (1, 0, $1, 0)', [first.emptyHead]);
  });
}
