/**
 * Whoever can reach the gate's route for Teams, has a token of Microsoft's, or sits in the same channel: forged, foreign and stale
 * tokens (among them the one that teams.apps 2.1.0 takes: of any directory, with any address to answer at), bodies that claim
 * what their token does not say, tampered buttons, guests; and ways to make the gate give its own token away.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { App } from '@microsoft/teams.apps';
import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { createConnector } from '../../src/channels/teams/connector.ts';
import { failureOf } from '../../src/channels/teams/failure.ts';
import { createSdk, nobodysToken } from '../../src/channels/teams/sdk.ts';
import { activityBytesMax } from '../../src/channels/teams/token.ts';
import { line } from '../../src/core/render/shown.ts';
import { inRig, type Posted, type PressMore, type TeamsRig } from '../channels/teams/support/rig.ts';
import {
  channel,
  clientId,
  closed,
  groupChat,
  listening,
  otherTenant,
  portOf,
  startPlatform,
  tenant,
  type Loose,
  type Platform,
  type Signing,
} from '../channels/teams/support/platform.ts';

const clock = { nowMs: () => Date.now() };
const nowS = (): number => Math.floor(Date.now() / 1000);

interface Aimed {
  readonly rig: TeamsRig;
  readonly card: Posted;
  /** What Teams sends when Rosa, who may approve, does. */
  readonly pressed: Loose;
  /** Nothing was decided, nothing is left to be carried out, and nobody was asked anything. */
  readonly nothing: () => Promise<void>;
}

const aimed = (work: (aim: Aimed) => Promise<void>): Promise<void> =>
  inRig(async (rig) => {
    const approval = await rig.bench.ask();
    const card = await rig.card(approval);
    const requests = rig.platform.requests.length;
    const nothing = async (): Promise<void> => {
      assert.deepEqual(await rig.reviews(approval), []);
      assert.deepEqual(await rig.bench.chat().open('teams'), []);
      assert.equal(rig.platform.requests.length, requests, 'the connector was asked nothing');
    };
    await work({ rig, card, pressed: rig.pressed(card, 'rosa', 'approve'), nothing });
  });

/** Beyond the 60 s by which clocks may differ. */
const late = 120;
const forged: readonly (readonly [what: string, signing: Signing, why: RegExp])[] = [
  ['another issuer', { claims: { iss: 'https://api.botframework.us' } }, /another issuer/],
  ['an issuer with a slash', { claims: { iss: 'https://api.botframework.com/' } }, /another issuer/],
  ['no issuer', { without: ['iss'] }, /another issuer/],
  ['another audience', { claims: { aud: otherTenant } }, /somebody else/],
  ['several audiences', { claims: { aud: [clientId, otherTenant] } }, /somebody else/],
  ['no audience', { without: ['aud'] }, /somebody else/],
  ['a key that is none', { key: 'other' }, /signature/],
  ['a key for another channel', { key: 'webchat' }, /none of the connector/],
  ['a key that nobody has', { header: { kid: 'unknown' } }, /none of the connector/],
  ['no key’s id', { header: { kid: undefined } }, /names no key/],
  ['an end that is over', { claims: { exp: nowS() - late } }, /expired/],
  ['no end', { without: ['exp'] }, /expired/],
  ['a beginning to come', { claims: { nbf: nowS() + late } }, /expired, or is not valid yet/],
  ['no address to answer at', { without: ['serviceurl'] }, /token/],
  ['another address to answer at', { claims: { serviceurl: 'https://evil.test/teams' } }, /another address/],
  // What teams.apps 2.1.0 lets through: Entra's token of a foreign directory for our application.
  [
    'Entra’s signature for a foreign directory',
    {
      claims: {
        iss: `https://login.microsoftonline.com/${otherTenant}/v2.0`,
        aud: `api://${clientId}`,
        tid: otherTenant,
        appid: otherTenant,
      },
    },
    /another issuer/,
  ],
  [
    'Entra’s signature for our own directory',
    { claims: { iss: `https://sts.windows.net/${tenant}/`, aud: clientId, tid: tenant } },
    /another issuer/,
  ],
  ['our issuer and Entra’s audience', { claims: { aud: `api://${clientId}` } }, /somebody else/],
];

