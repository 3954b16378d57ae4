/**
 * Whoever can reach the gate's route for Slack, sees a card, or has the platform's signature without being one of ours: strangers of
 * Slack Connect, guests, bots, other apps and organisations. What the emulator cannot say of people (guests, Enterprise Grid,
 * outages) a proxy of the tests' own says in its place (test/channels/slack/support/workspace.ts).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventsPath } from '../../src/channels/slack/http.ts';
import { eventually } from '../support/gate.ts';
import { eventOf, pressOn, signed, submit, type Signing } from '../channels/slack/support/presses.ts';
import { inRig, reviewsOf, type Card, type SlackRig } from '../channels/slack/support/rig.ts';
import { appId, team, type Loose } from '../channels/slack/support/workspace.ts';

interface Aimed {
  readonly rig: SlackRig;
  readonly card: Card;
  /** A press of Rosa's, who may approve. */
  readonly pressed: Loose;
  /** Nothing was decided, and nothing of it is left to be carried out. */
  readonly nothing: () => Promise<void>;
}

const aimed = (work: (aim: Aimed) => Promise<void>, options?: Parameters<typeof inRig>[1]): Promise<void> =>
  inRig(async (rig) => {
    const approval = await rig.bench.ask();
    const card = await rig.card(approval);
    const pressed = await pressOn(rig.workspace, card, rig.workspace.user('rosa'), 'approve');
    const nothing = async (): Promise<void> => {
      assert.deepEqual(await reviewsOf(rig, approval), []);
      assert.deepEqual(await rig.bench.chat().open('slack'), []);
    };
    await work({ rig, card, pressed, nothing });
  }, options);

const nowS = (): number => Math.floor(Date.now() / 1000);
const forgeries: readonly (readonly [what: string, signing: Signing])[] = [
  ['another secret', { secret: 'guessed' }],
  ['an empty secret', { secret: '' }],
  ['a time six minutes ago', { time: nowS() - 360 }],
  ['a time six minutes ahead', { time: nowS() + 360 }],
  ['another body than the signed one', { body: 'payload=%7B%7D' }],
];

for (const [what, signing] of forgeries) {
  test(`a request with ${what} is refused, and nothing of it is read`, () =>
    aimed(async ({ rig, pressed, nothing }) => {
      assert.equal((await rig.send(pressed, signing)).status, 401);
      await nothing();
      assert.deepEqual(rig.workspace.calls('users.info'), []);
      assert.ok(
        rig.lines.every((line) => !line.includes('guessed')),
        'and no secret is written down',
      );
    }));
}

test('requests without a signature, of another kind or too large', () =>
  aimed(async ({ rig, pressed, nothing }) => {
    const good = signed('http://gate', pressed);
    const body = await good.clone().text();
    const send = async (request: Request): Promise<number | undefined> =>
      (await rig.app().handle(request))?.status;
    const without = (header: string): Request => {
      const headers = new Headers(good.headers);
      headers.delete(header);
      return new Request(good.url, { method: 'POST', headers, body });
    };
    assert.equal(await send(without('x-slack-signature')), 401);
    assert.equal(await send(without('x-slack-request-timestamp')), 401);
    assert.equal(await send(new Request(good.url)), 405);
    assert.equal(await send(new Request('http://gate/channels/slack/other', { method: 'POST' })), undefined);
    const large = new Request(good.url, { method: 'POST', body: 'x'.repeat(1_100_000) });
    assert.equal(await send(large), 413);
    await nothing();
  }));

test('Slack’s own checks are answered, and do nothing', () =>
  aimed(async ({ rig, nothing }) => {
    const challenge = { type: 'url_verification', token: 'x', challenge: 'abc' };
    assert.deepEqual(await rig.send(challenge), { status: 200, body: '{"challenge":"abc"}' });
    const unsigned = new Request(`http://gate${eventsPath}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(challenge),
    });
    assert.equal((await rig.app().handle(unsigned))?.status, 401, 'unsigned it is nobody’s');
    const check = new Request(`http://gate${eventsPath}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'ssl_check=1&token=x',
    });
    assert.equal((await rig.app().handle(check))?.status, 200);
    await nothing();
  }));

