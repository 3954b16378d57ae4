/**
 * Observing is the operator's choice and shows nothing to agents: none can choose it, learn of it, or carry what it let pass
 * into the time after it; and what holds whatever policies say holds under it too.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Store } from '../../src/ports/store.ts';
import type { ServerSettings } from '../../src/ports/settings.ts';
import {
  command as spawned,
  permitAll,
  reviewOf,
  root,
  startTestGate as startMcp,
} from '../enforce/mcp/support/gate.ts';
import {
  eventually,
  operations,
  people,
  policies,
  startTestGate,
  type Answer,
  type TestGate,
} from '../support/gate.ts';

const observed = people + operations.replace('    input:', '    mode: observe\n    input:');
const enforced = people + operations;

interface Scene {
  readonly gate: TestGate;
  readonly agent: string;
  /** Reads everything. */
  readonly ada: string;
  readonly ask: (cents: number, headers?: Record<string, string>) => Promise<Answer>;
}

async function scene(t: TestContext, config = observed): Promise<Scene> {
  const gate = await startTestGate({ config });
  t.after(() => gate.stop());
  const [agent, ada] = [await gate.token('agent', 'crm-bot'), await gate.token('person', 'ada')];
  const ask: Scene['ask'] = (cents, headers) =>
    gate.call(agent, 'POST', '/v1/actions', { operation: 'shop___refund', input: { cents } }, headers);
  return { gate, agent, ada, ask };
}

