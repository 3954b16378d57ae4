/**
 * Whoever can write the configuration is not whoever may say who people and agents are: a provider or an issuer that was not
 * accepted as it stands is not offered and not believed, also after a restart, and one that goes is gone at once.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { inForceNow } from '../../src/app/acceptance.ts';
import { asPersonId } from '../../src/core/ids.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { configDigest } from '../../src/core/steps/config.ts';
import { browserAt, redirectPath, type TestBrowser } from '../identity/support/people-gate.ts';
import { clientId, clientSecret, startProvider, type TestProvider } from '../identity/support/provider.ts';
import { eventually, operations, startTestGate, type TestGate } from '../support/gate.ts';
import { startIssuer, type TestIssuer } from '../support/issuer.ts';

/** Ada, Ben and Cleo accept changes; Eve does not. */
const people = `
people:
  - { id: ada, name: Ada Berg, groups: [admins] }
  - { id: ben, name: Ben Oz, groups: [admins] }
  - { id: cleo, name: Cleo Fry, groups: [admins] }
  - { id: eve, name: Eve Adams, groups: [sales], email: eve@acme.test }
  - { id: rosa, name: Rosa Diaz, groups: [data-owners] }
agents:
  - { id: crm-bot, owners: [rosa] }
  - { id: pay-bot, owners: [rosa] }
${operations}`;

const notAccepted = '401 Tokens of this issuer are not accepted here.';

let corp: TestProvider;
let evil: TestProvider;
let ci: TestIssuer;
let rogue: TestIssuer;
before(async () => {
  [corp, evil] = await Promise.all([startProvider(), startProvider()]);
  [ci, rogue] = await Promise.all([startIssuer(), startIssuer()]);
});
after(() => Promise.all([corp.close(), evil.close(), ci.close(), rogue.close()]));

const mapped = (map: string): string => `, groups: { claim: groups, map: ${map} }, scopes: [groups, email]`;
const provider = (id: string, { issuer }: { readonly issuer: string }, more = ''): string =>
  `  - { id: ${id}, name: Login ${id}, issuer: '${issuer}', clientId: ${clientId}, clientSecret: ${clientSecret}${more} }\n`;
const issuer = (one: TestIssuer, claims = '{ sub: svc:crm }', agent = 'crm-bot', more = ''): string =>
  `  - { issuer: '${one.url}'${more}, agents: [{ agent: ${agent}, claims: ${claims} }] }\n`;
const providers = (...all: readonly string[]): string =>
  all.length === 0 ? '' : `providers:\n${all.join('')}`;
const issuers = (...all: readonly string[]): string => (all.length === 0 ? '' : `issuers:\n${all.join('')}`);

interface Scene {
  readonly gate: TestGate;
  browser(): TestBrowser;
  /** Writes the file as whoever can write files does. */
  write(config: string): Promise<void>;
  /** The same, and waits until people are asked about it; answers what they see. */
  waits(config: string): Promise<string>;
  /** The same, until it is in force, and nobody is asked. */
  taken(config: string): Promise<void>;
  restart(): Promise<void>;
  approve(...by: readonly string[]): Promise<void>;
  /** What a token of an issuer is answered: the state of its action, or the status and why. */
  ask(by: TestIssuer, claims: object): Promise<string>;
  page(): Promise<string>;
}

