/** docs/api.md on AuthZEN and callbacks: its examples are sent, parsed and run, so that they stay true. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { createCallback } from '../../src/channels/callback.ts';
import { parseSettings } from '../../src/config.ts';
import { callbackSecret, names, receiver, type Got } from '../channels/callback-receiver.ts';
import { denied, heldCase, told } from '../channels/contract.ts';
import { root } from '../support/source.ts';
import { openGate } from './gate.ts';

const page = readFileSync(join(root, 'docs', 'api.md'), 'utf8');

/** The fenced examples of a language in a section of the page. */
function examples(section: string, language: string): readonly string[] {
  const text = page.split(/^## /m).find((one) => one.startsWith(`${section}\n`)) ?? '';
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
    .filter((one) => one[1] === language)
    .map((one) => one[2] ?? '');
}

/** Ids are others each time. */
const withoutId = (text: string): unknown => JSON.parse(text.replace(/evl_[0-9a-f]{32}/, 'evl_'));

test('the evaluation of the page gets the answer of the page', async () => {
  const [request = '', response = ''] = examples('AuthZEN', 'json');
  const gate = await openGate();
  const answer = await gate.call('POST', '/access/v1/evaluation', await gate.token('agent', 'bot'), request);
  await gate.close();
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(withoutId(answer.text), withoutId(response));
});

test('the configuration of the page is one, and its request names a host of it', () => {
  const [yaml = ''] = examples('Callbacks', 'yaml');
  const read = parseSettings(yaml, '/c.yaml', { env: { CALLBACK_SECRET: callbackSecret } });
  assert.ok(read.ok, JSON.stringify(read));
  assert.deepEqual(read.value.callbacks?.hosts, [
    'wf.example.com',
    '*.flows.example.com',
    'n8n.example.com:5678',
  ]);
  const [curl = ''] = examples('Callbacks', 'sh');
  const { callback } = JSON.parse(/-d '(.*)'/.exec(curl)?.[1] ?? '') as { readonly callback: string };
  assert.equal(URL.parse(callback)?.host, 'wf.example.com');
});

test('the check of the page takes what the gate sends, and nothing else', async () => {
  const to = await receiver(undefined, { secure: true });
  const nowMs = Date.UTC(2026, 0, 15, 12);
  const held = heldCase(denied);
  const callback = `https://wf.example.com:${to.port}/`;
  const delivering = createCallback({
    settings: { hosts: [`wf.example.com:${to.port}`], privateAddresses: true, secret: callbackSecret },
    body: () => ({ state: 'denied' }),
    nowMs: () => nowMs,
    net: names(['127.0.0.1']),
  }).deliver(told({ kind: 'approval.closed', case: { ...held, asked: { ...held.asked, callback } } }));
  try {
    await delivering;
  } finally {
    await to.end();
  }
  const [got] = to.got;
  assert.ok(got !== undefined);

  const folder = mkdtempSync(join(tmpdir(), 'countersign-docs-'));
  const file = join(folder, 'check.mjs');
  writeFileSync(file, examples('Callbacks', 'js')[0] ?? '');
  // What the page exports; a missing function fails the test when it is called.
  const { isFromGate } = (await import(pathToFileURL(file).href)) as {
    readonly isFromGate: (headers: Got['headers'], body: string, secret: string, now: number) => boolean;
  };
  rmSync(folder, { recursive: true });
  const { headers, body } = got;
  assert.equal(isFromGate(headers, body, callbackSecret, nowMs / 1000), true);
  assert.equal(isFromGate(headers, `${body} `, callbackSecret, nowMs / 1000), false);
  assert.equal(isFromGate(headers, body, 'whsec_b3RoZXI=', nowMs / 1000), false);
  assert.equal(isFromGate(headers, body, callbackSecret, nowMs / 1000 + 301), false);
  const forged = { ...headers, 'webhook-timestamp': 'NaN' };
  assert.equal(isFromGate(forged, body, callbackSecret, nowMs / 1000), false);
});
