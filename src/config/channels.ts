/** Channels of a configuration: how chats and e-mail are reached, where groups are, what is wrong with them, and what start-up says. */
import { isRouted } from '../app/routes.ts';
import type { RoutedChannel } from '../core/chat.ts';
import { asGroupId } from '../core/ids.ts';
import type {
  ChannelSettings,
  EmailSettings,
  SlackSettings,
  TeamsSettings,
} from '../ports/channel-settings.ts';
import type { Route, Routing } from '../ports/channel.ts';
import { clouds } from './clouds.ts';
import type { ConfigDocument, Path, Problem } from './document.ts';
import type { Secrets } from './secrets.ts';
import { urlProblems } from './servers.ts';
import type { Written, WrittenEmail, WrittenSlack, WrittenTeams } from './written.ts';

/** Null for what is not configured. */
export function channelsOf(written: Written, secrets: Secrets): ChannelSettings {
  const { webhook, slack, teams, email } = written.channels ?? {};
  return {
    webhook:
      webhook === undefined
        ? null
        : { url: webhook.url, secret: secrets.read(webhook.secret, ['channels', 'webhook', 'secret']) },
    slack: slack === undefined ? null : slackOf(slack, secrets),
    teams: teams === undefined ? null : teamsOf(teams, secrets),
    email: email === undefined ? null : emailOf(email, secrets),
    routing: routingOf(written),
  };
}

function slackOf(written: WrittenSlack, secrets: Secrets): SlackSettings {
  const read = (key: 'botToken' | 'appToken' | 'signingSecret'): string =>
    secrets.read(written[key] ?? '', ['channels', 'slack', key]);
  return {
    appId: written.appId,
    team: written.team,
    botToken: read('botToken'),
    mode:
      written.appToken === undefined
        ? { kind: 'http', signingSecret: read('signingSecret') }
        : { kind: 'socket', appToken: read('appToken') },
    apiUrl: written.gov === true ? 'https://slack-gov.com/api/' : 'https://slack.com/api/',
  };
}

function teamsOf(written: WrittenTeams, secrets: Secrets): TeamsSettings {
  const cloud = clouds[written.cloud ?? 'public'];
  return {
    tenant: written.tenant.toLowerCase(),
    clientId: written.clientId.toLowerCase(),
    clientSecret: secrets.read(written.clientSecret, ['channels', 'teams', 'clientSecret']),
    cloud: { ...cloud, serviceUrl: (written.serviceUrl ?? cloud.serviceUrl).replace(/\/+$/, '') },
  };
}

const emailOf = (written: WrittenEmail, secrets: Secrets): EmailSettings => ({
  url: secrets.read(written.url, ['channels', 'email', 'url']),
  from: written.from,
});

/** Where the files say that people are reached. */
export function routingOf(written: Written): Routing {
  const groups = Object.entries(written.groups ?? {}).map(
    ([group, routes]) => [asGroupId(group), routesOf(routes)] as const,
  );
  return {
    groups: new Map(groups.filter(([, routes]) => routes.length > 0)),
    otherwise: routesOf(
      Object.fromEntries(
        Object.keys(written.channels ?? {}).flatMap((channel) => {
          const to = isRouted(channel) ? homeOf(written, channel) : undefined;
          return to === undefined ? [] : [[channel, to] as const];
        }),
      ),
    ),
  };
}

/** What a chat is for groups without a route of their own. */
function homeOf({ channels }: Written, channel: RoutedChannel): string | undefined {
  switch (channel) {
    case 'slack':
      return channels?.slack?.channel;
    case 'teams':
      return channels?.teams?.conversation;
    case 'email':
      return channels?.email?.to;
  }
}

const routesOf = (places: Readonly<Partial<Record<RoutedChannel, string>>>): readonly Route[] =>
  Object.entries(places).flatMap(([channel, to]) => (isRouted(channel) ? [{ channel, to }] : []));

/** Whether both say the same; which group is written first says nothing. */
export function sameRouting(one: Routing, other: Routing): boolean {
  const text = ({ groups, otherwise }: Routing): string =>
    JSON.stringify([[...groups].toSorted(([a], [b]) => (a < b ? -1 : 1)), otherwise]);
  return text(one) === text(other);
}

/** Tokens that are another kind of token, addresses of another cloud, groups that are sent to a channel that is not there. */
export function channelProblems(
  written: Written,
  settings: ChannelSettings,
  document: ConfigDocument,
): readonly Problem[] {
  const { webhook, teams } = written.channels ?? {};
  return [
    ...(webhook === undefined ? [] : urlProblems(webhook.url, ['channels', 'webhook', 'url'], document)),
    ...secretProblems(settings, document),
    ...(teams?.serviceUrl === undefined || settings.teams === null
      ? []
      : serviceProblems(teams.serviceUrl, settings.teams, document)),
    ...routeProblems(written, document),
  ];
}

/** Of secrets that were found; never what they are. */
function secretProblems(
  { webhook, slack, teams, email }: ChannelSettings,
  document: ConfigDocument,
): readonly Problem[] {
  const problems: Problem[] = [];
  const check = (path: Path, value: string, says: string | null): void => {
    // Empty: it was not found, which is a problem already, or it was not looked for.
    if (value !== '' && says !== null) problems.push(document.problem(path, `${path.join('.')} ${says}`));
  };
  if (webhook !== null)
    check(['channels', 'webhook', 'secret'], webhook.secret, webhookSecretFault(webhook.secret));
  if (slack !== null) {
    check(['channels', 'slack', 'botToken'], slack.botToken, botTokenFault(slack.botToken));
    if (slack.mode.kind === 'socket') {
      const { appToken } = slack.mode;
      check(['channels', 'slack', 'appToken'], appToken, appTokenFault(appToken));
    } else {
      const { signingSecret } = slack.mode;
      check(['channels', 'slack', 'signingSecret'], signingSecret, signingSecretFault(signingSecret));
    }
  }
  if (teams !== null)
    check(['channels', 'teams', 'clientSecret'], teams.clientSecret, clientSecretFault(teams.clientSecret));
  if (email !== null) check(['channels', 'email', 'url'], email.url, emailUrlFault(email.url));
  return problems;
}

