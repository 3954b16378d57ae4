/** A whole gate ships its log to real receivers: nothing is lost, the order holds, one place does not hold up another. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { batchMax } from '../../src/app/shipping-loop.ts';
import { makeAuthority, type Authority } from '../support/certificates.ts';
import { browse } from '../support/browse.ts';
import { eventually, operations, people, startTestGate, type TestGate } from '../support/gate.ts';
import { httpReceiver, syslogReceiver, type HttpGot, type HttpReceiver } from '../channels/ship-receivers.ts';

let folder = '';
let authority: Authority;
const key = 'an-api-key-in-a-url-4711';
const secret = `whsec_${Buffer.from('another key of thirty-two bytes!').toString('base64')}`;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-shipping-'));
  authority = makeAuthority();
  writeFileSync(join(folder, 'ca.pem'), authority.ca);
});
after(() => rm(folder, { recursive: true }));

const config = (ship: string, late = 'PT1H'): string =>
  `${people}${operations}log:\n  origin: log.example.com\n  late: ${late}\n  ship:\n${ship}`;
const webhookAt = (port: number): string =>
  `    hook: { webhook: "http://127.0.0.1:${port}/in?key=${key}", secret: "${secret}" }\n`;
const fileAt = (path: string): string => `    file: { file: "${path}" }\n`;

const gateWith = async (t: TestContext, text: string): Promise<TestGate> => {
  const gate = await startTestGate({ config: text });
  t.after(() => gate.stop());
  return gate;
};
const sizeOf = async (gate: TestGate): Promise<number> => (await gate.gate().parts.store.head()).size;
const dense = (size: number): readonly number[] => Array.from({ length: size }, (_, at) => at);
const linesOf = (path: string): readonly { readonly index: number; readonly [field: string]: unknown }[] => {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { index: number });
  } catch {
    return [];
  }
};
/** Some actions: each at least an entry. */
async function act(gate: TestGate, count: number): Promise<void> {
  const token = await gate.token('agent', 'crm-bot');
  for (let at = 0; at < count; at += 1) {
    const { status } = await gate.call(token, 'POST', '/v1/actions', {
      operation: 'shop___refund',
      input: { cents: 5, note: `password=x token ghp_${'a1'.repeat(12)} ${at}` },
    });
    assert.equal(status, 200);
  }
}
const indexes = (got: readonly HttpGot[]): readonly number[] =>
  got.flatMap(({ events }) => events.map((event) => event.data.index));

test('everything arrives everywhere, in order, and a gate that starts again goes on where it was', async (t) => {
  const receiver = await httpReceiver();
  const syslog = await syslogReceiver(authority.sign('IP:127.0.0.1'));
  t.after(receiver.end);
  t.after(syslog.end);
  const path = join(folder, 'all.jsonl');
  const ca = join(folder, 'ca.pem');
  const gate = await gateWith(
    t,
    config(
      `${webhookAt(receiver.port)}${fileAt(path)}    lines: { syslog: "tls://127.0.0.1:${syslog.port}", ca: { fromFile: "${ca}" } }\n`,
    ),
  );
  const arrived = async (): Promise<void> => {
    const size = await sizeOf(gate);
    await eventually(
      () =>
        new Set(indexes(receiver.got)).size >= size &&
        linesOf(path).length >= size &&
        syslog.messages.length >= size,
      `all ${size} entries everywhere`,
    );
  };
  await act(gate, 5);
  await arrived();
  const first = linesOf(path).length;
  await gate.restart();
  await act(gate, 3);
  await arrived();
  assert.ok(linesOf(path).length > first);
  assert.deepEqual(
    linesOf(path).map((line) => line.index),
    dense(linesOf(path).length),
  );
  const numbers = syslog.messages.map((message) => Number(/ index="(\d+)"/.exec(message)?.[1]));
  const seen = indexes(receiver.got);
  for (const list of [numbers, seen]) {
    const repeats = list.length - new Set(list).size;
    assert.ok(repeats <= batchMax, `${repeats} repeats`);
    assert.deepEqual([...new Set(list)], dense(new Set(list).size));
  }
  // A repeat is the same event.
  const ids = new Map<number, string>();
  for (const { events } of receiver.got)
    for (const { id, data } of events)
      assert.equal(id, ids.set(data.index, ids.get(data.index) ?? id).get(data.index));
  const [entry] = await gate.gate().parts.store.entries(2, 1);
  const line = linesOf(path)[3];
  assert.deepEqual(
    {
      index: line?.['index'],
      at: line?.['at'],
      type: line?.['type'],
      pae: line?.['pae'],
      head: line?.['head'],
    },
    { index: 3, at: entry?.entry.at, type: entry?.entry.type, pae: entry?.pae, head: entry?.head },
  );
  assert.ok(linesOf(path).every((one) => typeof one['sentence'] === 'string' && one['sentence'] !== ''));
  // A sentence names the agent and what it does, from the action itself; secrets in it are masked.
  const about = linesOf(path).filter(
    (one) => one['type'] === 'execution.started' || one['type'] === 'action.asked',
  );
  assert.ok(about.length > 0);
  for (const one of about) {
    assert.match(String(one['sentence']), /crm-bot/);
    assert.match(String(one['sentence']), /refund/i);
    assert.doesNotMatch(String(one['sentence']), /act_|ghp_/);
  }
});