test('an unsigned press that calls itself a check of the certificate does nothing', () =>
  aimed(async ({ rig, pressed, nothing }) => {
    const body = new URLSearchParams({ ssl_check: '1', payload: JSON.stringify(pressed) }).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    await rig.app().handle(new Request(`http://gate${eventsPath}`, { method: 'POST', headers, body }));
    await nothing();
  }));

const user = (pressed: Loose, more: Loose): Loose => ({ user: { ...pressed.user, ...more } });
const foreign: readonly (readonly [what: string, over: (pressed: Loose) => Loose])[] = [
  ['another app', () => ({ api_app_id: 'A0OTHER' })],
  ['no app', () => ({ api_app_id: undefined })],
  ['another workspace', () => ({ team: { id: 'T0OTHER', domain: 'other' } })],
  ['no workspace', () => ({ team: null })],
  [
    'another organisation altogether',
    (pressed) => ({ team: { id: 'T0OTHER' }, ...user(pressed, { team_id: 'T0OTHER' }) }),
  ],
  ['an enterprise that has no workspace of ours', () => ({ team: null, enterprise: { id: 'E0OTHER' } })],
];

for (const [what, over] of foreign) {
  test(`a signed press of ${what} is refused before anything is written down`, () =>
    aimed(async ({ rig, pressed, nothing }) => {
      assert.equal((await rig.send({ ...pressed, ...over(pressed) })).status, 401);
      await nothing();
      assert.deepEqual(await rig.bench.entries('click.refused'), []);
      assert.equal(
        rig.lines.filter((line) => line.includes('was refused')).length,
        1,
        'operators read of it',
      );
      await rig.send({ ...pressed, ...over(pressed) });
      assert.equal(rig.lines.filter((line) => line.includes('was refused')).length, 1, 'once a minute');
    }));
}

test('a form and an event of another app or workspace are refused too', () =>
  aimed(async ({ rig, nothing }) => {
    const sam = rig.workspace.user('sam');
    const form = { id: 'V1', hash: '1', callback_id: 'countersign.deny', private_metadata: 'x', blocks: [] };
    assert.equal((await rig.send(submit(form, sam, {}, { api_app_id: 'A0OTHER' }))).status, 401);
    const event = { type: 'app_home_opened', user: sam, channel: 'D1', tab: 'home' };
    assert.equal((await rig.send(eventOf(event, { team_id: 'T0OTHER' }))).status, 401);
    assert.equal((await rig.send(eventOf(event, { api_app_id: 'A0OTHER' }))).status, 401);
    assert.deepEqual(rig.workspace.calls('views.publish'), []);
    await nothing();
  }));

test('a stranger of Slack Connect, in our channel with our app: turned away, told, and in the log', () =>
  aimed(async ({ rig, pressed, nothing }) => {
    const { status } = await rig.send({ ...pressed, ...user(pressed, { team_id: 'T0PARTNER' }) });
    assert.equal(status, 200);
    assert.match((await rig.told('rosa'))[0] ?? '', /not a member of the organisation/);
    await nothing();
    const [entry] = await rig.bench.entries('click.refused');
    assert.match(JSON.stringify(entry), /T0PARTNER/);
    assert.deepEqual(rig.workspace.calls('users.info'), [], 'Slack was not even asked');
  }));

test('a press whose user has no workspace is a stranger’s', () =>
  aimed(async ({ rig, pressed, nothing }) => {
    await rig.send({ ...pressed, ...user(pressed, { team_id: undefined }) });
    assert.match((await rig.told('rosa'))[0] ?? '', /not a member/);
    await nothing();
  }));

const people: readonly (readonly [what: string, as: Record<string, unknown>, says: RegExp])[] = [
  ['a guest', { is_restricted: true }, /Guests/],
  ['a guest of one channel', { is_ultra_restricted: true }, /Guests/],
  ['somebody whose account was deactivated', { deleted: true }, /deactivated/],
  ['somebody of whom Slack does not say that they are active', { deleted: undefined }, /deactivated/],
  ['a bot', { is_bot: true }, /bot/],
  ['a workflow’s bot', { is_workflow_bot: true }, /bot/],
  ['a stranger', { is_stranger: true }, /not a member/],
  ['somebody of another workspace', { team_id: 'T0OTHER' }, /not a member/],
  [
    'an account of an enterprise that the press did not name',
    { enterprise_user: { enterprise_id: 'E0ACME', teams: [team] } },
    /not a member/,
  ],
  ['somebody else than who was asked about', { id: 'U0OTHER' }, /does not say who/],
];

