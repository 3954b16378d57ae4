/** docs/channels.md: its configuration is read, its event is what is sent, its check is run, its metrics are those there are. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { createBoard } from '../../src/app/standing.ts';
import { eventOf, webhookRequest } from '../../src/channels/webhook.ts';
import { parseSettings } from '../../src/config.ts';
import { createMetrics } from '../../src/http/metrics.ts';
import { openPages } from '../http/pages/support.ts';
import { root } from '../support/source.ts';
import { told } from './contract.ts';

const page = readFileSync(join(root, 'docs', 'channels.md'), 'utf8');
const examples = (language: string): readonly string[] =>
  [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
    .filter((one) => one[1] === language)
    .map((one) => one[2] ?? '');

const secret = `whsec_${Buffer.from('a key of thirty-two bytes, or so').toString('base64')}`;

test('the configuration of the page is one', () => {
  const [yaml = ''] = examples('yaml');
  const env = { WEBHOOK_SECRET: secret, SMTP_URL: 'smtps://gate:p%40ss@smtp.example.com:465' };
  const directory = `people: [{ id: sam, name: Sam Lee, groups: [data-owners] }]\n`;
  const read = parseSettings(directory + yaml, '/c.yaml', { env });
  assert.ok(read.ok, JSON.stringify(read));
  const { webhook, email } = read.value.channels;
  assert.equal(webhook?.url, 'https://hooks.example.com/countersign');
  assert.equal(email?.from, 'Countersign <countersign@example.com>');
});

test('the event of the page is what is sent, and its types are all there are', () => {
  const [event = ''] = examples('json');
  assert.deepEqual(JSON.parse(event), eventOf(told()));
  const section = page.slice(page.indexOf('## Webhook'), page.indexOf('## E-mail'));
  const types = [...section.matchAll(/`((?:approval|execution|glass)\.\w+)`/g)].map((one) => one[1] ?? '');
  assert.deepEqual(types.toSorted(), [
    'approval.closed',
    'approval.escalated',
    'approval.opened',
    'approval.reminded',
    'approval.reviewed',
    'execution.ended',
    'glass.closed',
    'glass.opened',
    'glass.reviewed',
  ]);
});

test('the check of the page takes what the gate sends, and nothing else', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-docs-'));
  try {
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    const file = join(folder, 'check.mjs');
    await writeFile(file, examples('js')[0] ?? '');
    // What the page exports; a missing function fails the test when it is called.
    const check = (await import(pathToFileURL(file).href)) as {
      readonly eventOf: (headers: Record<string, string>, body: string, secret: string) => object;
    };
    const sentAt = async (nowMs: number) => {
      const request = webhookRequest({ url: 'http://localhost/', secret }, told(), nowMs);
      return { headers: Object.fromEntries(request.headers), body: await request.text() };
    };
    const { headers, body } = await sentAt(Date.now());
    assert.deepEqual(check.eventOf(headers, body, secret), eventOf(told()));
    assert.throws(() => check.eventOf(headers, `${body} `, secret));
    assert.throws(() => check.eventOf(headers, body, 'whsec_b3RoZXI='));
    const old = await sentAt(Date.now() - 301_000);
    assert.throws(() => check.eventOf(old.headers, old.body, secret), /too old/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('the metrics of the page are those that there are', async () => {
  const gate = await openPages({ told: ['slack'] });
  try {
    const board = createBoard();
    board.say({ kind: 'channel', name: 'slack', ok: true, detail: null, atMs: 0 });
    const { store, clock } = gate.parts;
    const text = await (await createMetrics({ store, board, clock })()).text();
    const there = [...text.matchAll(/^# TYPE (\S+)/gm)].map((one) => one[1] ?? '');
    const named = [...page.matchAll(/^\| `(countersign_\w+)`/gm)].map((one) => one[1] ?? '');
    assert.deepEqual(named.toSorted(), there.toSorted());
  } finally {
    await gate.close();
  }
});
