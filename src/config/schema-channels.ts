/** The keys about where people are asked and told: webhook, Slack, Teams, e-mail. What a `description` must read like: config/schema.ts. */
import { secret, short } from './schema-parts.ts';

/** A secret with what it is in one word or two. */
const secretOf = (what: string) =>
  ({ ...secret, description: `${what}: a text, {fromEnv: NAME} or {fromFile: PATH}` }) as const;

/** Where Slack shows a channel: an id, or a name as people write it. */
const slackPlace = {
  type: 'string',
  pattern: '^(?:[CG][A-Z0-9]{6,30}|#[^\\s#@:,.!?<>A-Z]{1,80})$',
  description:
    'the id of a channel, such as C0123456789 (in Slack: the channel\'s name, "About"), or its name, such as "#approvals"',
} as const;

/** A conversation of the Bot Framework: a channel of a team, a group chat, or one person's chat with the bot. */
const teamsPlace = {
  type: 'string',
  maxLength: 400,
  pattern: '^(?:19:[A-Za-z0-9_=-]{1,300}@thread\\.(?:tacv2|v2|skype)|a:[A-Za-z0-9_=-]{1,390})$',
  description:
    'the id of a conversation, such as "19:…@thread.tacv2" without ";messageid=…" (write to the app there, and it answers with it)',
} as const;

/** One address, and nothing that a header could be made of. */
const emailPlace = {
  type: 'string',
  maxLength: 254,
  pattern: '^[^\\s@<>,;:"()\\[\\]\\\\]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?$',
  description: 'one e-mail address, such as approvals@example.com',
} as const;

const guid = (what: string) =>
  ({
    type: 'string',
    pattern: '^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$',
    description: `${what}, such as 00000000-0000-0000-0000-000000000000`,
  }) as const;

const webhook = {
  type: 'object',
  required: ['url', 'secret'],
  additionalProperties: false,
  properties: {
    url: { type: 'string', pattern: '^https?://', description: 'an http or https URL' },
    secret: { ...secret, description: 'a text (whsec_…), {fromEnv: NAME} or {fromFile: PATH}' },
  },
} as const;

const slack = {
  type: 'object',
  required: ['appId', 'team', 'botToken'],
  oneOf: [{ required: ['appToken'] }, { required: ['signingSecret'] }],
  additionalProperties: false,
  description:
    'a Slack app with `appToken` (Socket Mode) or with `signingSecret` (HTTP), one of the two: countersign slack setup',
  properties: {
    appId: {
      type: 'string',
      pattern: '^A[A-Z0-9]{6,30}$',
      description: 'the App ID of the page Basic Information, such as A0123456789',
    },
    team: {
      type: 'string',
      pattern: '^[TE][A-Z0-9]{6,30}$',
      description:
        'the id of the workspace, such as T0123456789, or of the enterprise that the app is installed for, such as E0123456789',
    },
    botToken: secretOf('the token xoxb-… of the page OAuth & Permissions'),
    appToken: secretOf('an app-level token xapp-… with connections:write'),
    signingSecret: secretOf('the Signing Secret of the page Basic Information'),
    channel: slackPlace,
    gov: { type: 'boolean', description: 'True: GovSlack, at slack-gov.com.' },
  },
} as const;

const teams = {
  type: 'object',
  required: ['tenant', 'clientId', 'clientSecret'],
  additionalProperties: false,
  properties: {
    tenant: guid('the Directory (tenant) ID whose people may decide'),
    clientId: guid('the Application (client) ID of the bot'),
    clientSecret: secretOf('the Value of a client secret of the app registration'),
    conversation: teamsPlace,
    cloud: { enum: ['public', 'gcc', 'gcch', 'dod'] },
    serviceUrl: {
      type: 'string',
      maxLength: 300,
      pattern: '^https://[^\\s?#@]+$',
      description: 'an https URL of the connector, such as https://smba.trafficmanager.net/emea/',
    },
  },
} as const;

const email = {
  type: 'object',
  required: ['url', 'from'],
  additionalProperties: false,
  properties: {
    url: secretOf('smtps://USER:PASSWORD@HOST:PORT or smtp://…'),
    from: {
      ...short,
      maxLength: 320,
      pattern: '^[^\\r\\n]*[^\\s@<>]@[A-Za-z0-9][A-Za-z0-9.-]*>?$',
      description: 'an e-mail address, or a name with one: Countersign <countersign@example.com>',
    },
    to: emailPlace,
  },
} as const;

/** Properties of the whole (config/schema.ts). */
export const channelKeys = {
  channels: {
    type: 'object',
    additionalProperties: false,
    description: 'Where people are asked and told, besides the pages of the gate.',
    properties: { webhook, slack, teams, email },
  },
} as const;

/** Where channels reach a group; tried in the order in which they are written. */
export const groupRoutes = {
  type: 'object',
  description: 'Where channels reach the group, in the order in which they are tried.',
  additionalProperties: false,
  properties: { slack: slackPlace, teams: teamsPlace, email: emailPlace },
} as const;
