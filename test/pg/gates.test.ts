/** Gates that share a database: who is there, and whose runs are whose. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asPersonId, type ExecutionId } from '../../src/core/ids.ts';
import { gateLimits } from '../../src/core/runner.ts';
import { newLink } from '../../src/identity/sessions.ts';
import { systemRandom } from '../../src/main.ts';
import type { Store } from '../../src/ports/store.ts';
import { browse } from '../support/browse.ts';
import { eventually, type TestGate } from '../support/gate.ts';
import { caseOf } from '../store/bench.ts';
import * as world from '../store/world.ts';
import { onDatabase } from './support/gates.ts';

const storeOf = (gate: TestGate): Store => gate.gate().parts.store;

/** Something that this gate runs, and that does not end by itself. */
async function running(gate: TestGate): Promise<ExecutionId> {
  const store = storeOf(gate);
  const ask = world.ask(world.allow(await store.versions()), { execute: true, enforcement: 'mediated' });
  return caseOf(await store.change(ask)).execution?.id ?? assert.fail('it runs');
}

const statusOf = async (gate: TestGate, execution: ExecutionId): Promise<string | undefined> =>
  (await storeOf(gate).caseBy({ execution }))?.execution?.status;

test('attack: a gate that starts declares nothing lost that another gate runs', () =>
  onDatabase(async (gates) => {
    const a = await gates.start();
    const execution = await running(a);
    await gates.raw(`UPDATE executions SET started_at_ms = started_at_ms - 3600000`);
    const b = await gates.start();
    assert.equal(await statusOf(b, execution), 'started');
    // Nor does it once it has been there for long enough to give somebody up.
    await gates.raw(`UPDATE gates SET steady_at_ms = steady_at_ms - ${2 * gateLimits.goneMs}`);
    const ids = (await storeOf(a).gates()).map((one) => one.id);
    assert.equal(ids.length, 2);
    assert.deepEqual(await storeOf(b).orphans(), []);
    await b.restart();
    assert.equal(await statusOf(a, execution), 'started');
    const outcome = await storeOf(a).change({
      kind: 'outcome',
      execution,
      by: { kind: 'gate' },
      status: 'succeeded',
      detail: null,
      result: null,
    });
    assert.ok(outcome.ok, JSON.stringify(outcome));
    assert.equal(await statusOf(b, execution), 'succeeded');
  }));

test('what a gate ran that is gone is unknown, as any of the others finds; a gate that stops is forgotten', () =>
  onDatabase(async (gates) => {
    const [a, b] = [await gates.start(), await gates.start()];
    const execution = await running(a);
    const dead = (await storeOf(a).gates())[0] ?? assert.fail('it is there');
    // As if it had been killed: its row stays, and nothing is heard of it.
    const theirs = `UPDATE executions SET gate = 'gte_dead', started_at_ms = started_at_ms - 60000`;
    await gates.raw(theirs);
    await gates.raw(
      `INSERT INTO gates (id, started_at_ms, steady_at_ms, seen_at_ms, body)
        SELECT 'gte_dead', started_at_ms - 60000, started_at_ms - 60000, seen_at_ms - 60000, body FROM gates WHERE id = '${dead.id}'`,
    );
    await gates.raw(`UPDATE gates SET steady_at_ms = steady_at_ms - 60000 WHERE id <> 'gte_dead'`);
    await eventually(async () => (await statusOf(b, execution)) === 'unknown', 'it is given up');
    const types = (await storeOf(b).entries(-1, 1000)).map(({ entry }) => entry.type);
    assert.equal(types.filter((one) => one === 'execution.unknown').length, 1, 'once');
    assert.equal((await storeOf(b).gates()).length, 3, 'the dead one is shown still');
    await a.stop();
    const left = (await storeOf(b).gates()).map((one) => one.id);
    assert.ok(left.length === 2 && !left.includes(dead.id));
    const ends = (await storeOf(b).entries(-1, 1000)).filter(({ entry }) => entry.type === 'gate.stopped');
    assert.deepEqual(
      ends.map(({ entry }) => entry.data),
      [{ gate: dead.id }],
    );
  }));

test('the status page lists the gates, and says where they differ; the log says how many there were', () =>
  onDatabase(async (gates) => {
    const a = await gates.start();
    const b = await gates.start();
    const pages = new Map([
      [a, await browse(a, 'sam')],
      [b, await browse(b, 'sam')],
    ]);
    const status = async (gate: TestGate): Promise<string> => {
      const page = await pages.get(gate)?.('/status');
      assert.equal(page?.status, 200);
      return page?.text ?? '';
    };
    const ids = (await storeOf(a).gates()).map((one) => one.id);
    for (const gate of [a, b]) {
      const page = await status(gate);
      for (const id of ids) assert.ok(page.includes(id), 'each is listed');
      assert.ok(page.includes('2 of 2'));
      assert.ok(!page.includes('different configurations'));
    }
    const c = await gates.start({ policies: '@id("all") permit (principal, action, resource);' });
    await eventually(async () => (await status(a)).includes('2 different configurations'), 'it is said');
    await c.stop();
    await eventually(async () => !(await status(a)).includes('different configurations'), 'and no more');
    await gates.raw(
      `UPDATE gates SET body = replace(body, '"version":"', '"version":"9.') WHERE id = '${ids[1] ?? ''}'`,
    );
    assert.ok((await status(a)).includes('different versions'), 'a version too');
    const metrics = String((await b.call(null, 'GET', '/metrics')).body);
    assert.match(metrics, /^countersign_gates_differ \d$/m);
    const others = (await storeOf(a).entries(-1, 1000))
      .filter(({ entry }) => entry.type === 'gate.started')
      .map(({ entry }) => entry.data['others']);
    assert.deepEqual(others, [0, 1, 2]);
  }));

test('whoever signed in at one gate is signed in at all, and out of all', () =>
  onDatabase(async (gates) => {
    const [a, b] = [await gates.start(), await gates.start()];
    const { token, hash } = newLink(systemRandom);
    const link = { kind: 'link', person: asPersonId('sam'), hash, expiresAtMs: Date.now() + 60_000 } as const;
    assert.ok((await storeOf(a).change(link)).ok);
    const signIn = (gate: TestGate): Promise<Response> =>
      fetch(`${gate.gate().url}/sign-in`, {
        method: 'POST',
        redirect: 'manual',
        headers: {
          origin: gate.gate().origin,
          'sec-fetch-site': 'same-origin',
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: new URLSearchParams({ token }).toString(),
      });
    const both = await Promise.all([signIn(a), signIn(b)]);
    assert.equal(
      both.filter((one) => one.status === 303).length,
      1,
      'a link is used once, at whichever gate',
    );
    const cookie = both.map((one) => /^[^;]+/.exec(one.headers.get('set-cookie') ?? '')?.[0] ?? '').join('');
    const page = async (gate: TestGate): Promise<string> =>
      (await fetch(`${gate.gate().url}/status`, { headers: { cookie } })).text();
    for (const gate of [a, b]) assert.match(await page(gate), /<title>Status/);
    const end = { kind: 'endSessions', person: asPersonId('sam'), which: { kind: 'all' } } as const;
    assert.ok((await storeOf(b).change(end)).ok);
    for (const gate of [a, b]) assert.match(await page(gate), /<title>Sign in/);
  }));
