/** What can be told of a Teams configuration without Teams: nothing is sent to anybody. */
import { isLoopback, type Settings } from '../config.ts';
import type { TeamsSettings } from '../ports/channel-settings.ts';
import type { Finding } from './setup.ts';
import { teamsPath } from './teams-package.ts';

export function checkTeams(
  settings: Pick<Settings, 'url' | 'channels'>,
  teams: TeamsSettings,
): readonly Finding[] {
  return [
    endpoint(settings.url),
    {
      kind: 'good',
      text: `People of the directory ${teams.tenant} may decide, as the bot ${teams.clientId}; its secret is there.`,
    },
    {
      kind: 'good',
      text: `The gate gives its tokens to ${teams.cloud.serviceOrigins.join(' and ')} alone, and believes ${teams.cloud.issuer} alone.`,
    },
    ...places(settings),
    {
      kind: 'unknown',
      text: 'Whether Microsoft takes the secret, reaches the messaging endpoint, and has the app installed where the conversations are, only Teams can tell: write to the app there.',
    },
  ];
}

function endpoint(url: string | null): Finding {
  const host = url === null ? null : new URL(url);
  if (host === null)
    return {
      kind: 'bad',
      text: 'url is not set: Teams has nowhere to send what people press. Set it to an https address.',
    };
  if (host.protocol !== 'https:')
    return { kind: 'bad', text: `url is ${host.origin}: Teams calls https addresses alone.` };
  const name = host.hostname.replace(/^\[|\]$/g, '');
  if (
    isLoopback(name) ||
    /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.)|\.(?:local|internal|lan)$/.test(name)
  )
    return {
      kind: 'bad',
      text: `url is ${host.origin}: Microsoft’s servers cannot reach an address of this network.`,
    };
  return { kind: 'good', text: `The messaging endpoint of the Azure Bot must be ${host.origin}${teamsPath}` };
}

function places({ channels }: Pick<Settings, 'channels'>): readonly Finding[] {
  const { groups, otherwise } = channels.routing;
  const of = (name: string, routes: typeof otherwise): readonly Finding[] =>
    routes
      .filter(({ channel }) => channel === 'teams')
      .map(({ to }): Finding => ({ kind: 'good', text: `${name} in ${kindOf(to)} ${to}` }));
  const all = [
    ...[...groups].flatMap(([group, routes]) => of(`The group ${group} is asked`, routes)),
    ...of('Other groups are asked', otherwise),
  ];
  return all.length > 0
    ? all
    : [
        {
          kind: 'warning',
          text: 'No conversation is configured: nobody is asked in Teams. Give channels.teams.conversation, or groups.NAME.teams; the app answers with the id where you write to it.',
        },
      ];
}

function kindOf(to: string): string {
  if (to.startsWith('a:')) return 'the chat of one person';
  return to.endsWith('@thread.v2') ? 'the group chat' : 'the channel';
}
