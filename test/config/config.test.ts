/** The configuration: defaults, every kind of mistake with its place, secrets, and what is only warned of. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseSettings, readSettings, type ReadOptions, type Settings } from '../../src/config.ts';
import { problemText } from '../../src/config/document.ts';
import { limitDefaults } from '../../src/app/parts.ts';
import { peopleDefaults } from '../../src/ports/sign-in.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-config-'));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'countersign.yaml');

function settings(text: string, options: ReadOptions = {}): Settings {
  const read = parseSettings(text, file, { env: {}, ...options });
  if (!read.ok) assert.fail(read.error.map(problemText).join('\n'));
  return read.value;
}

function problems(text: string, options: ReadOptions = {}): readonly string[] {
  const read = parseSettings(text, 'c.yaml', { env: {}, ...options });
  return read.ok ? [] : read.error.map(problemText);
}

const team = `
people:
  - { id: rosa, name: Rosa Diaz, groups: [data-owners] }
  - { id: sam, name: Sam Lee, groups: [sre] }
agents:
  - { id: crm-bot, owners: [sam], groups: [support-agents] }
`;

test('an empty file is a gate on loopback with every default', () => {
  const read = settings('');
  assert.deepEqual(read.listen, { host: '127.0.0.1', port: 7788 });
  assert.equal(read.url, null);
  assert.deepEqual(read.store, { kind: 'sqlite', directory: join(folder, 'data') });
  assert.equal(read.policies, join(folder, 'policies'));
  assert.deepEqual(read.limits, limitDefaults);
  assert.deepEqual(read.proposal, {
    directory: { people: [], agents: [], roles: { operators: null, auditors: null } },
    servers: [],
    operations: [],
    signIn: { people: peopleDefaults, issuers: [], allowVirtualAuthenticator: false },
    timezone: 'UTC',
  });
  assert.deepEqual(read.channels, {
    webhook: null,
    slack: null,
    teams: null,
    email: null,
    routing: { groups: new Map(), otherwise: [] },
  });
  assert.deepEqual(read.warnings, []);
});

test('the example of the design is read whole', () => {
  const read = settings(
    `
listen: 127.0.0.1:7788
url: http://localhost:7788/
data: ./data
policies: ./rules
roles: { operators: platform, auditors: audit, admins: data-owners }
changes: { people: 2 }
people:
  - { id: rosa, name: Rosa Diaz, groups: [data-owners] }
  - { id: sam,  name: Sam Lee,  groups: [data-owners, sre, platform, audit] }
groups:
  data-owners: { slack: C0DATA0001 }
agents:
  - { id: crm-bot, owners: [sam], groups: [support-agents] }
servers:
  files: { command: [npx, "@modelcontextprotocol/server-filesystem", ./sandbox], env: { DEBUG: "1" } }
  crm:
    url: https://crm.internal/mcp
    headers: { authorization: { fromEnv: CRM_TOKEN } }
    mode: enforce
    pin: manual
    tools:
      export_rows: { verb: Export, effect: export, environment: prod, resource: { type: Dataset, id: input.table }, reversible: false }
operations:
  billing___refund: { input: { type: object, properties: { cents: { type: integer } } }, profile: { verb: Refund, effect: write } }
channels:
  webhook: { url: "https://hooks.example.com/x", secret: { fromEnv: HOOK } }
  slack: { appId: A0APP0001, team: T0TEAM001, botToken: { fromEnv: BOT }, appToken: { fromEnv: APP }, channel: C0AAAA0001 }
limits: { replay: PT1H, hold: PT20S, holdProgress: PT1M }
`,
    {
      env: {
        CRM_TOKEN: 'Bearer x',
        HOOK: 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3',
        BOT: 'xoxb-1',
        APP: 'xapp-1',
      },
    },
  );
  assert.equal(read.url, 'http://localhost:7788');
  assert.equal(read.policies, join(folder, 'rules'));
  assert.deepEqual(read.proposal.servers, [
    {
      name: 'files',
      upstream: {
        kind: 'command',
        argv: ['npx', '@modelcontextprotocol/server-filesystem', './sandbox'],
        cwd: folder,
        env: { DEBUG: '1' },
      },
      sources: { DEBUG: { from: 'literal' } },
      pin: 'first-sight',
      mode: 'enforce',
      modes: {},
      tools: {},
    },
    {
      name: 'crm',
      upstream: { kind: 'url', url: 'https://crm.internal/mcp', headers: { authorization: 'Bearer x' } },
      sources: { authorization: { from: 'env', name: 'CRM_TOKEN' } },
      pin: 'manual',
      mode: 'enforce',
      modes: {},
      tools: {
        export_rows: {
          verb: 'Export',
          effect: 'export',
          environment: 'prod',
          resource: { type: 'Dataset', id: 'input.table' },
          reversible: false,
        },
      },
    },
  ]);
  assert.deepEqual(read.proposal.operations[0]?.profile, { verb: 'Refund', effect: 'write' });
  assert.deepEqual(
    read.channels.routing.groups,
    new Map([['data-owners', [{ channel: 'slack', to: 'C0DATA0001' }]]]),
  );
  assert.deepEqual(read.proposal.directory.roles, {
    operators: 'platform',
    auditors: 'audit',
    admins: 'data-owners',
    adminsQuorum: 2,
  });
  assert.deepEqual(read.channels.webhook, {
    url: 'https://hooks.example.com/x',
    secret: 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3',
  });
  assert.equal(read.channels.slack?.botToken, 'xoxb-1');
  assert.deepEqual(
    [read.limits.replayMs, read.limits.holdMs, read.limits.holdProgressMs],
    [3_600_000, 20_000, 60_000],
  );
  assert.deepEqual(read.warnings, []);
});

/** Text, and all that is said of it. */
const wrong: readonly (readonly [name: string, text: string, says: readonly string[]])[] = [
  [
    'an unknown key with a near one',
    'listn: 127.0.0.1:1',
    ['c.yaml:1:1: Unknown key "listn"; did you mean "listen"?'],
  ],
  [
    'an unknown key with none near',
    'weather: on',
    [
      'c.yaml:1:1: Unknown key "weather"; known keys here: listen, url, data, database, postgres, policies, timezone, roles, changes, people, groups, agents, passkeys, providers, sessions, signInLinks, servers, operations, issuers, channels, log, telemetry, logging, callbacks, shutdown, limits.',
    ],
  ],
  [
    'an unknown key inside',
    'servers:\n  crm:\n    url: https://x/\n    pins: manual',
    ['c.yaml:4:5: servers.crm: unknown key "pins"; did you mean "pin"?'],
  ],
  [
    'an unknown key of a profile',
    'servers:\n  crm: { url: https://x/, tools: { a: { verb: A, effect: read, reversable: true } } }',
    ['c.yaml:2:64: servers.crm.tools.a: unknown key "reversable"; did you mean "reversible"?'],
  ],
  ['a duplicate key', 'data: a\ndata: b', ['c.yaml:2:1: Map keys must be unique.']],
  ['a custom tag', 'data: !secret x', ['c.yaml:1:7: Unresolved tag: !secret.']],
  [
    'two documents',
    'data: a\n---\ndata: b',
    ['c.yaml:2:1: Source contains multiple documents; please use YAML.parseAllDocuments().'],
  ],
  [
    'broken YAML',
    'people: [',
    ['c.yaml:1:10: Flow sequence in block collection must be sufficiently indented and end with a ].'],
  ],
  ['a list at the top', '- a', ['c.yaml:1:1: The configuration must be a map of keys and values.']],
  [
    'a wrong id',
    'people:\n  - { id: Rosa, name: R }',
    ['c.yaml:2:11: people[0].id must be 1 to 64 of the characters a-z, 0-9, dot, underscore and hyphen.'],
  ],
  [
    'a number for a text',
    'people:\n  - { id: 1, name: R }',
    ['c.yaml:2:11: people[0].id must be a text; put quotes around 1.'],
  ],
  ['a person without a name', 'people:\n  - { id: rosa }', ['c.yaml:2:5: people[0] has no name.']],
  [
    'an id twice',
    'people:\n  - { id: a, name: A }\n  - { id: a, name: B }',
    ['c.yaml:3:11: people: the id "a" is there twice.'],
  ],
  ['an agent without owners', `${team}  - { id: lost }`, ['c.yaml:7:5: agents[1] has no owners.']],
  [
    'an agent with no owner',
    `${team}  - { id: lost, owners: [] }`,
    ['c.yaml:7:25: agents[1].owners must not be empty.'],
  ],
  [
    'an owner who is nobody',
    `${team}  - { id: lost, owners: [rossa] }`,
    ['c.yaml:7:26: The agent lost has an owner "rossa" who is not among the people; did you mean "rosa"?'],
  ],
  [
    'an owner who is an agent',
    `${team}  - { id: lost, owners: [crm-bot] }`,
    [
      'c.yaml:7:26: The agent lost has an owner "crm-bot" who is not among the people; an owner is one of the people.',
    ],
  ],
  [
    'a mode that is none',
    'servers:\n  a: { url: https://x/, mode: watch }',
    ['c.yaml:2:31: servers.a.mode must be one of: enforce, observe.'],
  ],
  [
    'a tool with neither profile nor mode',
    'servers:\n  a: { url: https://x/, tools: { t: {} } }',
    ['c.yaml:2:37: servers.a.tools.t has no verb.', 'c.yaml:2:37: servers.a.tools.t has no effect.'],
  ],
  [
    'half a profile beside a mode',
    'servers:\n  a: { url: https://x/, tools: { t: { mode: observe, effect: read } } }',
    ['c.yaml:2:37: servers.a.tools.t has no verb.'],
  ],
  [
    'a sum that is no place of the input',
    'servers:\n  a: { url: https://x/, tools: { t: { verb: A, effect: read, sum: rows } } }',
    [
      'c.yaml:2:67: servers.a.tools.t.sum must be the place of a whole number in the input, written input.PATH, that context.recent adds up.',
    ],
  ],
  [
    'limits that are no counts',
    'limits: { inbox: 0, unsafe: 1.5, pendingPerAgent: 1000000, creationsPerMinute: many }',
    [
      'c.yaml:1:29: limits.unsafe must be a whole number.',
      'c.yaml:1:51: limits.pendingPerAgent must be a whole number from 1 to 100000.',
      'c.yaml:1:18: limits.inbox must be a whole number from 1 to 100000.',
      'c.yaml:1:80: limits.creationsPerMinute must be a whole number.',
    ],
  ],
  [
    'a window longer than unsafe denials are kept',
    'limits: { unsafeWindow: P31D, cooldown: P5W }',
    ['c.yaml:1:25: limits.unsafeWindow is at most 30 d.', 'c.yaml:1:41: limits.cooldown is at most 30 d.'],
  ],
  [
    'a time zone that is none',
    'timezone: Mars/Olympus',
    ['c.yaml:1:11: timezone: there is no time zone Mars/Olympus; use a name such as Europe/Berlin.'],
  ],
  [
    'a server of neither kind',
    'servers:\n  a: { pin: manual }',
    [
      'c.yaml:2:6: servers.a must be an MCP server that is started by `command` or reached at `url`, one of the two.',
    ],
  ],
  [
    'a server of both kinds',
    'servers:\n  a: { url: https://x/, command: [x] }',
    [
      'c.yaml:2:6: servers.a must be an MCP server that is started by `command` or reached at `url`, one of the two.',
    ],
  ],
  [
    'headers of a command',
    'servers:\n  a: { command: [x], headers: { a: b } }',
    ['c.yaml:2:6: servers.a: headers belongs to a server with url.'],
  ],
  [
    'a server name that splits',
    'servers:\n  a___b: { url: https://x/ }',
    [
      'c.yaml:2:3: servers: the name "a___b" must be up to 64 letters, digits, dots, hyphens and single underscores, beginning with a letter or digit.',
    ],
  ],
  [
    'a password in a URL',
    'servers:\n  a: { url: "https://u:p@x/" }',
    ['c.yaml:2:13: servers.a.url must not hold a user name or a password.'],
  ],
  [
    'a missing variable',
    'servers:\n  a: { url: https://x/, headers: { authorization: { fromEnv: CRM_TOKEN } } }',
    ['c.yaml:2:51: servers.a.headers.authorization: the environment variable CRM_TOKEN is not set.'],
  ],
  [
    'a missing file',
    'servers:\n  a: { command: [x], env: { T: { fromFile: /nowhere/t } } }',
    ['c.yaml:2:32: servers.a.env.T: the file /nowhere/t cannot be read (ENOENT).'],
  ],
  [
    'a mistyped secret',
    'servers:\n  a: { command: [x], env: { T: { fromEnvironment: T } } }',
    ['c.yaml:2:32: servers.a.env.T must be a text, {fromEnv: NAME} or {fromFile: PATH}.'],
  ],
  [
    'an effect that is none',
    'servers:\n  a: { url: https://x/, tools: { t: { verb: A, effect: destroy } } }',
    ['c.yaml:2:56: servers.a.tools.t.effect must be one of: read, write, export, delete, grant, execute.'],
  ],
  [
    'a look that writes',
    'servers:\n  a: { url: https://x/, tools: { t: { verb: A, effect: write, preview: { tool: t, input: {} } } } }',
    ['c.yaml:2:80: servers.a.tools.t.preview calls t, whose effect is write; a look must only read.'],
  ],
  [
    'an operation of a server',
    'servers:\n  a: { url: https://x/ }\noperations:\n  a___b: { input: {} }',
    ['c.yaml:4:3: The operation a___b belongs to the MCP server a, which declares its own tools.'],
  ],
  [
    'an operation without its target',
    'operations:\n  refund: { input: {} }',
    ['c.yaml:2:3: operations: the name "refund" must be TARGET___NAME, with three underscores.'],
  ],
  [
    'a schema that is none',
    'operations:\n  a___b: { input: { type: objekt } }',
    [
      'c.yaml:2:19: operations.a___b.input is not a JSON Schema: schema is invalid: data/type must be equal to one of the allowed values, data/type must be array, data/type must match a schema in anyOf.',
    ],
  ],
  ['two stores', 'data: a\ndatabase: postgres://x/y', ['c.yaml:1:1: Give data or database, not both.']],
  [
    'another database',
    'database: mysql://x/y',
    ['c.yaml:1:11: database must be a URL that begins with postgres://.'],
  ],
  ['a port that is none', 'listen: 127.0.0.1:99999', ['c.yaml:1:9: listen: a port is at most 65535.']],
  [
    'a listen without a port',
    'listen: localhost',
    ['c.yaml:1:9: listen must be HOST:PORT, such as 127.0.0.1:7788.'],
  ],
  [
    'a url with a path',
    'url: https://x/gate',
    ['c.yaml:1:6: url must be an http or https origin without a path, such as https://gate.example.com.'],
  ],
  [
    'a duration that is none',
    'limits: { hold: 50 }',
    ['c.yaml:1:17: limits.hold must be a text; put quotes around 50.'],
  ],
  ['no duration at all', 'limits: { hold: PT0S }', ['c.yaml:1:17: limits.hold must be longer than nothing.']],
  [
    'a number that JSON does not have',
    'operations:\n  a___b: { input: { maximum: .inf } }',
    ['c.yaml:2:30: Infinity is not an exact number.'],
  ],
];

