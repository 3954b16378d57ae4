/** Channels of a configuration: what is read, every kind of mistake with its place, what is warned of, and routes that change while the gate runs. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createWorld } from '../../src/app/world.ts';
import { parseSettings, readSettings, type Settings } from '../../src/config.ts';
import { sameRouting } from '../../src/config/channels.ts';
import { clouds } from '../../src/config/clouds.ts';
import { problemText } from '../../src/config/document.ts';
import { keepProposals } from '../../src/config/propose.ts';
import { channelNames } from '../../src/main/channels.ts';
import { systemClock, systemRandom } from '../../src/main.ts';
import { createPolicyEngine } from '../../src/policy/engine.ts';
import type { Routing } from '../../src/ports/channel.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { eventually } from '../support/gate.ts';

const env = {
  BOT: 'xoxb-1-abc',
  APP: 'xapp-1-abc',
  SIGNING: '0123456789abcdef0123456789abcdef',
  TEAMS: 'secret~value',
  SMTP: 'smtps://gate:hunter2@mail.example.com:465',
};
const slack =
  'slack: { appId: A0APP0001, team: T0TEAM001, botToken: { fromEnv: BOT }, appToken: { fromEnv: APP }';
const teams =
  'teams: { tenant: ABCDEF00-0000-4000-8000-000000000001, clientId: abcdef00-0000-4000-8000-00000000000A, clientSecret: { fromEnv: TEAMS }';
const email = 'email: { url: { fromEnv: SMTP }, from: "Countersign <gate@example.com>"';
const conversation = '19:abc_DEF-1=@thread.tacv2';
const somebody = 'people: [{ id: rosa, name: Rosa Diaz, groups: [owners, sre] }]\n';

function settings(text: string): Settings {
  const read = parseSettings(text, 'c.yaml', { env });
  if (!read.ok) assert.fail(read.error.map(problemText).join('\n'));
  return read.value;
}

function problems(text: string, more: Readonly<Record<string, string>> = {}): readonly string[] {
  const read = parseSettings(text, 'c.yaml', { env: { ...env, ...more } });
  return read.ok ? [] : read.error.map(problemText);
}

/** As written, for messages. */
const shown = ({ groups, otherwise }: Routing): unknown => ({
  groups: Object.fromEntries(groups),
  otherwise,
});

test('all channels are read, with secrets from where they are and ids as they are compared', () => {
  const { channels, warnings } = settings(
    `url: https://gate.example.com\nchannels:\n  ${email}, to: all@example.com }\n  ${teams}, conversation: "${conversation}" }\n  ${slack}, channel: C0AAAA0001 }\n  webhook: { url: "https://hook.example/x", secret: whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3 }\n`,
  );
  assert.deepEqual(channels.webhook, {
    url: 'https://hook.example/x',
    secret: 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3',
  });
  assert.deepEqual(channels.slack, {
    appId: 'A0APP0001',
    team: 'T0TEAM001',
    botToken: env.BOT,
    mode: { kind: 'socket', appToken: env.APP },
    apiUrl: 'https://slack.com/api/',
  });
  assert.deepEqual(channels.teams, {
    tenant: 'abcdef00-0000-4000-8000-000000000001',
    clientId: 'abcdef00-0000-4000-8000-00000000000a',
    clientSecret: env.TEAMS,
    cloud: {
      issuer: 'https://api.botframework.com',
      jwksUrl: 'https://login.botframework.com/v1/.well-known/keys',
      loginUrl: 'https://login.microsoftonline.com',
      serviceOrigins: ['https://smba.trafficmanager.net'],
      serviceUrl: 'https://smba.trafficmanager.net/teams',
    },
  });
  assert.deepEqual(channels.email, { url: env.SMTP, from: 'Countersign <gate@example.com>' });
  // In the order in which the channels are written, and not in that of this program.
  assert.deepEqual(shown(channels.routing), {
    groups: {},
    otherwise: [
      { channel: 'email', to: 'all@example.com' },
      { channel: 'teams', to: conversation },
      { channel: 'slack', to: 'C0AAAA0001' },
    ],
  });
  assert.deepEqual(channelNames({ channels }), ['terminal', 'webhook', 'slack', 'teams', 'email']);
  assert.deepEqual(warnings, []);
});

