/**
 * More of the door to Teams: bodies that two readers could read differently, addresses that are spelt differently, tokens with odd
 * headers, and keys that are not to be had.
 */
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { test } from 'node:test';
import { generateKeyPair, exportJWK, SignJWT } from 'jose';
import { createKeys, keysCoolDownMs, keysKeptMs } from '../../src/channels/teams/keys.ts';
import { judgeOrigin } from '../../src/channels/teams/origin.ts';
import { messagesPath } from '../../src/channels/teams/teams.ts';
import type { TeamsSettings } from '../../src/ports/channel-settings.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { inRig } from '../channels/teams/support/rig.ts';
import {
  clientId,
  closed,
  listening,
  portOf,
  tenant,
  type Loose,
} from '../channels/teams/support/platform.ts';

test('a body that is packed, of another alphabet, or with a mark before it: 401, whatever its headers say', () =>
  inRig(async (rig) => {
    const approval = await rig.bench.ask();
    const card = await rig.card(approval);
    const text = JSON.stringify(rig.pressed(card, 'rosa', 'approve'));
    const bodies: readonly (readonly [Uint8Array, Record<string, string>])[] = [
      [gzipSync(text), { 'content-encoding': 'gzip' }],
      [Buffer.from(text, 'utf16le'), { 'content-type': 'application/json; charset=utf-16le' }],
      [Buffer.from(`\u{feff}${text}`), {}],
      [Buffer.from(text.replace('{', '{"__proto__":{"type":"invoke"},')), {}],
      [Buffer.from(text.replace('"b":"', '"\\u0062":"x","b":"')), {}],
      [Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.from([0xff, 0x7d])]), {}],
    ];
    for (const [body, headers] of bodies) {
      const response = await rig.app().handle(
        new Request(new URL(messagesPath, 'http://localhost'), {
          method: 'POST',
          headers: { authorization: `Bearer ${await rig.platform.token()}`, ...headers },
          body,
        }),
      );
      assert.equal(response?.status, 401);
    }
    assert.deepEqual(await rig.reviews(approval), []);
  }));

test('lists in the place of texts are no texts', () =>
  inRig(async (rig) => {
    const approval = await rig.bench.ask();
    const card = await rig.card(approval);
    const lists: readonly ((a: Loose) => void)[] = [
      (a) => (a.serviceUrl = [a.serviceUrl]),
      (a) => (a.channelId = ['msteams']),
      (a) => (a.channelData = [a.channelData]),
      (a) => (a.channelData.tenant.id = [tenant]),
      (a) => (a.recipient.id = [a.recipient.id]),
    ];
    for (const tamper of lists)
      assert.equal((await rig.press(card, 'rosa', 'approve', { tamper })).status, 401);
    const inside: readonly ((a: Loose) => void)[] = [
      (a) => (a.from.aadObjectId = [a.from.aadObjectId]),
      (a) => (a.from = [a.from]),
      (a) => (a.conversation.id = [a.conversation.id]),
      (a) => (a.replyToId = [a.replyToId]),
      (a) => (a.id = [a.id]),
      (a) => (a.value.action.verb = ['approve']),
      (a) => (a.value.action = [a.value.action]),
    ];
    for (const tamper of inside) {
      const { body } = await rig.press(card, 'rosa', 'approve', { tamper });
      assert.equal(body.statusCode, 400);
    }
    assert.deepEqual(await rig.reviews(approval), []);
  }));

const settings: TeamsSettings = {
  tenant,
  clientId,
  clientSecret: 'x',
  cloud: {
    issuer: 'https://api.botframework.com',
    jwksUrl: 'https://login.botframework.com/v1/.well-known/keys',
    serviceOrigins: ['https://smba.trafficmanager.net'],
    serviceUrl: 'https://smba.trafficmanager.net/teams',
    loginUrl: 'https://login.microsoftonline.com',
  },
};

const from = (serviceUrl: string): JsonObject => ({
  serviceUrl,
  channelId: 'msteams',
  channelData: { tenant: { id: tenant } },
  recipient: { id: `28:${clientId}` },
});