test('forged, foreign and stale tokens: 401, nothing is done, and the operator reads why', (t) =>
  aimed(async ({ rig, pressed, nothing }) => {
    for (const [what, signing, why] of forged)
      await t.test(`a token with ${what}`, async () => {
        assert.deepEqual(await rig.send(pressed, signing), { status: 401, body: null });
        assert.match(rig.lines.join('\n'), why);
        await nothing();
      });
    assert.ok(!rig.lines.join('\n').includes('eyJ'), 'no token is written down');
    // The same press with a token that is right, for comparison.
    assert.equal((await rig.send(pressed, { claims: { exp: nowS() - 30 } })).status, 200);
  }));

test('tokens that are none: without a signature, with a shared secret, with the key in their header, no token at all', () =>
  aimed(async ({ rig, pressed, nothing }) => {
    const claims = {
      iss: 'https://api.botframework.com',
      aud: clientId,
      exp: nowS() + 600,
      serviceurl: rig.platform.serviceUrl,
    };
    const own = await generateKeyPair('RS256');
    const secret = new TextEncoder().encode('a shared secret that is long enough for HS256');
    const tokens = [
      new UnsecuredJWT(claims).encode(),
      await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'good' }).sign(secret),
      await new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', kid: 'good', jku: 'https://evil.test/keys' })
        .sign(own.privateKey),
      await new SignJWT(claims)
        .setProtectedHeader({ alg: 'PS256', kid: 'good' })
        .sign((await generateKeyPair('PS256')).privateKey),
      'x.y.z',
      '',
      nobodysToken,
    ];
    for (const token of tokens) {
      assert.deepEqual(await rig.sendWith(pressed, `Bearer ${token}`), { status: 401, body: null }, token);
      // The SDK takes a token without its scheme as well.
      assert.equal((await rig.sendWith(pressed, token === '' ? null : token)).status, 401);
    }
    assert.equal((await rig.sendWith(pressed, await rig.platform.token())).status, 401, 'without "Bearer"');
    assert.equal((await rig.sendWith(pressed, `Bearer ${'a'.repeat(20_000)}`)).status, 401, 'too long');
    await nothing();
  }));

const claimed: readonly (readonly [what: string, tamper: (activity: Loose) => void, signing?: Signing])[] = [
  ['another directory', (a) => (a.channelData.tenant.id = otherTenant)],
  ['no directory', (a) => delete a.channelData.tenant],
  ['a conversation of another directory', (a) => (a.conversation.tenantId = otherTenant)],
  ['an account of another directory', (a) => (a.from.tenantId = otherTenant)],
  ['another channel', (a) => (a.channelId = 'webchat')],
  ['no channel', (a) => delete a.channelId],
  ['another bot', (a) => (a.recipient.id = `28:${otherTenant}`)],
  ['a person for a bot', (a) => (a.recipient.id = a.from.id)],
  ['an address that its token does not say', (a) => (a.serviceUrl = 'https://evil.test/teams/')],
  ['no address', (a) => delete a.serviceUrl],
  [
    'an address that is none of the cloud, as its token says, too',
    (a) => (a.serviceUrl = 'https://evil.test/teams/'),
    { claims: { serviceurl: 'https://evil.test/teams/' } },
  ],
  [
    'an address with a name and password in it',
    (a) => (a.serviceUrl = a.serviceUrl.replace('http://', 'http://x:y@')),
  ],
];

test('bodies that claim what their token does not say: 401, nothing is done', (t) =>
  aimed(async ({ rig, card, nothing }) => {
    for (const [what, tamper, signing = {}] of claimed)
      await t.test(`a body that names ${what}`, async () => {
        const answer = await rig.press(card, 'rosa', 'approve', { tamper, signing });
        assert.deepEqual(answer, { status: 401, body: null });
        await nothing();
      });
  }));

test('an address on the same host with another port or scheme is another address', () =>
  aimed(async ({ rig, pressed, nothing }) => {
    const { serviceUrl } = rig.platform;
    for (const other of [
      serviceUrl.replace('http:', 'https:'),
      serviceUrl.replace(/:\d+/, ':1'),
      serviceUrl.replace('127.0.0.1', '127.0.0.1.evil.test'),
      serviceUrl.replace('127.0.0.1', 'evil.test\\@127.0.0.1'),
    ]) {
      const activity = { ...pressed, serviceUrl: other };
      assert.equal((await rig.send(activity, { claims: { serviceurl: other } })).status, 401, other);
    }
    await nothing();
  }));