/** Standard Webhooks asks for 24 to 64 bytes; a text without its prefix is taken as it is written. */
const webhookSecretFault = (value: string): string | null =>
  !value.startsWith('whsec_') || /^whsec_[A-Za-z0-9+/]{32,}={0,2}$/.test(value)
    ? null
    : 'must be whsec_ and at least 24 bytes in base64, such as the output of: echo "whsec_$(openssl rand -base64 32)"';

const token = /^[A-Za-z0-9._-]+$/;

function botTokenFault(value: string): string | null {
  if (value.startsWith('xoxe'))
    return 'is a token that is replaced every few hours (token rotation), which is not supported: make the app anew without token rotation.';
  if (!value.startsWith('xoxb-'))
    return 'must begin with xoxb-: it is the Bot User OAuth Token of the page OAuth & Permissions, there once the app is installed.';
  return token.test(value) ? null : 'holds characters that no token has; copy it again.';
}

function appTokenFault(value: string): string | null {
  if (!value.startsWith('xapp-'))
    return 'must begin with xapp-: it is an App-Level Token of the page Basic Information, with the scope connections:write.';
  return token.test(value) ? null : 'holds characters that no token has; copy it again.';
}

const signingSecretFault = (value: string): string | null =>
  /^[A-Za-z0-9]{32,128}$/.test(value)
    ? null
    : 'must be the Signing Secret of the page Basic Information: 32 letters and digits. It is neither the Client Secret nor a token.';

const clientSecretFault = (value: string): string | null =>
  /^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/.test(value)
    ? 'is an id: take the Value of the client secret, which is shown only when it is made, and not its Secret ID.'
    : null;

function emailUrlFault(value: string): string | null {
  const url = URL.parse(value);
  const says = 'must be smtps://USER:PASSWORD@HOST:PORT, or smtp://… where the server speaks STARTTLS';
  if (url === null || (url.protocol !== 'smtps:' && url.protocol !== 'smtp:')) return `${says}.`;
  if (url.hostname === '') return `${says}; there is no host.`;
  if (/%(?![0-9A-Fa-f]{2})/.test(`${url.username}${url.password}`))
    return `${says}; a % in the name or the password is written %25.`;
  return url.search !== '' || url.hash !== '' || !['', '/'].includes(url.pathname)
    ? `${says}, and nothing behind it.`
    : null;
}

/** The gate gives its token to the connector of the chosen cloud, and to nobody else. */
function serviceProblems(
  url: string,
  { cloud }: TeamsSettings,
  document: ConfigDocument,
): readonly Problem[] {
  const path = ['channels', 'teams', 'serviceUrl'];
  const origin = URL.parse(url)?.origin;
  return origin !== undefined && cloud.serviceOrigins.includes(origin)
    ? []
    : [
        document.problem(
          path,
          `channels.teams.serviceUrl must begin with ${cloud.serviceOrigins.join(' or ')}/: the connector of that cloud.`,
        ),
      ];
}

function routeProblems(written: Written, document: ConfigDocument): readonly Problem[] {
  return Object.entries(written.groups ?? {}).flatMap(([group, routes]) =>
    Object.keys(routes).flatMap((channel) =>
      !isRouted(channel) || written.channels?.[channel] !== undefined
        ? []
        : [
            document.problem(
              ['groups', group, channel],
              `The group ${group} is sent to ${channel}, and channels.${channel} is not configured${channel === 'email' ? '' : `: countersign ${channel} setup`}.`,
              'key',
            ),
          ],
    ),
  );
}

/** What is allowed, but dangerous or probably not meant. */
export function channelWarnings(written: Written): readonly string[] {
  const { slack, teams } = written.channels ?? {};
  const secure = written.url?.startsWith('https://') === true;
  const needsUrl = 'the platform calls this gate over https: set url to an https address that it can reach.';
  return [
    ...(slack?.signingSecret === undefined || secure
      ? []
      : [`channels.slack with signingSecret: ${needsUrl}`]),
    ...(teams === undefined || secure ? [] : [`channels.teams: ${needsUrl}`]),
    ...placeless(written),
    ...namedChannels(written),
  ];
}

/** Configured, and nobody is told there. */
function placeless(written: Written): readonly string[] {
  const places = { slack: 'channel', teams: 'conversation', email: 'to' } as const;
  return (['slack', 'teams', 'email'] as const)
    .filter(
      (channel) =>
        written.channels?.[channel] !== undefined &&
        homeOf(written, channel) === undefined &&
        !Object.values(written.groups ?? {}).some((routes) => routes[channel] !== undefined),
    )
    .map(
      (channel) =>
        `channels.${channel} has no place: approvals are told nowhere there. Give channels.${channel}.${places[channel]}, or groups.NAME.${channel}.`,
    );
}

function namedChannels(written: Written): readonly string[] {
  const all = [
    written.channels?.slack?.channel,
    ...Object.values(written.groups ?? {}).map(({ slack }) => slack),
  ];
  const named = [...new Set(all.filter((to) => to?.startsWith('#')))];
  return named.length === 0
    ? []
    : [
        `Slack channels by name (${named.join(', ')}): once such a channel is renamed, whoever takes its name next is shown the approvals. Ids (C…) stay.`,
      ];
}
