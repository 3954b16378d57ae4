/**
 * The reads of the port, each one statement, so that it sees one moment. They run beside the writer on connections of their
 * own and never wait for it.
 */
import type { Case } from '../core/case.ts';
import type { Directory } from '../core/directory.ts';
import { asActionId, asExecutionId } from '../core/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Chats } from '../ports/chats.ts';
import type { EvidenceReads } from '../ports/evidence.ts';
import type { Glasses } from '../ports/glasses.ts';
import type { Overview } from '../ports/overview.ts';
import type { PeopleReads } from '../ports/people.ts';
import type { Proofs } from '../ports/proofs.ts';
import type { Reconciliations } from '../ports/reconciliations.ts';
import type { Reports } from '../ports/reports.ts';
import type { Store } from '../ports/store.ts';
import { readCrowd, readRecent, readStops, readUnsafe } from './bounds-rows.ts';
import { readWaiting } from './counts.ts';
import { ordsOf, readPast } from './case-queries.ts';
import { caseBy, casesOf, selectCases } from './case-rows.ts';
import { readChats } from './chat-rows.ts';
import { integer, text } from './columns.ts';
import { readDelegations, readDelegationsOf } from './delegation-rows.ts';
import type { Queries, SqlValue } from './driver.ts';
import { readEvidence } from './evidence-rows.ts';
import { readGates, type GateReads } from './gate-rows.ts';
import { readGlassRows } from './glass-rows.ts';
import { readTree, type LogReads } from './log-rows.ts';
import { anyNotice } from './notice-rows.ts';
import { readOverview } from './overview.ts';
import { readMergedDirectory, readPeople } from './people-rows.ts';
import { readProofs } from './passkey-rows.ts';
import { readReconciliations } from './reconcile-rows.ts';
import { readReports } from './report-rows.ts';
import { listTokens, selectToken, selectTokenWith, tokenOf } from './token-rows.ts';
import { readAcceptance, type Acceptance } from './accepted-rows.ts';
import { readHead } from './head-rows.ts';
import {
  changeOf,
  entryColumns,
  linkOf,
  readVersions,
  sealedOf,
  selectChanges,
  selectLink,
  selectTools,
  selectToolsOf,
  toolOf,
} from './world-rows.ts';

/** The most rows that one read answers, whatever its caller asks for. */
export const rowsMax = 1000;

export type Reads = Pick<
  Store,
  | 'caseBy'
  | 'held'
  | 'past'
  | 'recent'
  | 'crowd'
  | 'stops'
  | 'unsafe'
  | 'entries'
  | 'entriesAbout'
  | 'head'
  | 'versions'
  | 'directory'
  | 'changes'
  | 'delegations'
  | 'delegationsOf'
  | 'tools'
  | 'principalOf'
  | 'tokens'
  | 'bearerOf'
  | 'linkOf'
  | 'nextDue'
  | 'running'
  | keyof Acceptance
  | keyof Overview
  | keyof Proofs
  | keyof PeopleReads
  | keyof Reports
  | keyof Glasses
  | keyof Chats
  | keyof EvidenceReads
  | keyof LogReads
  | keyof Reconciliations
  | keyof GateReads
> & {
  /** Whether the channel has a notice to take. */
  readonly anyNotice: (channel: string) => Promise<boolean>;
};

export function readerOf(db: Queries, clock: Clock): Reads {
  const directoryAt = directoriesOf(db);
  return {
    ...readCases(db, clock),
    ...readBounds(db, clock),
    ...readLog(db),
    ...readWorld(db, directoryAt),
    ...readAcceptance(db),
    ...readAccess(db, clock, directoryAt),
    delegations: () => readDelegations(db, clock.nowMs()),
    delegationsOf: (person) => readDelegationsOf(db, person),
    ...readWork(db, clock),
    ...readOverview(db, clock),
    ...readProofs(db, clock),
    ...readPeople(db, clock),
    ...readReports(db),
    ...readEvidence(db),
    ...readGlassRows(db),
    ...readChats(db, clock),
    ...readTree(db),
    ...readReconciliations(db),
    ...readGates(db, clock),
  };
}

/** The directory, with what providers claim, of a version that was just read as the newest. */
type DirectoryAt = (version: SqlValue | undefined) => Promise<Directory>;

const newestDirectory = "SELECT value FROM meta WHERE key = 'directory'";

/** Parsed once for each version. */
function directoriesOf(db: Queries): DirectoryAt {
  let known: { readonly version: string; readonly directory: Directory } | undefined;
  return async (version) => {
    if (known === undefined || version !== known.version) known = await readMergedDirectory(db);
    return known.directory;
  };
}