for (const [name, text, says] of wrong) {
  test(`refused with its place: ${name}`, () => assert.deepEqual(problems(text), says));
}

test('all problems are told at once', () => {
  assert.equal(problems('listn: a\npeople: [{ id: X }]\nlimits: { hold: x }').length, 4);
});

test('an alias bomb is refused, a few anchors are not', () => {
  const bomb = [
    'a: &a [x, x, x, x, x, x, x, x, x]',
    ...['b', 'c', 'd', 'e'].map(
      (key, index) =>
        `${key}: &${key} [${Array.from({ length: 9 }, () => `*${'abcd'.charAt(index)}`).join(', ')}]`,
    ),
  ].join('\n');
  assert.match(problems(bomb).join(), /alias/i);
  assert.deepEqual(
    problems('people:\n  - { id: a, name: A, groups: &g [x] }\n  - { id: b, name: B, groups: *g }'),
    [],
  );
});

test('a key called __proto__ is refused and changes nothing', () => {
  assert.match(problems('servers: { __proto__: { url: https://x/ } }').join(), /__proto__/);
});

test('secrets: from files without their last line break, and not needed where they are ignored', () => {
  writeFileSync(join(folder, 'token'), 'abc\n');
  const text = 'servers:\n  a: { command: [x], env: { T: { fromFile: token }, U: { fromEnv: U } } }';
  const env = { T: 'abc', U: 'u' };
  assert.deepEqual(settings(text, { env: { U: 'u' } }).proposal.servers[0]?.upstream, {
    kind: 'command',
    argv: ['x'],
    cwd: folder,
    env,
  });
  assert.deepEqual(settings(text, { secrets: 'ignored' }).proposal.servers[0]?.upstream, {
    kind: 'command',
    argv: ['x'],
    cwd: folder,
    env: { ...env, U: '' },
  });
});

