/** `slack setup`: what to do, step by step, until the first approval is asked in Slack; and whether what is configured works. */
import { Failure, only, UsageError, wordsOf, type Args, type Command } from './command.ts';
import { configOption, settingsOf } from './files.ts';
import type { Io } from './io.ts';
import { sayFindings } from './setup.ts';
import { checkSlack } from './slack-check.ts';
import { slackManifest, slackPath } from './slack-manifest.ts';

export const slackCommand: Command = {
  name: 'slack',
  summary:
    'Makes the Slack app of this gate: prints what to do, prints its manifest, or checks what is configured.',
  usage: [
    'slack setup [--http --url URL]',
    'slack setup --manifest [--http --url URL]',
    'slack setup --check [--config FILE]',
  ],
  options: {
    http: { help: 'Slack calls the gate (it must be reachable from the internet); default: Socket Mode' },
    url: { value: 'URL', help: 'with --http: where Slack reaches the gate, https://gate.example.com' },
    manifest: { help: 'prints the manifest of the app alone' },
    check: { help: 'asks Slack whether the configured app, tokens and channels work; posts nothing' },
    config: configOption,
  },
  details: [
    'docs/slack.md says what people see, what is checked on a press, and what a channel’s readers can see.',
  ],
  run: async (args, io) => {
    const [what] = args.words;
    if (what !== 'setup')
      throw new UsageError(
        what === undefined ? 'Say what to do: setup.' : `“${what}” cannot be done with Slack; say setup.`,
      );
    wordsOf(args, ['setup']);
    const { switches } = args;
    if (switches.has('check') && switches.has('manifest'))
      throw new UsageError('--check and --manifest are two things; say one.');
    const form = switches.has('check')
      ? 'setup --check'
      : switches.has('manifest')
        ? 'setup --manifest'
        : 'setup';
    only(args, form, {
      http: ['setup', 'setup --manifest'],
      url: ['setup', 'setup --manifest'],
      config: ['setup --check'],
    });
    if (form === 'setup --check') return check(args, io);
    const origin = originOf(args);
    if (form === 'setup --manifest') io.out(slackManifest(origin).text.trimEnd());
    else for (const line of steps(origin, io)) io.out(line);
    return 0;
  },
};

/** Null: Socket Mode. */
function originOf({ switches, values }: Args): string | null {
  const typed = values['url'];
  if (!switches.has('http')) {
    if (typed !== undefined)
      throw new UsageError('--url belongs to --http: in Socket Mode nothing calls the gate.');
    return null;
  }
  if (typed === undefined) throw new UsageError('--http needs --url: where Slack reaches the gate.');
  const url = URL.parse(typed);
  if (
    url === null ||
    url.protocol !== 'https:' ||
    url.pathname !== '/' ||
    url.search !== '' ||
    url.hash !== ''
  )
    throw new UsageError(`“${typed}” is not an https origin such as https://gate.example.com.`);
  return url.origin;
}

function steps(origin: string | null, io: Io): readonly string[] {
  const { strong, soft } = io.paint;
  const { link } = slackManifest(origin);
  const http = origin === null ? '' : ` --http --url ${origin}`;
  const second =
    origin === null
      ? [
          '   App-Level Token  Basic Information, App-Level Tokens: "Generate", with the scope connections:write',
          '                    → SLACK_APP_TOKEN (xapp-…)',
        ]
      : ['   Signing Secret   Basic Information, App Credentials → SLACK_SIGNING_SECRET'];
  return [
    strong('1. Make the app.'),
    `   Open this, choose the workspace, and press "Create":`,
    `   ${link}`,
    soft(
      `   The same to read and to paste ("From a manifest"): ${io.command(`slack setup --manifest${http}`)}`,
    ),
    ...(origin === null
      ? []
      : [
          soft(
            `   Slack cannot verify ${origin}${slackPath} before the gate runs with step 4: then press "Retry" on its pages Event Subscriptions and Interactivity.`,
          ),
        ]),
    '',
    strong('2. Install it, and take what the gate needs.'),
    '   Install App: "Install to Workspace".',
    '   Bot token        OAuth & Permissions, Bot User OAuth Token → SLACK_BOT_TOKEN (xoxb-…)',
    ...second,
    '   App ID           Basic Information (A…)',
    '   Workspace id     in a browser, Slack’s address is https://app.slack.com/client/T…/…: the part T…',
    '   Put the secrets into the environment of the gate, or into files (fromFile), never into the chat.',
    '',
    strong('3. Say where people are asked.'),
    '   In Slack, open the channel, click its name, "About": its id (C…) is at the bottom. Then write there:',
    '     /invite @Countersign',
    '   Whoever reads that channel reads every approval that is asked there. They cannot decide by that.',
    '',
    strong('4. Add this to the configuration, and restart the gate.'),
    ...(origin === null ? [] : [`   url: ${origin}`]),
    '   channels:',
    '     slack:',
    '       appId: A0123456789',
    '       team: T0123456789',
    '       botToken: { fromEnv: SLACK_BOT_TOKEN }',
    origin === null
      ? '       appToken: { fromEnv: SLACK_APP_TOKEN }'
      : '       signingSecret: { fromEnv: SLACK_SIGNING_SECRET }',
    '       channel: C0123456789          # for groups that name no place of their own',
    '   groups:',
    '     data-owners: { slack: C0123456789 }',
    '',
    strong('5. Check it.'),
    `   ${io.command('slack setup --check')}`,
    '   Then let an agent ask for something that needs approval. The first press of "Approve" is refused, with a link:',
    '   it attaches your Slack account to you, once.',
  ];
}

async function check(args: Args, io: Io): Promise<number> {
  const { channels } = await settingsOf(args, io, 'required');
  if (channels.slack === null)
    throw new Failure(`The configuration has no channels.slack. What to do: ${io.command('slack setup')}`);
  return sayFindings(await checkSlack(channels.slack, channels.routing, slackManifest(null).scopes), io);
}
