/** A database of its own on the PostgreSQL that `DATABASE_URL` names: several gates at a time, whose connections break. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { openPostgres } from '../../../src/store/postgres.ts';
import type { Row } from '../../../src/store/driver.ts';
import type { Ground } from './life.ts';
import { joinKey } from './organisation.ts';
import { channelNames } from './outside.ts';

/** Empty where no server is there. */
export const serverUrl = process.env['DATABASE_URL'] ?? '';

/** Gates beside one another. */
const gatesMax = 3;
/** Small, so that a life begins new ones. */
const partitionRows = 256;

export async function postgresGround(): Promise<Ground> {
  const name = `sim_${randomBytes(8).toString('hex')}`;
  const admin = new pg.Client({ connectionString: serverUrl });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  const inside = new URL(serverUrl);
  inside.pathname = `/${name}`;
  const url = inside.href;
  const channels = channelNames;
  const own = new pg.Client({ connectionString: url });
  const made = await openPostgres({ url, channels, partitionRows });
  await made.close();
  await own.connect();
  await own.query("UPDATE meta SET value = $1 WHERE key = 'join_key'", [joinKey]);
  return {
    kind: 'postgres',
    gatesMax,
    open: (clock, gate) => openPostgres({ url, channels, clock, gate, partitionRows }),
    watch: (clock) => openPostgres({ url, channels, clock, partitionRows }),
    async breakConnections() {
      await admin.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = $1 AND pid <> $2 AND random() < 0.5`,
        [name, await pidOf(own)],
      );
    },
    async dump() {
      const tables = await own.query<{ name: string }>(
        `SELECT relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition`,
      );
      const dumped: [string, readonly Row[]][] = [];
      for (const { name: table } of tables.rows)
        dumped.push([table, (await own.query<Row>(`SELECT * FROM "${table}"`)).rows]);
      return dumped;
    },
    async remove() {
      await own.end();
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
    },
  };
}

const pidOf = async (client: pg.Client): Promise<number> =>
  (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid ?? 0;
