/** What is drawn: the demo's three cases for the docs, and the other states and surfaces to look at. */
import assert from 'node:assert/strict';
import { cannotApproveIn } from '../../src/app/cards.ts';
import { asksFor } from '../../src/app/chat/view.ts';
import type { Block } from '../../src/channels/slack/blocks.ts';
import { layCard as laySlack } from '../../src/channels/slack/card.ts';
import { denyForm, stopForm } from '../../src/channels/slack/forms.ts';
import { homeView } from '../../src/channels/slack/home.ts';
import { noteBlocks, wordBlocks } from '../../src/channels/slack/notes.ts';
import { layCard as layTeams, noteCard } from '../../src/channels/teams/card.ts';
import type { ChatKind } from '../../src/core/chat.ts';
import { isJsonArray, isJsonObject, type JsonValue } from '../../src/core/json.ts';
import type { Buttons, Card } from '../../src/core/render/card.ts';
import { cardOf } from '../../src/core/render/card-of.ts';
import type { Presentation } from '../../src/core/render/present.ts';
import { clock, line } from '../../src/core/render/shown.ts';
import { demoExamples } from '../../test/channels/examples-demo.ts';
import { hostileCards } from '../../test/channels/hostile.ts';
import { exportProfile, failed, grantProfile, scene, seen, shownTo } from '../../test/core/render/scenes.ts';
import { requirement } from '../../test/support/world.ts';
import type { SlackSurface } from './slack.ts';

export interface Picture {
  readonly name: string;
  readonly of:
    | { readonly app: 'slack'; readonly surface: SlackSurface }
    | { readonly app: 'teams'; readonly card: object; readonly at: string; readonly open?: number };
  readonly phone: boolean;
  readonly dark: boolean;
}

const url = 'https://gate.example.com/approvals/apr_abcdefghijklmnopqrstuvwxyz';
const button = { id: 'pst_abcdefghijklmnopqrstuvwxyz', tag: '0123456789abcdef0123456789abcdef' };

/** As app/cards.ts gives them. */
function cardIn(channel: ChatKind, shown: Presentation): Card {
  const approveNot = cannotApproveIn(channel, shown, true);
  const asks = shown.needs.some((need) => need.reasonRequired && !need.met);
  const buttons: Buttons = {
    approve: approveNot === null ? button : null,
    approveNot,
    ...(approveNot === null && asks ? { approveAsks: asksFor } : {}),
    deny: button,
    stop: button,
    open: button,
  };
  return cardOf(shown, { url, buttons: shown.standing.state === 'pending' ? buttons : null });
}

const blocksOf = (body: JsonValue): readonly Block[] => {
  const blocks = isJsonObject(body) ? body['blocks'] : undefined;
  assert.ok(isJsonArray(blocks));
  return blocks as unknown as readonly Block[]; // layCard made them
};

const slackCard = (card: Card, at: string): Picture['of'] => ({
  app: 'slack',
  surface: { as: 'message', blocks: blocksOf(laySlack(card, 'card').body), at },
});

function teamsCard(card: Card, at: string, open?: number): Picture['of'] {
  const { body } = layTeams(card);
  assert.ok(isJsonObject(body));
  return { app: 'teams', card: body, at, ...(open === undefined ? {} : { open }) };
}

/** The hour as chats show it beside a message. */
const hourOf = (ms: number): string => clock(ms).slice(11, 16);

const cases = ['export', 'privilege', 'infrastructure'];

/** Design §7's three cases in both chats, on a desk, light; one of each on a phone, dark. */
export async function shipped(): Promise<readonly Picture[]> {
  const examples = await demoExamples();
  assert.equal(examples.length, cases.length);
  return examples.flatMap(({ shown }, index): readonly Picture[] => {
    const name = cases[index] ?? '';
    const at = hourOf(shown.askedAtMs);
    const slack = slackCard(cardIn('slack', shown), at);
    const teams = teamsCard(cardIn('teams', shown), at);
    const desk = { phone: false, dark: false };
    const phone = { phone: true, dark: true };
    return [
      { name: `chat-slack-${name}`, of: slack, ...desk },
      { name: `chat-teams-${name}`, of: teams, ...desk },
      ...(name === 'infrastructure' ? [{ name: `chat-slack-${name}-phone`, of: slack, ...phone }] : []),
      ...(name === 'export' ? [{ name: `chat-teams-${name}-phone`, of: teams, ...phone }] : []),
    ];
  });
}

/** The other states and surfaces: decided, over, too large, hostile; forms, an inbox, what one person alone is told. */
export function more(): readonly Picture[] {
  return [...states().flatMap(inBoth), ...surfaces()];
}

const inBoth = ([name, shown]: readonly [string, Presentation]): readonly Picture[] => [
  { name: `slack-${name}`, of: slackCard(cardIn('slack', shown), '09:30'), phone: true, dark: false },
  { name: `teams-${name}`, of: teamsCard(cardIn('teams', shown), '09:30'), phone: true, dark: false },
];

