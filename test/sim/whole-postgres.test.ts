/**
 * The same lives on PostgreSQL, with up to three gates beside one another on one database, whose connections break: they race in
 * its own time, so that a seed that fails is a bad one and not always the same life. `npm run sim` starts a server where there is
 * one, and says where there is none.
 */
import { test } from 'node:test';
import { lives } from './support/lives.ts';
import { postgresGround, serverUrl } from './support/postgres-ground.ts';

const skip =
  serverUrl === '' &&
  'PostgreSQL: DATABASE_URL is not set; `npm run sim` starts a server where it is installed';

test('whole lives on PostgreSQL, with up to three gates', { skip }, async () => {
  await lives(postgresGround, { seeds: 6, steps: 700 });
});
