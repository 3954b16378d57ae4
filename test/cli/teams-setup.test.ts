/** `teams setup`: what to do is printed, the app package is one that Teams takes and asks for nothing more, and what is configured is checked offline. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { strFromU8, unzipSync } from 'fflate';
import { messagesPath } from '../../src/channels/teams/teams.ts';
import { parseSettings } from '../../src/config.ts';
import { problemText } from '../../src/config/document.ts';
import { checkTeams } from '../../src/cli/teams-check.ts';
import { packageName, teamsManifest, teamsPackage, teamsPath } from '../../src/cli/teams-package.ts';
import { root } from '../support/source.ts';
import { inFolder, run } from './run.ts';

const clientId = 'abcdef00-0000-4000-8000-00000000000a';
const tenant = 'abcdef00-0000-4000-8000-000000000001';
const channel = '19:abc@thread.tacv2';
const configured = (url = 'https://gate.example.com:8443', more = ''): string => `
url: ${url}
people: [{ id: rosa, name: Rosa, groups: [owners] }]
channels:
  teams: { tenant: ${tenant}, clientId: ${clientId.toUpperCase()}, clientSecret: { fromEnv: TEAMS_CLIENT_SECRET }${more} }
`;
const routed = `${configured()}groups: { owners: { teams: "${channel}" } }\n`;
const env = { TEAMS_CLIENT_SECRET: 'not~an~id' };

/** Width, height and colour type (6: with transparency) of a PNG (its IHDR). */
function pngOf(bytes: Uint8Array): readonly [width: number, height: number, colours: number] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  assert.equal(view.getUint32(0), 0x89504e47);
  return [view.getUint32(16), view.getUint32(20), view.getUint8(25)];
}

test('the package holds a manifest and the two icons of Teams’s sizes, and nothing else', () => {
  const files = unzipSync(teamsPackage({ clientId }, 'https://gate.example.com'));
  assert.deepEqual(Object.keys(files).toSorted(), ['color.png', 'manifest.json', 'outline.png']);
  const [color, outline, manifest] = ['color.png', 'outline.png', 'manifest.json'].map((name) => {
    const bytes = files[name];
    assert.ok(bytes !== undefined);
    return bytes;
  });
  assert.ok(color !== undefined && outline !== undefined && manifest !== undefined);
  assert.deepEqual(pngOf(color).slice(0, 2), [192, 192]);
  assert.deepEqual(pngOf(outline), [32, 32, 6]);
  assert.deepEqual(JSON.parse(strFromU8(manifest)), teamsManifest({ clientId }, 'https://gate.example.com'));
});

test('the same gate gives the same bytes', () => {
  const [one, two] = [0, 1].map(() => teamsPackage({ clientId }, 'https://gate.example.com'));
  assert.deepEqual(one, two);
});

