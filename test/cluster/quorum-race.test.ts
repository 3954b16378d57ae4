/**
 * Two writers in two processes, and two people who decide the same things at one moment. With the lock on the row of each case
 * nothing is left waiting and nothing is decided twice; without it, both happen. The second half is a negative control: it shows
 * that the race is there, and that the checker of the cluster runs sees it.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import type { Store } from '../../src/ports/store.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import { assertLog, channels, handle, value } from '../store/bench.ts';
import * as world from '../store/world.ts';
import { endAll, endsWithUs, goesWithUs } from './support/ended.ts';
import { livesOf, wrongWith } from './support/lives.ts';
import { freePort } from '../support/ports.ts';
import { give, PostgresServer } from './support/postgres.ts';

const rounds = 12;
/** Approvals of each round: half of them want two people, half of them one. */
const each = 40;

interface Racer {
  /** Approves all of them; what came of each. */
  review(asks: readonly ReturnType<typeof handle>[]): Promise<readonly string[]>;
  end(): Promise<void>;
}

async function racer(url: string, person: string, lock: 'locked' | 'unlocked'): Promise<Racer> {
  const program = join(import.meta.dirname, 'support', 'race-child.ts');
  const child = spawn(process.execPath, [program, url, person, lock], { stdio: ['pipe', 'pipe', 'inherit'] });
  if (child.pid !== undefined) endsWithUs(child.pid);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const line = await lines.next();
    assert.ok(line.done !== true, 'the writer ended by itself');
    return line.value;
  };
  assert.equal(await next(), 'ready');
  return {
    review: async (asks) => {
      child.stdin.write(`${JSON.stringify(asks)}\n`);
      // It writes an array of codes.
      return JSON.parse(await next()) as readonly string[];
    },
    end: async () => {
      const ended = once(child, 'exit');
      child.stdin.end();
      await ended;
    },
  };
}

async function race(store: Store, url: string, lock: 'locked' | 'unlocked'): Promise<readonly string[]> {
  const racers = [await racer(url, world.rosa, lock), await racer(url, world.mia, lock)] as const;
  const versions = await store.versions();
  const after = (await store.head()).size - 1;
  for (let round = 0; round < rounds; round += 1) {
    const asks = Array.from({ length: each }, (_, at) =>
      world.ask(world.review(versions, world.requirement({ quorum: 1 + (at % 2) }))),
    );
    for (const asked of await Promise.all(asks.map((ask) => store.change(ask)))) value(asked);
    const said = await Promise.all(racers.map((one) => one.review(asks.map(handle))));
    for (const code of said.flat())
      assert.ok(code === 'ok' || code === 'approval_closed', `a review was answered ${code}`);
  }
  for (const one of racers) await one.end();
  const entries = (await store.entries(after, 100_000)).map(({ entry }) => entry);
  return [...livesOf(entries).values()].flatMap((life) => wrongWith(life));
}

async function withDatabase(body: (store: Store, url: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-race-'));
  goesWithUs(folder);
  chmodSync(folder, 0o700);
  give(folder);
  const server = new PostgresServer(
    { folder, password: randomBytes(16).toString('hex') },
    'one',
    await freePort(),
  );
  try {
    await server.initialise();
    await server.start();
    const store = await openPostgres({ url: server.url, channels });
    try {
      value(await store.change(world.acceptDirectory()));
      await body(store, server.url);
      await assertLog(store);
    } finally {
      await store.close();
    }
  } finally {
    await server.kill();
    endAll();
  }
}

const stuck = (problems: readonly string[]): number =>
  problems.filter((one) => one.includes('waits for ever')).length;
const twice = (problems: readonly string[]): number =>
  problems.filter((one) => /approved \d+ times/.test(one)).length;

test('the quorum race with the lock: nothing waits for ever, nothing is decided twice', async () => {
  await withDatabase(async (store, url) => assert.deepEqual(await race(store, url, 'locked'), []));
});

test('negative control: the quorum race without the row lock leaves approvals waiting for ever, and decides others twice', async () => {
  await withDatabase(async (store, url) => {
    const problems = await race(store, url, 'unlocked');
    console.log(
      `without the lock, of ${rounds * each}: ${stuck(problems)} wait for ever, ${twice(problems)} were decided twice`,
    );
    assert.ok(stuck(problems) > 0, 'a race that leaves nothing waiting shows nothing');
    assert.ok(twice(problems) > 0, 'a race that decides nothing twice shows nothing');
  });
});
