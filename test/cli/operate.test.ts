/** serve, token, link and approvals together, each as a process of its own, against a real gate. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inFolder, organisation, run, serving, until } from './run.ts';

async function tokenOf(folder: string, kind: 'agent' | 'person', id: string): Promise<string> {
  const { code, out, err } = await run(['token', kind, id], { cwd: folder });
  assert.equal(code, 0, err);
  assert.match(err, /^tok_[0-9a-f]{16}, good until \S+\.\n$/);
  assert.match(out, new RegExp(`^cs_${kind}_[\\w-]{43}\\n$`));
  return out.trim();
}

async function ask(
  url: string,
  token: string,
  cents: number,
): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
  const response = await fetch(`${url}/v1/actions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      operation: 'bill___refund',
      input: { cents, note: 'for \u202Eyou' },
      reason: 'The customer asked.',
    }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

test('tokens come before the first serve and while it runs; people decide from a terminal', () =>
  inFolder(organisation, async (folder) => {
    const agent = await tokenOf(folder, 'agent', 'bot');
    await serving(folder, async ({ url, err }) => {
      const cli = async (token: string, ...args: readonly string[]) =>
        run(['approvals', ...args, '--url', url], { cwd: folder, env: { COUNTERSIGN_TOKEN: token } });
      const rosa = await tokenOf(folder, 'person', 'rosa');
      const sam = await tokenOf(folder, 'person', 'sam');

      assert.equal((await ask(url, agent, 50)).status, 200);
      const held = await ask(url, agent, 500);
      assert.equal(held.status, 202);
      const id = (held.body['approval'] as { readonly id: string }).id;
      const digest = String(held.body['digest']);
      const notice = new RegExp(`Approval needed: Refund 500 · prod — http://localhost:\\d+/approvals/${id}`);
      await until(() => notice.test(err()), err);

      const list = await cli(rosa, 'list');
      assert.equal(list.code, 0);
      assert.match(list.out, new RegExp(`^${id}  Refund 500 · prod\n  pending, 3 h 59 min left · agent bot`));
      const show = await cli(rosa, 'show', id);
      assert.equal(show.code, 0);
      assert.match(show.out, /^Refund 500 · prod\npending/);
      assert.match(show.out, /This cannot be undone\./);
      assert.ok(show.out.includes(digest));
      assert.match(show.out, /⟨U\+202E⟩/);
      assert.ok(!show.out.includes('\u202E') && !show.out.includes('\u001B'));
      assert.match(show.out, /The customer asked\./);
      assert.match(show.out, /sam cannot approve: owns the agent bot/);
      assert.equal(JSON.parse((await cli(rosa, 'show', id, '--json')).out).id, id);

      const blind = await cli(rosa, 'approve', id);
      assert.equal(blind.code, 2);
      assert.match(blind.err, /approve needs --digest/);
      const wrong = await cli(rosa, 'approve', id, '--digest', `sha256:${'0'.repeat(64)}`);
      assert.equal(wrong.code, 1);
      assert.match(wrong.err, /holds sha256:[0-9a-f]{64}, not sha256:0{64}/);
      const own = await cli(sam, 'approve', id, '--digest', digest);
      assert.equal(own.code, 1);
      assert.match(own.err, /You cannot approve this.*\(no_self_approval\)/);
      const approved = await cli(rosa, 'approve', id, '--digest', digest);
      assert.deepEqual([approved.code, approved.err], [0, '']);
      assert.match(approved.out, new RegExp(`^${id}: approved`));

      const second = ((await ask(url, agent, 900)).body['approval'] as { readonly id: string }).id;
      const silent = await cli(rosa, 'deny', second);
      assert.equal(silent.code, 2);
      assert.match(silent.err, /deny needs --reason/);
      const denied = await cli(sam, 'deny', second, '--reason', 'too much');
      assert.deepEqual([denied.code, denied.out], [0, `${second}: denied\n`]);
      assert.match((await cli(rosa, 'list')).err, /Nothing waits for you\./);
      assert.match((await cli(rosa, 'list', '--status', 'closed')).out, /denied/);
      assert.match((await cli(agent, 'approve', second, '--digest', digest)).err, /holds sha256/);
      assert.match((await cli('cs_person_nobody', 'list')).err, /\(unauthenticated\)/);
    });
  }));

test('a link signs one person in, once; without any, serve tells how to make one', () =>
  inFolder(organisation, (folder) =>
    serving(folder, async ({ url, err }) => {
      await until(() => err().includes('No agent has a token'), err);
      assert.match(
        err(),
        /Nobody has signed in yet\. A sign-in link: .*link person rosa --url http:\/\/localhost:\d+/,
      );
      assert.match(err(), /No agent has a token yet\. One for bot: .*token agent bot/);
      const { code, out } = await run(['link', 'person', 'rosa', '--url', url], { cwd: folder });
      assert.equal(code, 0);
      assert.match(out, new RegExp(`^${url}/sign-in#cs_link_[\\w-]{43}\n$`));
    }),
  ));

test('ids that are nobody’s, and files that are not there, are one sentence', () =>
  inFolder(organisation, async (folder) => {
    const fails = async (args: readonly string[], says: RegExp): Promise<void> => {
      const { code, out, err } = await run(args, { cwd: folder, env: { COUNTERSIGN_TOKEN: 'x' } });
      assert.deepEqual([code, out], [1, ''], args.join(' '));
      assert.match(err, says);
      assert.ok(!err.includes('    at '), err);
    };
    await fails(['token', 'person', 'rosam'], /countersign\.yaml has no person “rosam”; did you mean rosa\?/);
    await fails(['token', 'agent', 'x'], /countersign\.yaml has no agent “x”; it names: bot\./);
    await fails(
      ['serve', '--config', 'no.yaml'],
      /^countersign: There is no no\.yaml \(ENOENT\)\. Say with --config where yours is, or make one: npm run/,
    );
    await fails(
      ['approvals', 'list', '--url', 'http://127.0.0.1:1'],
      /No gate answers at http:\/\/127\.0\.0\.1:1 \(.+\)\. Is it running\?/,
    );
    writeFileSync(join(folder, 'bad.yaml'), 'listn: x\npeople: [{ id: A }]');
    await fails(
      ['serve', '--config', 'bad.yaml'],
      /bad\.yaml:1:1: Unknown key "listn"; did you mean "listen"\?\n.*bad\.yaml:2:10: people\[0\] has no name\.\n.*bad\.yaml:2:16: people\[0\]\.id must be/,
    );
    const none = await run(['approvals', 'list'], { cwd: folder });
    assert.deepEqual([none.code, none.out], [1, '']);
    assert.match(none.err, /COUNTERSIGN_TOKEN is not set/);
  }));

test('a second gate on the same store is refused; Ctrl-C and SIGTERM end the first in peace', () =>
  inFolder(organisation, async (folder) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      await serving(folder, async ({ child }) => {
        const second = await run(['serve'], { cwd: folder });
        assert.equal(second.code, 1);
        assert.match(second.err, /^countersign: Another gate is running/);
        const ended = once(child, 'exit');
        child.kill(signal);
        assert.deepEqual(await ended, [0, null]);
      });
    }
  }));

test('a port that is taken is one sentence, and leaves the store free', () =>
  inFolder(organisation, (folder) =>
    serving(folder, async ({ url }) =>
      inFolder(organisation, async (other) => {
        const taken = await run(['serve', '--port', new URL(url).port], { cwd: other });
        assert.equal(taken.code, 1);
        assert.match(taken.err, /listens on port \d+ already \(EADDRINUSE\)\. .*--port/);
        await serving(other, () => Promise.resolve());
      }),
    ),
  ));

test('paths are relative to where npm was called', () =>
  inFolder(organisation, async (folder) => {
    const { code } = await run(['token', 'agent', 'bot', '--config', 'countersign.yaml'], {
      env: { INIT_CWD: folder },
    });
    assert.equal(code, 0);
  }));
