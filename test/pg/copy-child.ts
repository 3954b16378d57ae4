/** Copies, and kills itself before the n-th statement to either database: `copy-child.ts DIRECTORY URL N`. Prints how many there were. */
import { copyStore } from '../../src/store/copy.ts';
import { PostgresDriver } from '../../src/store/postgres-driver.ts';
import { SqliteDriver } from '../../src/store/sqlite-driver.ts';

const [directory = '', url = '', at = '0'] = process.argv.slice(2);
let statements = 0;

for (const driver of [SqliteDriver, PostgresDriver]) {
  for (const name of ['run', 'query'] as const) {
    // Both have both, with the same parameters.
    const methods = driver.prototype as unknown as Record<string, (...args: unknown[]) => unknown>;
    const asked = methods[name];
    methods[name] = function counted(...args) {
      statements += 1;
      if (statements === Number(at)) process.kill(process.pid, 'SIGKILL');
      return asked?.apply(this, args);
    };
  }
}

const result = await copyStore({ directory, url, from: 'data' });
process.stdout.write(JSON.stringify({ statements, result }));
