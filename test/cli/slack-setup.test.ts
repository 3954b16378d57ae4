/** `slack setup`: the manifest asks for exactly what the code uses; what to do is printed; what is configured is checked against a Slack. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { asGroupId } from '../../src/core/ids.ts';
import { eventsPath } from '../../src/channels/slack/http.ts';
import type { SlackSettings } from '../../src/ports/channel-settings.ts';
import type { Routing } from '../../src/ports/channel.ts';
import { parseSettings } from '../../src/config.ts';
import { problemText } from '../../src/config/document.ts';
import { checkSlack } from '../../src/cli/slack-check.ts';
import { slackManifest, slackPath } from '../../src/cli/slack-manifest.ts';
import { appId, startWorkspace, team, type Workspace } from '../channels/slack/support/workspace.ts';
import { root, textsBelow } from '../support/source.ts';
import { inFolder, run } from './run.ts';

/** What Slack's reference says that each method of the Web API needs, with a bot token. */
const scopesOf: Readonly<Record<string, readonly string[]>> = {
  'auth.test': [],
  // With an app-level token, whose scope is connections:write.
  'apps.connections.open': [],
  'bots.info': ['users:read'],
  'chat.postEphemeral': ['chat:write'],
  'chat.postMessage': ['chat:write'],
  'chat.update': ['chat:write'],
  'conversations.history': ['channels:history', 'groups:history'],
  'conversations.info': ['channels:read', 'groups:read'],
  'conversations.list': ['channels:read', 'groups:read'],
  'users.info': ['users:read'],
  'views.open': [],
  'views.publish': [],
  'views.push': [],
  'views.update': [],
};

/** Events that are subscribed to, for what is listened to. */
const eventsOf: Readonly<Record<string, { readonly event: string; readonly scopes: readonly string[] }>> = {
  app_home_opened: { event: 'app_home_opened', scopes: [] },
  // Of what people write, only what they write to the app alone.
  message: { event: 'message.im', scopes: ['im:history'] },
};

interface Manifest {
  readonly display_information: Readonly<Record<string, string>>;
  readonly features: {
    readonly app_home: Readonly<Record<string, boolean>>;
    readonly bot_user: Readonly<Record<string, unknown>>;
  };
  readonly oauth_config: { readonly scopes: Readonly<Record<string, readonly string[]>> };
  readonly settings: {
    readonly event_subscriptions: { readonly request_url?: string; readonly bot_events: readonly string[] };
    readonly interactivity: { readonly is_enabled: boolean; readonly request_url?: string };
    readonly [key: string]: unknown;
  };
}

const manifestOf = (text: string): Manifest => parse(text) as Manifest;

function calledMethods(): readonly string[] {
  const files = [...textsBelow('src', '.ts')].filter(
    ([file]) => file.startsWith('channels/slack/') || file === 'cli/slack-check.ts',
  );
  const found = files.flatMap(([, text]) =>
    [
      ...text.matchAll(
        /'((?:apps|auth|bots|chat|conversations|files|reactions|team|users|views)\.[A-Za-z.]+)'/g,
      ),
    ].map((match) => match[1] ?? ''),
  );
  return [...new Set(found)].toSorted();
}

function heardEvents(): readonly string[] {
  const text = readFileSync(`${root}/src/channels/slack/bolt.ts`, 'utf8');
  const list = /for \(const event of \[([^\]]+)\]\)\s*app\.event/.exec(text)?.[1] ?? '';
  return [...list.matchAll(/'([a-z_]+)'/g)].map((match) => match[1] ?? '');
}

test('the manifest asks for the permissions of what the code calls and hears, and for no other', () => {
  const methods = calledMethods();
  assert.ok(methods.includes('chat.postMessage') && methods.includes('users.info'), methods.join(' '));
  const events = heardEvents();
  assert.deepEqual(events.toSorted(), ['app_home_opened', 'message']);
  for (const method of methods)
    assert.ok(scopesOf[method] !== undefined, `${method}: what it needs is not written down here`);
  const needed = [
    ...methods.flatMap((method) => scopesOf[method] ?? []),
    ...events.flatMap((event) => eventsOf[event]?.scopes ?? []),
  ];
  const manifest = manifestOf(slackManifest(null).text);
  assert.deepEqual(Object.keys(manifest.oauth_config.scopes), ['bot'], 'nothing in the name of a person');
  assert.deepEqual(manifest.oauth_config.scopes['bot']?.toSorted(), [...new Set(needed)].toSorted());
  assert.deepEqual(
    manifest.settings.event_subscriptions.bot_events.toSorted(),
    events.map((event) => eventsOf[event]?.event ?? '').toSorted(),
  );
});