function readCases(db: Queries, clock: Clock): Pick<Reads, 'caseBy' | 'held' | 'past'> {
  const one = async (sql: string, id: string): Promise<Case | undefined> =>
    casesOf(await db.query(sql, [id]))[0];
  return {
    caseBy: (key) => {
      if ('action' in key) return one(caseBy.action, key.action);
      if ('approval' in key) return one(caseBy.approval, key.approval);
      return 'execution' in key ? one(caseBy.execution, key.execution) : one(caseBy.joinKey, key.joinKey);
    },

    async held(query) {
      const { sql, values } = ordsOf({ ...query, limit: Math.min(query.limit, rowsMax) }, clock.nowMs());
      return casesOf(await db.query(selectCases(`a.ord IN (${sql})`), values));
    },

    past: (agent, operation, beforeMs) => readPast(db, { agent, operation, beforeMs, nowMs: clock.nowMs() }),
  };
}

function readBounds(db: Queries, clock: Clock): Pick<Reads, 'recent' | 'crowd' | 'stops' | 'unsafe'> {
  return {
    recent: (operation) => readRecent(db, operation, clock.nowMs()),
    crowd: (of) => readCrowd(db, of, clock.nowMs(), (names) => readWaiting(db, names)),
    stops: () => readStops(db),
    unsafe: () => readUnsafe(db, clock.nowMs()),
  };
}

function readLog(db: Queries): Pick<Reads, 'entries' | 'entriesAbout' | 'head'> {
  return {
    async entries(after, limit) {
      const sql = `SELECT ${entryColumns} FROM entries WHERE idx > $1 ORDER BY idx LIMIT $2`;
      return (await db.query(sql, [after, Math.min(limit, rowsMax)])).map(sealedOf);
    },

    async entriesAbout(action) {
      // No entry is about an action before its first: ranges of indices before that one are not looked into.
      const sql = `SELECT ${entryColumns} FROM (
          SELECT ${entryColumns} FROM entries
            WHERE action_ord = (SELECT ord FROM actions WHERE id = $1) AND idx >= (SELECT ord FROM actions WHERE id = $1)
          UNION ALL SELECT ${entryColumns} FROM entries WHERE stray_action = $1) AS about
        ORDER BY idx LIMIT $2`;
      return (await db.query(sql, [action, rowsMax])).map(sealedOf);
    },

    async head() {
      const { size, head } = await readHead(db);
      return { size, head };
    },
  };
}

function readWorld(
  db: Queries,
  directoryAt: DirectoryAt,
): Pick<Reads, 'versions' | 'directory' | 'changes' | 'tools'> {
  return {
    versions: () => readVersions(db),

    async directory() {
      const [top] = await db.query(`SELECT (${newestDirectory}) AS version`);
      return directoryAt(top?.['version']);
    },

    async changes(sinceMs) {
      // "Since" is inclusive, the statement is not.
      return (await db.query(selectChanges, [sinceMs - 1])).map(changeOf);
    },

    async tools(server) {
      const rows = server === undefined ? db.query(selectTools) : db.query(selectToolsOf, [server]);
      return (await rows).map(toolOf);
    },
  };
}

function readAccess(
  db: Queries,
  clock: Clock,
  directoryAt: DirectoryAt,
): Pick<Reads, 'principalOf' | 'tokens' | 'bearerOf' | 'linkOf'> {
  return {
    async principalOf(tokenHash) {
      const [row] = await db.query(selectToken, [tokenHash]);
      return row === undefined ? undefined : tokenOf(row).principal;
    },

    tokens: () => listTokens(db, rowsMax),

    async bearerOf(tokenHash) {
      const [row] = await db.query(selectTokenWith(newestDirectory), [tokenHash]);
      return row === undefined
        ? undefined
        : { token: tokenOf(row), directory: await directoryAt(row['version']) };
    },

    async linkOf(linkHash) {
      const [row] = await db.query(selectLink, [linkHash]);
      if (row === undefined) return undefined;
      const { person, usedAtMs, expiresAtMs } = linkOf(row);
      return usedAtMs === null && clock.nowMs() < expiresAtMs ? person : undefined;
    },
  };
}

/** What waits to be done: by time, by a crash, by a channel. */
function readWork(db: Queries, clock: Clock): Pick<Reads, 'nextDue' | 'running' | 'anyNotice'> {
  return {
    async nextDue(limit) {
      const rows = await db.query(
        'SELECT id, due_at_ms FROM actions WHERE due_at_ms IS NOT NULL ORDER BY due_at_ms, ord LIMIT $1',
        [Math.min(limit, rowsMax)],
      );
      return rows.map((row) => ({ action: asActionId(text(row, 'id')), atMs: integer(row, 'due_at_ms') }));
    },

    async running() {
      const rows = await db.query(
        `SELECT e.id FROM executions e JOIN actions a ON a.ord = e.action_ord
          WHERE e.status = 'started' AND a.enforcement = 'mediated' ORDER BY a.ord`,
      );
      return rows.map((row) => asExecutionId(text(row, 'id')));
    },

    async anyNotice(channel) {
      return (await db.query(anyNotice, [channel, clock.nowMs()])).length > 0;
    },
  };
}