async function scene(t: TestContext, config: string): Promise<Scene> {
  const gate = await startTestGate({ config });
  t.after(() => gate.stop());
  const ready = (): void => {
    for (const one of [corp, evil]) one.ready(gate.gate().origin + redirectPath);
  };
  ready();
  const parts = () => gate.gate().parts;
  const write = (text: string): Promise<void> =>
    writeFile(join(gate.folder, 'countersign.yaml'), `listen: 127.0.0.1:0\n${text}`);
  const candidate = () => parts().world.config().candidate;
  const written = async (text: string): Promise<void> => {
    const known = candidate();
    await write(text);
    await eventually(() => candidate() !== known, 'the file was read');
  };
  const live = async () => {
    const held = await parts().store.newestChange();
    return held?.approval == null || held.ending !== null || held.execution !== null ? undefined : held;
  };
  return {
    gate,
    browser: () => browserAt(gate, { corp, evil }),
    write,
    async waits(text) {
      await written(text);
      await eventually(
        async () => (await live())?.asked.action.input['candidate'] === candidate(),
        'people are asked about it',
      );
      return JSON.stringify((await live())?.asked.action.input);
    },
    async taken(text) {
      await written(text);
      await eventually(() => parts().world.config().left.length === 0, 'nothing is left');
      await eventually(async () => (await live()) === undefined, 'nobody is asked');
    },
    async restart() {
      await gate.restartFromDisk();
      ready();
    },
    async approve(...by) {
      const held = await live();
      assert.ok(held?.approval != null);
      for (const person of by) {
        const answer = await gate.call(
          await gate.token('person', person),
          'POST',
          `/v1/approvals/${held.approval.id}/reviews`,
          { decision: 'approve', digest: held.asked.digest },
        );
        assert.equal(answer.status, 201, JSON.stringify(answer.body));
      }
    },
    async ask(by, claims) {
      const token = await by.sign({ aud: gate.gate().origin, ...claims });
      const { status, body } = await gate.call(token, 'POST', '/v1/actions', {
        operation: 'shop___refund',
        input: { cents: 5 },
      });
      return status < 300 ? String(body.state) : `${status} ${String(body.detail)}`;
    },
    page: async () => (await (await fetch(`${gate.gate().url}/sign-in`)).text()).replaceAll(/\s+/g, ' '),
  };
}

/** A person's first account, without a visit to the provider. */
async function attach(one: Scene, person: string, issuerUrl: string, subject: string): Promise<void> {
  if (!corp.accounts.has(subject)) corp.accounts.set(subject, {});
  const { store, clock } = one.gate.gate().parts;
  const at = clock.nowMs();
  const linked = await store.change({
    kind: 'linkAccount',
    person: asPersonId(person),
    way: { via: { kind: 'link' }, countsFromMs: at, authAtMs: at },
    account: { kind: 'oidc', issuer: issuerUrl, subject, display: subject },
    code: null,
    coolOffMs: 0,
  });
  assert.ok(linked.ok, JSON.stringify(linked));
}

const base = (): string => people + providers(provider('corp', corp)) + issuers(issuer(ci));

test('a provider added on disk is not offered, also after a restart; with two approvals it is, without one', async (t) => {
  const one = await scene(t, base());
  const added = `${people}${providers(provider('corp', corp), provider('evil', evil, `, linkByEmail: dangerous-match-by-email${mapped('{ it: admins }')}`))}${issuers(issuer(ci))}`;
  const shown = await one.waits(added);
  assert.match(shown, /adds how people or agents sign in: provider evil/);
  assert.match(shown, /admins/);
  assert.ok(!shown.includes(clientSecret), 'no secret is shown or kept');
  evil.accounts.set('mallory', { email: 'eve@acme.test', emailVerified: true, groups: ['it'] });
  for (const again of [false, true]) {
    if (again) await one.restart();
    const page = await one.page();
    assert.match(page, /Continue with Login corp/);
    assert.doesNotMatch(page, /Login evil/);
    assert.match(page, /provider evil was added or changed, and waits for people to accept it/);
    const refused = await one.browser().post('/sign-in', { provider: 'evil' });
    assert.equal(refused.status, 403);
    assert.match(refused.text, /waits for people to accept it/);
  }
  assert.deepEqual(evil.asked, [], 'it was not even asked');
  await one.approve('ada', 'ben');
  assert.match(await one.page(), /Login evil/);
  const mallory = one.browser();
  await mallory.signIn('mallory', 'evil');
  assert.equal(await mallory.who(), 'eve');
});

