/**
 * What this repository hands to those who run it: the systemd unit, the Dockerfile, the compose example. Held by the tools that
 * read them where they are installed (`systemd-analyze`, `haproxy`: `.ci/run` installs both); what is skipped says why.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { parseSettings, type Settings } from '../../src/config.ts';
import { inFolder } from '../cli/run.ts';
import { root } from '../support/source.ts';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const unitFile = 'setup/systemd/countersign.service';
const unit = read(unitFile);

/** HAProxy is where only root looks. */
const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` };

/** What is missing; false: nothing. */
const without = (command: string, debian: string): string | false =>
  spawnSync(command, ['--version'], { env }).error === undefined
    ? false
    : `${command} is not installed (Debian: apt-get install ${debian})`;

const tool = (
  command: string,
  ...args: readonly string[]
): { readonly status: number | null; readonly said: string } => {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', env });
  return { status, said: stdout + stderr };
};

/** A value of the unit; the last one where there are several. */
const valueOf = (key: string): string | undefined =>
  unit
    .match(new RegExp(`^${key}=(.*)$`, 'gm'))
    ?.at(-1)
    ?.slice(key.length + 1);

const stopMs = ({ shutdown }: Settings): number => shutdown.drainMs + shutdown.graceMs;

function settingsOf(text: string): Settings {
  const settings = parseSettings(text, join(root, 'countersign.yaml'));
  if (!settings.ok) assert.fail(JSON.stringify(settings.error));
  return settings.value;
}

test('systemd reads the unit without a complaint', { skip: without('systemd-analyze', 'systemd') }, () =>
  inFolder({ countersign: '#!/bin/sh\n' }, (folder) => {
    const program = join(folder, 'countersign');
    spawnSync('chmod', ['0755', program]);
    const file = join(folder, 'countersign.service');
    // Where the program is differs; it has to be there for this check.
    writeFileSync(file, unit.replaceAll('/usr/bin/countersign', program));
    const { status, said } = tool('systemd-analyze', 'verify', '--man=no', '--recursive-errors=no', file);
    assert.deepEqual([status, said], [0, '']);
    return Promise.resolve();
  }),
);

test('systemd finds it well shut in', { skip: without('systemd-analyze', 'systemd') }, () => {
  const file = join(root, unitFile);
  // 1.3 of 10 where this was written; the rest is what a gate needs: the network, and machine code made at run time.
  const { status, said } = tool(
    'systemd-analyze',
    'security',
    '--offline=yes',
    '--no-pager',
    '--threshold=15',
    file,
  );
  assert.equal(status, 0, said);
});

test('the unit gives a gate more time to stop than it takes, and starts it again only where that helps', () => {
  const defaults = settingsOf('database: postgres://db/x\n');
  assert.ok(Number(valueOf('TimeoutStopSec')) * 1000 > stopMs(defaults) + 10_000);
  assert.equal(valueOf('KillMode'), 'mixed', 'what it runs gets no signal of its own');
  assert.deepEqual([valueOf('Restart'), valueOf('RestartPreventExitStatus')], ['on-failure', '3']);
  assert.equal(valueOf('DynamicUser'), 'yes');
});

test('the image: nobody’s user, a signal that the gate knows, asked whether it lives and not whether it is ready', () => {
  const text = read('Dockerfile');
  const last = text.slice(text.lastIndexOf('\nFROM '));
  assert.match(last, /^USER 65532:65532$/m);
  assert.match(last, /^STOPSIGNAL SIGTERM$/m);
  assert.match(last, /^HEALTHCHECK .*CMD \["countersign", "health", "--for", "alive"\]$/m);
  assert.match(last, /^ENTRYPOINT \["countersign"\]$/m, 'no shell stands between the signal and the gate');
  assert.doesNotMatch(text, /^ADD |curl|wget|:latest/m);
  assert.match(read('.dockerignore'), /^(?:#.*\n)*\*\n/, 'nothing goes to the builder but what is named');
  for (const [, path = ''] of text.matchAll(/^COPY (?!--from)(\S+) \/opt/gm))
    assert.ok(readdirSync(root).includes(path.split('/')[0] ?? ''), path);
});

test('the compose example: its configuration can be used, its gates stop in time, its files are there', () =>
  inFolder({}, (folder) => {
    const pem = (type: 'ed25519' | 'ec'): string => {
      const pair =
        type === 'ec' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
      return String(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    };
    mkdirSync(join(folder, 'secrets'));
    writeFileSync(
      join(folder, 'secrets', 'database'),
      'postgres://u:p@primary:5432,standby:5432/c?target_session_attrs=read-write',
    );
    writeFileSync(join(folder, 'secrets', 'log.pem'), pem('ed25519'), { mode: 0o444 });
    writeFileSync(join(folder, 'secrets', 'receipt.pem'), pem('ec'), { mode: 0o444 });
    const text = read('setup/compose/countersign.yaml').replaceAll('/run/secrets', join(folder, 'secrets'));
    const settings = settingsOf(text);
    assert.equal(settings.store.kind, 'postgres');

    const compose = parse(read('setup/compose/compose.yaml'), { merge: true }) as {
      readonly services: Readonly<
        Record<string, { readonly volumes?: readonly string[]; readonly stop_grace_period?: string }>
      >;
      readonly secrets: Readonly<Record<string, object>>;
    };
    for (const gate of ['gate-a', 'gate-b']) {
      const seconds = /^(\d+)s$/.exec(compose.services[gate]?.stop_grace_period ?? '')?.[1];
      assert.ok(Number(seconds) * 1000 > stopMs(settings) + 10_000, gate);
    }
    for (const { volumes = [] } of Object.values(compose.services))
      for (const [from = ''] of volumes.map((one) => one.split(':')))
        if (from.startsWith('./'))
          assert.ok(readdirSync(join(root, 'setup/compose')).includes(from.slice(2)), from);
    for (const name of ['primary-init.sh', 'standby.sh'])
      assert.deepEqual(tool('bash', '-n', join(root, 'setup/compose', name)), { status: 0, said: '' }, name);
    return Promise.resolve();
  }));

test(
  'the balancer’s configuration is one that HAProxy takes',
  { skip: without('haproxy', 'haproxy') },
  () => {
    const { status, said } = tool('haproxy', '-c', '-f', join(root, 'setup/compose/haproxy.cfg'));
    assert.equal(status, 0, said);
    assert.doesNotMatch(said.replaceAll(/.*could not resolve address 'gate-[ab]'.*/g, ''), /WARNING|ALERT/);
  },
);