interface LogEntry {
  readonly index: number;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

async function entries({ gate, ada }: Scene): Promise<readonly LogEntry[]> {
  const answer = await gate.call(ada, 'GET', '/v1/log?limit=1000');
  return (answer.body as { readonly items: readonly LogEntry[] }).items;
}

test('what would be held or denied passes while it is observed, and every entry about it says so', async (t) => {
  const one = await scene(t);
  for (const [cents, effect] of [
    [50, 'allow'],
    [500, 'review'],
    [500_000, 'deny'],
  ] as const) {
    const asked = await one.ask(cents);
    assert.equal(asked.status, 200, JSON.stringify(asked.body));
    assert.equal(asked.body.state, 'ready');
    const taken = await one.gate.call(one.agent, 'POST', `/v1/actions/${asked.body.id}/execution`);
    assert.equal(taken.status, 201);
    const done = { status: 'succeeded' };
    await one.gate.call(one.agent, 'PUT', `/v1/executions/${taken.body.id}/outcome`, done);
    const seen = await one.gate.call(one.ada, 'GET', `/v1/actions/${asked.body.id}`);
    assert.deepEqual(
      [seen.body.mode, seen.body.verdict, seen.body.wouldBe.verdict],
      ['observe', effect, effect],
    );
    assert.equal(seen.body.state, 'succeeded');
    const about = (await one.gate.gate().parts.store.entriesAbout(asked.body.id)).map((each) => each.entry);
    assert.deepEqual(
      about.map((each) => [each.type, each.data['mode']]),
      [
        ['action.asked', 'observe'],
        ['execution.started', 'observe'],
        ['execution.succeeded', 'observe'],
      ],
    );
  }
  assert.equal(
    (await one.gate.call(one.ada, 'GET', '/v1/approvals')).body.items.length,
    0,
    'nobody is asked',
  );
});

test('an agent cannot tell that it is only observed, nor what would have been held', async (t) => {
  const one = await scene(t);
  const [allowed, review, denied] = [await one.ask(50), await one.ask(500), await one.ask(500_000)];
  const without = ({ body }: Answer): object => ({ ...body, id: '', digest: '', runBefore: '' });
  assert.deepEqual(without(review), without(allowed));
  assert.deepEqual(without(denied), without(allowed));
  assert.doesNotMatch(JSON.stringify([allowed.body, review.body, denied.body]), /observe|would|Large|Nobody/);
  const again = await one.gate.call(one.agent, 'GET', `/v1/actions/${denied.body.id}`);
  assert.doesNotMatch(JSON.stringify(again.body), /observe|would|deny|Nobody/);
});

test('an agent cannot choose the mode', async (t) => {
  const one = await scene(t, enforced);
  const body = { operation: 'shop___refund', input: { cents: 500 }, mode: 'observe' };
  const said = await one.gate.call(one.agent, 'POST', '/v1/actions', body);
  assert.deepEqual([said.status, said.body.code], [400, 'input_invalid']);
  const inside = { operation: 'shop___refund', input: { cents: 500, mode: 'observe' } };
  assert.equal((await one.gate.call(one.agent, 'POST', '/v1/actions', inside)).status, 400);
  const headers = { 'x-countersign-mode': 'observe', 'countersign-mode': 'observe' };
  assert.equal((await one.ask(500, headers)).status, 202);
});

test('a stopped agent is refused although it is observed, and what it was granted before does not run', async (t) => {
  const one = await scene(t);
  const before = await one.ask(500);
  assert.equal(before.body.state, 'ready');
  const sam = await one.gate.token('person', 'sam');
  assert.equal((await one.gate.call(sam, 'POST', '/v1/agents/crm-bot/stop', { reason: 'odd' })).status, 200);
  const asked = await one.ask(50);
  assert.deepEqual([asked.status, asked.body.code], [429, 'agent_stopped']);
  const run = await one.gate.call(one.agent, 'POST', `/v1/actions/${before.body.id}/execution`);
  assert.deepEqual([run.status, run.body.code], [429, 'agent_stopped']);
});

test('what passed while it was observed is judged again once the operator enforces', async (t) => {
  const one = await scene(t);
  const [small, large] = [await one.ask(50), await one.ask(500)];
  await one.gate.setConfig(enforced);
  const run = (id: string): Promise<Answer> =>
    one.gate.call(one.agent, 'POST', `/v1/actions/${id}/execution`);
  const refused = await run(large.body.id);
  assert.deepEqual([refused.status, refused.body.code], [403, 'policy_changed']);
  assert.equal((await run(large.body.id)).status, 403, 'and stays refused');
  assert.equal((await run(small.body.id)).status, 201, 'what is allowed today runs');
});

test('what passed while it was observed approves nothing afterwards', async (t) => {
  const one = await scene(t);
  const passed = await one.ask(500);
  await one.gate.setConfig(enforced);
  const held = await one.ask(500);
  assert.equal(held.status, 202, JSON.stringify(held.body));
  assert.notEqual(held.body.id, passed.body.id);
  assert.equal(held.body.state, 'pending');
});

test('an approval that waits is not settled by observing: what is observed is another action', async (t) => {
  const one = await scene(t, enforced);
  const held = await one.ask(500);
  await one.gate.setConfig(observed);
  const passed = await one.ask(500);
  assert.notEqual(passed.body.id, held.body.id);
  const waiting = await one.gate.call(one.ada, 'GET', `/v1/actions/${held.body.id}`);
  assert.deepEqual([waiting.body.state, waiting.body.mode], ['pending', 'enforce']);
});

test('broken policies let pass what is observed, recorded as that, and nothing else', async (t) => {
  const plain = `  shop___gift:\n    input: { type: object, properties: { cents: { type: integer } } }\n`;
  const one = await scene(t, observed + plain);
  const gift = (): Promise<Answer> =>
    one.gate.call(one.agent, 'POST', '/v1/actions', { operation: 'shop___gift', input: { cents: 1 } });
  assert.equal((await gift()).status, 200);
  await one.gate.setPolicies('permit (principal, action');
  const other = await gift();
  assert.deepEqual([other.status, other.body.code], [403, 'policy_error']);
  const passed = await one.ask(500);
  assert.equal(passed.status, 200);
  const seen = await one.gate.call(one.ada, 'GET', `/v1/actions/${passed.body.id}`);
  assert.deepEqual(seen.body.wouldBe, { verdict: 'deny', code: 'policy_error' });
});

/** Makes writes of one kind fail until it is told to stop. */
function failing(store: Store, fails: (command: Parameters<Store['change']>[0]) => boolean): () => void {
  const change = store.change.bind(store);
  let on = true;
  const wrapped: Store['change'] = (command, idempotency) =>
    on && fails(command)
      ? Promise.resolve({ ok: false, error: { kind: 'fault', detail: 'the disk is full' } })
      : change(command, idempotency);
  Object.assign(store, { change: wrapped });
  return () => {
    on = false;
  };
}

const isObserveEntry = (command: Parameters<Store['change']>[0]): boolean =>
  command.kind === 'record' && command.entries.some((one) => one.type === 'observe.changed');

test('nothing is observed before the log says so', async (t) => {
  const one = await scene(t, enforced);
  let tries = 0;
  const mend = failing(one.gate.gate().parts.store, (command) => {
    if (!isObserveEntry(command)) return false;
    tries += 1;
    return true;
  });
  writeFileSync(join(one.gate.folder, 'countersign.yaml'), `listen: 127.0.0.1:0\n${observed}`);
  await one.gate.acceptConfig();
  await eventually(() => tries > 0, 'an entry that could not be written');
  assert.equal((await one.ask(500)).status, 202, 'the stricter holds');
  assert.deepEqual(one.gate.gate().parts.world.observed(), []);
  mend();
  // Any change of the files proposes them again.
  await one.gate.setPolicies(`${policies}// again\n`);
  await eventually(() => one.gate.gate().parts.world.observed().length > 0, 'observed at last');
  const passed = await one.ask(600);
  assert.equal(passed.body.state, 'ready');
  const log = await entries(one);
  const changed = log.find((entry) => entry.type === 'observe.changed');
  assert.deepEqual(changed?.data, { observed: ['shop___refund'], before: [] });
  const first = log.find((entry) => entry.type === 'action.asked' && entry.data['mode'] === 'observe');
  assert.ok((changed?.index ?? 0) < (first?.index ?? -1), 'the entry comes before what it let pass');
});

test('to enforce needs no entry: where it cannot be written, it holds all the same', async (t) => {
  const one = await scene(t);
  failing(one.gate.gate().parts.store, isObserveEntry);
  await one.gate.setConfig(enforced);
  assert.equal((await one.ask(500)).status, 202);
  assert.deepEqual(one.gate.gate().parts.world.observed(), []);
});

test('nothing is observed while the people of today are not recorded', async (t) => {
  const one = await scene(t);
  let tries = 0;
  failing(one.gate.gate().parts.store, (command) => {
    const isIt = command.kind === 'accept' && command.parts.some((part) => part.what === 'directory');
    if (isIt) tries += 1;
    return isIt;
  });
  const without = observed.replace(/.*id: crm-bot.*\n/, '');
  writeFileSync(join(one.gate.folder, 'countersign.yaml'), `listen: 127.0.0.1:0\n${without}`);
  await eventually(
    () => tries > 0 && one.gate.gate().parts.policy.broken() !== null,
    'a denial of everything',
  );
  const asked = await one.ask(50);
  assert.deepEqual([asked.status, asked.body.code], [403, 'policy_error']);
});

test('at start the log says what is observed', async (t) => {
  const one = await scene(t);
  await one.gate.restart();
  const started = (await entries(one)).filter((entry) => entry.type === 'gate.started');
  assert.deepEqual(
    started.map((entry) => entry.data['observed']),
    [['shop___refund'], ['shop___refund']],
  );
});

test('a tool whose definition changed is refused although its server is observed', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-observe-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const upstream = spawned([process.execPath, `${root}test/enforce/mcp/support/fixture.ts`], {
    FIXTURE_LOG: join(folder, 'log'),
    FIXTURE_STATE: join(folder, 'state'),
  });
  const texts = permitAll + reviewOf('fix___write');
  const gate = await startMcp({ servers: { fix: upstream }, policies: texts, limits: { holdMs: 300 } });
  t.after(() => gate.close());
  const settings = gate.settings.get('fix');
  assert.ok(settings !== undefined);
  const watched: ServerSettings = { ...settings, mode: 'observe' };
  gate.settings.set('fix', watched);
  await gate.propose(texts);
  const { client } = await gate.client('fix');
  const call = (meta: Record<string, unknown> = {}): ReturnType<typeof client.callTool> =>
    client.callTool({ name: 'write', arguments: { text: 'x' }, _meta: meta });
  const ran = (): number =>
    readFileSync(join(folder, 'log'), 'utf8')
      .split('\n')
      .filter((line) => line.includes('"name":"write"')).length;
  const passed = await call();
  assert.notEqual(passed.isError, true, JSON.stringify(passed));
  assert.equal(ran(), 1);
  assert.doesNotMatch(JSON.stringify(passed), /observe|review/i, 'an agent learns nothing of it');
  writeFileSync(join(folder, 'state'), JSON.stringify({ description: 'Writes, and tells others.' }));
  const { client: second } = await gate.client('fix');
  const refused = await second.callTool({ name: 'write', arguments: { text: 'x' } });
  assert.equal(refused.isError, true);
  assert.match(JSON.stringify(refused), /disabled|changed/);
  assert.equal(ran(), 1, 'nothing more ran');
  assert.equal((await gate.entries('tool.disabled')).length, 1);
  // Enforced again: the agent's own word for the mode means nothing.
  gate.settings.set('fix', { ...settings, modes: {} });
  await gate.propose(texts);
  const held = await second.callTool({
    name: 'write',
    arguments: { text: 'x' },
    _meta: { 'dev.countersign/mode': 'observe' },
  });
  assert.equal(held.isError, true);
  assert.equal(ran(), 1);
});