test('what was begun with a provider is not finished with it once its change waits', async (t) => {
  const one = await scene(t, base());
  await attach(one, 'rosa', corp.issuer, 'rosa-1');
  const browser = one.browser();
  const back = await corp.visit(await browser.begin('corp'), 'rosa-1');
  await one.waits(people + providers(provider('corp', corp, ', scopes: [email]')) + issuers(issuer(ci)));
  const answer = await browser.back(back);
  assert.equal(answer.status, 403);
  assert.equal(await browser.who(), null);
});

test('groups that a changed map would claim are not claimed; whom both say stay, and are signed in still', async (t) => {
  const withMap = (map: string): string => people + providers(provider('corp', corp, mapped(map)));
  const one = await scene(t, withMap('{ team: data-owners, all: sales }'));
  corp.accounts.set('eve-1', { groups: ['team', 'all'] });
  await attach(one, 'eve', corp.issuer, 'eve-1');
  const eve = one.browser();
  await eve.signIn('eve-1');
  const groups = async (): Promise<readonly string[]> => {
    const { people: all } = await one.gate.gate().parts.store.directory();
    return (all.find(({ id }) => id === 'eve')?.groups ?? []).toSorted();
  };
  assert.deepEqual(await groups(), ['data-owners', 'sales']);
  const shown = await one.waits(withMap('{ team: data-owners, all: admins }'));
  assert.match(shown, /changes how people or agents sign in: provider corp/);
  for (const again of [false, true]) {
    if (again) await one.restart();
    assert.equal((await one.browser().post('/sign-in', { provider: 'corp' })).status, 403);
    assert.deepEqual(await groups(), ['data-owners', 'sales']);
  }
  assert.equal(await eve.who(), 'eve', 'else nobody might be left who could accept it');
  await one.approve('ben', 'cleo');
  await eve.signIn('eve-1');
  assert.deepEqual(await groups(), ['admins', 'data-owners', 'sales']);
  const { people: all } = await one.gate.gate().parts.store.directory();
  assert.ok(JSON.stringify(all.find(({ id }) => id === 'eve')?.fresh).includes('admins'), 'and counts later');
});

test('another issuer behind the name of a provider signs nobody in, and sessions of the one before end', async (t) => {
  const one = await scene(t, base());
  await attach(one, 'ada', corp.issuer, 'ada-1');
  const ada = one.browser();
  await ada.signIn('ada-1');
  assert.equal(await ada.who(), 'ada');
  await one.waits(people + providers(provider('corp', evil)) + issuers(issuer(ci)));
  assert.equal(await ada.who(), null);
  const asked = evil.asked.length;
  assert.equal((await one.browser().post('/sign-in', { provider: 'corp' })).status, 403);
  assert.equal(evil.asked.length, asked);
  // Back to what was accepted: nobody needs to be asked about that.
  await one.taken(base());
  assert.equal(await ada.who(), 'ada');
});

test('a provider that is taken away is gone at once, with what it claimed; to come back it needs people', async (t) => {
  const first =
    people + providers(provider('corp', corp, mapped('{ team: data-owners }')), provider('evil', evil));
  const one = await scene(t, first);
  corp.accounts.set('eve-2', { groups: ['team'] });
  await attach(one, 'eve', corp.issuer, 'eve-2');
  const eve = one.browser();
  await eve.signIn('eve-2');
  const memberships = async (): Promise<string> =>
    JSON.stringify((await one.gate.gate().parts.store.directory()).people.find(({ id }) => id === 'eve'));
  assert.match(await memberships(), /data-owners/);
  await one.taken(people + providers(provider('evil', evil)));
  assert.equal(await eve.who(), null);
  assert.doesNotMatch(await memberships(), /data-owners/);
  assert.doesNotMatch(await one.page(), /corp/);
  await one.waits(first);
  assert.equal(await eve.who(), null);
  assert.match(await one.page(), /provider corp was added or changed/);
});

