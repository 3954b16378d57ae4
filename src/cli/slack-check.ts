/**
 * Asks Slack whether what is configured is so: the token, its permissions, the workspace, the app, Socket Mode, and each channel.
 * Promises: nothing is posted and nothing changed; no token is printed, and none is sent anywhere but to the configured API.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { visibleLine } from '../core/visible.ts';
import type { SlackSettings } from '../ports/channel-settings.ts';
import type { Routing } from '../ports/channel.ts';
import type { Finding } from './setup.ts';

/** How long one call may take. */
const timeoutMs = 10_000;
/** An answer is small; a page of channels is the largest. */
const answerCharsMax = 4_000_000;
/** Pages of 200 channels that are looked through for names. */
const pagesMax = 25;

interface Answer {
  readonly body: JsonObject;
  /** Null where Slack did not say. */
  readonly scopes: readonly string[] | null;
}

/** What Slack says of a token that is none, or none any more. */
const tokenFaults = ['invalid_auth', 'not_authed', 'account_inactive', 'token_revoked', 'token_expired'];

const good = (text: string): Finding => ({ kind: 'good', text });
const warning = (text: string): Finding => ({ kind: 'warning', text });
const bad = (text: string): Finding => ({ kind: 'bad', text });
const unknown = (text: string): Finding => ({ kind: 'unknown', text });

/** @param needed permissions of the manifest. */
export async function checkSlack(
  slack: SlackSettings,
  routing: Routing,
  needed: readonly string[],
): Promise<readonly Finding[]> {
  const me = await call(slack, slack.botToken, 'auth.test', {});
  if (typeof me === 'string')
    return [
      tokenFaults.some((fault) => me.endsWith(` ${fault}`))
        ? bad(
            `The bot token is not taken: ${me}. Copy it again: OAuth & Permissions, Bot User OAuth Token, there once the app is installed.`,
          )
        : bad(`Slack cannot be asked: ${me}. Nothing else was looked at; try again.`),
    ];
  return [
    ...workspaceFindings(slack, me.body),
    ...(await appFindings(slack, me.body)),
    ...scopeFindings(needed, me.scopes),
    ...(await modeFindings(slack)),
    ...(await channelFindings(slack, routing)),
  ];
}

function workspaceFindings({ team }: SlackSettings, me: JsonObject): readonly Finding[] {
  const name = visibleLine(textOf(me['team']));
  const ids = [textOf(me['team_id']), textOf(me['enterprise_id'])].filter((id) => id !== '');
  if (team.startsWith('E') && ids.includes(team) && me['is_enterprise_install'] !== true)
    return [
      bad(
        `team is the enterprise ${team}, and the app is installed in the workspace ${ids[0] ?? ''} alone: use that id, or install the app for the whole enterprise.`,
      ),
    ];
  return ids.includes(team)
    ? [good(`The bot token is of ${name} (${team}).`)]
    : [
        bad(
          `The bot token is of ${name} (${ids.join(', ')}), and team is ${team}: presses there would all be refused.`,
        ),
      ];
}

async function appFindings(slack: SlackSettings, me: JsonObject): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  let app = textOf(me['app_id']);
  const bot = textOf(me['bot_id']);
  if (app === '' && bot !== '') {
    const found = await call(slack, slack.botToken, 'bots.info', { bot });
    if (typeof found !== 'string') app = textOf(fieldOf(found.body['bot'], 'app_id'));
  }
  if (app === '')
    findings.push(unknown(`Slack does not say which app the token is of; appId is ${slack.appId}.`));
  else if (app === slack.appId) findings.push(good(`The bot token is of the app ${app}.`));
  else
    findings.push(
      bad(`The bot token is of the app ${app}, and appId is ${slack.appId}: presses would all be refused.`),
    );
  if (slack.mode.kind === 'socket') {
    // xapp-1-A0123456789-…: Slack writes the app into it.
    const of = slack.mode.appToken.split('-')[2] ?? '';
    if (/^A[A-Z0-9]{6,}$/.test(of) && of !== slack.appId)
      findings.push(bad(`appToken is of the app ${of}, and appId is ${slack.appId}.`));
  }
  return findings;
}

function scopeFindings(needed: readonly string[], scopes: readonly string[] | null): readonly Finding[] {
  if (scopes === null) return [unknown('Slack does not say which permissions the token has.')];
  const missing = needed.filter((one) => !scopes.includes(one));
  const more = scopes.filter((one) => !needed.includes(one));
  return [
    missing.length === 0
      ? good('The token has the permissions of the manifest.')
      : bad(
          `The token lacks ${missing.join(', ')}: compare the app with the manifest (countersign slack setup --manifest), then reinstall it to the workspace.`,
        ),
    ...(more.length === 0
      ? []
      : [
          warning(
            `The token may more than Countersign needs: ${more.map(visibleLine).join(', ')}. Take it away.`,
          ),
        ]),
  ];
}

async function modeFindings(slack: SlackSettings): Promise<readonly Finding[]> {
  if (slack.mode.kind === 'http')
    return [
      unknown(
        'Whether Slack reaches this gate cannot be told from here: Slack’s pages Interactivity and Event Subscriptions say "Verified" once the gate runs.',
      ),
    ];
  const opened = await call(slack, slack.mode.appToken, 'apps.connections.open', {});
  return [
    typeof opened === 'string'
      ? bad(
          `Socket Mode cannot be opened: ${opened}. It needs Socket Mode enabled, and a token with connections:write.`,
        )
      : good('Socket Mode can be opened.'),
  ];
}