const exported = (rows: number) =>
  scene(
    {
      operation: 'crm___export_rows',
      resource: { type: 'Dataset', id: 'customers' },
      input: {
        table: 'customers',
        where: { column: 'country', equals: 'DE' },
        destination: 's3://share/c',
        ...(rows === 0 ? {} : { ids: Array.from({ length: rows }, (_, at) => `customer-${at}`) }),
      },
      session: 'run-7',
      reason: 'The report\nneeds it.',
    },
    {
      profile: exportProfile,
      preview: seen('count_rows', { rows: 5204, columns: [{ name: 'email', dataClass: 'personal' }] }),
    },
  );

function states(): readonly (readonly [string, Presentation])[] {
  const { held } = exported(0);
  const denied = exported(0).review('mia', {
    decision: 'deny',
    reason: 'Ask legal first.\nThe destination is not ours.',
    unsafe: true,
    channel: 'slack',
  });
  const half = scene(
    {
      operation: 'ops___grant_role',
      resource: { type: 'Role', id: 'admin' },
      input: { principal: 'crm-bot', role: 'admin', scope: 'prod' },
    },
    { profile: grantProfile, before: failed('list_roles', 'timed out after 10 s') },
    [requirement('grant.admin', 'data-owners', { title: 'Admin needs two', quorum: 2 })],
  ).review('rosa', { reason: 'On call.' });
  const passkey = scene({ input: { a: 1 } }, {}, [
    requirement('x.strong', 'data-owners', { title: 'Wants a passkey', stepUp: 'passkey' }),
  ]).held;
  const wantsReason = scene({ input: { a: 1 } }, {}, [
    requirement('x.reason', 'data-owners', { title: 'Wants a reason', reasonRequired: true }),
  ]).held;
  const of = (held_: typeof held, ms = 60_000) =>
    shownTo(held_, null, { channel: 'slack', nowMs: held_.asked.atMs + ms });
  return [
    ['denied', of(denied)],
    ['expired', of(held, 5 * 3_600_000)],
    ['half', of(half)],
    ['not-whole', of(exported(400).held)],
    ['no-profile-passkey', of(passkey)],
    ['reason', of(wantsReason)],
  ];
}

function surfaces(): readonly Picture[] {
  const look = { phone: true, dark: false };
  const slack = (name: string, surface: SlackSurface): Picture => ({
    name: `slack-${name}`,
    of: { app: 'slack', surface },
    ...look,
  });
  const form = { ...button, headline: line('Export 5,204 rows of customers · prod') };
  const refused = {
    kind: 'refused',
    text: line(
      // As core/review.ts says it.
      'You cannot approve this: it counts as yours, because this person owns the agent crm-bot. Someone else must; you may deny it.',
    ),
    code: 'no_self_approval',
    link: null,
  } as const;
  const lines = Array.from({ length: 5 }, (_, at) => ({
    headline: line(
      ['Export 5,204 rows of customers · prod', 'Grant admin to crm-bot · prod', 'Delete us-east-1 · prod'][
        at % 3
      ] ?? '',
    ),
    agent: line('crm-bot'),
    state: line('Waiting for approval'),
    untilMs: Date.UTC(2026, 11, 23, 13, at),
    url,
    open: { use: 'inbox' as const, ...button },
  }));
  return [
    slack('deny-form', { as: 'modal', view: denyForm(form) }),
    slack('stop-form', { as: 'modal', view: stopForm(form) }),
    slack('home', { as: 'home', view: homeView({ lines, more: 2, url }) }),
    slack('refused', { as: 'ephemeral', blocks: wordBlocks(refused), at: '09:31' }),
    slack('note', {
      as: 'message',
      blocks: noteBlocks({ text: line('Mia denied it in Slack, as unsafe.'), url }),
      at: '09:31',
    }),
    {
      name: 'teams-deny-open',
      of: teamsCard(cardIn('teams', shownTo(exported(0).held, null)), '09:30', 1),
      ...look,
    },
    {
      name: 'teams-note',
      of: {
        app: 'teams',
        card: noteCard({ text: line('Mia denied it in Teams, as unsafe.'), url }),
        at: '09:31',
      },
      ...look,
    },
    ...hostilePictures(look),
  ];
}

const hostileNames = new Set([
  'right to left override, export',
  'a link of mrkdwn, export',
  'mentions of Slack, grant',
  'everything at once',
]);

function hostilePictures(look: Pick<Picture, 'phone' | 'dark'>): readonly Picture[] {
  const buttons: Buttons = { approve: button, approveNot: null, deny: button, stop: button, open: button };
  return hostileCards({ url, buttons })
    .filter((one) => hostileNames.has(one.name))
    .flatMap(({ name, card }): readonly Picture[] => {
      const file = `hostile-${name.replace(/\W+/g, '-')}`;
      return [
        { name: `slack-${file}`, of: slackCard(card, '09:30'), ...look },
        { name: `teams-${file}`, of: teamsCard(card, '09:30'), ...look },
      ];
    });
}