test('groups are reached in the order in which their channels are written; a group that names none by the others', () => {
  const { channels } = settings(
    `${somebody}url: https://g.example\nchannels:\n  ${slack} }\n  ${teams} }\n  ${email} }\ngroups:\n  owners: { teams: "${conversation}", slack: C0AAAA0001 }\n  sre: { slack: G0BBBB0001, email: sre@example.com }\n  none: {}\n`,
  );
  assert.deepEqual(shown(channels.routing), {
    groups: {
      owners: [
        { channel: 'teams', to: conversation },
        { channel: 'slack', to: 'C0AAAA0001' },
      ],
      sre: [
        { channel: 'slack', to: 'G0BBBB0001' },
        { channel: 'email', to: 'sre@example.com' },
      ],
    },
    otherwise: [],
  });
});

test('Slack over HTTP, and GovSlack', () => {
  const { channels } = settings(
    'url: https://g.example\nchannels: { slack: { appId: A0APP0001, team: E0ENTER01, botToken: { fromEnv: BOT }, signingSecret: { fromEnv: SIGNING }, channel: C0AAAA0001, gov: true } }',
  );
  assert.deepEqual(channels.slack?.mode, { kind: 'http', signingSecret: env.SIGNING });
  assert.equal(channels.slack?.apiUrl, 'https://slack-gov.com/api/');
});

test('each cloud of Teams has its own issuer and connector, and a region is one of that connector', () => {
  for (const [name, cloud] of Object.entries(clouds)) {
    const read = settings(
      `url: https://g.example\nchannels:\n  ${teams}, cloud: ${name}, conversation: "${conversation}" }`,
    );
    assert.deepEqual(read.channels.teams?.cloud, cloud, name);
    assert.ok(cloud.serviceOrigins.includes(new URL(cloud.serviceUrl).origin), name);
  }
  assert.equal(clouds.gcch.issuer, 'https://api.botframework.us');
  assert.equal(clouds.gcc.issuer, 'https://api.botframework.com');
  const region = settings(
    `url: https://g.example\nchannels:\n  ${teams}, serviceUrl: "https://smba.trafficmanager.net/emea/", conversation: "${conversation}" }`,
  );
  assert.equal(region.channels.teams?.cloud.serviceUrl, 'https://smba.trafficmanager.net/emea');
});

const one = (channel: string): string => `url: https://g.example\nchannels:\n  ${channel}`;
const slackPlace =
  'must be the id of a channel, such as C0123456789 (in Slack: the channel\'s name, "About"), or its name, such as "#approvals"';
const oneOfTwo =
  'c.yaml:3:10: channels.slack must be a Slack app with `appToken` (Socket Mode) or with `signingSecret` (HTTP), one of the two: countersign slack setup.';