test('an issuer added on disk makes nobody an agent, also after a restart; with two approvals it does, without one', async (t) => {
  const one = await scene(t, base());
  assert.equal(await one.ask(ci, { sub: 'svc:crm' }), 'ready');
  const added =
    people +
    providers(provider('corp', corp)) +
    issuers(issuer(ci), issuer(rogue, '{ sub: me }', 'pay-bot', ', authorizationServer: true'));
  assert.match(await one.waits(added), /adds how people or agents sign in: issuer http/);
  for (const again of [false, true]) {
    if (again) await one.restart();
    assert.equal(await one.ask(rogue, { sub: 'me' }), notAccepted);
    assert.equal(await one.ask(ci, { sub: 'svc:crm' }), 'ready', 'nothing else stops');
    const metadata = await fetch(`${one.gate.gate().url}/.well-known/oauth-protected-resource`);
    assert.ok(!(await metadata.text()).includes(rogue.url), 'nor is anybody sent there');
  }
  assert.equal(rogue.asked.size, 0, 'its keys were not even fetched');
  await one.approve('ada');
  assert.equal(await one.ask(rogue, { sub: 'me' }), notAccepted, 'one of two is not enough');
  await one.approve('cleo');
  assert.equal(await one.ask(rogue, { sub: 'me' }), 'ready');
});

test('changed claims, keys, people or audience of an issuer: none of its tokens is taken until it is accepted', async (t) => {
  const one = await scene(t, base());
  const own = { sub: 'svc:crm' };
  const changed = [
    issuer(ci, '{ sub: svc:anybody }'),
    issuer(ci, '{ sub: svc:crm }', 'pay-bot'),
    issuer(ci, '{ sub: svc:crm }', 'crm-bot', `, jwks: '${rogue.url}/jwks'`),
    issuer(ci, '{ sub: svc:crm }', 'crm-bot', ', audience: elsewhere'),
    issuer(ci, '{ sub: svc:crm }', 'crm-bot', ', people: { ids: { u1: ada } }'),
  ];
  for (const block of changed) {
    await one.waits(people + providers(provider('corp', corp)) + issuers(block));
    for (const claims of [own, { sub: 'svc:anybody' }])
      assert.equal(await one.ask(ci, claims), notAccepted, block);
  }
  const forged = await rogue.sign({ iss: ci.url, aud: one.gate.gate().origin, ...own });
  assert.equal(
    (await one.gate.call(forged, 'POST', '/v1/actions', { operation: 'shop___refund', input: { cents: 5 } }))
      .status,
    401,
  );
  await one.restart();
  assert.equal(await one.ask(ci, own), notAccepted);
  await one.taken(base());
  assert.equal(await one.ask(ci, own), 'ready', 'as it was accepted');
});

test('the keys of an issuer in a file are a part of what is accepted', async (t) => {
  const one = await scene(t, people);
  const keys = (of: TestIssuer): Promise<void> =>
    writeFile(join(one.gate.folder, 'jwks.json'), JSON.stringify({ keys: [of.key.publicJwk] }));
  await keys(ci);
  const config =
    people + issuers(issuer(ci, '{ sub: svc:crm }', 'crm-bot', ', jwks: { fromFile: ./jwks.json }'));
  await one.waits(config);
  await one.approve('ada', 'ben');
  assert.equal(await one.ask(ci, { sub: 'svc:crm' }), 'ready');
  await keys(rogue);
  await one.restart();
  const forged = await rogue.sign({ iss: ci.url, aud: one.gate.gate().origin, sub: 'svc:crm' });
  const answer = await one.gate.call(forged, 'POST', '/v1/actions', {
    operation: 'shop___refund',
    input: { cents: 5 },
  });
  assert.deepEqual(
    [answer.status, answer.body.detail],
    [401, 'Tokens of this issuer are not accepted here.'],
  );
});

test('an issuer that is taken away is gone at once; to come back it needs people', async (t) => {
  const one = await scene(t, base());
  assert.equal(await one.ask(ci, { sub: 'svc:crm' }), 'ready');
  await one.taken(people + providers(provider('corp', corp)));
  assert.equal(await one.ask(ci, { sub: 'svc:crm' }), notAccepted);
  await one.waits(base());
  assert.equal(await one.ask(ci, { sub: 'svc:crm' }), notAccepted);
  await one.restart();
  assert.equal(await one.ask(ci, { sub: 'svc:crm' }), notAccepted);
});

