/** The wires that the log is shipped over, each against a receiver of its own: what arrives, and what is refused. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createShipFile } from '../../src/channels/ship-file.ts';
import { createShipSyslog } from '../../src/channels/ship-syslog.ts';
import { createShipWebhook } from '../../src/channels/ship-webhook.ts';
import { messageBytesMax, syslogMessage } from '../../src/channels/syslog.ts';
import { aboutNothing } from '../../src/core/entry.ts';
import { asActionId } from '../../src/core/ids.ts';
import type { Shipped } from '../../src/ports/shipper.ts';
import { makeAuthority } from '../support/certificates.ts';
import { eventually } from '../support/gate.ts';
import { httpReceiver, syslogReceiver } from './ship-receivers.ts';

const one = (index: number, more: Partial<Shipped> = {}): Shipped => ({
  index,
  id: `log.example.com/${index}/00ff`,
  at: '2026-11-22T12:00:00.000Z',
  type: 'review.recorded',
  about: { ...aboutNothing, action: asActionId('act_1') },
  warns: false,
  body: { index, type: 'review.recorded', sentence: 'Rosa Diaz approved it – “ja”.' },
  ...more,
});
const several = (from: number, count: number): readonly Shipped[] =>
  Array.from({ length: count }, (_, at) => one(from + at));
const never = new AbortController().signal;
const secret = `whsec_${Buffer.from('a key of thirty-two bytes, or so').toString('base64')}`;

test('a webhook gets one event alone, and several as a batch, both signed', async (t) => {
  const receiver = await httpReceiver();
  t.after(receiver.end);
  const shipper = createShipWebhook(
    {
      name: 'siem',
      format: 'entry',
      source: 'https://gate.example.com',
      url: `http://127.0.0.1:${receiver.port}/in`,
      secret,
    },
    () => 1_800_000_000_000,
  );
  assert.equal((await shipper.send([one(7)], never)).ok, true);
  assert.equal((await shipper.send(several(8, 3), never)).ok, true);
  const [alone, batch] = receiver.got;
  assert.equal(alone?.headers['content-type'], 'application/cloudevents+json');
  assert.equal(batch?.headers['content-type'], 'application/cloudevents-batch+json');
  assert.deepEqual(
    batch?.events.map((event) => event.data.index),
    [8, 9, 10],
  );
  const [event] = alone?.events ?? [];
  assert.deepEqual(
    { ...event, data: null },
    {
      specversion: '1.0',
      id: 'log.example.com/7/00ff',
      source: 'https://gate.example.com',
      type: 'dev.countersign.log.entry.v1',
      subject: 'act_1',
      time: '2026-11-22T12:00:00.000Z',
      datacontenttype: 'application/json',
      data: null,
    },
  );
  for (const { headers, body } of receiver.got) {
    const id = String(headers['webhook-id']);
    assert.match(id, /^log_[0-9a-f]{32}$/);
    const signed = createHmac('sha256', Buffer.from(secret.slice(6), 'base64'))
      .update(`${id}.1800000000.${body}`)
      .digest('base64');
    assert.equal(headers['webhook-signature'], `v1,${signed}`);
  }
  // Another send of the same is the same message.
  await shipper.send([one(7)], never);
  assert.equal(receiver.got[2]?.headers['webhook-id'], alone?.headers['webhook-id']);
});

test('a receiver that takes no batches gets one event at a time, and says how many have arrived', async (t) => {
  const receiver = await httpReceiver((response, { events }) => {
    const status = events.length > 1 ? 415 : events[0]?.data.index === 2 ? 400 : 200;
    response.writeHead(status).end();
  });
  t.after(receiver.end);
  const shipper = createShipWebhook(
    { name: 'siem', format: 'entry', source: 'https://g', url: `http://127.0.0.1:${receiver.port}/`, secret },
    Date.now,
  );
  assert.deepEqual(await shipper.send(several(0, 4), never), {
    ok: false,
    error: { detail: 'the receiver answered 400', arrived: 2 },
  });
  assert.deepEqual(
    receiver.got.map(({ events }) => events.map((event) => event.data.index)),
    [[0, 1, 2, 3], [0], [1], [2]],
  );
});

test('what a receiver asks for is told, and no failure says the URL or the secret', async () => {
  const receiver = await httpReceiver((response, _got, times) => {
    if (times === 1) response.writeHead(503, { 'retry-after': '120' }).end();
    else response.writeHead(307, { location: 'http://127.0.0.1:1/elsewhere' }).end();
  });
  const url = `http://127.0.0.1:${receiver.port}/in?key=topsecretkey`;
  const shipper = createShipWebhook(
    { name: 'siem', format: 'entry', source: 'https://g', url, secret },
    Date.now,
  );
  assert.deepEqual(await shipper.send([one(0)], never), {
    ok: false,
    error: { detail: 'the receiver answered 503', arrived: 0, retryAfterMs: 120_000 },
  });
  const redirected = await shipper.send([one(0)], never);
  assert.deepEqual(redirected, {
    ok: false,
    error: { detail: 'the receiver answered 307, and redirects are not followed', arrived: 0 },
  });
  await receiver.end();
  const gone = await shipper.send([one(0)], never);
  assert.ok(
    !gone.ok && /^the receiver cannot be reached \([A-Z_]+\)$/.test(gone.error.detail),
    JSON.stringify(gone),
  );
});

test('syslog over TLS: frames of counted octets, RFC 5424, all ASCII; a connection that was cut is made anew', async (t) => {
  const authority = makeAuthority();
  const receiver = await syslogReceiver(authority.sign('IP:127.0.0.1'));
  t.after(receiver.end);
  const shipper = createShipSyslog(
    { name: 'siem', host: '127.0.0.1', port: receiver.port, ca: authority.ca },
    () => 'log.example.com',
  );
  t.after(() => shipper.close());
  assert.deepEqual(await shipper.send([one(0), one(1, { warns: true })], never), { ok: true, value: null });
  await eventually(() => receiver.messages.length === 2, 'both have arrived');
  const [first = '', second = ''] = receiver.messages;
  assert.match(
    first,
    /^<110>1 2026-11-22T12:00:00\.000Z log\.example\.com countersign - review\.recorded \[countersign@32473 index="0" id="log\.example\.com\/0\/00ff" type="review\.recorded" action="act_1"\] \{/,
  );
  assert.match(second, /^<108>1 /);
  assert.doesNotMatch(first, /[^\x20-\x7e]/);
  assert.equal(
    (JSON.parse(first.slice(first.indexOf('{'))) as { sentence: string }).sentence,
    'Rosa Diaz approved it – “ja”.',
  );
  receiver.cut();
  await eventually(
    async () => (await shipper.send([one(2)], never)).ok && receiver.messages.length > 2,
    'it goes on',
  );
});

test('a certificate of another authority, or of another name, is refused', async (t) => {
  const [authority, other] = [makeAuthority(), makeAuthority()];
  const settings = { name: 'siem', host: '127.0.0.1' };
  for (const signed of [
    other.sign('IP:127.0.0.1'),
    authority.sign('DNS:elsewhere.example.com,IP:127.0.0.2'),
  ]) {
    const receiver = await syslogReceiver(signed);
    t.after(receiver.end);
    const shipper = createShipSyslog({ ...settings, port: receiver.port, ca: authority.ca }, () => 'log');
    t.after(() => shipper.close());
    const sent = await shipper.send([one(0)], never);
    assert.ok(!sent.ok);
    assert.match(sent.error.detail, /certificate was refused/);
    assert.deepEqual(receiver.messages, []);
  }
  // Nor is one that the system does not know, where no authority is given.
  const receiver = await syslogReceiver(authority.sign('IP:127.0.0.1'));
  t.after(receiver.end);
  const sent = await createShipSyslog({ ...settings, port: receiver.port, ca: null }, () => 'log').send(
    [one(0)],
    never,
  );
  assert.ok(!sent.ok && /certificate was refused/.test(sent.error.detail), JSON.stringify(sent));
});

test('nothing of an entry can end the structured data or a frame, and what is too large names what it leaves out', () => {
  const message = syslogMessage(
    one(0, { id: 'a"]\n\\b', body: { data: 'x'.repeat(messageBytesMax), index: 0 } }),
    'h\nost x',
  );
  assert.match(
    message,
    /^<110>1 \S+ hostx countersign - review\.recorded \[countersign@32473 index="0" id="a\\"\\\]\?\\\\b" /,
  );
  assert.deepEqual(JSON.parse(message.slice(message.indexOf('] {') + 2)), { index: 0, omitted: ['data'] });
});

const folder = (t: TestContext): string => {
  const made = mkdtempSync(join(tmpdir(), 'countersign-ship-'));
  t.after(() => rmSync(made, { recursive: true }));
  return made;
};
const indexesIn = (path: string): readonly unknown[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as { index: unknown }).index);

test('a file: ours alone, appended to, begun anew where it was renamed or deleted', async (t) => {
  const path = join(folder(t), 'log.jsonl');
  const shipper = createShipFile({ name: 'file', path });
  t.after(() => shipper.close());
  assert.equal((await shipper.send(several(0, 2), never)).ok, true);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  renameSync(path, `${path}.1`);
  assert.equal((await shipper.send(several(2, 2), never)).ok, true);
  rmSync(path);
  assert.equal((await shipper.send(several(4, 1), never)).ok, true);
  assert.deepEqual([indexesIn(`${path}.1`), indexesIn(path)], [[0, 1], [4]]);
});

test('after a crash: what is there already is not written twice, half of ours is cut off, half of another stays', async (t) => {
  const path = join(folder(t), 'log.jsonl');
  const lines = several(0, 3).map(({ body }) => JSON.stringify(body));
  const send = async (): Promise<void> => {
    const shipper = createShipFile({ name: 'file', path });
    assert.deepEqual(await shipper.send(several(0, 3), never), { ok: true, value: null });
    await shipper.close();
  };
  for (const left of [
    '',
    `${lines[0]}\n`,
    `${lines[0]}\n${lines[1]?.slice(0, 9)}`,
    `${lines[0]?.slice(0, 1)}`,
    `${lines.join('\n')}\n`,
  ]) {
    writeFileSync(path, left);
    await send();
    assert.equal(readFileSync(path, 'utf8'), `${lines.join('\n')}\n`, `what was left: ${left}`);
  }
  writeFileSync(path, 'somebody else’s half');
  await send();
  assert.equal(readFileSync(path, 'utf8'), `somebody else’s half\n${lines.join('\n')}\n`);
});

test('a file that is a link, or a folder, is not written', async (t) => {
  const inside = folder(t);
  const victim = join(inside, 'victim');
  writeFileSync(victim, 'as it was');
  symlinkSync(victim, join(inside, 'link'));
  for (const name of ['link', '.', 'none/log.jsonl']) {
    const sent = await createShipFile({ name: 'file', path: join(inside, name) }).send([one(0)], never);
    assert.equal(sent.ok, false, name);
  }
  assert.equal(readFileSync(victim, 'utf8'), 'as it was');
});
