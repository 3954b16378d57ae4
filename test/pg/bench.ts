/** A schema of one's own on the PostgreSQL that `DATABASE_URL` names (`npm run test:pg` starts one). */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { openPostgres } from '../../src/store/postgres.ts';
import { channels, type Bench } from '../store/bench.ts';

/** Empty where no server is there. */
export const serverUrl = process.env['DATABASE_URL'] ?? '';

/** Every connection of the bench has its schema as its search path. */
export async function postgresBench(): Promise<Bench & { readonly url: string }> {
  const schema = `t${randomBytes(8).toString('hex')}`;
  await alone(serverUrl, `CREATE SCHEMA ${schema}`);
  const inside = new URL(serverUrl);
  inside.searchParams.set('options', `-c search_path=${schema}`);
  return {
    url: inside.href,
    open: ({ exclusive: _one, ...options }) => openPostgres({ url: inside.href, channels, ...options }),
    raw: (sql, params) => alone(inside.href, sql, params),
    remove: async () => void (await alone(serverUrl, `DROP SCHEMA ${schema} CASCADE`)),
  };
}

/** One statement on a connection of its own. */
async function alone(to: string, sql: string, params: readonly unknown[] = []) {
  const client = new pg.Client({ connectionString: to });
  await client.connect();
  try {
    return (await client.query<Record<string, string | number | null>>(sql, [...params])).rows;
  } finally {
    await client.end();
  }
}
