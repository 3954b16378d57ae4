/**
 * A database with so many rows in each table that grows that a plan which reads one whole shows. Nobody reads the rows: the server
 * only has to know how many there are, and how they are spread.
 */
import { openPostgres } from '../../src/store/postgres.ts';
import { channels } from '../store/bench.ts';
import { postgresBench } from './bench.ts';

const entries = 300_000;
const actions = 100_000;
const dayMs = 86_400_000;
/** About when the tests run: rows are spread over the days before it. */
const nowMs = Date.now();
const id = (kind: string, n: string): string => `'${kind}_' || md5((${n})::text)`;
/** Rows 0 to n - 1 of a table; `n` is each one's number. */
const many = (table: string, count: number, values: Readonly<Record<string, string>>): string =>
  `INSERT INTO ${table} (${Object.keys(values).join(', ')})
    SELECT ${Object.values(values).join(', ')} FROM generate_series(0, ${count - 1}) AS n`;
/** Times, the oldest first, over so many days. */
const spread = (count: number, days: number): string =>
  `${nowMs - days * dayMs} + n::bigint * ${Math.round((days * dayMs) / count)}`;

/** Two of five wait, of the younger half; of all one of three is or was held. */
const pending = `n % 5 < 2 AND n > ${actions / 2}`;
const held = `(n % 3 = 0 OR ${pending})`;
const text = `'{"some":"' || repeat('x', 200) || '"}'`;

