/**
 * A program that kills itself (log-killed.test.ts): it has one action asked, approved, run and told of, each step published
 * before the next, and dies at the moment that it was given. Arguments: the folder, and the moment.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { keysFolder } from '../../src/log/key-files.ts';
import { keysFrom } from '../../src/log/keys.ts';
import { memoryIn } from '../../src/log/given.ts';
import { keepPublished } from '../../src/log/publish.ts';
import type { Command } from '../../src/core/command.ts';
import type { Store } from '../../src/ports/store.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { caseOf, channels, handle, until } from '../store/bench.ts';
import * as world from '../store/world.ts';

const [directory = '', moment = ''] = process.argv.slice(2);
let step = 'open';
/** Dies here, where this is the moment. */
const at = (name: string): void => {
  if (`${step}:${name}` === moment) process.kill(process.pid, 'SIGKILL');
};

const opened = await openSqlite({ directory, channels });
const store: Store = {
  ...opened,
  publish: async (publishing) => {
    at('before the tree');
    const result = await opened.publish(publishing);
    at('in the tree');
    return result;
  },
};
const memory = memoryIn(keysFolder(directory));
const publisher = await keepPublished({
  store,
  clock: { nowMs: () => Date.now() },
  base: 'audit.example.com',
  keys: keysFrom(keysFolder(directory), { log: null, logBefore: null, receipt: null }),
  memory: {
    ...memory,
    write: async (note) => {
      await memory.write(note);
      at('given out');
    },
  },
  settings: { heartbeatMs: 3_600_000 },
  holder: 'gate',
  say: () => undefined,
});
await store.change(world.acceptDirectory());
const versions = await store.versions();

/** Commits a step, and waits until its entries are in the tree. */
async function take(name: string, command: Command): Promise<void> {
  step = name;
  at('before the commit');
  caseOf(await store.change(command));
  at('committed');
  await until('published', async () => publisher.given?.size === (await store.head()).size);
}

const ask = world.ask(world.review(versions), { enforcement: 'mediated' });
appendFileSync(join(directory, 'asked'), ask.asked.id);
await take('ask', ask);
await take('approve', world.reviewOf(handle(ask), world.rosa));
const claim = world.claim(ask.asked.id, ask.asked.verdict);
await take('claim', claim);
step = 'run';
at('before the effect');
appendFileSync(join(directory, 'effects'), `${ask.asked.id}\n`);
at('after the effect');
await take('outcome', {
  kind: 'outcome',
  execution: claim.execution,
  by: { kind: 'gate' },
  status: 'succeeded',
  detail: null,
  result: null,
});
step = 'end';
at('');