test('the manifest is one of Socket Mode, within Slack’s limits', () => {
  const { display_information: shown, features, settings } = manifestOf(slackManifest(null).text);
  assert.ok((shown['name'] ?? '').length <= 35 && (shown['description'] ?? '').length <= 140);
  assert.match(shown['background_color'] ?? '', /^#[0-9a-f]{6}$/);
  assert.deepEqual(features.app_home, {
    home_tab_enabled: true,
    messages_tab_enabled: true,
    messages_tab_read_only_enabled: false,
  });
  assert.ok(String(features.bot_user['display_name']).length <= 80);
  assert.equal(settings['socket_mode_enabled'], true);
  assert.equal(settings['token_rotation_enabled'], false);
  assert.deepEqual(settings.interactivity, { is_enabled: true });
  assert.equal(settings.event_subscriptions.request_url, undefined);
});

test('over HTTP it names the address that the gate serves, and differs in nothing else', () => {
  assert.equal(slackPath, eventsPath);
  const socket = manifestOf(slackManifest(null).text);
  const http = manifestOf(slackManifest('https://gate.example.com').text);
  const url = 'https://gate.example.com/channels/slack/events';
  assert.equal(http.settings.interactivity.request_url, url);
  assert.doesNotMatch(slackManifest('https://gate.example.com').text, /for Socket Mode/);
  assert.deepEqual(http, {
    ...socket,
    settings: {
      ...socket.settings,
      socket_mode_enabled: false,
      event_subscriptions: { ...socket.settings.event_subscriptions, request_url: url },
      interactivity: { is_enabled: true, request_url: url },
    },
  });
});

test('the link opens Slack’s page with the same manifest', () => {
  for (const origin of [null, 'https://gate.example.com']) {
    const { link, text } = slackManifest(origin);
    const url = new URL(link);
    assert.equal(url.origin, 'https://api.slack.com');
    assert.deepEqual(parse(url.searchParams.get('manifest_yaml') ?? ''), parse(text));
    assert.ok(link.length < 6000, String(link.length));
  }
});

test('it is packed with what is published', () => {
  const { files } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as {
    readonly files: readonly string[];
  };
  assert.ok(files.includes('setup'));
});

test('setup prints what to do, and YAML that is a valid configuration', async () => {
  const env = { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_APP_TOKEN: 'xapp-1', SLACK_SIGNING_SECRET: 'a'.repeat(32) };
  for (const [words, url] of [
    [[], null],
    [['--http', '--url', 'https://gate.example.com'], 'https://gate.example.com'],
  ] as const) {
    const { code, out, err } = await run(['slack', 'setup', ...words]);
    assert.deepEqual([code, err], [0, '']);
    assert.ok(out.includes(slackManifest(url).link));
    assert.match(out, /\/invite @Countersign/);
    const lines = out.split('\n');
    const begin = lines.findIndex((line) => line.startsWith('4. ')) + 1;
    const yaml = lines
      .slice(begin, lines.indexOf('', begin))
      .map((line) => line.slice(3))
      .join('\n');
    const people = 'people: [{ id: rosa, name: Rosa, groups: [data-owners] }]\n';
    const read = parseSettings(`${people}${yaml}\n`, 'c.yaml', { env });
    if (!read.ok) assert.fail(read.error.map(problemText).join('\n'));
    assert.deepEqual(read.value.warnings, []);
    assert.equal(read.value.channels.slack?.mode.kind, url === null ? 'socket' : 'http');
    assert.equal(read.value.channels.routing.groups.size, 1);
  }
});

test('--manifest prints the manifest and nothing else', async () => {
  const one = await run(['slack', 'setup', '--manifest']);
  assert.deepEqual([one.code, one.err], [0, '']);
  assert.deepEqual(parse(one.out), parse(readFileSync(`${root}/setup/slack-manifest.yaml`, 'utf8')));
  const two = await run(['slack', 'setup', '--manifest', '--http', '--url', 'https://gate.example.com/']);
  assert.equal(two.out.trim(), slackManifest('https://gate.example.com').text.trim());
});

const misused: readonly (readonly [args: readonly string[], says: RegExp])[] = [
  [[], /Say what to do: setup\./],
  [['install'], /“install” cannot be done with Slack; say setup\./],
  [['setup', 'now'], /“now” is one word too many\./],
  [['setup', '--http'], /--http needs --url/],
  [['setup', '--url', 'https://x.example'], /--url belongs to --http/],
  [['setup', '--http', '--url', 'http://x.example'], /is not an https origin/],
  [['setup', '--http', '--url', 'https://x.example/path'], /is not an https origin/],
  [['setup', '--check', '--manifest'], /--check and --manifest are two things/],
  [['setup', '--check', '--http'], /--http belongs to setup and setup --manifest\./],
  [['setup', '--config', 'x'], /--config belongs to setup --check\./],
  [['setup', '--manifst'], /did you mean --manifest\?/],
];

test('what cannot be meant is said; help names every form', async () => {
  for (const [args, says] of misused) {
    const { code, out, err } = await run(['slack', ...args]);
    assert.deepEqual([code, out], [2, ''], args.join(' '));
    assert.match(err, says);
  }
  const { code, out } = await run(['slack', '--help']);
  assert.equal(code, 0);
  for (const form of ['[--http --url URL]', '--manifest', '--check']) assert.ok(out.includes(form), form);
  for (const line of out.split('\n')) assert.ok(line.length <= 130, line);
});

test('--check without Slack in the configuration says what to do', async () => {
  await inFolder({ 'countersign.yaml': '' }, async (folder) => {
    const { code, err } = await run(['slack', 'setup', '--check'], { cwd: folder });
    assert.equal(code, 1);
    assert.match(err, /The configuration has no channels\.slack\. What to do: .*slack setup/);
  });
});

describe('--check, against a Slack', () => {
  let workspace: Workspace;
  const { scopes } = slackManifest(null);
  before(async () => {
    workspace = await startWorkspace();
    for (const name of ['data-approvals', 'security'])
      await workspace.call('conversations.join', { channel: workspace.channel(name) });
  });
  after(() => workspace.stop());

  const routes = (...places: readonly string[]): Routing => ({
    groups: new Map([[asGroupId('owners'), places.map((to) => ({ channel: 'slack' as const, to }))]]),
    otherwise: [],
  });
  const asked = async (
    routing: Routing,
    change: Partial<SlackSettings> = {},
    mode: 'socket' | 'http' = 'socket',
  ): Promise<string> => {
    const findings = await checkSlack({ ...workspace.settings(mode), ...change }, routing, scopes);
    return findings.map(({ kind, text }) => `${kind}: ${text}`).join('\n');
  };

  test('what is right is said to be right, and nothing is posted', async () => {
    const begun = workspace.calls().length;
    const id = workspace.channel('data-approvals');
    workspace.instead((method) => {
      if (method === 'auth.test')
        return {
          headers: { 'x-oauth-scopes': scopes.join(',') },
          body: { ok: true, team: 'Acme', team_id: team, bot_id: 'B0GATE', app_id: appId },
        };
      return method === 'apps.connections.open' ? { body: { ok: true, url: 'wss://x' } } : undefined;
    });
    const said = await asked(routes(id));
    assert.equal(
      said,
      [
        `good: The bot token is of Acme (${team}).`,
        `good: The bot token is of the app ${appId}.`,
        'good: The token has the permissions of the manifest.',
        'good: Socket Mode can be opened.',
        `good: ${id} (#data-approvals) can be posted to.`,
      ].join('\n'),
    );
    const methods = workspace
      .calls()
      .slice(begun)
      .map(({ method }) => method);
    assert.ok(
      methods.length > 0 && !methods.some((method) => /^(?:chat|views)\./.test(method)),
      methods.join(' '),
    );
    workspace.instead(null);
  });

  test('a name is found, and its id said; what is not there, not joined, archived or shared is said', async () => {
    const id = workspace.channel('security');
    const said = await asked(routes('#security', '#nowhere', 'C0NOTHERE'));
    assert.match(said, new RegExp(`good: #security \\(${id}\\) can be posted to\\.`));
    assert.match(said, new RegExp(`warning: #security \\(${id}\\): write the id ${id} instead`));
    assert.match(said, /bad: #nowhere: there is no such channel, or it is private/);
    assert.match(said, /bad: C0NOTHERE: conversations\.info answered channel_not_found/);
    workspace.instead((method) =>
      method === 'conversations.info'
        ? {
            body: {
              ok: true,
              channel: { id, name: 'security', is_member: false, is_ext_shared: true, is_general: true },
            },
          }
        : undefined,
    );
    const shared = await asked(routes(id));
    assert.match(
      shared,
      /bad: C\w+ \(#security\): the app is not in it\. Write there: \/invite @Countersign\./,
    );
    assert.match(shared, /warning: .* is shared with another organisation \(Slack Connect\)/);
    assert.match(shared, /warning: .* is the channel of the whole workspace/);
    workspace.instead((method) =>
      method === 'conversations.info'
        ? { body: { ok: true, channel: { id, name: '\u001B[2Jx', is_member: true, is_archived: true } } }
        : undefined,
    );
    const archived = await asked(routes(id));
    assert.match(archived, /bad: .* is archived\./);
    assert.ok(!archived.includes('\u001B'));
    workspace.instead(null);
    assert.match(await asked({ groups: new Map(), otherwise: [] }), /warning: No channel is configured/);
  });

  test('another workspace, another app, an enterprise by half, and permissions that differ', async () => {
    const me = (more: object, granted?: string) =>
      workspace.instead((method) =>
        method === 'auth.test'
          ? {
              ...(granted === undefined ? {} : { headers: { 'x-oauth-scopes': granted } }),
              body: { ok: true, team: 'Acme', team_id: team, ...more },
            }
          : undefined,
      );
    me({ app_id: 'A0OTHER01' }, 'chat:write,admin');
    const said = await asked(routes(), { team: 'T0OTHER01' });
    assert.match(said, new RegExp(`bad: The bot token is of Acme \\(${team}\\), and team is T0OTHER01`));
    assert.match(said, new RegExp(`bad: The bot token is of the app A0OTHER01, and appId is ${appId}`));
    assert.match(said, /bad: The token lacks channels:read, .*users:read: compare the app with the manifest/);
    assert.match(said, /warning: The token may more than Countersign needs: admin\./);
    me({ enterprise_id: 'E0ENTER01', is_enterprise_install: false });
    const half = await asked(routes(), { team: 'E0ENTER01' });
    assert.match(
      half,
      new RegExp(
        `bad: team is the enterprise E0ENTER01, and the app is installed in the workspace ${team} alone`,
      ),
    );
    assert.match(half, /unknown: Slack does not say which permissions the token has\./);
    me({ enterprise_id: 'E0ENTER01', is_enterprise_install: true });
    assert.match(
      await asked(routes(), { team: 'E0ENTER01' }),
      /good: The bot token is of Acme \(E0ENTER01\)\./,
    );
    workspace.instead(null);
  });

  test('tokens of two apps, a Socket Mode that stays shut, and HTTP, which cannot be told from here', async () => {
    workspace.instead((method) =>
      method === 'apps.connections.open'
        ? { body: { ok: false, error: 'not_allowed_token_type' } }
        : undefined,
    );
    const said = await asked(routes(), { mode: { kind: 'socket', appToken: 'xapp-1-A0OTHER01-123-abc' } });
    assert.match(said, new RegExp(`bad: appToken is of the app A0OTHER01, and appId is ${appId}\\.`));
    assert.match(
      said,
      /bad: Socket Mode cannot be opened: apps\.connections\.open answered not_allowed_token_type\./,
    );
    workspace.instead(null);
    assert.match(
      await asked(routes(), {}, 'http'),
      /unknown: Whether Slack reaches this gate cannot be told from here/,
    );
  });

  test('a token that is not taken, an API that is away or answers nonsense: said, and no token with it', async () => {
    const { botToken } = workspace.settings('socket');
    const bodies: readonly (readonly [body: unknown, says: RegExp])[] = [
      [
        { ok: false, error: 'invalid_auth' },
        /bad: The bot token is not taken: auth\.test answered invalid_auth\./,
      ],
      [{ ok: false, error: `<${botToken}>` }, /auth\.test answered something else\./],
      [[], /Slack answered 200 to auth\.test\./],
    ];
    for (const [body, says] of bodies) {
      workspace.instead((method) => (method === 'auth.test' ? { body } : undefined));
      const said = await asked(routes());
      assert.match(said, says);
      assert.ok(!said.includes(botToken));
    }
    workspace.instead(null);
    const away = await asked(routes(), { apiUrl: 'http://127.0.0.1:1/api/' });
    assert.match(away, /bad: Slack cannot be asked: auth\.test could not be asked/);
    assert.ok(!away.includes(botToken));
  });
});