test('the manifest keeps the limits of its schema, is the bot’s own, and asks for no permission', () => {
  const manifest = JSON.parse(
    JSON.stringify(teamsManifest({ clientId }, 'https://gate.example.com:8443')),
  ) as {
    readonly [key: string]: unknown;
    readonly name: Readonly<Record<string, string>>;
    readonly description: Readonly<Record<string, string>>;
    readonly developer: Readonly<Record<string, string>>;
  };
  // Required by Microsoft's schema, and what we add. No webApplicationInfo, authorization, permissions, devicePermissions.
  assert.deepEqual(Object.keys(manifest).toSorted(), [
    '$schema',
    'accentColor',
    'bots',
    'description',
    'developer',
    'icons',
    'id',
    'manifestVersion',
    'name',
    'validDomains',
    'version',
  ]);
  const version = String(manifest['manifestVersion']);
  assert.match(version, /^1\.\d\d$/);
  assert.ok(String(manifest['$schema']).includes(`/teams/v${version}/`));
  // From 1.25 a team's bot must say that it supports shared channels, whose people may be of other organisations.
  assert.ok(Number(version.split('.')[1]) < 25);
  assert.match(String(manifest['version']), /^[1-9]\d*\.\d+\.\d+$/);
  assert.equal(manifest['id'], clientId);
  assert.deepEqual(manifest['bots'], [
    {
      botId: clientId,
      scopes: ['team', 'groupChat', 'personal'],
      isNotificationOnly: false,
      supportsFiles: false,
      supportsCalling: false,
      supportsVideo: false,
    },
  ]);
  assert.ok((manifest.name['short'] ?? '').length <= 30 && (manifest.name['full'] ?? '').length <= 100);
  assert.ok((manifest.description['short'] ?? '').length <= 80);
  assert.ok((manifest.description['full'] ?? '').length <= 4000);
  assert.ok((manifest.developer['name'] ?? '').length <= 32);
  for (const key of ['websiteUrl', 'privacyUrl', 'termsOfUseUrl'])
    assert.match(manifest.developer[key] ?? '', /^https:\/\/gate\.example\.com:8443\/$/);
  assert.match(String(manifest['accentColor']), /^#[0-9A-F]{6}$/);
  assert.deepEqual(manifest['validDomains'], ['gate.example.com:8443']);
});

test('the icons are packed with what is published', () => {
  const { files } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as {
    readonly files: readonly string[];
  };
  assert.ok(files.includes('setup') && existsSync(`${root}/setup/teams/color.png`));
});

test('--out writes the package of the configured gate, without its secret', async () => {
  await inFolder({ 'gate/c.yaml': configured() }, async (folder) => {
    const { code, out } = await run(['teams', 'setup', '--config', 'gate/c.yaml', '--out', 'new/dir'], {
      cwd: folder,
    });
    assert.equal(code, 0);
    const file = join(folder, 'new', 'dir', packageName);
    assert.equal(out, `${file}\n`);
    assert.deepEqual(
      new Uint8Array(readFileSync(file)),
      new Uint8Array(teamsPackage({ clientId }, 'https://gate.example.com:8443')),
    );
  });
});

test('without Teams or without an https address nothing is written', async () => {
  await inFolder({ 'none.yaml': '', 'http.yaml': configured('http://localhost:7788') }, async (folder) => {
    const none = await run(['teams', 'setup', '--config', 'none.yaml', '--out', 'x'], { cwd: folder });
    assert.equal(none.code, 1);
    assert.match(none.err, /The configuration has no channels\.teams\. What to do: .*teams setup/);
    const http = await run(['teams', 'setup', '--config', 'http.yaml', '--out', 'x'], { cwd: folder });
    assert.equal(http.code, 1);
    assert.match(http.err, /url must be set to the https address/);
    assert.equal(existsSync(join(folder, 'x')), false);
  });
});

test('setup prints what to do, first without a configuration, then with what it says so far', async () => {
  await inFolder({ 'c.yaml': configured() }, async (folder) => {
    const first = await run(['teams', 'setup'], { cwd: folder });
    assert.deepEqual([first.code, first.err], [0, '']);
    assert.match(first.out, /Single Tenant/);
    assert.match(first.out, /https:\/\/gate\.example\.com\/channels\/teams\/messages/);
    const lines = first.out.split('\n');
    const begin = lines.findIndex((line) => line.startsWith('3. ')) + 1;
    const yaml = lines
      .slice(begin, lines.indexOf('', begin))
      .filter((line) => !line.includes('cloud:'))
      .map((line) => line.slice(3));
    const read = parseSettings(yaml.join('\n'), 'c.yaml', { env });
    if (!read.ok) assert.fail(read.error.map(problemText).join('\n'));
    assert.equal(read.value.channels.teams?.clientSecret, env.TEAMS_CLIENT_SECRET);
    const then = await run(['teams', 'setup', '--config', 'c.yaml'], { cwd: folder });
    assert.ok(then.out.includes(`(configured: ${clientId})`) && then.out.includes(`(configured: ${tenant})`));
    assert.equal(teamsPath, messagesPath);
    assert.ok(then.out.includes(`https://gate.example.com:8443${teamsPath}`));
    assert.match(then.out, /teams setup --out \. --config c\.yaml/);
  });
});

const settingsOf = (text: string) => {
  const read = parseSettings(text, 'c.yaml', { env });
  if (!read.ok) assert.fail(read.error.map(problemText).join('\n'));
  const { teams } = read.value.channels;
  assert.ok(teams !== null);
  return { settings: read.value, teams };
};

const checked = (text: string): string => {
  const { settings, teams } = settingsOf(text);
  return checkTeams(settings, teams)
    .map(({ kind, text: said }) => `${kind}: ${said}`)
    .join('\n');
};

test('--check says what is right, where people are asked, and what it cannot know', async () => {
  const said = checked(routed);
  assert.match(
    said,
    /good: The messaging endpoint of the Azure Bot must be https:\/\/gate\.example\.com:8443\/channels\/teams\/messages/,
  );
  assert.match(
    said,
    new RegExp(`good: People of the directory ${tenant} may decide, as the bot ${clientId}`),
  );
  assert.match(said, /good: The gate gives its tokens to https:\/\/smba\.trafficmanager\.net alone/);
  assert.match(said, /good: The group owners is asked in the channel 19:abc@thread\.tacv2/);
  assert.match(said, /unknown: Whether Microsoft takes the secret/);
  assert.ok(!said.includes('bad:') && !said.includes('warning:'));
  const others = checked(configured(undefined, ', conversation: "19:x@thread.v2", cloud: gcch'));
  assert.match(others, /good: Other groups are asked in the group chat 19:x@thread\.v2/);
  assert.match(others, /https:\/\/smba\.infra\.gov\.teams\.microsoft\.us alone/);
  assert.match(checked(configured()), /warning: No conversation is configured/);
  await inFolder({ 'countersign.yaml': routed }, async (folder) => {
    const one = await run(['teams', 'setup', '--check'], { cwd: folder, env });
    assert.equal(one.code, 0, one.err);
    assert.match(one.out, /^ok {7}The messaging endpoint/);
    assert.ok(!one.out.includes(env.TEAMS_CLIENT_SECRET));
    const without = await run(['teams', 'setup', '--check'], { cwd: folder });
    assert.equal(without.code, 1);
    assert.match(
      without.err,
      /channels\.teams\.clientSecret: the environment variable TEAMS_CLIENT_SECRET is not set/,
    );
  });
});

test('--check says of an address that Microsoft cannot reach that it is wrong', () => {
  assert.match(
    checked(configured('http://gate.example.com')),
    /bad: url is http:\/\/gate\.example\.com: Teams calls https addresses alone/,
  );
  for (const host of [
    'localhost',
    '127.0.0.1:8443',
    '[::1]',
    '10.1.2.3',
    '172.20.0.1',
    '192.168.0.9',
    'gate.internal',
  ])
    assert.match(
      checked(configured(`https://${host}`)),
      /bad: url is https:\/\/\S+: Microsoft’s servers cannot reach/,
      host,
    );
  assert.doesNotMatch(checked(configured('https://10gate.example.com')), /bad:/);
  assert.match(checked(configured().replace(/url: .*\n/, '')), /bad: url is not set/);
});

const misused: readonly (readonly [args: readonly string[], says: RegExp])[] = [
  [[], /Say what to do: setup\./],
  [['check'], /“check” cannot be done with Teams; say setup\./],
  [['setup', 'x'], /“x” is one word too many\./],
  [['setup', '--check', '--out', 'x'], /--out belongs to setup\./],
  [['setup', '--out'], /--out needs a value: DIR\./],
  [['setup', '--chek'], /did you mean --check\?/],
];

test('what cannot be meant is said; help names every form', async () => {
  for (const [args, says] of misused) {
    const { code, out, err } = await run(['teams', ...args]);
    assert.deepEqual([code, out], [2, ''], args.join(' '));
    assert.match(err, says);
  }
  const { code, out } = await run(['teams', '--help']);
  assert.equal(code, 0);
  for (const form of ['--out DIR', '--check', '--config FILE']) assert.ok(out.includes(form), form);
  for (const line of out.split('\n')) assert.ok(line.length <= 130, line);
});