for (const [what, as, says] of people) {
  test(`a press of ${what} is turned away, told, and in the log`, () =>
    aimed(async ({ rig, pressed, nothing }) => {
      rig.workspace.describe(rig.workspace.user('rosa'), as);
      assert.equal((await rig.send(pressed)).status, 200);
      assert.match((await rig.told('rosa'))[0] ?? '', says);
      await nothing();
      assert.equal((await rig.bench.entries('click.refused')).length, 1);
    }));
}

test('guests open no form, no view and no inbox', () =>
  aimed(async ({ rig, card, nothing }) => {
    const rosa = rig.workspace.user('rosa');
    rig.workspace.describe(rosa, { is_restricted: true });
    await rig.send(await pressOn(rig.workspace, card, rosa, 'deny'));
    await rig.send(await pressOn(rig.workspace, card, rosa, 'stop'));
    assert.equal((await rig.told('rosa', 2)).length, 2);
    assert.deepEqual(rig.workspace.calls('views.open'), []);
    await rig.send(eventOf({ type: 'app_home_opened', user: rosa, channel: 'D1', tab: 'home' }));
    await eventually(() => rig.workspace.calls('views.publish').length > 0, 'their App Home says why');
    assert.doesNotMatch(JSON.stringify(rig.workspace.calls('views.publish')), /Refund/);
    await nothing();
  }));

const unasked: readonly (readonly [what: string, body: object, status?: number])[] = [
  ['answers a failure of its own', {}, 503],
  ['takes no more', { ok: false, error: 'ratelimited' }, 429],
  ['does not accept the token', { ok: false, error: 'invalid_auth' }],
  ['answers something else', { ok: true }],
  ['does not know the account', { ok: false, error: 'user_not_found' }],
];

for (const [what, body, status = 200] of unasked) {
  test(`nobody is taken for a member where Slack ${what}`, () =>
    aimed(async ({ rig, pressed, nothing }) => {
      rig.workspace.instead((method) =>
        method === 'users.info' ? { status, headers: { 'retry-after': '30' }, body } : undefined,
      );
      await rig.send(pressed);
      assert.match((await rig.told('rosa'))[0] ?? '', /nothing was done/);
      await nothing();
      rig.workspace.instead(null);
      await rig.send(pressed);
      await rig.told('rosa', 2);
      await nothing();
    }));
}

const grid = { id: 'E0ACME', name: 'Acme' };
const ofGrid = { enterprise_user: { id: 'W1', enterprise_id: 'E0ACME', teams: [team, 'T0SALES'] } };

/** Enterprise Grid, as Slack's documents show it: the app installed for the enterprise, `team` null in what it sends. */
const inGrid = (work: (aim: Aimed) => Promise<void>): Promise<void> =>
  aimed(
    async (aim) => {
      await aim.rig.bench.link('mia', aim.rig.account('mia', 'E0ACME'));
      await work(aim);
    },
    { linked: ['sam', 'rosa'], settings: (settings) => ({ ...settings, team: 'E0ACME' }) },
  );

test('Grid: a member of the enterprise decides, whatever workspace they press in', () =>
  inGrid(async ({ rig, card }) => {
    const mia = rig.workspace.user('mia');
    rig.workspace.describe(mia, { ...ofGrid, team_id: 'T0SALES' });
    const pressed = await pressOn(rig.workspace, card, mia, 'approve');
    const over = {
      team: null,
      enterprise: grid,
      is_enterprise_install: true,
      ...user(pressed, { team_id: 'T0SALES' }),
    };
    assert.equal((await rig.send({ ...pressed, ...over })).status, 200);
    assert.match((await rig.told('mia'))[0] ?? '', /You approved it/);
    assert.deepEqual(await reviewsOf(rig, card.post.approval), ['mia approve slack']);
  }));

