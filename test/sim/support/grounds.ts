/** The two stores that lives are lived on: the embedded one, one gate at a time; PostgreSQL, several gates beside one another. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Row } from '../../../src/store/driver.ts';
import { databaseFile } from '../../../src/store/sqlite-protocol.ts';
import { openSqlite } from '../../../src/store/sqlite.ts';
import type { Ground } from './life.ts';
import { joinKey } from './organisation.ts';
import { channelNames } from './outside.ts';

/** In memory where the machine has such a folder: what a disk loses is tested elsewhere, and waiting for it is most of a life. */
const folder = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/**
 * Ids of notices are the store's own randomness, and decide which of one commit are taken first where few are: numbers in their
 * place, so that a seed is always the same life.
 */
const serials = `CREATE TABLE sim_serial (n INTEGER NOT NULL);
  INSERT INTO sim_serial VALUES (0);
  CREATE TRIGGER sim_notice AFTER INSERT ON notices BEGIN
    UPDATE sim_serial SET n = n + 1;
    UPDATE notices SET id = printf('ntc_%032d', (SELECT n FROM sim_serial)) WHERE rowid = NEW.rowid;
  END;`;

export async function sqliteGround(): Promise<Ground> {
  const directory = await mkdtemp(join(folder, 'countersign-sim-'));
  const channels = channelNames;
  const made = await openSqlite({ directory, channels });
  await made.close();
  const raw = <T>(work: (db: DatabaseSync) => T): T => {
    const db = new DatabaseSync(databaseFile(directory));
    try {
      return work(db);
    } finally {
      db.close();
    }
  };
  raw((db) => db.exec(serials));
  raw((db) => db.prepare("UPDATE meta SET value = ? WHERE key = 'join_key'").run(joinKey));
  return {
    kind: 'sqlite',
    gatesMax: 1,
    open: (clock, gate) => openSqlite({ directory, channels, clock, gate }),
    watch: (clock) => openSqlite({ directory, channels, clock, exclusive: false }),
    breakConnections: () => Promise.resolve(),
    dump: () =>
      Promise.resolve(
        raw((db) => {
          const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
          return tables.map(({ name }) => {
            const table = String(name);
            // Rows hold texts, numbers and NULL alone.
            return [
              table,
              db.prepare(`SELECT * FROM "${table}"`).all() as unknown as readonly Row[],
            ] as const;
          });
        }),
      ),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}
