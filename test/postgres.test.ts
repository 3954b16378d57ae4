/** Says, where tests run that need nothing but Node, what of PostgreSQL they leave out and how that is run. */
import { test } from 'node:test';

const parts = [
  ['the store, its failovers and several gates on PostgreSQL', 'npm run test:pg'],
  ['the seeded run of three gates, a primary and a standby', 'npm run test:cluster'],
  ['the simulation of the whole product on PostgreSQL', 'npm run sim'],
] as const;

for (const [what, how] of parts)
  test(what, {
    skip: `not here: \`${how}\` runs it, with a PostgreSQL of its own (Debian: apt-get install postgresql)`,
  });