async function channelFindings(
  slack: SlackSettings,
  { groups, otherwise }: Routing,
): Promise<readonly Finding[]> {
  const routes = [...groups.values(), otherwise].flat().filter(({ channel }) => channel === 'slack');
  const places = [...new Set(routes.map(({ to }) => to))];
  if (places.length === 0)
    return [
      warning(
        'No channel is configured: nobody is asked in Slack. Give channels.slack.channel, or groups.NAME.slack.',
      ),
    ];
  const ids = places.some((to) => to.startsWith('#')) ? await idsByName(slack) : new Map<string, string>();
  const findings: Finding[] = [];
  for (const to of places) findings.push(...(await placeFindings(slack, to, ids)));
  return findings;
}

async function placeFindings(
  slack: SlackSettings,
  to: string,
  ids: ReadonlyMap<string, string> | string,
): Promise<readonly Finding[]> {
  if (typeof ids === 'string') return [unknown(`${to}: channels cannot be listed: ${ids}.`)];
  const id = to.startsWith('#') ? ids.get(to.slice(1)) : to;
  if (id === undefined)
    return [
      bad(
        `${to}: there is no such channel, or it is private and the app was not invited: /invite @Countersign.`,
      ),
    ];
  const found = await call(slack, slack.botToken, 'conversations.info', { channel: id });
  if (typeof found === 'string')
    return [
      bad(
        `${to}: ${found}. A private channel is seen only once the app was invited there: /invite @Countersign.`,
      ),
    ];
  const channel = found.body['channel'];
  const is = (key: string): boolean => fieldOf(channel, key) === true;
  const name = visibleLine(textOf(fieldOf(channel, 'name')));
  const called = `${to}${to === id ? ` (#${name})` : ` (${id})`}`;
  return [
    is('is_archived')
      ? bad(`${called} is archived.`)
      : is('is_member')
        ? good(`${called} can be posted to.`)
        : bad(`${called}: the app is not in it. Write there: /invite @Countersign.`),
    ...(is('is_ext_shared') || is('is_pending_ext_shared')
      ? [
          warning(
            `${called} is shared with another organisation (Slack Connect): its people read every approval there. They cannot decide.`,
          ),
        ]
      : []),
    ...(is('is_general')
      ? [warning(`${called} is the channel of the whole workspace: everybody reads every approval there.`)]
      : []),
    ...(to === id
      ? []
      : [warning(`${called}: write the id ${id} instead; a name can be taken over after a rename.`)]),
  ];
}

/** Ids of the channels that the app sees, by name; why not, where that cannot be found out. */
async function idsByName(slack: SlackSettings): Promise<ReadonlyMap<string, string> | string> {
  const ids = new Map<string, string>();
  let cursor = '';
  for (let page = 0; page < pagesMax; page += 1) {
    const found = await call(slack, slack.botToken, 'conversations.list', {
      types: 'public_channel,private_channel',
      exclude_archived: 'true',
      limit: '200',
      ...(cursor === '' ? {} : { cursor }),
    });
    if (typeof found === 'string') return found;
    const channels = found.body['channels'];
    for (const one of isJsonArray(channels) ? channels : []) {
      const [name, id] = [textOf(fieldOf(one, 'name')), textOf(fieldOf(one, 'id'))];
      if (name !== '' && id !== '') ids.set(name, id);
    }
    cursor = textOf(fieldOf(found.body['response_metadata'], 'next_cursor'));
    if (cursor === '') break;
  }
  return ids;
}

const textOf = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '');
const fieldOf = (value: JsonValue | undefined, key: string): JsonValue | undefined =>
  isJsonObject(value) ? value[key] : undefined;

/** The answer where it is `ok`; else Slack's word for what is wrong, or why it could not be asked. Never throws. */
async function call(
  { apiUrl }: SlackSettings,
  token: string,
  method: string,
  args: Readonly<Record<string, string>>,
): Promise<Answer | string> {
  try {
    const response = await fetch(new URL(method, apiUrl), {
      method: 'POST',
      // A redirect would carry the token to somebody else.
      redirect: 'error',
      headers: { authorization: `Bearer ${token}` },
      body: new URLSearchParams(args),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await response.text();
    if (text.length > answerCharsMax) return `Slack’s answer to ${method} is too large`;
    const body: unknown = JSON.parse(text);
    // It was parsed from JSON.
    const answer = body as JsonValue;
    if (!isJsonObject(answer)) return `Slack answered ${response.status} to ${method}`;
    if (answer['ok'] !== true) return `${method} answered ${wordOf(answer['error'])}`;
    const scopes = response.headers.get('x-oauth-scopes');
    return { body: answer, scopes: scopes === null ? null : scopes.split(',').map((one) => one.trim()) };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : '';
    return `${method} could not be asked: ${error instanceof Error ? error.message : String(error)}${cause}`;
  }
}

/** An error code as Slack writes them; nothing else is repeated. */
const wordOf = (error: JsonValue | undefined): string =>
  typeof error === 'string' && /^[a-z0-9_]{1,64}$/.test(error) ? error : 'something else';