/** Text, and all that is said of it. */
const wrong: readonly (readonly [name: string, text: string, says: readonly string[]])[] = [
  [
    'neither of the two secrets',
    one('slack: { appId: A0APP0001, team: T0TEAM001, botToken: { fromEnv: BOT } }'),
    [oneOfTwo],
  ],
  ['both of them', one(`${slack}, signingSecret: { fromEnv: SIGNING } }`), [oneOfTwo]],
  [
    'a team by its name',
    one(`${slack.replace('T0TEAM001', 'acme')} }`),
    [
      'c.yaml:3:36: channels.slack.team must be the id of the workspace, such as T0123456789, or of the enterprise that the app is installed for, such as E0123456789.',
    ],
  ],
  [
    'a client id for the app id',
    one(`${slack.replace('A0APP0001', '"123.456"')} }`),
    [
      'c.yaml:3:19: channels.slack.appId must be the App ID of the page Basic Information, such as A0123456789.',
    ],
  ],
  [
    'the tokens exchanged',
    one(
      `${slack.replace('BOT', 'X').replace('APP }', 'BOT }').replace('{ fromEnv: X }', '{ fromEnv: APP }')} }`,
    ),
    [
      'c.yaml:3:57: channels.slack.botToken must begin with xoxb-: it is the Bot User OAuth Token of the page OAuth & Permissions, there once the app is installed.',
      'c.yaml:3:85: channels.slack.appToken must begin with xapp-: it is an App-Level Token of the page Basic Information, with the scope connections:write.',
    ],
  ],
  [
    'a token with something behind it',
    one(`${slack.replace('{ fromEnv: BOT }', '"xoxb-1 # mine"')} }`),
    ['c.yaml:3:57: channels.slack.botToken holds characters that no token has; copy it again.'],
  ],
  [
    'a token that rotates',
    one(`${slack.replace('{ fromEnv: BOT }', 'xoxe.xoxb-1-abc')} }`),
    [
      'c.yaml:3:57: channels.slack.botToken is a token that is replaced every few hours (token rotation), which is not supported: make the app anew without token rotation.',
    ],
  ],
  [
    'a short signing secret',
    one('slack: { appId: A0APP0001, team: T0TEAM001, botToken: { fromEnv: BOT }, signingSecret: abc }'),
    [
      'c.yaml:3:90: channels.slack.signingSecret must be the Signing Secret of the page Basic Information: 32 letters and digits. It is neither the Client Secret nor a token.',
    ],
  ],
  [
    'a token that is not there',
    one(`${slack.replace('fromEnv: BOT', 'fromEnv: NOT_SET')} }`),
    ['c.yaml:3:57: channels.slack.botToken: the environment variable NOT_SET is not set.'],
  ],
  [
    'a channel without its hash',
    one(`${slack}, channel: approvals }`),
    [`c.yaml:3:112: channels.slack.channel ${slackPlace}.`],
  ],
  [
    'a mention for a channel',
    `${somebody}${one(`${slack} }`)}\ngroups: { owners: { slack: "<!channel>" } }`,
    [`c.yaml:5:28: groups.owners.slack ${slackPlace}.`],
  ],
  [
    'a person for a channel',
    `${somebody}${one(`${slack} }`)}\ngroups: { owners: { slack: U0123456789 } }`,
    [`c.yaml:5:28: groups.owners.slack ${slackPlace}.`],
  ],
  [
    'a tenant by its domain',
    one(`${teams.replace('ABCDEF00-0000-4000-8000-000000000001', 'acme.onmicrosoft.com')} }`),
    [
      'c.yaml:3:20: channels.teams.tenant must be the Directory (tenant) ID whose people may decide, such as 00000000-0000-0000-0000-000000000000.',
    ],
  ],
  [
    'the id of a secret for the secret',
    one(`${teams.replace('{ fromEnv: TEAMS }', 'abcdef00-0000-4000-8000-00000000000B')} }`),
    [
      'c.yaml:3:120: channels.teams.clientSecret is an id: take the Value of the client secret, which is shown only when it is made, and not its Secret ID.',
    ],
  ],
  [
    'a cloud whose connector nobody publishes',
    one(`${teams}, cloud: china }`),
    ['c.yaml:3:147: channels.teams.cloud must be one of: public, gcc, gcch, dod.'],
  ],
  [
    'the connector of another cloud',
    one(`${teams}, cloud: gcch, serviceUrl: "https://smba.trafficmanager.net/emea" }`),
    [
      'c.yaml:3:165: channels.teams.serviceUrl must begin with https://smba.infra.gov.teams.microsoft.us/: the connector of that cloud.',
    ],
  ],
  [
    'a connector that only begins like one',
    one(`${teams}, serviceUrl: "https://smba.trafficmanager.net.evil.example/" }`),
    [
      'c.yaml:3:152: channels.teams.serviceUrl must begin with https://smba.trafficmanager.net/: the connector of that cloud.',
    ],
  ],
  [
    'a connector with a user in front',
    one(`${teams}, serviceUrl: "https://smba.trafficmanager.net@evil.example/" }`),
    [
      'c.yaml:3:152: channels.teams.serviceUrl must be an https URL of the connector, such as https://smba.trafficmanager.net/emea/.',
    ],
  ],
  [
    'one message of a conversation',
    one(`${teams}, conversation: "19:a@thread.tacv2;messageid=1" }`),
    [
      'c.yaml:3:154: channels.teams.conversation must be the id of a conversation, such as "19:…@thread.tacv2" without ";messageid=…" (write to the app there, and it answers with it).',
    ],
  ],
  [
    'a mail server that is a page',
    one('email: { url: "https://mail.example.com", from: a@example.com }'),
    [
      'c.yaml:3:17: channels.email.url must be smtps://USER:PASSWORD@HOST:PORT, or smtp://… where the server speaks STARTTLS.',
    ],
  ],
  [
    'a mail server with options of the library',
    one('email: { url: "smtp://mail.example.com/?tls.rejectUnauthorized=false", from: a@example.com }'),
    [
      'c.yaml:3:17: channels.email.url must be smtps://USER:PASSWORD@HOST:PORT, or smtp://… where the server speaks STARTTLS, and nothing behind it.',
    ],
  ],
  [
    'an address with a header in it',
    one(`${email}, to: "a@example.com\\r\\nBcc: b@example.com" }`),
    ['c.yaml:3:80: channels.email.to must be one e-mail address, such as approvals@example.com.'],
  ],
  [
    'a sender with a header in it',
    one('email: { url: { fromEnv: SMTP }, from: "a@example.com\\nBcc: b@example.com" }'),
    [
      'c.yaml:3:42: channels.email.from must be an e-mail address, or a name with one: Countersign <countersign@example.com>.',
    ],
  ],
  [
    'a group that is sent to a channel that is not there',
    `${somebody}channels: {}\ngroups: { owners: { slack: C0AAAA0001 } }`,
    [
      'c.yaml:3:21: The group owners is sent to slack, and channels.slack is not configured: countersign slack setup.',
    ],
  ],
  [
    'a group that is sent to a channel that nobody knows',
    `${somebody}groups: { owners: { discord: x } }`,
    ['c.yaml:2:21: groups.owners: unknown key "discord"; known keys here: slack, teams, email.'],
  ],
  [
    'a sender that is no address',
    one('email: { url: { fromEnv: SMTP }, from: Countersign }'),
    [
      'c.yaml:3:42: channels.email.from must be an e-mail address, or a name with one: Countersign <countersign@example.com>.',
    ],
  ],
  [
    'a webhook secret that holds next to nothing',
    one('webhook: { url: "https://hook.example/x", secret: whsec_aGVsbG8= }'),
    [
      'c.yaml:3:53: channels.webhook.secret must be whsec_ and at least 24 bytes in base64, such as the output of: echo "whsec_$(openssl rand -base64 32)"',
    ],
  ],
  [
    'a webhook with a password',
    one('webhook: { url: "https://u:p@x/", secret: s }'),
    ['c.yaml:3:19: channels.webhook.url must not hold a user name or a password.'],
  ],
];

