/** `token`: what it prints, how long tokens are good, and how they are rotated, listed and revoked, beside a running gate. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { inFolder, run, serving } from './run.ts';

const config = `
listen: 127.0.0.1:0
people: [{ id: rosa, name: Rosa Diaz, groups: [audit] }]
agents: [{ id: bot, owners: [rosa] }]
roles: { auditors: audit }
operations: { shop___refund: { input: { type: object } } }
`;
const policies = '@id("all") permit (principal, action, resource);\n';
const files = { 'countersign.yaml': config, 'policies/a.cedar': policies };

test('tokens are issued, rotated, listed and revoked while the gate runs', () =>
  inFolder(files, async (folder) => {
    const cli = async (...args: readonly string[]) => run(['token', ...args], { cwd: folder });
    const first = await cli('agent', 'bot');
    assert.equal(first.code, 0, first.err);
    assert.match(first.out, /^cs_agent_[A-Za-z0-9_-]{43}\n$/);
    assert.match(first.err, /^tok_[0-9a-f]{16}, good until \d{4}-/);
    await serving(folder, async ({ url }) => {
      const status = async (token: string): Promise<number> => {
        const headers = { authorization: `Bearer ${token.trim()}`, 'content-type': 'application/json' };
        const body = JSON.stringify({ operation: 'shop___refund', input: {} });
        return (await fetch(`${url}/v1/actions`, { method: 'POST', headers, body })).status;
      };
      assert.equal(await status(first.out), 200);
      const second = await cli('agent', 'bot', '--expires', 'P30D', '--rotate', 'PT1H');
      assert.match(second.err, /Earlier ones end within 1 h\./);
      assert.equal(await status(first.out), 200);
      assert.equal(await status(second.out), 200);

      const lines = (await cli('list')).out.trimEnd().split('\n');
      assert.equal(lines.length, 2);
      const secondId = second.err.slice(0, 20);
      for (const line of lines)
        assert.match(line, /^tok_[0-9a-f]{16} {2}agent bot {2}issued \S+ {2}until \S+$/);
      const untilOf = (id: string): number =>
        Date.parse(/until (\S+)/.exec(lines.find((line) => line.startsWith(id)) ?? '')?.[1] ?? '');
      const [old, fresh] = [untilOf(first.err.slice(0, 20)), untilOf(secondId)];
      assert.ok(old - Date.now() <= 3_600_000 && fresh - Date.now() > 29 * 86_400_000);
      assert.ok(!lines.join('').includes('cs_agent'));

      const revoked = await cli('revoke', secondId);
      assert.equal(revoked.code, 0, revoked.err);
      assert.equal(await status(second.out), 401);
      assert.equal(await status(first.out), 200);
      assert.match((await cli('list')).out, new RegExp(`^${secondId} .* revoked \\S+$`, 'm'));
    });
  }));

test('a token of before goes on, and the list says so', () =>
  inFolder(files, async (folder) => {
    const made = await run(['token', 'agent', 'bot'], { cwd: folder });
    const db = new DatabaseSync(join(folder, 'data', 'countersign.db'));
    db.exec('UPDATE tokens SET expires_at_ms = NULL');
    db.close();
    const listed = await run(['token', 'list'], { cwd: folder });
    assert.match(listed.out, new RegExp(`^${made.err.slice(0, 20)} .* no end: .*--rotate$`, 'm'));
  }));

test('what cannot be meant is said before anything is written', () =>
  inFolder(files, async (folder) => {
    const fails = async (args: readonly string[], code: number, message: RegExp): Promise<void> => {
      const ran = await run(['token', ...args], { cwd: folder });
      assert.equal(ran.code, code, ran.err);
      assert.match(ran.err, message);
      assert.equal(ran.out, '');
    };
    await fails(['agent', 'bot', '--expires', '90d'], 2, /is no ISO 8601 duration/);
    await fails(['agent', 'bot', '--expires', 'P366D'], 2, /--expires is at most P365D/);
    await fails(['agent', 'bot', '--expires', 'PT0S'], 2, /is no ISO 8601 duration/);
    await fails(['agent', 'bot', '--rotate', 'P8D'], 2, /--rotate is at most P7D/);
    await fails(['list', '--rotate', 'PT1H'], 2, /--rotate belongs to a new token/);
    await fails(['revoke', 'cs_agent_x'], 2, /is no token’s id/);
    await fails(['revoke', 'tok_0000000000000000'], 1, /There is no token of that id/);
    await fails(['robot', 'bot'], 2, /say agent or person, list or revoke/);
    assert.equal((await run(['token', 'list'], { cwd: folder })).out, '');
  }));