test('Grid: a workspace of an enterprise names it, and the account is the enterprise’s', () =>
  aimed(
    async ({ rig, card }) => {
      await rig.bench.link('mia', rig.account('mia', 'E0ACME'));
      const mia = rig.workspace.user('mia');
      rig.workspace.describe(mia, ofGrid);
      const pressed = await pressOn(rig.workspace, card, mia, 'approve');
      await rig.send({ ...pressed, team: { id: team, enterprise_id: 'E0ACME' } });
      assert.match((await rig.told('mia'))[0] ?? '', /You approved it/);
      assert.deepEqual(await reviewsOf(rig, card.post.approval), ['mia approve slack']);
    },
    { linked: ['sam'] },
  ));

test('Grid: another enterprise, none, or somebody of another enterprise is refused', () =>
  inGrid(async ({ rig, card, nothing }) => {
    const mia = rig.workspace.user('mia');
    const send = async (over: Loose): Promise<number> =>
      (await rig.send({ ...(await pressOn(rig.workspace, card, mia, 'approve')), ...over })).status;
    assert.equal(await send({ team: null, enterprise: { id: 'E0OTHER' } }), 401);
    assert.equal(await send({ team: { id: team }, enterprise: null }), 401);
    for (const as of [
      { enterprise_user: { enterprise_id: 'E0OTHER' } },
      {},
      { ...ofGrid, is_restricted: true },
    ]) {
      rig.workspace.describe(mia, as);
      assert.equal(await send({ team: null, enterprise: grid }), 200);
    }
    await rig.told('mia', 3);
    await nothing();
  }));

const last = (message: Loose, change: (button: Loose) => Loose): Loose => ({
  ...message,
  blocks: message.blocks.map((block: Loose) =>
    block.type === 'actions' ? { ...block, elements: block.elements.map(change) } : block,
  ),
});

test('a tampered button, or one brought to another message or channel, does nothing', () =>
  aimed(async ({ rig, card, nothing }) => {
    const rosa = rig.workspace.user('rosa');
    const other = await rig.card(await rig.bench.ask());
    const flip = (value: string): string => value.slice(0, -1) + (value.endsWith('0') ? '1' : '0');
    const cards: readonly Card[] = [
      { ...card, message: last(card.message, (one) => ({ ...one, value: flip(one.value ?? '') })) },
      { ...card, message: last(card.message, (one) => ({ ...one, value: 'anything' })) },
      { ...card, message: last(card.message, (one) => ({ ...one, value: undefined })) },
      { ...card, message: { ...card.message, ts: other.message.ts } },
      { ...card, channel: rig.workspace.channel('security') },
      // The button of what was denied, called the one that approves.
      {
        ...card,
        message: last(card.message, (one) =>
          one.action_id === 'countersign.deny'
            ? { ...one, action_id: 'countersign.approve' }
            : { ...one, action_id: 'countersign.none' },
        ),
      },
    ];
    for (const [at, one] of cards.entries()) {
      assert.equal((await rig.send(await pressOn(rig.workspace, one, rosa, 'approve'))).status, 200);
      const words = await rig.told('rosa', at + 1);
      assert.match(words.at(-1) ?? '', /nothing was done/);
    }
    await nothing();
    assert.deepEqual(await reviewsOf(rig, other.post.approval), []);
  }));

test('a button in somebody else’s message, in none, or several at once, does nothing', () =>
  aimed(async ({ rig, pressed, nothing }) => {
    await rig.send({ ...pressed, message: { ...pressed.message, app_id: 'A0OTHER' } });
    assert.match((await rig.told('rosa'))[0] ?? '', /none of this gate/);
    await rig.send({ ...pressed, container: { type: 'message_attachment' } });
    await rig.told('rosa', 2);
    await rig.send({ ...pressed, container: {} });
    await rig.told('rosa', 3);
    assert.equal(
      (await rig.send({ ...pressed, actions: [...pressed.actions, ...pressed.actions] })).status,
      200,
    );
    await nothing();
  }));

test('nothing that Slack sends makes the gate call an address or say a token', () =>
  aimed(async ({ rig, pressed }) => {
    await rig.send(pressed);
    await rig.told('rosa');
    const said = JSON.stringify([rig.lines, rig.standings, rig.workspace.calls().map((one) => one.args)]);
    assert.doesNotMatch(said, /xoxb-[a-z0-9]|never-called/);
    assert.equal(pressed.api_app_id, appId);
  }));
