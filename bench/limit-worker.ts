/**
 * The least that a durable, logged decision can cost with this database: one request row and one hash-chained audit row
 * each, up to 256 of them in one transaction, durable before it answers. It decides nothing and reads nothing.
 */
import { hash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

/** As the store sets them (src/store/sqlite-driver.ts): what they win is no merit of the store's. */
const pragmas = `PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
  PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -32768;`;

export interface LimitJob {
  readonly id: string;
  readonly request: string;
  readonly audit: string;
}

export type ToLimit = { readonly jobs: string } | 'close';

function serve(port: NonNullable<typeof parentPort>, file: string): void {
  const db = new DatabaseSync(file);
  db.exec(pragmas);
  db.exec('CREATE TABLE requests (id TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, body TEXT NOT NULL)');
  db.exec('CREATE TABLE audit (idx INTEGER PRIMARY KEY, body TEXT NOT NULL, head TEXT NOT NULL)');
  const begin = db.prepare('BEGIN IMMEDIATE');
  const commit = db.prepare('COMMIT');
  const insertRequest = db.prepare('INSERT INTO requests (id, at_ms, body) VALUES (?1, ?2, ?3)');
  const insertAudit = db.prepare('INSERT INTO audit (idx, body, head) VALUES (?1, ?2, ?3)');
  let head = '';
  let size = 0;
  port.on('message', (message: ToLimit) => {
    if (message === 'close') {
      db.close();
      port.close();
      return;
    }
    // limit.ts made the text from LimitJobs.
    const jobs = JSON.parse(message.jobs) as readonly LimitJob[];
    const nowMs = Date.now();
    begin.run();
    const answers = jobs.map(({ id, request, audit }) => {
      insertRequest.run(id, nowMs, request);
      head = hash('sha256', head + hash('sha256', audit));
      insertAudit.run(size, audit, head);
      size += 1;
      return { id, head };
    });
    commit.run();
    port.postMessage(JSON.stringify(answers));
  });
  port.postMessage('ready');
}

if (parentPort !== null) serve(parentPort, String(workerData));