for (const [name, text, says] of wrong)
  test(`refused with its place: ${name}`, () => assert.deepEqual(problems(text), says));

test('no secret is in any problem', () => {
  const held = {
    BOT: 'xapp-leaked-1',
    APP: 'xoxb-leaked-2',
    SIGNING: 'leaked-3',
    TEAMS: '1eaced00-0000-4000-8000-000000000004',
    SMTP: 'https://leaked-5:leaked-6@x/',
  };
  const socket = problems(one(`${slack} }\n  ${teams} }\n  ${email} }`), held);
  const http = problems(
    one(
      'slack: { appId: A0APP0001, team: T0TEAM001, botToken: { fromEnv: BOT }, signingSecret: { fromEnv: SIGNING } }',
    ),
    held,
  );
  assert.deepEqual([socket.length, http.length], [4, 2]);
  assert.doesNotMatch([...socket, ...http].join('\n'), /leaked|1eaced/);
});

test('what is allowed and probably not meant is warned of', () => {
  const called = 'the platform calls this gate over https: set url to an https address that it can reach.';
  const warnings = (text: string): readonly string[] => settings(text).warnings;
  assert.deepEqual(
    warnings(
      `${somebody}channels:\n  ${slack}, channel: "#ops" }\ngroups: { owners: { slack: "#ops" }, sre: { slack: "#sre" } }`,
    ),
    [
      'Slack channels by name (#ops, #sre): once such a channel is renamed, whoever takes its name next is shown the approvals. Ids (C…) stay.',
    ],
  );
  assert.deepEqual(warnings(`channels:\n  ${teams}, conversation: "${conversation}" }`), [
    `channels.teams: ${called}`,
  ]);
  assert.deepEqual(
    warnings(
      'url: http://gate.example.com\nchannels: { slack: { appId: A0APP0001, team: T0TEAM001, botToken: { fromEnv: BOT }, signingSecret: { fromEnv: SIGNING }, channel: C0AAAA0001 } }',
    ),
    [`channels.slack with signingSecret: ${called}`],
  );
  assert.deepEqual(warnings(`url: https://g.example\nchannels:\n  ${slack} }\n  ${teams} }\n  ${email} }`), [
    'channels.slack has no place: approvals are told nowhere there. Give channels.slack.channel, or groups.NAME.slack.',
    'channels.teams has no place: approvals are told nowhere there. Give channels.teams.conversation, or groups.NAME.teams.',
    'channels.email has no place: approvals are told nowhere there. Give channels.email.to, or groups.NAME.email.',
  ]);
});