test('a receiver that was away gets all of it in order when it is back', async (t) => {
  let away = true;
  const taken: number[] = [];
  const receiver = await httpReceiver((response, got) => {
    if (!away) taken.push(...indexes([got]));
    response.writeHead(away ? 503 : 200).end();
  });
  t.after(receiver.end);
  const gate = await gateWith(t, config(webhookAt(receiver.port)));
  await act(gate, 4);
  await eventually(() => receiver.got.length >= 2, 'it was tried again');
  const read = await browse(gate, 'sam');
  assert.match((await read('/status')).text, /the receiver answered 503/);
  away = false;
  const size = await sizeOf(gate);
  await eventually(() => taken.length >= size, 'all of it has arrived');
  assert.deepEqual(taken, dense(taken.length));
});

test('a place that never answers holds up no other, and no action', async (t) => {
  const hanging: ServerResponse[] = [];
  const receiver: HttpReceiver = await httpReceiver((response) => void hanging.push(response));
  t.after(receiver.end);
  const path = join(folder, 'beside.jsonl');
  const gate = await gateWith(t, config(webhookAt(receiver.port) + fileAt(path)));
  await eventually(() => hanging.length > 0, 'the receiver was asked');
  await act(gate, 3);
  const size = await sizeOf(gate);
  await eventually(() => linesOf(path).length >= size, 'the file has all of it');
  assert.equal(hanging.length, 1);
  const [cursor] = (await gate.gate().parts.store.cursors()).filter((one) => one.name === 'hook');
  assert.equal(cursor?.next, 0);
});

test('being behind for long is in the log, and so is that it has caught up, also over a restart', async (t) => {
  let away = true;
  const receiver = await httpReceiver((response) => void response.writeHead(away ? 500 : 200).end());
  t.after(receiver.end);
  const gate = await gateWith(t, config(webhookAt(receiver.port), 'PT1S'));
  const of = async (type: string): Promise<readonly unknown[]> =>
    (await gate.gate().parts.store.entries(-1, 1000))
      .filter(({ entry }) => entry.type === type)
      .map(({ entry }) => entry.data);
  await eventually(async () => (await of('log.late')).length > 0, 'it is late');
  const [late] = await of('log.late');
  assert.deepEqual(
    { ...(late as object), since: '' },
    { what: 'shipping', name: 'hook', since: '', detail: 'the receiver answered 500' },
  );
  await gate.restart();
  await eventually(() => receiver.got.length > 4, 'it goes on trying');
  away = false;
  await eventually(async () => (await of('log.caught_up')).length > 0, 'it has caught up');
  assert.deepEqual(await of('log.caught_up'), [{ what: 'shipping', name: 'hook' }]);
  assert.equal((await of('log.late')).length, 1, 'said once');
});

test('no secret of the settings, nor of an action, leaves with the log or stands on a page', async (t) => {
  const receiver = await httpReceiver((response) => void response.writeHead(404).end());
  t.after(receiver.end);
  const path = join(folder, 'secrets.jsonl');
  const gate = await gateWith(t, config(webhookAt(receiver.port) + fileAt(path), 'PT1S'));
  await act(gate, 1);
  await eventually(
    () => linesOf(path).some((line) => line['type'] === 'log.late'),
    'the place that fails is late',
  );
  const token = await gate.token('person', 'ada');
  const read = await browse(gate, 'ada');
  const said = {
    'the file': readFileSync(path, 'utf8'),
    'the log': JSON.stringify((await gate.call(token, 'GET', '/v1/log?limit=1000')).body),
    'the statements': JSON.stringify(await gate.gate().parts.store.entries(-1, 1000)),
    'the status': (await read('/status')).text,
    'the cursors': JSON.stringify(await gate.gate().parts.store.cursors()),
    metrics: String((await gate.call(null, 'GET', '/metrics')).body),
  };
  assert.match(said['the status'], /Shipping of the log/);
  assert.match(said.metrics, /countersign_shipping_failing\{place="hook"\} 1/);
  assert.match(said.metrics, /countersign_shipping_behind_entries\{place="hook"\} [1-9]/);
  for (const [where, text] of Object.entries(said))
    for (const hidden of [key, secret, secret.slice('whsec_'.length)])
      assert.ok(!text.includes(hidden), `${where} holds a secret of the settings`);
  assert.ok(!said['the file'].includes('ghp_a1a1'), 'what looks like a secret is masked');
});
