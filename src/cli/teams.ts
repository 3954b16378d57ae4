/** `teams setup`: what to do, step by step, until the first approval is asked in Teams; the app package; and a check of what is configured. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Settings } from '../config.ts';
import type { TeamsSettings } from '../ports/channel-settings.ts';
import { Failure, only, UsageError, wordsOf, type Args, type Command } from './command.ts';
import { configName, configOption, configWords, exists, settingsOf } from './files.ts';
import type { Io } from './io.ts';
import { sayFindings } from './setup.ts';
import { checkTeams } from './teams-check.ts';
import { packageName, teamsPackage, teamsPath } from './teams-package.ts';

export const teamsCommand: Command = {
  name: 'teams',
  summary:
    'Makes the Teams app of this gate: prints what to do, builds the app package, or checks what is configured.',
  usage: [
    'teams setup [--config FILE]',
    'teams setup --out DIR [--config FILE]',
    'teams setup --check [--config FILE]',
  ],
  options: {
    out: { value: 'DIR', help: `writes the app package there, as ${packageName}` },
    check: { help: 'says what can be told of the configuration without Teams; sends nothing' },
    config: configOption,
  },
  details: [
    'docs/teams.md says what people see, what is checked on a press, and what a conversation’s readers can see.',
  ],
  run: async (args, io) => {
    const [what] = args.words;
    if (what !== 'setup')
      throw new UsageError(
        what === undefined ? 'Say what to do: setup.' : `“${what}” cannot be done with Teams; say setup.`,
      );
    wordsOf(args, ['setup']);
    const isCheck = args.switches.has('check');
    only(args, isCheck ? 'setup --check' : 'setup', { out: ['setup'] });
    if (isCheck) return check(args, io);
    if (args.values['out'] !== undefined) return build(args, args.values['out'], io);
    for (const line of steps(await known(args, io), io)) io.out(line);
    return 0;
  },
};

/** What is configured so far; nothing of it is needed to read what to do. */
async function known(args: Args, io: Io): Promise<Settings | null> {
  const typed = args.values['config'];
  if (typed === undefined && !(await exists(io.path(configName)))) return null;
  return settingsOf(args, io, 'ignored');
}

async function configured(
  args: Args,
  io: Io,
  secrets: 'required' | 'ignored',
): Promise<{ readonly settings: Settings; readonly teams: TeamsSettings }> {
  const settings = await settingsOf(args, io, secrets);
  const { teams } = settings.channels;
  if (teams === null)
    throw new Failure(`The configuration has no channels.teams. What to do: ${io.command('teams setup')}`);
  return { settings, teams };
}

async function build(args: Args, out: string, io: Io): Promise<number> {
  const { settings, teams } = await configured(args, io, 'ignored');
  if (settings.url === null || !settings.url.startsWith('https://'))
    throw new Failure(
      'url must be set to the https address at which Teams reaches the gate: it is written into the package.',
    );
  const folder = io.path(out);
  const file = join(folder, packageName);
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && (error.code === 'EEXIST' || error.code === 'ENOTDIR')))
      throw error;
    throw new Failure(
      `--out ${out} is a file; say a folder. The package is written there as ${packageName}.`,
    );
  }
  await writeFile(file, teamsPackage(teams, settings.url));
  io.out(file);
  io.say(
    'In Teams: Apps, "Manage your apps", "Upload an app". Whether people may do that is for the administrators of Teams to say.',
  );
  return 0;
}

async function check(args: Args, io: Io): Promise<number> {
  const { settings, teams } = await configured(args, io, 'required');
  return sayFindings(checkTeams(settings, teams), io);
}

function steps(settings: Settings | null, io: Io): readonly string[] {
  const { strong, soft } = io.paint;
  const teams = settings?.channels.teams ?? null;
  const config = settings === null ? '' : configWords(settings.file, io);
  const set = settings?.url?.startsWith('https://') === true ? settings.url : null;
  const origin = set ?? 'https://gate.example.com';
  const have = (value: string | undefined): string =>
    value === undefined ? '' : soft(` (configured: ${value})`);
  return [
    strong(
      '1. Register the app in Microsoft Entra (entra.microsoft.com, App registrations, "New registration").',
    ),
    '   Supported account types: "Accounts in this organizational directory only". No redirect address, no permissions.',
    `   Directory (tenant) ID     → tenant${have(teams?.tenant)}`,
    `   Application (client) ID   → clientId${have(teams?.clientId)}`,
    '   Certificates & secrets, "New client secret": its Value, shown once → TEAMS_CLIENT_SECRET. It expires; note when.',
    '',
    strong('2. Make the bot in Azure (portal.azure.com, "Azure Bot").'),
    '   Type of App: Single Tenant. "Use existing app registration", with the two ids above.',
    `   Configuration, Messaging endpoint: ${origin}${teamsPath}`,
    ...(set !== null
      ? []
      : [
          soft(
            '   (the https address at which Microsoft reaches this gate; it is `url` of the configuration)',
          ),
        ]),
    '   Channels: add "Microsoft Teams".',
    '',
    strong('3. Add this to the configuration, and restart the gate.'),
    `   url: ${origin}`,
    '   channels:',
    '     teams:',
    `       tenant: ${teams?.tenant ?? '00000000-0000-0000-0000-000000000000'}`,
    `       clientId: ${teams?.clientId ?? '00000000-0000-0000-0000-000000000000'}`,
    '       clientSecret: { fromEnv: TEAMS_CLIENT_SECRET }',
    soft('       # cloud: gcch    # only where you are not in the public cloud: gcc, gcch or dod'),
    '',
    strong('4. Build the app package, and upload it to Teams.'),
    `   ${io.command(`teams setup --out .${config}`)}`,
    '   Teams: Apps, "Manage your apps", "Upload an app", then add it to the team or the group chat where people are asked.',
    '   In standard channels only: it does not ask to be let into shared and private ones.',
    '',
    strong('5. Say where people are asked.'),
    '   Write to the app in that channel (@Countersign hello): it answers with the id of the conversation. Then:',
    '   groups:',
    '     data-owners: { teams: "19:…@thread.tacv2" }',
    '   and for groups that name no place of their own: channels.teams.conversation.',
    '   Whoever reads that conversation reads every approval that is asked there. They cannot decide by that.',
    '',
    strong('6. Check it.'),
    `   ${io.command(`teams setup --check${config}`)}`,
    '   Then let an agent ask for something that needs approval. Whoever signs in here with Entra is known at once; others are',
    '   refused at their first press, with a link: it attaches their account to them, once.',
  ];
}