test('which group is written first says nothing; which channel of a group does', () => {
  const read = (groups: string): Routing =>
    settings(`${somebody}url: https://g.example\nchannels:\n  ${slack} }\n  ${email} }\ngroups: ${groups}\n`)
      .channels.routing;
  const before = read('{ owners: { slack: C0AAAA0001, email: a@example.com }, sre: { slack: C0BBBB0001 } }');
  assert.ok(
    sameRouting(
      before,
      read('{ sre: { slack: C0BBBB0001 }, owners: { slack: C0AAAA0001, email: a@example.com } }'),
    ),
  );
  assert.ok(
    !sameRouting(
      before,
      read('{ owners: { email: a@example.com, slack: C0AAAA0001 }, sre: { slack: C0BBBB0001 } }'),
    ),
  );
});

test('routes follow the file while the gate runs; a broken file changes nothing of them, a new channel asks for a restart', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-routes-'));
  mkdirSync(join(folder, 'policies'));
  writeFileSync(join(folder, 'policies', 'a.cedar'), 'permit (principal, action, resource);');
  const file = join(folder, 'c.yaml');
  const write = (groups: string, more = ''): void =>
    writeFileSync(file, `${somebody}channels:\n  ${email} }\n${more}groups: ${groups}\n`);
  write('{ owners: { email: a@example.com } }');
  const reload = () => readSettings(file, { env });
  const first = await reload();
  assert.ok(first.ok);
  const store = await openSqlite({
    directory: join(folder, 'data'),
    channels: channelNames(first.value),
    exclusive: true,
    clock: systemClock,
  });
  const policy = createPolicyEngine({ timezone: 'UTC' });
  const world = createWorld({ store, policy, clock: systemClock, random: systemRandom });
  const said: string[] = [];
  const say = (line: string): void => void said.push(line);
  const proposals = await keepProposals({ settings: first.value, world, store, say, reload });
  t.after(async () => {
    await proposals.stop();
    await store.close();
    rmSync(folder, { recursive: true });
  });
  const owners = (): string => JSON.stringify(shown(proposals.routing()));
  assert.match(owners(), /a@example\.com/);

  write('{ owners: { email: b@example.com } }');
  await eventually(() => owners().includes('b@example.com'), 'the route of the file');
  assert.ok(said.includes('Groups are reached where the file says now.'), said.join('\n'));
  assert.ok(!said.some((line) => line.includes('after a restart')), said.join('\n'));

  write('{ owners: { email: not an address } }');
  await eventually(() => said.some((line) => line.includes('groups.owners.email')), 'the broken file told');
  assert.match(owners(), /b@example\.com/);

  write('{ owners: { slack: C0AAAA0001, email: c@example.com } }', `  ${slack} }\n`);
  await eventually(() => owners().includes('c@example.com'), 'the mended file');
  assert.ok(said.includes('Changes of channels are in force after a restart.'), said.join('\n'));
});
