/**
 * The main line of docs/first-hour.md, typed as it says, with a server that we did not write and the agent of
 * examples/first-hour: observe, report, adjust, enforce, the first held call, its approval and outcome, stop and lift.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { root } from '../support/source.ts';
import { inFolder, run, serving, until, type Ran } from './run.ts';

const filesystem = join(root, 'node_modules/@modelcontextprotocol/server-filesystem/dist/index.js');
const hour = join(root, 'examples/first-hour');

/** Runs the agent of the document on a file of calls. */
async function agent(url: string, token: string, file: string): Promise<Ran> {
  const child = spawn(process.execPath, [join(hour, 'agent.mjs'), 'files', file], {
    env: { PATH: process.env['PATH'] ?? '', COUNTERSIGN_TOKEN: token, COUNTERSIGN_URL: url },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null]>, // ChildProcess: code or null
  ]);
  return { code, out, err };
}

test('from an empty folder to an enforced server, its first approval, and an agent that is stopped and let go on', () =>
  inFolder({}, async (folder) => {
    const cli = (...args: readonly string[]): Promise<Ran> => run(args, { cwd: folder });
    const edit = (file: string, change: (before: string) => string): void => {
      const before = readFileSync(join(folder, file), 'utf8');
      assert.notEqual(change(before), before, `${file} is not as the document says`);
      writeFileSync(join(folder, file), change(before));
    };
    mkdirSync(join(folder, 'sandbox'));
    const made = await cli(
      'init',
      'files',
      '--observe',
      '--yes',
      '--',
      process.execPath,
      filesystem,
      './sandbox',
    );
    assert.equal(made.code, 0, made.err);
    assert.match(made.out, /The server is observed: nothing is held or denied yet/);

    await serving(
      folder,
      async ({ url, err }) => {
        const says = (line: string): Promise<void> => until(() => err().includes(line), err);
        const secret = async (kind: string, id: string): Promise<string> =>
          (await cli('token', kind, id)).out.trim();
        const token = await secret('agent', 'agent');
        const [owner, reviewer] = [await secret('person', 'owner'), await secret('person', 'reviewer')];
        const as = (person: string, ...args: readonly string[]): Promise<Ran> =>
          run(args, { cwd: folder, env: { COUNTERSIGN_TOKEN: person, COUNTERSIGN_URL: url } });

        // Observed: everything passes, and the operator sees what it would have asked.
        const worked = await agent(url, token, join(hour, 'files.jsonl'));
        assert.equal(worked.out.match(/^ok /gm)?.length, 6, worked.out + worked.err);
        assert.match(worked.out, /^error read_text_file: Access denied/m);
        assert.ok(existsSync(join(folder, 'sandbox/old.txt')));
        assert.match(err(), /files: pinned 14 tools, /);
        assert.doesNotMatch(err(), /Approval needed/);
        const report = await cli('report', '--last', '7d');
        assert.match(report.out, /^7 actions of 1 agent\. All of them were only observed/m);
        assert.match(report.out, /^files___edit_file +0 +0 +2 +0 +0/m);
        assert.match(report.out, /^ {2}reviewer +7 /m);

        // Adjusted: reads run without asking, as the pack has it, and who approves a change says why.
        edit('policies/files.cedar', (before) =>
          before
            .slice(0, before.indexOf('// Until you say otherwise'))
            .replace('@id("files.review")', '@id("files.review")\n@reason("required")'),
        );
        // Who is asked changes with that, so it is the other one who accepts it.
        await says('  removes the forbid files.unread-tools');
        const proposed = await as(owner, 'config', 'propose');
        assert.match(proposed.err, /permit|forbid/, proposed.err);
        const change = /apr_\w+/.exec(proposed.out)?.[0] ?? assert.fail(proposed.out + proposed.err);
        const seen = await as(reviewer, 'approvals', 'show', change);
        assert.match(seen.out, /removes the forbid files\.unread-tools/);
        const [exact = ''] = /sha256:\w+/.exec(seen.out) ?? [];
        const accept = ['approvals', 'approve', change, '--digest', exact];
        assert.match((await as(owner, ...accept)).err, /no_self_approval/);
        const accepted = await as(reviewer, ...accept);
        assert.equal(accepted.code, 0, accepted.err);
        assert.match((await cli('policy', 'check')).err, /^usable: 1 policy file\.$/m);
        await says('The changed policies are in force.');
        const write = { path: 'notes.txt', content: 'second' };
        const resource = { type: 'File', id: 'notes.txt' };
        const asked = { agent: 'agent', operation: 'files___write_file', input: write, resource };
        writeFileSync(join(folder, 'try.json'), JSON.stringify(asked));
        const why = await cli('policy', 'explain', 'try.json');
        assert.match(why.out, /^review: people must approve it$/m);
        assert.match(why.out, /with a reason; an approval is good\s+for 15 min/);
        assert.match(why.out, /can approve +reviewer$/m);

        // Enforced: the first held call.
        edit('countersign.yaml', (before) => before.replace('mode: observe', 'mode: enforce'));
        await says('Everything is enforced again; nothing is observed.');
        const calls = join(folder, 'calls.jsonl');
        writeFileSync(calls, '["list_directory", {"path": "."}]\n');
        appendFileSync(calls, `${JSON.stringify(['write_file', write])}\n`);
        const working = agent(url, token, calls);
        await says('Approval needed: Write notes.txt');
        assert.ok(!existsSync(join(folder, 'sandbox/notes.txt')));
        const [id = ''] = /^apr_\w+/.exec((await as(reviewer, 'approvals', 'list')).out) ?? [];
        const shown = await as(reviewer, 'approvals', 'show', id);
        const [digest = ''] = /sha256:\w+/.exec(shown.out) ?? [];
        assert.match(shown.out, /Changes of files need a reviewer: 0 of 1 from reviewers, with a reason/);
        const approve = ['approvals', 'approve', id, '--digest', digest];
        const silent = await as(reviewer, ...approve);
        assert.deepEqual([silent.code, silent.out], [2, '']);
        assert.match(silent.err, /A policy wants a reason with this approval: --reason TEXT\./);
        const own = await as(owner, ...approve, '--reason', 'mine');
        assert.match(own.err, /no_self_approval|not_an_approver/);
        const approved = await as(reviewer, ...approve, '--reason', 'Looks right');
        assert.equal(approved.code, 0, approved.err);
        assert.match((await working).out, /^ok +list_directory.*\nok +write_file: Successfully wrote/);
        assert.equal(readFileSync(join(folder, 'sandbox/notes.txt'), 'utf8'), 'second');
        const after = await cli('report');
        assert.match(after.out, /What people were asked: 1 approved\./);
        assert.match(after.out, /Policies changed in this time.*\s.*--from \d{4}-/);

        // Stopped by its owner, who cannot lift it; the other operator can.
        const stopped = await as(owner, 'agents', 'stop', 'agent', '--reason', 'It writes too much');
        assert.equal(stopped.code, 0, stopped.err);
        const refused = await agent(url, token, calls);
        assert.match(
          refused.err,
          /This agent was stopped: It writes too much\. An operator must lift that\./,
        );
        const self = await as(owner, 'agents', 'lift', 'agent', '--reason', 'again');
        assert.match(self.err, /Only an operator who does not own the agent may let it go on/);
        const lifted = await as(reviewer, 'agents', 'lift', 'agent', '--reason', 'Talked about it');
        assert.equal(lifted.code, 0, lifted.err);
        writeFileSync(calls, '["read_text_file", {"path": "notes.txt"}]\n');
        assert.match((await agent(url, token, calls)).out, /^ok +read_text_file: second$/m);

        const log = await fetch(`${url}/v1/log?limit=1000`, {
          headers: { authorization: `Bearer ${owner}` },
        });
        const types = [...(await log.text()).matchAll(/"type":"([a-z_]+\.[a-z_]+)"/g)].map(
          ([, type]) => type,
        );
        const story = [
          'observe.changed',
          'tool.pinned',
          'action.asked',
          'policies.accepted',
          'approval.opened',
          'review.recorded',
          'policies.accepted',
          'observe.changed',
          'approval.opened',
          'review.recorded',
          'approval.approved',
          'execution.started',
          'execution.succeeded',
          'agent.stopped',
          'stop.lifted',
        ];
        let at = -1;
        for (const type of story) {
          at = types.indexOf(type, at + 1);
          assert.ok(at >= 0, `${type} is not in its place: ${types.join(' ')}`);
        }
      },
      ['--port', '0'],
    );
  }));
