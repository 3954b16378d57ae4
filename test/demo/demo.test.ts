/** The demo, as `npm start` runs it: its story by itself, Ctrl-C in the middle, and nothing left behind either way. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { eventOf } from '../../src/demo/events.ts';
import { start, until } from '../cli/run.ts';

/** A temporary folder of its own: what the demo makes is all that can be in it. */
async function alone(work: (temp: string) => Promise<void>): Promise<void> {
  const temp = mkdtempSync(join(tmpdir(), 'countersign-test-demo-'));
  try {
    await work(temp);
    assert.deepEqual(readdirSync(temp), [], 'a folder was left behind');
    await until(
      () => processesOf(temp).length === 0,
      () => `left running: ${processesOf(temp).join(', ')}`,
    );
  } finally {
    rmSync(temp, { recursive: true, force: true });
  }
}

/** Processes that have this folder in their environment or as their own; on Linux, where we can look. */
function processesOf(temp: string): readonly string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid)
    .filter((pid) => {
      try {
        return `${readFileSync(`/proc/${pid}/environ`, 'utf8')}${readFileSync(`/proc/${pid}/cmdline`, 'utf8')}`.includes(
          temp,
        );
      } catch {
        return false; // it has ended, or is somebody else's
      }
    });
}

test('demo --auto tells the whole story and ends well', () =>
  alone(async (temp) => {
    const child = start(['demo', '--auto'], { env: { TMPDIR: temp } });
    const [out, err, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit') as Promise<[number]>,
    ]);
    assert.equal(code, 0, `${out}\n${err}`);
    const order = [
      /crm-bot {2}has Ticket 4711: churn report/,
      /crm-bot {2}has 3 customers/,
      /crm-bot {2}wants to export all customers/,
      /crm-bot {2}is told “Denied \(forbidden\): .*Regions are deleted only by hand, in a change window/,
    ];
    let at = 0;
    for (const fact of order) {
      const found = out.slice(at).search(fact);
      assert.ok(found >= 0, `${fact} is not in:\n${out}`);
      at += found;
    }
    for (const fact of [
      /gate {2}held: Export 5,204 rows of customers · prod {2}http:\/\/localhost:\d+\/approvals\/apr_/,
      /gate {2}held: Grant admin to crm-bot · prod/,
      /sam {2}tries to review Export 5,204 rows of customers · prod: refused \(no_self_approval\)/,
      /sam {2}tries to review Grant admin to crm-bot · prod: refused \(no_self_approval\)/,
      /rosa {2}approves Export 5,204 rows of customers · prod/,
      /mia {2}approves Grant admin/,
      /lee {2}approves Grant admin/,
      /gate {2}ran it, once: Export 5,204 rows of customers · prod/,
      /crm-bot {2}has 5,204 rows exported/,
      /ops {2}its own record says: export_rows ran once, grant_role ran once/,
    ]) {
      assert.match(out, fact);
    }
    assert.ok(!out.includes('\u001B'), 'colours are for terminals');
    assert.doesNotMatch(out, /rosa {2}approves Grant/);
    assert.match(err, /Everything of the demo is removed\./);
  }));

test('people get links, each its own; a taken port is no obstacle; Ctrl-C while people are asked leaves nothing', () =>
  alone(async (temp) => {
    const taken = createServer();
    // Where 7788 is somebody else's already, that will do as well.
    taken.listen(7788, '127.0.0.1').on('error', () => undefined);
    const child = start(['demo'], { env: { TMPDIR: temp } });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    await until(
      () => (out.match(/held: /g) ?? []).length === 2,
      () => out,
    );
    const links = [
      ...out.matchAll(/^ {2}(Rosa|Mia|Lee|Sam) +http:\/\/localhost:(\d+)\/sign-in#(cs_link_[\w-]{43})$/gm),
    ];
    assert.deepEqual(
      links.map((link) => link[1]),
      ['Rosa', 'Mia', 'Lee', 'Sam'],
    );
    assert.equal(new Set(links.map((link) => link[3])).size, 4);
    const port = links[0]?.[2] ?? '';
    assert.notEqual(port, '7788');
    const page = await fetch(`http://localhost:${port}/sign-in`);
    assert.equal(page.status, 200);
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    assert.deepEqual(await ended, [0, null]);
    taken.close();
  }));

test('a port that was asked for and is taken is one sentence', () =>
  alone(async (temp) => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    assert.ok(typeof address === 'object' && address !== null);
    const child = start(['demo', '--port', String(address.port)], { env: { TMPDIR: temp } });
    const [err, [code]] = await Promise.all([text(child.stderr), once(child, 'exit') as Promise<[number]>]);
    assert.equal(code, 1);
    assert.match(err, /EADDRINUSE/);
    taken.close();
  }));

test('the agent’s lines are read with care', () => {
  assert.deepEqual(eventOf('{"kind":"got","step":"export","words":"x"}'), {
    kind: 'got',
    step: 'export',
    words: 'x',
  });
  for (const bad of [
    '',
    'x',
    'null',
    '{}',
    '{"kind":"got","step":"other","words":"x"}',
    '{"kind":"x","step":"export","words":"x"}',
    '{"kind":"got","step":"export","words":1}',
  ]) {
    assert.equal(eventOf(bad), undefined, bad);
  }
});