test('what can be reached from elsewhere without https is warned of', () => {
  assert.match(settings('listen: 0.0.0.0:7788').warnings.join(), /cross the network in clear/);
  assert.match(settings('listen: "[::]:7788"\nurl: http://gate.example.com').warnings.join(), /in clear/);
  for (const text of [
    'listen: 0.0.0.0:7788\nurl: https://gate.example.com',
    'listen: "[::1]:7788"',
    'listen: localhost:1',
    'listen: 127.0.0.2:1',
  ]) {
    assert.deepEqual(settings(text).warnings, [], text);
  }
});

test('modes are read beside profiles and are no part of them; what is observed is warned of', () => {
  const tools = 't: { mode: observe, verb: A, effect: read, sum: input.rows }, u: { mode: enforce }';
  const read = settings(
    `servers:
  crm: { url: https://x/, mode: observe, tools: { u: { mode: enforce } } }
  files: { url: https://y/, tools: { ${tools} } }
operations:
  bill___refund: { input: {}, mode: observe }
  bill___list: { input: {} }
`,
  );
  const [crm, files] = read.proposal.servers;
  assert.deepEqual([crm?.mode, crm?.modes, crm?.tools], ['observe', { u: 'enforce' }, {}]);
  assert.deepEqual([files?.mode, files?.modes], ['enforce', { t: 'observe', u: 'enforce' }]);
  const profile = { verb: 'A', effect: 'read', sum: 'input.rows' };
  assert.deepEqual(files?.tools, { t: profile }, 'the same profile, so the same pin, whatever the mode');
  assert.deepEqual(
    read.proposal.operations.map((one) => one.mode),
    ['observe', 'enforce'],
  );
  assert.deepEqual(read.warnings, [
    'mode: observe for bill___refund, crm, files___t (but not crm___u): nothing is held or denied there, whatever the policies say; it is recorded.',
  ]);
});

