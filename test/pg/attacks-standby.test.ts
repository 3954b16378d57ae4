/**
 * `standby: required`, and whoever looks after the servers empties `synchronous_standby_names` because the standby is gone
 * (Patroni's `synchronous_mode` does): the server then lets go of every COMMIT that waits, without a warning.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openPostgres } from '../../src/store/postgres.ts';
import { ServerPair } from '../cluster/support/pair.ts';
import { channels, note, noOf, until, value } from '../store/bench.ts';
import { serverUrl } from './bench.ts';

assert.notEqual(serverUrl, '', 'run `npm run test:pg`, which starts a PostgreSQL');

const pair = await ServerPair.start({ synchronous: true });
after(() => pair.close());

test('attack: a COMMIT that waited for a standby which nobody waits for any more is no acknowledgement', async () => {
  const [one, two] = pair.servers.map(({ url }) => new URL(url));
  assert.ok(one !== undefined && two !== undefined);
  const url = `postgres://${one.username}:${one.password}@${one.host},${two.host}${one.pathname}`;
  const store = await openPostgres({ url, channels, standby: 'required' });
  try {
    value(await store.change(note(1)));
    pair.freeze();
    const change = store.change(note(2)).then(noOf);
    await until('the commit waits', async () => {
      const rows = await pair.primary.query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
      return rows.length > 0;
    });
    await pair.goWithout();
    const answer = await change;
    await pair.failOver();
    await pair.renewStandby();
    await until('it writes again', async () => noOf(await store.change(note(3))) === 'ok');
    const found = (await store.entries(-1, 100)).map(({ entry }) => entry.data['n']);
    assert.ok(found.includes(1));
    assert.equal(found.includes(2), answer === 'ok', `it was answered ${answer}`);
  } finally {
    pair.thaw();
    await store.close();
  }
});
