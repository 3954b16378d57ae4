/** What a writer knows from its last transaction holds only as long as nobody else has written. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { emptyHead } from '../../src/core/entry.ts';
import type { Command } from '../../src/core/command.ts';
import type { Outcome } from '../../src/store/job.ts';
import { migrate } from '../../src/store/schema.ts';
import { SqliteDriver } from '../../src/store/sqlite-driver.ts';
import { Writer } from '../../src/store/writer.ts';
import { note } from './bench.ts';
import { sqliteBench } from './sqlite-bench.ts';
import { acceptDirectory, agent, allow, ask, fresh, sam } from './world.ts';

/** A writer on the file, and the statements that it has run. */
async function writerOn(file: string) {
  const driver = new SqliteDriver(file, 'write');
  await migrate(driver, { joinKey: '00', emptyHead });
  const said: string[] = [];
  const heard = <T>(make: (sql: string, values?: Parameters<typeof driver.run>[1]) => T) => {
    return (sql: string, values: Parameters<typeof driver.run>[1] = []): T => {
      said.push(sql);
      return make(sql, values);
    };
  };
  driver.run = heard(driver.run.bind(driver));
  driver.query = heard(driver.query.bind(driver));
  const writer = new Writer({ driver, random: { bytes: fresh }, channels: [], gate: null });
  return {
    said,
    close: () => driver.close(),
    async change(command: Command): Promise<Outcome | undefined> {
      said.length = 0;
      const flushed = await writer.flush([{ kind: 'change', command, idempotency: null }], 1);
      return flushed.outcomes[0];
    },
  };
}

/** Its owner stops the agent. */
const stop: Command = { kind: 'stop', agent, by: sam, approval: null, reason: null };
const versions = { policySet: 0, directory: 1, tools: 0 };
const askOnce = (): Command => ask(allow(versions));
const readsOf = (said: readonly string[], table: string): number =>
  said.filter((sql) => new RegExp(`FROM ${table}\\b`).test(sql)).length;

test('nothing is read twice that nobody has changed', async () => {
  const bench = await sqliteBench();
  const one = await writerOn(join(bench.directory, 'x.db'));
  assert.ok((await one.change(acceptDirectory()))?.ok);
  assert.ok((await one.change(askOnce()))?.ok);
  assert.ok((await one.change(askOnce()))?.ok);
  for (const table of ['log_head', 'meta', 'changes', 'stops', 'unsafe'])
    assert.equal(readsOf(one.said, table), 0, table);
  // Its own change of the world is seen by what comes next.
  assert.ok((await one.change(stop))?.ok);
  const refused = await one.change(askOnce());
  assert.ok(refused?.ok === false && refused.error.kind === 'refused');
  assert.equal(refused.error.refusal.code, 'agent_stopped');
  one.close();
  await bench.remove();
});

test('what another connection has committed is read before anything is decided', async () => {
  const bench = await sqliteBench();
  const file = join(bench.directory, 'x.db');
  const [one, other] = [await writerOn(file), await writerOn(file)];
  assert.ok((await one.change(acceptDirectory()))?.ok);
  assert.ok((await one.change(askOnce()))?.ok);
  assert.ok((await other.change(stop))?.ok);
  const refused = await one.change(askOnce());
  assert.ok(refused?.ok === false && refused.error.kind === 'refused');
  assert.equal(refused.error.refusal.code, 'agent_stopped');
  assert.ok((await other.change(note(1)))?.ok);
  assert.ok((await one.change(note(2)))?.ok);
  assert.equal(readsOf(one.said, 'log_head'), 1);
  // The primary key of the entries would find a head that is too old, and the flush would be tried again.
  assert.deepEqual(
    one.said.filter((sql) => sql.includes('SAVEPOINT')),
    [],
  );
  one.close();
  other.close();
  await bench.remove();
});

test('a transaction that failed leaves nothing that is known', async () => {
  const bench = await sqliteBench();
  const one = await writerOn(join(bench.directory, 'x.db'));
  assert.ok((await one.change(acceptDirectory()))?.ok);
  const twice = askOnce();
  assert.ok((await one.change(twice))?.ok);
  assert.ok(!(await one.change(twice))?.ok, 'the same action cannot be stored twice');
  assert.ok((await one.change(note(1)))?.ok);
  one.close();
  await bench.remove();
});
