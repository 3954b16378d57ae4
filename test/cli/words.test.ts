/** What is typed: help for every command, usage errors with exit code 2 and a hint, colours only where they belong. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { paintOf, wantsColours } from '../../src/cli/io.ts';
import { nearest } from '../../src/config/nearest.ts';
import { chosenOf } from '../../src/cli/init-ask.ts';
import { root } from '../support/source.ts';
import { run } from './run.ts';

const commands = [
  'demo',
  'init',
  'serve',
  'health',
  'token',
  'link',
  'mcp',
  'approvals',
  'backup',
  'restore',
];

test('help names every command, and each command has help of its own', async () => {
  const all = await run(['--help']);
  assert.equal(all.code, 0);
  for (const name of commands) assert.match(all.out, new RegExp(`^  ${name} +\\S`, 'm'));
  const each = await Promise.all(commands.map((name) => run([name, '--help'])));
  for (const [index, one] of each.entries()) {
    const name = commands[index] ?? '';
    assert.deepEqual([one.code, one.err], [0, ''], name);
    assert.match(one.out, new RegExp(`usage: countersign ${name}`));
    assert.match(one.out, /--help {2,}shows this/);
    for (const line of one.out.split('\n')) assert.ok(line.length <= 130, `${name}: ${line}`);
  }
});

test('no command at all is help, and --version is the package’s', async () => {
  assert.equal((await run([])).out, (await run(['help'])).out);
  const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as {
    readonly version: string;
  };
  assert.equal((await run(['--version'])).out, `${version}\n`);
});

const misused: readonly (readonly [args: readonly string[], says: RegExp])[] = [
  [['serv'], /There is no command serv; did you mean serve\?\nSee: countersign --help/],
  [['frobnicate'], /There is no command frobnicate\.\n/],
  [
    ['serve', '--confg', 'x'],
    /There is no option --confg; did you mean --config\?\nSee: countersign serve --help/,
  ],
  [['serve', '-p', '1'], /There is no option -p/],
  [['serve', '--config'], /--config needs a value: FILE\./],
  [['serve', '--config', '--port', '1'], /--config needs a value: FILE\./],
  [['serve', '--port', '1', '--port', '2'], /--port is given twice\./],
  [['serve', 'now'], /“now” is one word too many\./],
  [['demo', '--auto=yes'], /--auto takes no value\./],
  [['demo', '--port', 'x'], /^countersign: --port x is not a port\./],
  [['serve', '--port', '65536'], /--port 65536 is not a port\./],
  [['approvals', 'list', '--url', 'localhost:1'], /“localhost:1” is not an http or https URL/],
  [['mcp', 'files', '--url', 'ftp://x'], /“ftp:\/\/x” is not an http or https URL/],
  [['link', 'person', 'rosa', '--url', 'foo:bar'], /“foo:bar” is not an http or https URL/],
  [['token'], /Say whose: agent ID or person ID/],
  [['token', 'agent'], /ID is missing\./],
  [['token', 'robot', 'x'], /“robot” has no tokens; say agent or person, list or revoke\./],
  [['link', 'agent', 'x'], /“agent” has no links; say person\. Agents have tokens\./],
  [['mcp'], /SERVER is missing\./],
  [['approvals'], /Say what to do: list, show, approve or deny\./],
  [['approvals', 'accept', 'apr_1'], /“accept” cannot be done with approvals/],
  [['approvals', 'show', 'act_1'], /“act_1” is no approval/],
  [['approvals', 'deny', 'apr_1'], /deny needs --reason/],
  [['backup'], /FILE is missing\./],
  [['init'], /SERVER is missing/],
  [['init', 'a___b', 'http://x', '--yes'], /“a___b” cannot be a server’s name/],
  [['init', 'files', '--yes'], /Say how to reach the server/],
  [['init', 'files', '--yes', '--'], /The command after -- is missing\./],
  [['init', 'files', 'ftp://x', '--yes'], /“ftp:\/\/x” is not an http or https URL/],
  [['init', 'files', 'http://x'], /Without a terminal, init needs --yes\./],
];

test('what cannot be meant is said, with exit code 2 and where to look', async () => {
  const env = { COUNTERSIGN_TOKEN: 'x' };
  const all = await Promise.all(misused.map(([args]) => run(args, { env })));
  for (const [index, one] of all.entries()) {
    const [args, says] = misused[index] ?? [[], /./];
    assert.deepEqual([one.code, one.out], [2, ''], args.join(' '));
    assert.match(one.err, says);
  }
});

test('what is typed cannot write to the terminal', async () => {
  const { err } = await run(['\u001B[2Jx']);
  assert.ok(!err.includes('\u001B'));
});

test('near words are found, far ones are not', () => {
  assert.equal(nearest('confg', ['config', 'port']), 'config');
  assert.equal(nearest('conifg', ['config', 'port']), 'config');
  assert.equal(nearest('PORT', ['config', 'port']), 'port');
  assert.equal(nearest('approval', ['approvals']), 'approvals');
  assert.equal(nearest('x', ['a', 'b']), undefined);
  assert.equal(nearest('telemetry', ['listen', 'url']), undefined);
  assert.equal(nearest('y'.repeat(100_000), ['y'.repeat(99_999)]), undefined);
});

test('colours are for terminals, and for nobody who asked for none', () => {
  const tty = { isTTY: true };
  assert.equal(wantsColours(tty, {}), true);
  assert.equal(wantsColours(tty, { NO_COLOR: '' }), true);
  assert.equal(wantsColours(tty, { NO_COLOR: '1' }), false);
  assert.equal(wantsColours(tty, { TERM: 'dumb' }), false);
  assert.equal(wantsColours({}, {}), false);
  assert.equal(paintOf(false).bad('x'), 'x');
  assert.equal(paintOf(true).bad('x'), '\u001B[31mx\u001B[39m');
});

test('numbers of a list are chosen as people write them', () => {
  assert.deepEqual(chosenOf('', 3), []);
  assert.deepEqual(chosenOf('none', 3), []);
  assert.deepEqual(chosenOf('ALL', 3), [0, 1, 2]);
  assert.deepEqual(chosenOf('1, 3', 3), [0, 2]);
  assert.deepEqual(chosenOf('2-3 1', 3), [1, 2, 0]);
  for (const bad of ['0', '4', '3-1', 'x', 'all 1', '1.5', '-1'])
    assert.equal(chosenOf(bad, 3), undefined, bad);
});