test('settings: what asks for more is in force at once, what asks for less waits, and going back is asking for less', async (t) => {
  const one = await scene(t, base());
  const now = () => one.gate.gate().parts.world.signIn();
  const settings = (): readonly unknown[] => {
    const { idleMs, absoluteMs, signInLinks, coolOffMs } = now().people;
    return [idleMs, absoluteMs, coolOffMs, signInLinks, now().allowVirtualAuthenticator];
  };
  const hour = 3_600_000;
  const asFirst = [hour, 12 * hour, 24 * hour, true, false];
  assert.deepEqual(settings(), asFirst);
  const loose = `sessions: { idle: PT8H, absolute: P3D }\nlimits: { coolOff: PT1S }\npasskeys: { allowVirtualAuthenticator: true }\n`;
  const shown = await one.waits(base() + loose);
  for (const words of [
    'sets sessions.idle to 8 h (was 1 h)',
    'sets sessions.absolute to 3 d (was 12 h)',
    'sets limits.coolOff to 1 s (was 1 d)',
    'sets passkeys.allowVirtualAuthenticator to true (was false)',
  ])
    assert.ok(shown.includes(words), words);
  assert.deepEqual(settings(), asFirst);
  await one.restart();
  assert.deepEqual(settings(), asFirst);
  assert.equal(one.gate.gate().parts.limits.coolOffMs, 24 * hour);
  const rosa = one.browser();
  await rosa.byLink('rosa');
  assert.equal(await rosa.who(), 'rosa');
  const strict = `sessions: { idle: PT10M, absolute: PT2H }\nlimits: { coolOff: P2D }\nsignInLinks: false\n`;
  await one.taken(base() + strict);
  const asStrict = [hour / 6, 2 * hour, 48 * hour, false, false];
  assert.deepEqual(settings(), asStrict);
  assert.equal(one.gate.gate().parts.limits.coolOffMs, 48 * hour);
  assert.equal(await rosa.who(), null);
  assert.equal((await one.browser().byLink('rosa')).status, 403);
  await one.waits(base());
  assert.deepEqual(settings(), asStrict);
  await one.approve('ada', 'ben');
  assert.deepEqual(settings(), asFirst);
});

test('a store from before this part takes over what it finds, once', async (t) => {
  const one = await scene(t, base());
  const { store } = one.gate.gate().parts;
  const { configuration, versions } = await inForceNow(store);
  const { signIn: _signIn, ...older } = configuration.servers;
  // JSON by construction.
  const body = older as unknown as JsonObject;
  const written = await store.change({
    kind: 'accept',
    how: 'machine',
    parts: [{ what: 'servers', body, digest: configDigest(body) }],
    by: { kind: 'operator' },
    expected: versions,
  });
  assert.ok(written.ok);
  await one.restart();
  assert.equal(await one.ask(ci, { sub: 'svc:crm' }), 'ready');
  const taken = (await one.gate.gate().parts.store.entries(-1, 1000))
    .map(({ entry }) => entry)
    .filter((entry) => entry.type === 'servers.accepted')
    .at(-1);
  assert.equal(taken?.data['how'], 'first');
  assert.match(JSON.stringify(taken.data['changes']), /takes over how people and agents sign in/);
  await one.waits(base() + issuer(rogue, '{ sub: me }'));
  assert.equal(await one.ask(rogue, { sub: 'me' }), notAccepted);
});

test('a company of one person is not asked', async (t) => {
  const alone = `people:\n  - { id: rosa, name: Rosa Diaz }\nagents:\n  - { id: crm-bot, owners: [rosa] }\n${operations}`;
  const one = await scene(t, alone);
  await one.taken(alone + issuers(issuer(ci)) + providers(provider('corp', corp)));
  assert.equal(await one.ask(ci, { sub: 'svc:crm' }), 'ready');
  assert.match(await one.page(), /Login corp/);
});
