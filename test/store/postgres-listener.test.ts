/** The connection that listens: there is one, whatever broke the one before and when, and none once it was stopped. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Connection } from '../../src/store/postgres-connection.ts';
import type { Hosts } from '../../src/store/postgres-hosts.ts';
import { Listener, listenLimits } from '../../src/store/postgres-listener.ts';

/** Lets everything that is ready run. */
const settle = async (): Promise<void> => {
  for (let n = 0; n < 20; n += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** A server whose connections may end at LISTEN. */
function server() {
  const open = new Set<Connection>();
  let made = 0;
  let ends: 'at LISTEN' | 'never' = 'never';
  const connect = (): Promise<Connection> => {
    made += 1;
    let told = (): void => undefined;
    let broken = false;
    const end = (): void => {
      broken = true;
      if (open.delete(connection)) process.nextTick(() => told());
    };
    const connection = {
      get broken() {
        return broken;
      },
      onNotification: () => undefined,
      onEnd: (listener: () => void) => void (told = listener),
      // As the driver does it: the query fails and the end is told in one turn.
      script: (sql: string) => {
        if (broken) return Promise.reject(new Error('it has ended'));
        if (ends === 'never' || !sql.startsWith('LISTEN')) return Promise.resolve([]);
        return new Promise((_, reject) => {
          process.nextTick(() => reject(new Error('it has ended')));
          end();
        });
      },
      destroy: end,
      end: () => Promise.resolve(end()),
      // All of it that a listener uses.
    } as unknown as Connection;
    open.add(connection);
    return Promise.resolve(connection);
  };
  return {
    // All of it that a listener uses.
    hosts: { connect } as unknown as Hosts,
    open,
    made: () => made,
    ends: (when: typeof ends) => void (ends = when),
    cut: () => open.forEach((one) => one.destroy()),
  };
}

const timed = (t: TestContext): ((ms: number) => Promise<void>) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  return async (ms) => {
    for (let passed = 0; passed < ms; passed += listenLimits.pauseMsMin) {
      t.mock.timers.tick(listenLimits.pauseMsMin);
      await settle();
    }
  };
};

test('a connection that ends while it begins to listen is followed by one', async (t) => {
  const pass = timed(t);
  const at = server();
  const heard: boolean[] = [];
  const listening = (on: boolean): void => void heard.push(on);
  const listener = new Listener({ hosts: at.hosts, channel: 'x', heard: () => undefined, listening });
  assert.equal(await listener.start(), null);
  at.ends('at LISTEN');
  at.cut();
  await settle();
  await pass(1000);
  assert.ok(at.made() > 2, 'it tries again');
  at.ends('never');
  await pass(3 * listenLimits.pauseMsMax);
  assert.equal(at.open.size, 1);
  assert.deepEqual(heard, [true, false, true]);
  const before = at.made();
  await pass(3 * listenLimits.askMs);
  assert.equal(at.made(), before, 'and that one is kept');
  await listener.stop();
  await pass(3 * listenLimits.pauseMsMax);
  assert.equal(at.open.size, 0);
});