test('an address that is spelt like the connector’s, in the body and in the token', () => {
  for (const same of [
    'https://smba.trafficmanager.net/emea/',
    'https://SMBA.TrafficManager.net/teams',
    'https://smba.trafficmanager.net:443/teams',
  ])
    assert.equal(judgeOrigin(from(same), same, settings), null, same);
  for (const other of [
    'https://smba.trafficmanager.net./teams',
    'https://smba.trafficmanager.net:8443/teams',
    'http://smba.trafficmanager.net/teams',
    'https://smba.trafficmanager.net@evil.test/teams',
    'https://evil.test#@smba.trafficmanager.net/',
    'https://smba.trafficmanager.net.evil.test/',
    'https://\u0455mba.trafficmanager.net/teams', // a Cyrillic letter
    'https://smba\u3002trafficmanager.net.evil.test/',
    'https://x:@smba.trafficmanager.net/teams',
    'javascript://smba.trafficmanager.net/%0aalert(1)',
    'smba.trafficmanager.net/teams',
  ])
    assert.notEqual(judgeOrigin(from(other), other, settings), null, other);
  const url = 'https://smba.trafficmanager.net/teams';
  for (const claimed of [[url], { url }, null, undefined, '', `${url}/x`, `${url}//`])
    assert.notEqual(judgeOrigin(from(url), claimed, settings), null, JSON.stringify(claimed));
});

test('tokens with odd headers', () =>
  inRig(async (rig) => {
    const approval = await rig.bench.ask();
    const card = await rig.card(approval);
    for (const header of [
      { kid: '__proto__' },
      { kid: 'constructor' },
      { kid: '' },
      { crit: ['exp'], exp: 1 },
      { crit: ['b64'], b64: false },
    ]) {
      const token = await rig.platform.token({ header }).catch(() => null);
      if (token === null) continue; // the library does not even make it
      const activity = rig.pressed(card, 'rosa', 'approve');
      assert.equal((await rig.sendWith(activity, `Bearer ${token}`)).status, 401, JSON.stringify(header));
    }
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
    const forged = await new SignJWT({ aud: clientId, serviceurl: rig.platform.serviceUrl })
      .setIssuer('https://api.botframework.com')
      .setExpirationTime('1h')
      .setProtectedHeader({ alg: 'RS256', kid: 'good', jwk: await exportJWK(publicKey) })
      .sign(privateKey);
    assert.equal((await rig.sendWith(rig.pressed(card, 'rosa', 'approve'), `Bearer ${forged}`)).status, 401);
    assert.deepEqual(await rig.reviews(approval), []);
  }));

test('keys that cannot be fetched are good for a day and no longer; what is no key set changes nothing', async () => {
  const { publicKey } = await generateKeyPair('RS256', { extractable: true });
  const key = { ...(await exportJWK(publicKey)), kid: 'one', use: 'sig' };
  let answer: { readonly status: number; readonly body: unknown } = { status: 200, body: { keys: [key] } };
  const server = await listening(() => Promise.resolve(answer));
  let nowMs = 1_800_000_000_000;
  try {
    const keys = createKeys(
      `http://127.0.0.1:${portOf(server)}/keys`,
      { nowMs: () => nowMs },
      () => undefined,
    );
    assert.ok((await keys('one')) !== undefined);
    for (const bad of [
      { status: 503, body: { keys: [] } },
      { status: 200, body: null },
      { status: 200, body: { keys: 'x' } },
      { status: 200, body: { keys: Array.from({ length: 101 }, () => key) } },
    ]) {
      answer = bad;
      nowMs += keysCoolDownMs + 3_600_000;
      assert.ok((await keys('one')) !== undefined, JSON.stringify(bad).slice(0, 80));
      assert.equal(await keys('two'), undefined);
    }
    nowMs += keysKeptMs;
    assert.equal(await keys('one'), undefined, 'a day later it is not known whose key it is');
    // One that was taken back is good no more.
    answer = { status: 200, body: { keys: [] } };
    nowMs += keysCoolDownMs;
    assert.equal(await keys('one'), undefined);
  } finally {
    await closed(server);
  }
});
