/** SIGTERM at the worst moments, against real processes: agents come again and get their results, and nothing runs twice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inFolder } from '../cli/run.ts';
import { raw, tasksCapability } from '../enforce/mcp/support/modern.ts';
import { eventually } from '../support/gate.ts';
import {
  api,
  approve,
  callNewer,
  callOlder,
  connect,
  endAll,
  filesOf,
  folderOf,
  pending,
  serve,
  type Folder,
} from './support/stopped-gates.ts';

interface Tokens {
  readonly bot: string;
  readonly rosa: string;
  readonly ada: string;
}

const within = (more: string, work: (folder: Folder, tokens: Tokens) => Promise<void>): Promise<void> =>
  inFolder(filesOf(more), async (path) => {
    const folder = folderOf(path);
    const bot = await folder.token('agent', 'crm-bot');
    const rosa = await folder.token('person', 'rosa');
    const ada = await folder.token('person', 'ada');
    try {
      await work(folder, { bot, rosa, ada });
    } finally {
      await endAll();
    }
  });

const notYet = /^Not run yet: approval apr_\w+; call again with the same arguments/;

test('told to stop in the middle of holds: whoever waits is told at once to come again, does, and gets the result', () =>
  within('', async (folder, { bot, rosa, ada }) => {
    let gate = await serve(folder.path);
    const as = { authorization: `Bearer ${bot}` };
    const refund = { operation: 'shop___refund', input: { cents: 500 } };
    const older = callOlder(gate, bot, 'quick', 'older');
    const newer = callNewer(gate, bot, 'quick', 'newer');
    const task = { name: 'quick', arguments: { what: 'task' } };
    const { body: begun } = await raw(gate, 'up', {
      method: 'tools/call',
      params: task,
      headers: as,
      capabilities: tasksCapability,
    });
    assert.equal(begun.result.resultType, 'task');
    const asked = api(gate, bot, ['POST', '/v1/actions?wait=300', refund]);
    const held = await pending(gate, rosa, 4);
    const looked = api(gate, rosa, ['GET', `/v1/approvals/${held[0].id}?wait=300`]);
    // Sent before these, it waits by the time they are answered.
    for (let look = 0; look < 5; look += 1) await pending(gate, rosa, 4);
    gate.child.kill('SIGTERM');

    assert.match(await older, notYet);
    assert.match(await newer, notYet);
    const waited = await asked;
    assert.deepEqual(
      [waited.status, waited.body.state, waited.headers.get('retry-after')],
      [202, 'pending', '1'],
    );
    const seen = await looked;
    assert.deepEqual([seen.status, seen.body.status, seen.headers.get('retry-after')], [200, 'pending', '1']);
    assert.equal(await gate.ended, 0, gate.err());
    assert.match(gate.err(), /^stopping: \d waits? handed over$/m);

    gate = await serve(folder.path);
    for (const one of await pending(gate, rosa, 4))
      assert.equal((await approve(gate, rosa, one)).status, 201);
    assert.equal(await callOlder(gate, bot, 'quick', 'older'), 'done older');
    assert.equal(await callNewer(gate, bot, 'quick', 'newer'), 'done newer');
    const taskId = begun.result.taskId as string;
    await eventually(async () => {
      const { body } = await raw(gate, 'up', {
        method: 'tasks/get',
        params: { taskId },
        headers: as,
        capabilities: tasksCapability,
      });
      return body.result.status === 'completed' && /done task/.test(JSON.stringify(body.result));
    }, 'the task is done');
    const again = await api(gate, bot, ['POST', '/v1/actions?wait=300', refund]);
    assert.deepEqual([again.status, again.body.state, again.body.id], [200, 'ready', waited.body.id]);
    assert.deepEqual(folder.calls(), { 'quick older': 1, 'quick newer': 1, 'quick task': 1 });
    const { items } = (await api(gate, ada, ['GET', '/v1/log?limit=1000'])).body;
    const types = items.map((entry: { type: string }) => entry.type) as string[];
    const before = types.slice(0, types.lastIndexOf('gate.started'));
    assert.equal(before.at(-1), 'gate.stopped', 'the last entry of the first process');
    gate.child.kill('SIGTERM');
    assert.equal(await gate.ended, 0);
  }));

test('what runs is waited for, and nothing new is taken meanwhile; its agent gets the answer', () =>
  within('shutdown: { grace: PT5M }', async (folder, { bot, rosa }) => {
    let gate = await serve(folder.path);
    const older = callOlder(gate, bot, 'work', 'older');
    const newer = callNewer(gate, bot, 'work', 'newer');
    for (const one of await pending(gate, rosa, 2)) await approve(gate, rosa, one);
    await eventually(() => Object.keys(folder.calls()).length === 2, 'both run');
    const idle = await connect(gate, bot);
    gate.child.kill('SIGTERM');
    await eventually(() => /^stopping: waiting for 2 runs, at most /m.test(gate.err()), 'it waits for them');

    const ready = await fetch(`${gate.url}/readyz`);
    assert.equal(ready.status, 503);
    assert.deepEqual(await ready.json(), { status: 'stopping', why: ['The gate is stopping.'] });
    assert.equal(
      (await fetch(`${gate.url}/healthz`)).status,
      200,
      'it lives: nobody should kill it for this',
    );
    const refund = { operation: 'shop___refund', input: { cents: 5 } };
    const refused = await api(gate, bot, ['POST', '/v1/actions', refund]);
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '1']);
    assert.equal(refused.headers.get('connection'), 'close');
    await assert.rejects(idle.callTool({ name: 'quick', arguments: { what: 'late' } }), /503|stopping/);
    await assert.rejects(connect(gate, bot), /503|stopping/);
    folder.release();
    assert.equal(await older, 'done older');
    assert.equal(await newer, 'done newer');
    assert.equal(await gate.ended, 0, gate.err());

    gate = await serve(folder.path);
    assert.match(await callOlder(gate, bot, 'work', 'older'), /^done older/, 'recorded, and replayed');
    assert.deepEqual(folder.calls(), { 'work older': 1, 'work newer': 1 });
    gate.child.kill('SIGTERM');
    await gate.ended;
  }));

test('granted in the moment in which it stops: run here to its end, or kept for the next call; never lost, never twice', async () => {
  for (const after of [0, 4]) {
    await within('limits: { pendingPerAgent: 20 }', async (folder, { bot, rosa }) => {
      let gate = await serve(folder.path);
      const names = Array.from({ length: 10 }, (_, index) => `n${index}`);
      const call = (what: string): Promise<string> =>
        (Number(what.slice(1)) % 2 === 0 ? callOlder : callNewer)(gate, bot, 'quick', what);
      const first = names.map((what) => call(what).catch((error: unknown) => String(error)));
      const held = await pending(gate, rosa, names.length);
      let answered = 0;
      const { child } = gate;
      const approving = held.map((one) =>
        approve(gate, rosa, one).then(
          () => {
            answered += 1;
            if (answered === after) child.kill('SIGTERM');
          },
          () => undefined, // cut off: the gate was faster
        ),
      );
      if (after === 0) child.kill('SIGTERM');
      await Promise.all(approving);
      const said = await Promise.all(first);
      assert.equal(await gate.ended, 0, gate.err());
      for (const [index, text] of said.entries())
        assert.ok(text === `done ${names[index]}` || notYet.test(text), `after ${after}: ${text}`);

      gate = await serve(folder.path);
      const left = (await api(gate, rosa, ['GET', '/v1/approvals?status=pending'])).body.items;
      for (const one of left) assert.equal((await approve(gate, rosa, one)).status, 201);
      for (const what of names) assert.match(await call(what), new RegExp(`^done ${what}`), what);
      assert.deepEqual(folder.calls(), Object.fromEntries(names.map((what) => [`quick ${what}`, 1])));
      gate.child.kill('SIGTERM');
      await gate.ended;
    });
  }
});

test('what is left after the grace is cut off: its outcome is unknown and on record, and the exit code says so', () =>
  within('shutdown: { grace: PT1S }', async (folder, { bot, rosa, ada }) => {
    let gate = await serve(folder.path);
    const older = callOlder(gate, bot, 'work', 'older');
    const newer = callNewer(gate, bot, 'work', 'newer');
    const held = await pending(gate, rosa, 2);
    for (const one of held) await approve(gate, rosa, one);
    await eventually(() => Object.keys(folder.calls()).length === 2, 'both run');
    gate.child.kill('SIGTERM');
    assert.match(await older, /^Outcome unknown/);
    assert.match(await newer, /^Outcome unknown/);
    assert.equal(await gate.ended, 3, gate.err());
    assert.match(gate.err(), /^stopping: 2 runs cut off after 1 s; how it ended is unknown$/m);
    folder.release();

    gate = await serve(folder.path);
    for (const one of held)
      assert.equal((await api(gate, bot, ['GET', `/v1/actions/${one.action.id}`])).body.state, 'unknown');
    const { items } = (await api(gate, ada, ['GET', '/v1/log?limit=1000'])).body;
    const types = items.map((entry: { type: string }) => entry.type) as string[];
    assert.equal(types.filter((type) => type === 'execution.started').length, 2);
    assert.equal(types[types.lastIndexOf('gate.started') - 1], 'gate.stopped');
    assert.deepEqual(folder.calls(), { 'work older': 1, 'work newer': 1 });
    gate.child.kill('SIGTERM');
    await gate.ended;
  }));

test('while it drains it is not ready, and serves everything; a second signal ends it at once', () =>
  within('shutdown: { drain: PT5M }', async (folder, { bot, rosa }) => {
    const gate = await serve(folder.path);
    assert.equal((await fetch(`${gate.url}/readyz`)).status, 200);
    gate.child.kill('SIGTERM');
    await eventually(() => gate.err().includes('stopping: no longer ready'), 'it says that it leaves');
    assert.equal((await fetch(`${gate.url}/readyz`)).status, 503);
    assert.equal((await fetch(`${gate.url}/healthz`)).status, 200);
    const older = callOlder(gate, bot, 'quick', 'older');
    const [held] = await pending(gate, rosa, 1);
    const reviewed = await approve(gate, rosa, held);
    assert.equal(reviewed.status, 201);
    assert.equal(reviewed.headers.get('connection'), 'close', 'the next request goes elsewhere');
    assert.equal(await older, 'done older');
    gate.child.kill('SIGTERM');
    assert.equal(await gate.ended, 143);
  }));