test('bodies that are too large, no JSON, or of two readings: 401', () =>
  aimed(async ({ rig, pressed, nothing }) => {
    const text = JSON.stringify(pressed);
    const twice = text.replace('"verb":"approve"', '"verb":"deny","verb":"approve"');
    for (const body of [
      '',
      '[]',
      'null',
      '{',
      twice,
      `${text.slice(0, -1)},"x":"${'y'.repeat(activityBytesMax)}"}`,
    ])
      assert.equal((await rig.send(body)).status, 401);
    await nothing();
  }));

test('a thousand tokens with unknown keys make the gate fetch keys once, and tell its operator once', () =>
  aimed(async ({ rig, pressed }) => {
    await rig.send({ ...pressed, type: 'typing' });
    const before = rig.platform.fetchesOfKeys();
    const header = { kid: 'unknown' };
    await Promise.all(Array.from({ length: 150 }, () => rig.send(pressed, { header })));
    await Promise.all(Array.from({ length: 150 }, () => rig.send(pressed, { header })));
    assert.ok(rig.platform.fetchesOfKeys() <= before + 1);
    assert.equal(rig.lines.filter((one) => /turned away/.test(one)).length, 1);
  }));

const tampered: readonly (readonly [what: string, more: PressMore])[] = [
  ['another tag', { tamper: (a) => (a.value.action.data.b = a.value.action.data.b.replace(/.$/, 'g')) }],
  [
    'a tag of zeros',
    { tamper: (a) => (a.value.action.data.b = `${a.value.action.data.b.split('.')[0]}.${'0'.repeat(32)}`) },
  ],
  ['the tag of another verb', { tamper: (a) => (a.value.action.verb = 'deny') }],
  [
    'a copy that nobody made',
    { tamper: (a) => (a.value.action.data.b = `pst_${'0'.repeat(32)}.${'0'.repeat(32)}`) },
  ],
  ['no tag', { tamper: (a) => (a.value.action.data = {}) }],
  ['data that is no object', { tamper: (a) => (a.value.action.data = 'x') }],
  ['another conversation', { tamper: (a) => (a.conversation.id = groupChat) }],
  ['another message', { tamper: (a) => (a.replyToId = '1700000000999') }],
];

test('tampered buttons: refused, nothing is decided', (t) =>
  aimed(async ({ rig, card, nothing }) => {
    for (const [what, more] of tampered)
      await t.test(`a button with ${what}`, async () => {
        const { status, body } = await rig.press(card, 'rosa', 'approve', more);
        assert.equal(status, 200);
        assert.match(body.value, /nothing was done/);
        await nothing();
      });
  }));

test('a press without a message, an account, an id, or as another kind of action, is none of our buttons', () =>
  aimed(async ({ rig, card, nothing }) => {
    const without: readonly ((activity: Loose) => void)[] = [
      (a) => delete a.replyToId,
      (a) => delete a.from.aadObjectId,
      (a) => (a.from.aadObjectId = '../../x'),
      (a) => delete a.id,
      (a) => (a.conversation.id = '../../evil'),
      (a) => (a.replyToId = '1/../../x'),
      (a) => (a.value.action.type = 'Action.Submit'),
      (a) => (a.value.action.verb = 'approveAll'),
      (a) => (a.value.action.verb = '__proto__'),
    ];
    for (const tamper of without) {
      const { body } = await rig.press(card, 'rosa', 'approve', { tamper });
      assert.equal(body.statusCode, 400);
    }
    await nothing();
  }));

test('the buttons of one card do nothing on another', () =>
  inRig(async (rig) => {
    const [one, other] = [await rig.bench.ask(), await rig.bench.ask()];
    const [mine, theirs] = [await rig.card(one), await rig.card(other)];
    const { body } = await rig.press(mine, 'rosa', 'approve', {
      tamper: (a) => (a.replyToId = theirs.message.id),
    });
    assert.match(body.value, /nothing was done/);
    assert.deepEqual([await rig.reviews(one), await rig.reviews(other)], [[], []]);
  }));

