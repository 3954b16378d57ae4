/** `report` and `agents`, each as a process of its own, against a real gate and its store. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inFolder, organisation, run, serving, until } from './run.ts';

const observing: Readonly<Record<string, string>> = {
  ...organisation,
  'countersign.yaml': (organisation['countersign.yaml'] ?? '').replace(
    '  bill___refund:\n',
    '  bill___refund:\n    mode: observe\n',
  ),
};

async function tokenOf(folder: string, kind: 'agent' | 'person', id: string): Promise<string> {
  const { code, out } = await run(['token', kind, id], { cwd: folder });
  assert.equal(code, 0);
  return out.trim();
}

const ask = (url: string, token: string, operation: string, input: object): Promise<Response> =>
  fetch(`${url}/v1/actions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ operation, input }),
  });

test('a report beside a running gate, from its store and from its API, for people and for programs', () =>
  inFolder(observing, async (folder) => {
    const early = await run(['report'], { cwd: folder });
    assert.equal(early.code, 1);
    assert.match(early.err, /There is no store at data yet/);
    const agent = await tokenOf(folder, 'agent', 'bot');
    const [sam, rosa] = [await tokenOf(folder, 'person', 'sam'), await tokenOf(folder, 'person', 'rosa')];
    await serving(folder, async ({ url, err }) => {
      assert.match(err(), /warning: mode: observe for bill___refund: nothing is held or denied there/);
      for (const cents of [50, 500, 600])
        assert.equal((await ask(url, agent, 'bill___refund', { cents })).status, 200);
      assert.equal((await ask(url, agent, 'bill___\u202Eodd', {})).status, 403);

      const { code, out, err: said } = await run(['report', '--last', '24h'], { cwd: folder });
      assert.deepEqual([code, said], [0, '']);
      const lines = out.split('\n');
      assert.ok(
        !out.includes('\u001B') && !out.includes('\u202E'),
        'no colours in a pipe, nothing that moves text',
      );
      for (const line of lines) assert.ok(line.length <= 80, line);
      assert.match(out, /4 actions of 1 agent\. 3 of them were only observed/);
      assert.match(out, /^bill___refund +1 +0 +2 +0 +0 +–$/m);
      assert.match(out, /^bill___⟨U\+202E⟩odd +0 +0 +0 +1 +0 +–$/m);
      assert.match(out, /^group data-owners \(2 people\) +2$/m);
      assert.match(out, /^ {2}rosa +2 +2\.0 {3}2 on \w{3} \d{4}-\d\d-\d\d$/m);
      assert.doesNotMatch(out, /^ {2}sam/m, 'sam owns the agent');
      assert.match(out, /^refunds +2 +0 {2}A refund needs a data owner$/m);
      assert.match(out, /^Next: /m);

      const json = JSON.parse((await run(['report', '--json'], { cwd: folder })).out);
      assert.deepEqual(
        [json.total.allowed, json.total.wouldAsk, json.total.denied],
        [1, 2, { no_permit: 1 }],
      );
      const env = { COUNTERSIGN_TOKEN: sam };
      const asked = await run(['report', '--url', url, '--json'], { cwd: folder, env });
      assert.deepEqual(JSON.parse(asked.out).total, json.total);
      assert.match((await run(['report', '--url', url], { env })).out, /bill___refund/);
      const none = await run(['report', '--url', url], { env: { COUNTERSIGN_TOKEN: rosa } });
      assert.deepEqual([none.code, none.out], [1, '']);
      assert.match(none.err, /Only operators and auditors read the report/);
    });
    assert.equal((await run(['report'], { cwd: folder })).code, 0, 'and without a gate');
  }));

test('whoever watches the terminal sees that something is observed, and that it no longer is', () =>
  inFolder(organisation, (folder) =>
    serving(folder, async ({ err }) => {
      const write = (files: Readonly<Record<string, string>>): void =>
        writeFileSync(join(folder, 'countersign.yaml'), files['countersign.yaml'] ?? '');
      assert.doesNotMatch(err(), /observe/);
      write(observing);
      await until(() => /only observes bill___refund/.test(err()), err);
      assert.doesNotMatch(err(), /warning: mode: observe/);
      assert.equal((await run(['config', 'accept'], { cwd: folder })).code, 0);
      await until(() => /warning: mode: observe for bill___refund:/.test(err()), err);
      write(organisation);
      await until(() => /Everything is enforced again; nothing is observed\./.test(err()), err);
    }),
  ));

test('agents: listed, stopped, lifted by somebody else than their owner', () =>
  inFolder(
    {
      ...organisation,
      'countersign.yaml': (organisation['countersign.yaml'] ?? '').replace(
        'groups: [data-owners] }',
        'groups: [data-owners, platform] }',
      ),
    },
    async (folder) => {
      const agent = await tokenOf(folder, 'agent', 'bot');
      const [sam, rosa] = [await tokenOf(folder, 'person', 'sam'), await tokenOf(folder, 'person', 'rosa')];
      await serving(folder, async ({ url }) => {
        const agents = (token: string, ...args: readonly string[]) =>
          run(['agents', ...args, '--url', url], { cwd: folder, env: { COUNTERSIGN_TOKEN: token } });
        assert.equal((await agents(sam, 'list')).out, 'bot  owned by sam · in bots\n');
        assert.equal((await agents(sam, 'stop', 'bot')).code, 2, 'a reason is needed');
        const stopped = await agents(sam, 'stop', 'bot', '--reason', 'It is\u001B[2J odd.');
        assert.equal(stopped.code, 0, stopped.err);
        assert.match(stopped.out, /\n {2}stopped by sam since \S+Z: It is⟨U\+001B⟩\[2J odd\.\n$/);
        const refused = await ask(url, agent, 'bill___refund', { cents: 1 });
        assert.equal(refused.status, 429);
        const own = await agents(sam, 'lift', 'bot', '--reason', 'fine');
        assert.equal(own.code, 1);
        assert.match(own.err, /Only an operator who does not own the agent/);
        const lifted = await agents(rosa, 'lift', 'bot', '--reason', 'Looked at it.');
        assert.deepEqual([lifted.code, lifted.out], [0, 'bot  owned by sam · in bots\n']);
        assert.equal((await ask(url, agent, 'bill___refund', { cents: 1 })).status, 200);
        const json = JSON.parse((await agents(rosa, 'list', '--json')).out);
        assert.deepEqual(
          json.items.map((one: { readonly id: string }) => one.id),
          ['bot'],
        );
      });
    },
  ));

test('what cannot be meant is said at once, without a gate or a token', async () => {
  for (const [args, says] of [
    [['report', '--last', '7w'], /is no such time/],
    [['report', '--from', '2026-02-31'], /is no day/],
    [['report', '--last', '1d', '--from', '2026-01-01'], /not both/],
    [['report', 'x'], /one word too many/],
    [['report', '--url', 'http://localhost:1', '--config', 'c.yaml'], /--url or --config/],
    [['report', '--lost', '7d'], /did you mean --last/],
    [['agents'], /list, stop or lift/],
    [['agents', 'halt', 'bot'], /cannot be done with agents/],
    [['agents', 'stop', '--reason', 'x'], /ID is missing/],
    [['agents', 'stop', 'Bot', '--reason', 'x'], /is no agent/],
    [['agents', 'stop', 'bot', '--operation', 'a___b', '--reason', 'x'], /belongs to lift/],
  ] as const) {
    const { code, err } = await run(args);
    assert.equal(code, 2, args.join(' '));
    assert.match(err, says);
  }
  for (const name of ['report', 'agents']) {
    const help = await run([name, '--help']);
    assert.equal(help.code, 0);
    assert.match(help.out, new RegExp(`usage: countersign ${name} `));
  }
});
