/**
 * A gate is told to stop while agents wait at it. They come again to another gate on the same database, as a load balancer
 * sends them, and get the results of what people approve there: each action run once, by whichever gate.
 */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inFolder } from '../cli/run.ts';
import { raw, tasksCapability } from '../enforce/mcp/support/modern.ts';
import { eventually } from '../support/gate.ts';
import {
  api,
  approve,
  callNewer,
  callOlder,
  endAll,
  filesOf,
  folderOf,
  pending,
  serve,
  type Folder,
} from '../attacks/support/stopped-gates.ts';
import { postgresBench } from './bench.ts';

const more = `
database: { fromEnv: DATABASE_URL }
log: { keys: { log: { fromFile: log.pem }, receipt: { fromFile: receipt.pem } } }
`;

interface At {
  readonly folder: Folder;
  readonly env: Readonly<Record<string, string>>;
  readonly bot: string;
  readonly rosa: string;
  readonly ada: string;
}

async function within(shutdown: string, work: (at: At) => Promise<void>): Promise<void> {
  const bench = await postgresBench();
  const pem = (pair: ReturnType<typeof generateKeyPairSync>): string =>
    String(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  try {
    await inFolder(filesOf(`${more}${shutdown}`), async (path) => {
      writeFileSync(join(path, 'log.pem'), pem(generateKeyPairSync('ed25519')), { mode: 0o600 });
      const receipt = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      writeFileSync(join(path, 'receipt.pem'), pem(receipt), { mode: 0o600 });
      const env = { DATABASE_URL: bench.url };
      const folder = folderOf(path, env);
      const [bot, rosa, ada] = [
        await folder.token('agent', 'crm-bot'),
        await folder.token('person', 'rosa'),
        await folder.token('person', 'ada'),
      ];
      try {
        await work({ folder, env, bot, rosa, ada });
      } finally {
        await endAll();
      }
    });
  } finally {
    await bench.remove();
  }
}

const notYet = /^Not run yet: approval apr_\w+; call again with the same arguments/;

test('handover: whoever waits at a gate that stops comes again to another one, and gets what people approve there', () =>
  within('shutdown: { drain: PT0S }', async ({ folder, env, bot, rosa, ada }) => {
    const [a, b] = [await serve(folder.path, env), await serve(folder.path, env)];
    const as = { authorization: `Bearer ${bot}` };
    const refund = { operation: 'shop___refund', input: { cents: 500 } };
    const older = callOlder(a, bot, 'quick', 'older');
    const newer = callNewer(a, bot, 'quick', 'newer');
    const params = { name: 'quick', arguments: { what: 'task' } };
    const { body: begun } = await raw(a, 'up', {
      method: 'tools/call',
      params,
      headers: as,
      capabilities: tasksCapability,
    });
    const asked = api(a, bot, ['POST', '/v1/actions?wait=300', refund]);
    await pending(b, rosa, 4);
    a.child.kill('SIGTERM');
    assert.match(await older, notYet);
    assert.match(await newer, notYet);
    const waited = await asked;
    assert.deepEqual([waited.status, waited.headers.get('retry-after')], [202, '1']);

    // They are there before people decide, and others after.
    const olderAgain = callOlder(b, bot, 'quick', 'older');
    const askedAgain = api(b, bot, ['POST', '/v1/actions?wait=300', refund]);
    for (const one of await pending(b, rosa, 4)) assert.equal((await approve(b, rosa, one)).status, 201);
    assert.equal(await olderAgain, 'done older');
    assert.equal(await callNewer(b, bot, 'quick', 'newer'), 'done newer');
    const again = await askedAgain;
    assert.deepEqual([again.status, again.body.state, again.body.id], [200, 'ready', waited.body.id]);
    const { taskId } = begun.result as { readonly taskId: string };
    await eventually(async () => {
      const { body } = await raw(b, 'up', {
        method: 'tasks/get',
        params: { taskId },
        headers: as,
        capabilities: tasksCapability,
      });
      return /done task/.test(JSON.stringify(body.result));
    }, 'the task is done');
    assert.deepEqual(folder.calls(), { 'quick older': 1, 'quick newer': 1, 'quick task': 1 });
    assert.equal(await a.ended, 0, a.err());
    const { items } = (await api(b, ada, ['GET', '/v1/log?limit=1000'])).body;
    const types = items.map((entry: { type: string }) => entry.type) as string[];
    assert.equal(types.filter((type) => type === 'gate.stopped').length, 1);
    assert.equal(types.filter((type) => type === 'execution.started').length, 3);
    b.child.kill('SIGTERM');
    assert.equal(await b.ended, 0, b.err());
  }));

test('handover: a run at a gate that stops is its own to end; another gate neither loses it nor runs it', () =>
  within('shutdown: { drain: PT0S, grace: PT5M }', async ({ folder, env, bot, rosa }) => {
    const [a, b] = [await serve(folder.path, env), await serve(folder.path, env)];
    const first = callOlder(a, bot, 'work', 'x');
    const [held] = await pending(b, rosa, 1);
    assert.equal((await approve(b, rosa, held)).status, 201);
    await eventually(() => folder.calls()['work x'] === 1, 'it runs');
    a.child.kill('SIGTERM');
    await eventually(() => a.err().includes('stopping: waiting for 1 run'), 'it is waited for');
    const again = callOlder(b, bot, 'work', 'x');
    folder.release();
    assert.equal(await first, 'done x');
    assert.equal(await a.ended, 0, a.err());
    assert.match(await again, /^done x/);
    assert.deepEqual(folder.calls(), { 'work x': 1 });
    const { body } = await api(b, bot, ['GET', `/v1/actions/${held.action.id}`]);
    assert.equal(body.state, 'succeeded');
  }));

test('handover: granted while the gate stops: run there, or kept for the agent’s next call at another; never twice', () =>
  within('limits: { pendingPerAgent: 20 }\nshutdown: { drain: PT0S }', async ({ folder, env, bot, rosa }) => {
    const [a, b] = [await serve(folder.path, env), await serve(folder.path, env)];
    const names = Array.from({ length: 10 }, (_, index) => `n${index}`);
    const call = (gate: typeof a, what: string): Promise<string> =>
      (Number(what.slice(1)) % 2 === 0 ? callOlder : callNewer)(gate, bot, 'quick', what);
    const first = names.map((what) => call(a, what));
    const held = await pending(b, rosa, names.length);
    // Approved at the gate that stays, one after another, while the other stops.
    for (const [index, one] of held.entries()) {
      if (index === 4) a.child.kill('SIGTERM');
      assert.equal((await approve(b, rosa, one)).status, 201);
    }
    for (const text of await Promise.all(first))
      assert.ok(/^done n\d$/.test(text) || notYet.test(text), text);
    assert.equal(await a.ended, 0, a.err());
    for (const what of names) assert.match(await call(b, what), new RegExp(`^done ${what}`));
    assert.deepEqual(folder.calls(), Object.fromEntries(names.map((what) => [`quick ${what}`, 1])));
  }));