const strangers: readonly (readonly [what: string, member: (member: Loose) => Loose])[] = [
  [
    'a guest, whom Teams calls a user',
    (m) => ({ ...m, userPrincipalName: 'rosa_x.test#EXT#@contoso.onmicrosoft.com' }),
  ],
  ['a guest by role', (m) => ({ ...m, userRole: 'guest' })],
  ['somebody anonymous', (m) => ({ ...m, userRole: 'anonymous' })],
  ['somebody without a sign-in name', (m) => ({ ...m, userPrincipalName: undefined })],
  ['somebody of another directory', (m) => ({ ...m, tenantId: otherTenant })],
  ['somebody of no directory', (m) => ({ ...m, tenantId: undefined })],
  ['another person than who pressed', (m) => ({ ...m, aadObjectId: otherTenant, objectId: otherTenant })],
  ['another member than who pressed', (m) => ({ ...m, id: '29:1other' })],
  ['nobody', () => null],
  ['no object', () => 'x'],
];

test('pressed by somebody who is no full member: turned away, and an entry says so', (t) =>
  inRig(async (rig) => {
    const rosa = rig.platform.person('rosa');
    const right: Loose = rosa.member;
    for (const [at, [what, member]] of strangers.entries())
      await t.test(`Teams says that it is ${what}`, async () => {
        const approval = await rig.bench.ask();
        const card = await rig.card(approval);
        rosa.member = member(right);
        const { body } = await rig.press(card, 'rosa', 'approve');
        assert.match(body.value, /nothing was done|Guests decide nothing/);
        assert.deepEqual(await rig.reviews(approval), []);
        assert.deepEqual(await rig.bench.chat().open('teams'), [], 'it is not tried again');
        assert.equal((await rig.bench.entries('click.refused')).length, at + 1);
      });
  }));

test('while Teams cannot be asked who pressed, nothing is decided', () =>
  inRig(async (rig) => {
    const approval = await rig.bench.ask();
    const card = await rig.card(approval);
    for (const status of [429, 500, 502, 403]) {
      rig.platform.fail({ status });
      const { body } = await rig.press(card, 'rosa', 'approve');
      assert.match(body.value, /nothing was done/);
    }
    await rig.platform.breakDown();
    assert.match((await rig.press(card, 'rosa', 'approve')).body.value, /could not be asked/);
    assert.deepEqual(await rig.reviews(approval), []);
    await rig.platform.mend();
    await rig.press(card, 'rosa', 'approve');
    assert.deepEqual(await rig.reviews(approval), ['rosa approve teams'], 'a new press counts');
  }));

/** A server of the attacker's that writes down what it gets. */
async function withAttacker(
  work: (
    url: string,
    got: readonly { readonly path: string; readonly authorization: string | null }[],
  ) => Promise<void>,
): Promise<void> {
  const got: { path: string; authorization: string | null }[] = [];
  const server = await listening((request) => {
    got.push({ path: request.url ?? '', authorization: request.headers.authorization ?? null });
    return Promise.resolve({ status: 200, body: { id: '1' } });
  });
  try {
    await work(`http://127.0.0.1:${portOf(server)}/teams`, got);
  } finally {
    await closed(server);
  }
}

const withPlatform = async (work: (platform: Platform) => Promise<void>): Promise<void> => {
  const platform = await startPlatform();
  try {
    await work(platform);
  } finally {
    await platform.stop();
  }
};

test('a foreign address to answer at, in the body or in the token too: not one request arrives there', () =>
  withAttacker((evil, got) =>
    aimed(async ({ rig, pressed, nothing }) => {
      const said = { ...pressed, type: 'message', text: 'help', serviceUrl: evil };
      for (const activity of [{ ...pressed, serviceUrl: evil }, said])
        for (const signing of [
          {},
          { claims: { serviceurl: evil } },
          {
            claims: {
              iss: `https://sts.windows.net/${otherTenant}/`,
              aud: `api://${clientId}`,
              tid: otherTenant,
            },
          },
        ])
          assert.equal((await rig.send(activity, signing)).status, 401);
      await nothing();
      assert.deepEqual(got, []);
    }),
  ));

