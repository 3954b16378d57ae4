/** Begins to change the tables of a database to a version whose change takes a minute: to be killed in the middle. */
import { PostgresDriver } from '../../../src/store/postgres-driver.ts';
import { Hosts } from '../../../src/store/postgres-hosts.ts';
import { migrate, migrations, schemaVersion } from '../../../src/store/schema.ts';
import { first } from '../../store/migrating.ts';

const driver = new PostgresDriver({
  hosts: new Hosts(process.argv[2] ?? '', false),
  needsStandby: false,
  patient: true,
  clock: false,
  tells: null,
});
const slow = { version: schemaVersion + 1, statements: () => ['SELECT pg_sleep(60)'], tables: [] };
console.log('begins');
await migrate(driver, first, { versions: [...migrations, slow] });