/** The rows of an ordinary organisation: 2,000 agents, 400 people; those that walk.ts is about among them, with much to do. */
const statements: readonly string[] = [
  many('entries', entries, {
    idx: 'n + 1000',
    at_ms: spread(entries, 60),
    type: `(ARRAY['action.asked','execution.started','execution.ended','approval.opened','review.recorded','approval.approved','notice.failed'])[1 + n % 7]`,
    action_ord: 'CASE WHEN n % 50 = 0 THEN NULL ELSE (n / 3) * 3 + 1000 END',
    stray_action: `CASE WHEN n % 5000 = 0 THEN ${id('act', 'n')} END`,
    statement: text,
    pae: `md5(n::text) || md5(n::text)`,
    head: `md5(n::text) || md5(n::text)`,
  }),
  many('leaves', entries, { idx: 'n + 1000', key_id: `repeat('a', 64)`, signature: `repeat('b', 96)` }),
  many('actions', actions, {
    ord: 'n * 3 + 1000',
    id: id('act', 'n'),
    agent: `CASE WHEN n % 50 = 5 THEN 'crm-bot' ELSE 'agent-' || n % 2000 END`,
    operation: `CASE WHEN n % 50 = 5 THEN 'shop___refund' ELSE 'shop___op_' || n % 40 END`,
    enforcement: `CASE WHEN n % 2 = 0 THEN 'mediated' ELSE 'cooperative' END`,
    join_key: `md5('j' || n)`,
    like_key: `md5('l' || n)`,
    asked_at_ms: spread(actions, 60),
    state: `CASE WHEN ${pending} THEN 'pending' WHEN n % 997 = 0 THEN 'unknown' WHEN n % 9 = 0 THEN 'denied' ELSE 'succeeded' END`,
    due_at_ms: `CASE WHEN ${pending} THEN ${nowMs + dayMs} + n * 1000 END`,
    approval_id: `CASE WHEN ${held} THEN ${id('apr', 'n')} END`,
    approval: `CASE WHEN ${held} THEN ${text} END`,
    grant_expires_at_ms: `CASE WHEN ${pending} OR n % 9 = 0 THEN NULL ELSE 1 END`,
    digest: `'sha256:' || md5(n::text)`,
    subject: 'md5(n::text)',
    verdict: text,
    canonical: text,
    glass: `CASE WHEN n % 1000 = 7 THEN ${id('gls', 'n / 5000')} END`,
  }),
  `INSERT INTO executions (action_ord, id, status, started_at_ms, ended_at_ms, result, gate)
    SELECT ord, 'exe_' || md5(id), CASE WHEN ord % 3001 = 0 THEN 'started' ELSE 'succeeded' END, asked_at_ms, CASE WHEN ord % 3001 = 0 THEN NULL ELSE asked_at_ms END, '{}', 'gte_' || ord % 3
      FROM actions WHERE state IN ('succeeded', 'unknown')`,
  `INSERT INTO reviews (approval_id, person_id, stops, decision, ord, digest, unsafe, channel, at_ms)
    SELECT approval_id, 'person-' || (ord / 3 + k) % 400, 0, CASE WHEN k = 0 THEN 'barred' ELSE 'approve' END, k, 'd', 0, 'web', asked_at_ms
      FROM actions, generate_series(0, 1) AS k WHERE approval_id IS NOT NULL`,
  `INSERT INTO inbox (person_id, ord) SELECT CASE WHEN k = 9 AND ord % 4 < 2 THEN 'rosa' WHEN k = 9 AND ord % 4 = 2 THEN 'mia' ELSE 'person-' || (ord / 3 + k) % 400 END, ord FROM actions, generate_series(0, 9) AS k WHERE state = 'pending'`,
  `INSERT INTO waiting (who, n) SELECT 'person:' || person_id, count(*) FROM inbox GROUP BY 1`,
  `INSERT INTO waiting (who, n) SELECT 'agent:' || agent, count(*) FROM actions WHERE state = 'pending' GROUP BY 1`,
  `INSERT INTO recent (operation, agent, minute, count, sum)
    SELECT 'shop___op_' || a % 40, 'agent-' || a, m, 1, 0 FROM generate_series(0, 1999) AS a, (SELECT 0 AS m UNION ALL SELECT ${Math.floor(nowMs / 60_000)} - 20 * k FROM generate_series(0, 71) AS k) AS minutes`,
  many('notices', 20_000, {
    id: id('ntc', 'n'),
    channel: `(ARRAY['slack','email','terminal','callback'])[1 + n % 4]`,
    kind: `'approval.opened'`,
    approval_id: id('apr', 'n'),
    ord: 'n',
    attempts: '0',
    due_at_ms: `${nowMs + 400 * dayMs} + n * 10`,
    since_ms: `CASE WHEN n % 50 = 0 THEN 1 ELSE ${nowMs + 400 * dayMs} + n * 10 END`,
    detail: `CASE WHEN n % 50 = 0 THEN 'it failed' END`,
  }),
  many('idempotency', 100_000, {
    principal: `'agent:agent-' || n % 2000`,
    key: `'k-' || n`,
    fingerprint: 'md5(n::text)',
    answer: `'{}'`,
    at_ms: spread(100_000, 2),
  }),
  many('tiles', 20_000, { level: '0', n: 'n + 10', hashes: `repeat('a', 100)` }),
  many('checkpoints', 50_000, {
    origin: `'gate.test'`,
    size: 'n * 6 + 2000',
    root: `'r'`,
    note: `repeat('n', 200)`,
    at_ms: spread(50_000, 30),
    cosignatures: `'[]'`,
    stamp: `CASE WHEN n % 100 = 0 THEN 's' END`,
  }),
  many('posts', 40_000, {
    id: id('pst', 'n'),
    approval_id: id('apr', '3 * (n / 2)'),
    channel: `'slack'`,
    kind: `'card'`,
    state: `CASE WHEN n % 500 = 0 THEN 'sending' ELSE 'posted' END`,
    at_ms: spread(40_000, 60),
    body: text,
  }),
  many('showings', 40_000, {
    digest: 'md5(n::text)',
    body: text,
    at_ms: spread(40_000, 60),
    approval_id: id('apr', '3 * (n / 2)'),
  }),
  many('clicks', 20_000, {
    id: 'md5(n::text)',
    channel: `'slack'`,
    at_ms: spread(20_000, 7),
    done_at_ms: `CASE WHEN n % 1000 = 0 THEN NULL ELSE 1 END`,
    body: text,
  }),
  many('sessions', 20_000, {
    hash: 'md5(n::text)',
    person_id: `'person-' || n % 400`,
    expires_at_ms: spread(20_000, 10),
    opened_at_ms: '1',
    seen_at_ms: '1',
    auth_at_ms: '1',
  }),
  many('links', 20_000, {
    hash: 'md5(n::text)',
    person_id: `'person-' || n % 400`,
    expires_at_ms: spread(20_000, 10),
  }),
  many('begun', 20_000, {
    hash: 'md5(n::text)',
    kind: `'oidc'`,
    body: `'{}'`,
    expires_at_ms: spread(20_000, 10),
  }),
  many('used', 20_000, { hash: 'md5(n::text)', expires_at_ms: spread(20_000, 1) }),
  many('notes', 40_000, {
    id: id('nte', 'n'),
    person_id: `'person-' || n % 400`,
    kind: `'account'`,
    body: `'{}'`,
    at_ms: spread(40_000, 60),
    seen_at_ms: `CASE WHEN n % 50 = 0 THEN NULL ELSE 1 END`,
  }),
  many('unsafe', 20_000, {
    approval_id: id('apr', 'n'),
    agent: `'agent-' || n % 2000`,
    operation: `'shop___op_' || n % 40`,
    like_key: 'md5(n::text)',
    person_id: `'person-1'`,
    at_ms: spread(20_000, 60),
  }),
  many('changes', 20_000, {
    what: `'tool'`,
    subject: `'op_' || n`,
    person_id: `'person-1'`,
    at_ms: spread(20_000, 700),
  }),
  many('accepted', 20_000, {
    what: `(ARRAY['policies','directory'])[1 + n % 2]`,
    version: 'n + 100',
    digest: `'sha256:' || md5(n::text)`,
    at_ms: spread(20_000, 700),
    body: `repeat('x', 200)`,
    how: `'reviewed'`,
  }),
  many('candidates', 10_000, { digest: 'md5(n::text)', body: text, at_ms: '1' }),
  many('delegations', 10_000, {
    id: id('dlg', 'n'),
    from_person: `'person-' || n % 400`,
    to_person: `'person-' || (n + 1) % 400`,
    at_ms: spread(10_000, 700),
    from_ms: spread(10_000, 700),
    until_ms: `${spread(10_000, 700)} + ${dayMs}`,
    ended_at_ms: `CASE WHEN n % 3 = 0 THEN 1 END`,
  }),
  many('glasses', 10_000, {
    id: id('gls', 'n'),
    approval_id: id('apr', 'n'),
    agent: `'agent-' || n % 2000`,
    operation: `'shop___op_' || n % 40`,
    from_ms: spread(10_000, 700),
    until_ms: `${spread(10_000, 700)} + 3600000`,
    body: text,
    reviewed_at_ms: `CASE WHEN n % 100 = 0 THEN NULL ELSE 1 END`,
  }),
  many('tokens', 20_000, {
    hash: 'md5(n::text)',
    kind: `'agent'`,
    principal_id: `'agent-' || n % 2000`,
    at_ms: spread(20_000, 700),
    id: id('tok', 'n'),
  }),
  many('reconciliations', 10_000, { id: id('rec', 'n'), at_ms: spread(10_000, 700), body: text }),
  many('holds', 10_000, {
    id: id('hld', 'n'),
    placed_at_ms: spread(10_000, 700),
    released_at_ms: `CASE WHEN n % 100 = 0 THEN NULL ELSE 1 END`,
    body: text,
  }),
  many('proposals', 10_000, { digest: 'md5(n::text)', at_ms: spread(10_000, 700) }),
  `UPDATE log_head SET size = ${entries + 1000}`,
];

/** Makes it. */
export async function plenty(): Promise<Awaited<ReturnType<typeof postgresBench>>> {
  const bench = await postgresBench();
  // What a gate writes when it opens a database is there too.
  await (await openPostgres({ url: bench.url, channels })).close();
  for (const statement of statements) await bench.raw(statement);
  await bench.raw('ANALYZE');
  return bench;
}