test('even where the SDK is led to a foreign address, it has no token, and nothing leaves', () =>
  withPlatform((platform) =>
    withAttacker(async (evil, got) => {
      const connector = createConnector(platform.settings, clock);
      const hear = { pressed: () => Promise.reject(new Error('not used')), told: () => Promise.resolve() };
      const { api } = await createSdk(platform.settings, connector, hear, () => undefined);
      // As though our door were not there: what the SDK's own handler of a request would do with a body.
      const led = api.clone({ serviceUrl: evil });
      const message: Loose = { type: 'message', text: 'x' };
      await assert.rejects(led.conversations.createActivity(channel, message), /is no address of Teams/);
      await assert.rejects(led.conversations.updateActivity(channel, '1', message), /is no address of Teams/);
      await assert.rejects(led.conversations.getMemberById(channel, 'x'), /is no address of Teams/);
      await assert.rejects(
        led.http.get(evil, { headers: { Authorization: 'Bearer x' } }),
        /is no address of Teams/,
      );
      assert.deepEqual(got, []);
      assert.equal(platform.tokens(), 0, 'no token was even asked for');
      // What it puts on by itself says nothing.
      await api.conversations.createActivity(encodeURIComponent(channel), cardMessage);
      assert.ok(platform.requests.every((one) => one.authorization?.startsWith('Bearer bot-token-')));
    }),
  ));

const cardMessage: Loose = { type: 'message', attachments: [] };

test('the way out: addresses that look like the connector’s get nothing', () =>
  withPlatform((platform) =>
    withAttacker(async (evil, got) => {
      const connector = createConnector(platform.settings, clock);
      const { origin, host } = new URL(platform.serviceUrl);
      for (const url of [
        evil,
        `${origin}@${new URL(evil).host}/teams`,
        `http://${host}.evil.test/`,
        `http://x@${host}/teams`,
        `https://${host}/teams`,
        `//${host}/teams`,
        'file:///etc/passwd',
        'nonsense',
        platform.settings.cloud.loginUrl,
      ])
        await assert.rejects(connector.call({ method: 'POST', url, body: '{}' }), /was not made/, url);
      assert.deepEqual([got, platform.requests], [[], []]);
    }),
  ));

test('a connector that redirects elsewhere is not followed', () =>
  withPlatform((platform) =>
    withAttacker(async (evil, got) => {
      const answers: number[] = [];
      const server = await listening(() => {
        const status = [301, 302, 307, 308][answers.length % 4] ?? 302;
        answers.push(status);
        return Promise.resolve({ status, body: null, headers: { location: evil } });
      });
      try {
        const origin = `http://127.0.0.1:${portOf(server)}`;
        const cloud = { ...platform.settings.cloud, serviceOrigins: [origin], serviceUrl: `${origin}/teams` };
        const connector = createConnector({ ...platform.settings, cloud }, clock);
        for (let at = 0; at < 4; at += 1) {
          const failed = await connector.call({ method: 'GET', url: `${origin}/teams/x` }).catch(failureOf);
          assert.ok('detail' in failed && failed.retryable, JSON.stringify(failed));
        }
        assert.deepEqual([answers.length, got], [4, []]);
      } finally {
        await closed(server);
      }
    }),
  ));

test('the SDK takes nothing from the environment: no secret, no address, no open door', () =>
  withPlatform(async (platform) => {
    const set = {
      CLIENT_ID: otherTenant,
      CLIENT_SECRET: 'from-the-environment',
      TENANT_ID: otherTenant,
      SERVICE_URL: 'https://evil.test',
      CLOUD: 'China',
      DANGEROUSLY_ALLOW_UNAUTHENTICATED_REQUESTS: 'true',
    };
    Object.assign(process.env, set);
    try {
      const connector = createConnector(platform.settings, clock);
      const hear = { pressed: () => Promise.reject(new Error('not used')), told: () => Promise.resolve() };
      const { api } = await createSdk(platform.settings, connector, hear, () => undefined);
      assert.equal(api.serviceUrl, platform.settings.cloud.serviceUrl);
      await api.conversations.createActivity(encodeURIComponent(channel), cardMessage);
      assert.equal(platform.messages.length, 1, 'with the configured credentials');
      assert.ok(
        new App({ clientId, dangerouslyAllowUnauthenticatedRequests: false }).credentials !== undefined,
        'the SDK would have taken them',
      );
    } finally {
      for (const name of Object.keys(set)) delete process.env[name];
    }
  }));

test('the bot’s secret and tokens are in nothing that operators read', () =>
  inRig(async (rig) => {
    rig.platform.revoke();
    await rig.again();
    const told = await rig.app().messenger.tell(rig.account('rosa').subject, { text: line('x'), url: null });
    assert.ok(!told.ok);
    assert.match(told.error.detail, /credentials \(invalid_client\)/);
    const all = JSON.stringify([rig.lines, rig.standings, told]);
    assert.ok(!all.includes(rig.platform.settings.clientSecret) && !all.includes('bot-token-'));
  }));