test('limits: read, and warned of where they hold little', () => {
  const read = settings(
    'limits: { cooldown: PT30M, unsafeWindow: P2D, unsafe: 2, pendingPerAgent: 50, inbox: 500, creationsPerMinute: 10 }',
  );
  assert.deepEqual(read.limits, {
    ...limitDefaults,
    cooldownMs: 1_800_000,
    unsafeWindowMs: 172_800_000,
    unsafeMax: 2,
    pendingPerAgent: 50,
    inbox: 500,
    creationsPerMinute: 10,
  });
  assert.deepEqual(read.warnings, []);
  const loose =
    'cooldown: PT1M, unsafeWindow: PT1H, unsafe: 31, pendingPerAgent: 51, inbox: 2001, creationsPerMinute: 601';
  assert.deepEqual(settings(`limits: { ${loose} }`).warnings, [
    'limits.pendingPerAgent is 51, far above its default of 5.',
    'limits.inbox is 2001, far above its default of 200.',
    'limits.creationsPerMinute is 601, far above its default of 60.',
    'limits.unsafe is 31, far above its default of 3.',
    'limits.cooldown is 1 min, far below its default of 15 min.',
    'limits.unsafeWindow is 1 h, far below its default of 1 d.',
  ]);
});

test('the time zone is a name of the IANA database, UTC where nothing is said', () => {
  assert.equal(settings('').timezone, 'UTC');
  assert.equal(settings('timezone: Europe/Berlin').timezone, 'Europe/Berlin');
});

test('groups and roles of nobody are warned of', () => {
  assert.deepEqual(settings('roles: { auditors: audit }\ngroups: { ops: {} }').warnings, [
    'roles.auditors is the group "audit", and nobody is in it.',
    'The group "ops" has no people.',
  ]);
});

test('a file that is not there, and one that is no text', async () => {
  const missing = await readSettings(join(folder, 'missing.yaml'), { label: 'missing.yaml' });
  assert.deepEqual(missing.ok ? [] : missing.error.map(problemText), [
    'missing.yaml:1:1: The file cannot be read (ENOENT).',
  ]);
  writeFileSync(join(folder, 'latin1.yaml'), Buffer.from([0x64, 0x3a, 0xff]));
  const latin1 = await readSettings(join(folder, 'latin1.yaml'), { label: 'l' });
  assert.deepEqual(latin1.ok ? [] : latin1.error.map(problemText), ['l:1:1: The file is not UTF-8 text.']);
});
