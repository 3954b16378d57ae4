/**
 * The Teams app of one gate: a zip with a manifest and two icons, the same bytes for the same gate. Promises: it asks for no
 * permission of Microsoft Graph and for none of a team's data; a bot in channels, group chats and with one person is all it is.
 */
import { readFileSync } from 'node:fs';
import { zipSync } from 'fflate';
import type { TeamsSettings } from '../ports/channel-settings.ts';

/** Where Teams calls a gate. */
export const teamsPath = '/channels/teams/messages';

/** What the zip is called. */
export const packageName = 'countersign-teams.zip';

/**
 * The newest version of Microsoft's schema that does not make an app with the scope `team` declare that it supports shared and
 * private channels (`supportsChannelFeatures`, from 1.25): in shared ones people of other organisations read along.
 */
const schemaVersion = '1.24';

/** Of the package. Teams replaces an installed app only by a higher one: count it up whenever the manifest changes. */
const packageVersion = '1.0.0';

/** So that the same gate gives the same bytes. */
const writtenAt = new Date(1980, 0, 2, 12);

/** As Teams takes it. @param origin of the gate, https. */
export function teamsManifest({ clientId }: Pick<TeamsSettings, 'clientId'>, origin: string): object {
  const { host } = new URL(origin);
  return {
    $schema: `https://developer.microsoft.com/json-schemas/teams/v${schemaVersion}/MicrosoftTeams.schema.json`,
    manifestVersion: schemaVersion,
    version: packageVersion,
    // The bot's own: one app for one gate.
    id: clientId,
    developer: {
      name: 'Countersign',
      websiteUrl: `${origin}/`,
      privacyUrl: `${origin}/`,
      termsOfUseUrl: `${origin}/`,
    },
    name: { short: 'Countersign', full: 'Countersign: approvals of AI agents’ actions' },
    description: {
      short: 'Asks the right people before an AI agent does something that matters.',
      full: `Asks the right people before an AI agent does something that matters, and tells what became of it. Belongs to the gate at ${origin}, which decides who may approve.`,
    },
    icons: { color: 'color.png', outline: 'outline.png' },
    accentColor: '#1D3A5F',
    bots: [
      {
        botId: clientId,
        scopes: ['team', 'groupChat', 'personal'],
        isNotificationOnly: false,
        supportsFiles: false,
        supportsCalling: false,
        supportsVideo: false,
      },
    ],
    validDomains: [host],
  };
}

/** The package to upload. */
export function teamsPackage(settings: Pick<TeamsSettings, 'clientId'>, origin: string): Uint8Array {
  const icon = (name: string): Uint8Array =>
    new Uint8Array(readFileSync(new URL(`../../setup/teams/${name}`, import.meta.url)));
  return zipSync(
    {
      'manifest.json': new TextEncoder().encode(
        `${JSON.stringify(teamsManifest(settings, origin), null, 2)}\n`,
      ),
      'color.png': icon('color.png'),
      'outline.png': icon('outline.png'),
    },
    { mtime: writtenAt, level: 9 },
  );
}
