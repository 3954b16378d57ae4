/** docs/small-companies.md, typed as it says: a company of one and of two starts, works, changes its configuration, and learns what it cannot do. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { asCredential, Authenticator } from '../support/authenticator.ts';
import { root } from '../support/source.ts';
import { company } from './company.ts';
import { inFolder, run, serving, until, type Ran } from './run.ts';

const filesystem = join(root, 'node_modules/@modelcontextprotocol/server-filesystem/dist/index.js');

const head = `listen: 127.0.0.1:7788
data: ./data
policies: ./policies
roles: { operators: operators, auditors: operators, admins: operators }
`;
const ana = '  - { id: ana, name: Ana Ruiz, groups: [operators] }\n';
const ben = '  - { id: ben, name: Ben Okafor, groups: [operators, reviewers] }\n';
const rest = `agents:
  - { id: scribe, owners: [ana], groups: [agents] }
operations:
  files___write:
    input: { type: object, properties: { path: { type: string } } }
    profile: { verb: Write, effect: write, object: input.path }
`;
const permit =
  '@id("files.write") permit (principal in Group::"agents", action == Action::"files___write", resource);\n';
const review =
  '@id("files.review") @title("Writes need a reviewer") @approvers("reviewers")\nforbid (principal, action == Action::"files___write", resource);\n';
const never =
  '@id("files.keys") forbid (principal, action == Action::"files___write", resource) when { context.input has path && context.input.path like "*.pem" };\n';
const write = 'files___write';
const change = 'gate___change_config';
const one = { 'countersign.yaml': `${head}people:\n${ana}${rest}`, 'policies/files.cedar': permit + review };
const two = { ...one, 'countersign.yaml': `${head}people:\n${ana}${ben}${rest}` };

test('one: starts from init, without the person that it proposed', () =>
  inFolder({}, async (folder) => {
    mkdirSync(join(folder, 'sandbox'));
    const made = await run(
      ['init', 'files', '--yes', '--pack', 'filesystem', '--', process.execPath, filesystem, './sandbox'],
      { cwd: folder },
    );
    assert.equal(made.code, 0, made.err);
    const [, sed = ''] =
      /^(sed .* countersign\.yaml)$/m.exec(readFileSync(join(root, 'docs/small-companies.md'), 'utf8')) ?? [];
    execFileSync('sh', ['-c', sed], { cwd: folder });
    const checked = await run(['policy', 'check'], { cwd: folder });
    assert.match(
      checked.out,
      /files\.cedar:\d+: warning: nobody is in the group "reviewers": whoever asks is denied/,
    );
    await serving(
      folder,
      async ({ err }) => {
        await until(() => err().includes('No agent has a token yet'), err);
        assert.match(err(), /^warning: .*nobody is in the group "reviewers": whoever asks is denied$/m);
        assert.match(
          err(),
          /^Ana Ruiz is the only person here, so what these files say is in force as it is found/m,
        );
        assert.match(err(), /that takes a second person\.$/m);
      },
      ['--port', '0'],
    );
  }));

test('one: what asks people is denied, and changes are in force as they are found, and recorded', () =>
  company(one, async (at) => {
    assert.equal(await at.ask('scribe', 'a.txt'), 'nobody_left');
    at.edit('policies/files.cedar', () => permit + never);
    await at.says('The changed policies are in force.');
    assert.equal(await at.ask('scribe', 'a.txt'), 'ready');
    assert.equal(await at.ask('scribe', 'a.pem'), 'forbidden');
    const status = await at.as('ana', 'config', 'status');
    assert.equal(status.out, 'Nothing waits: what the files say is in force.\n', status.err);
    const log = await at.api('ana', 'GET', '/v1/log?limit=1000');
    assert.match(
      JSON.stringify(log.body),
      /"changes":\["removes the forbid files\.review, [^}]*"how":"found"/,
    );
    // A broken folder denies everything, and mending it asks nobody.
    at.edit('policies/files.cedar', () => 'permit (');
    await at.says('The policies are not usable');
    assert.equal(await at.ask('scribe', 'a.txt'), 'policy_error');
    at.edit('policies/files.cedar', () => permit + never);
    await at.says('The policies are in force again.');
    assert.equal(await at.ask('scribe', 'a.txt'), 'ready');
  }));

test('one: no break-glass, nobody lifts a stop, and each refusal says what to do; another agent goes on', () =>
  company({ ...one, 'policies/files.cedar': permit }, async (at) => {
    const glass = await at.as(
      'ana',
      'break-glass',
      'ask',
      'scribe',
      'files___write',
      '--minutes',
      '5',
      '--reason',
      'x',
    );
    assert.equal(glass.code, 1);
    assert.match(glass.err, /nobody_left/);
    assert.equal((await at.as('ana', 'agents', 'stop', 'scribe', '--reason', 'It is wild')).code, 0);
    assert.equal(await at.ask('scribe', 'a.txt'), 'agent_stopped');
    const lifted = await at.as('ana', 'agents', 'lift', 'scribe', '--reason', 'mended');
    assert.match(
      lifted.err,
      /and there is none: put somebody else into the group of roles\.operators, or give the work to another agent/,
    );
    at.edit('countersign.yaml', (text) => text.replace('id: scribe', 'id: scribe-2'));
    await at.says('The changed people, groups and agents are in force.');
    assert.equal(await at.ask('scribe-2', 'a.txt'), 'ready');
  }));

test('one: a passkey is granted at the machine and counts after the cool-off; a second person confirms it sooner', () =>
  company(one, async (at) => {
    const granted = await at.cli(
      'passkey',
      'grant',
      'ana',
      '--url',
      at.url.replace('127.0.0.1', 'localhost'),
    );
    assert.equal(granted.code, 0, granted.err);
    const grant = granted.out.trim();
    const key = new Authenticator(new URL(grant).origin);
    const options = await at.api('ana', 'POST', '/v1/passkeys/options');
    const challenge = String(options.body['create']);
    const credential = asCredential(key.register(challenge));
    const enrolled = await at.api('ana', 'POST', '/v1/passkeys', {
      name: 'Laptop',
      challenge,
      credential,
      grant,
    });
    assert.deepEqual([enrolled.status, enrolled.body['counts']], [201, false], JSON.stringify(enrolled.body));
    assert.match((await at.cli('passkey', 'list', 'ana')).out, /counts from \d{4}-/);
    const mine = await at.api('ana', 'POST', `/v1/passkeys/${key.id}/confirm`);
    assert.equal(mine.status, 403, JSON.stringify(mine.body));
    at.edit('countersign.yaml', (text) => text.replace(ana, ana + ben));
    await at.says('The changed people, groups and agents are in force.');
    const confirmed = await at.api('ben', 'POST', `/v1/passkeys/${key.id}/confirm`);
    assert.deepEqual(
      [confirmed.status, confirmed.body['counts']],
      [200, true],
      JSON.stringify(confirmed.body),
    );
  }));

test('one becomes two: the second person is accepted as found, and from then on changes wait for two', () =>
  company(one, async (at) => {
    at.edit('countersign.yaml', (text) => text.replace(ana, ana + ben.replace('operators, ', '')));
    await at.says(
      /^warning: A change of who may do what would wait for people, and Ana Ruiz is alone in the group "operators"/m,
    );
    const refused = await at.ask('scribe', 'a.txt');
    assert.equal(refused, 'pending', 'Ben can approve what the agent asks');
    at.edit('policies/files.cedar', () => permit);
    await at.says(
      /only 1 of the 2 needed are in it\. Whoever operates the machine can accept it: countersign config accept\./,
    );
    // Ben stands for it, so Ana is enough.
    const proposed = await at.as('ben', 'config', 'propose');
    assert.equal(proposed.code, 1, 'whoever does not read how the gate stands does not propose');
    assert.match(proposed.err, /not_permitted/);
  }));

test('two: one asks and the other approves; a change waits for both, or for the other of who proposes it', () =>
  company(two, async (at) => {
    assert.equal(await at.ask('scribe', 'a.txt'), 'pending');
    assert.match((await at.as('ana', 'approvals', 'list')).out, /apr_/, 'the owner sees it');
    const own = await at.approve('ana', write);
    assert.match(own.err, /no_self_approval/);
    assert.match((await at.approve('ben', write)).out, /approved, ready/);

    // Found on disk: both.
    at.edit('countersign.yaml', (text) => text.replace('groups: [agents]', 'groups: [agents, night]'));
    await at.says('Approval needed: Change who may do what: 1 agent');
    const status = await at.as('ana', 'config', 'status');
    assert.match(status.out, /^puts the agent scribe in agents and night \(was agents\) \(waits\)$/m);
    assert.match(status.out, /^It waits for people of operators: http/m);
    assert.match((await at.approve('ana', change)).out, /still needed: 1 of operators/);
    assert.match((await at.approve('ben', change)).out, /approved, succeeded/);
    // Proposed: the other one.
    at.edit('countersign.yaml', (text) => text.replace('[agents, night]', '[agents, day]'));
    await at.says('Approval needed: Change who may do what: 1 agent');
    assert.equal((await at.as('ana', 'config', 'propose')).code, 0);
    assert.match((await at.approve('ana', change)).err, /no_self_approval/);
    assert.match((await at.approve('ben', change)).out, /approved, succeeded/);
    assert.match((await at.as('ana', 'config', 'status')).out, /^Nothing waits/);
    // What tightens asks nobody.
    at.edit('policies/files.cedar', (text) => text + never);
    await at.says('The changed policies are in force.');
    assert.equal(await at.ask('scribe', 'a.pem'), 'forbidden');
  }));

test('two: break-glass takes the other one, who reviews it; who stands in for the other is no second person', () =>
  company(two, async (at) => {
    const glass = (who: string): Promise<Ran> =>
      at.as(
        who,
        'break-glass',
        'ask',
        'scribe',
        'files___write',
        '--minutes',
        '5',
        '--reason',
        'Incident 4711',
      );
    const wrong = await glass('ben');
    assert.match(
      wrong.err,
      /Where an owner of the agent asks, one more is left to approve it\. \(nobody_left\)/,
    );
    assert.equal((await glass('ana')).code, 0);
    assert.match((await at.approve('ben', 'gate___break_glass')).out, /approved, succeeded/);
    assert.equal(await at.ask('scribe', 'a.txt'), 'ready');
    const [id = ''] = /gls_\w+/.exec((await at.as('ana', 'break-glass', 'list')).out) ?? [];
    const ended = await at.as('ana', 'break-glass', 'end', id, '--reason', 'mended');
    assert.match(ended.out, /may be reviewed by ben$/m);
    assert.match((await glass('ana')).err, /glass_unreviewed/);
    assert.equal((await at.as('ben', 'break-glass', 'review', id, '--finding', 'One write')).code, 0);

    const away = await at.as('ben', 'away', 'begin', 'ana', '--for', 'P1D');
    assert.match(away.err, /the two of you are one person for every approval: what needs both waits/);
    assert.equal(await at.ask('scribe', 'b.txt'), 'pending');
    assert.match((await at.approve('ana', write)).err, /no_self_approval/);
    at.edit('countersign.yaml', (text) => text.replace('groups: [agents]', 'groups: [agents, night]'));
    await at.says('Approval needed: Change who may do what: 1 agent');
    assert.match((await at.approve('ana', change)).out, /still needed: 1/);
    assert.match((await at.approve('ben', change)).err, /the two of you count once\. \(already_reviewed\)/);
    const [absence = ''] = /dlg_\w+/.exec(away.out) ?? [];
    assert.equal((await at.as('ben', 'away', 'end', absence)).code, 0);
    assert.match((await at.approve('ben', change)).out, /approved, succeeded/);
  }));

test('two, and one of them leaves: the gate says that only the machine accepts changes, and then one is alone', () =>
  company(two, async (at) => {
    at.edit('countersign.yaml', (text) => text.replace(ben, ''));
    await at.says('The changed people, groups and agents are in force.');
    await at.says(
      /^warning: A change of who may do what would wait .*Ana Ruiz is alone .*which is not enough\. .*"countersign config accept"/m,
    );
    assert.equal(await at.ask('scribe', 'a.txt'), 'nobody_left');
    at.edit('policies/files.cedar', () => permit);
    await at.says(
      /only 1 of the 2 needed are in it\. Whoever operates the machine can accept it: countersign config accept\./,
    );
    assert.equal(await at.ask('scribe', 'b.txt'), 'nobody_left');
    const alone = await at.as('ana', 'config', 'propose');
    assert.match(
      alone.err,
      /nobody is in it besides whoever made the change.*config accept\. \(nobody_left\)/,
    );
    const accepted = await at.cli('config', 'accept', '--as', 'ana');
    assert.equal(accepted.code, 0, accepted.err);
    assert.match(accepted.out, /removes Ben Okafor/);
    assert.match(
      accepted.err,
      /Accepted at the machine, without anybody’s approval\. It is in the log, and pages show it for 30 days\./,
    );
    await at.says(/^Ana Ruiz is the only person here/m);
    assert.equal(await at.ask('scribe', 'b.txt'), 'ready');
  }));

test('served before real people were put in: it says what to do, and config accept does it', () =>
  company(
    {
      ...two,
      'countersign.yaml': two['countersign.yaml'].replaceAll('ana', 'owner').replaceAll('ben', 'reviewer'),
    },
    async (at) => {
      at.edit('countersign.yaml', () => two['countersign.yaml']);
      await at.says(
        /nobody is in it\. Whoever operates the machine can accept it: countersign config accept\./,
      );
      const accepted = await at.cli('config', 'accept');
      assert.equal(accepted.code, 0, accepted.err);
      await at.says('What waited to be accepted does not wait any more.');
      assert.equal(await at.ask('scribe', 'a.txt'), 'pending');
      assert.match((await at.approve('ben', write)).out, /approved, ready/);
    },
  ));
