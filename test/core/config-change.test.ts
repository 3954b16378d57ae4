/** Changes of who may do what: what differs, and what tightens. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AcceptedServers, Itemised, PolicyItem } from '../../src/core/config-change.ts';
import { differenceOf, tightened } from '../../src/core/config-change/compare.ts';
import { isServed } from '../../src/core/config-change/servers.ts';
import { isAcceptedSignIn } from '../../src/core/config-change/sign-in.ts';
import type { Directory } from '../../src/core/directory.ts';
import { asGroupId } from '../../src/core/ids.ts';
import type { JsonValue } from '../../src/core/json.ts';
import {
  agent,
  ask,
  directory,
  item,
  itemised,
  keep,
  operation,
  person,
  profile,
  server,
} from '../support/configurations.ts';
import type { requirement } from '../support/world.ts';

const told = (a: Itemised, b: Itemised): readonly string[] =>
  differenceOf(a, b).map(({ says, tightens }) => `${tightens ? 'tightens' : 'waits'}: ${says}`);
const policies = (
  a: readonly PolicyItem[],
  b: readonly PolicyItem[],
  servers: Partial<AcceptedServers> = {},
) => {
  const [accepted, found] = [itemised({ items: a, servers }), itemised({ items: b, servers })];
  return { told: told(accepted, found), ...tightened(accepted, found).policies };
};

test('an added forbid and a deleted permit tighten; an added permit and a deleted forbid wait', () => {
  assert.deepEqual(policies([item('p', 'permit')], [item('f', 'forbid')]), {
    told: ['tightens: removes the permit p', 'tightens: adds the forbid f'],
    withdraw: ['p'],
    replace: [],
    add: ['f'],
  });
  assert.deepEqual(policies([item('f', 'forbid')], [item('p', 'permit')]), {
    told: ['waits: removes the forbid f', 'waits: adds the permit p'],
    ...keep,
  });
  assert.deepEqual(policies([], [ask('a', { quorum: 2 })]).told, [
    'tightens: adds the forbid a, which 2 of data-owners can lift',
  ]);
});

test('another @id for a permit is no deletion: it stays until the new one is accepted', () => {
  const again = policies([item('p', 'permit')], [item('q', 'permit')]);
  assert.deepEqual(again, {
    told: ['waits: removes the permit p, which comes again as q', 'waits: adds the permit q'],
    ...keep,
  });
});

test('a permit that becomes a forbid of the same id, and the other way round, wait whole', () => {
  assert.deepEqual(policies([item('p', 'permit')], [item('p', 'forbid')]), {
    told: ['waits: makes the permit p a forbid'],
    ...keep,
  });
  assert.deepEqual(policies([item('p', 'forbid')], [item('p', 'permit')]).add, []);
  assert.deepEqual(policies([item('p', 'forbid')], [item('p', 'permit')]).withdraw, []);
});

test('changed text, whens and unlesses wait, of permits and of forbids', () => {
  for (const effect of ['permit', 'forbid'] as const)
    assert.deepEqual(
      policies([item('x', effect)], [item('x', effect, { body: `${effect} when { false && true }` })]),
      {
        told: [`waits: changes the text of the ${effect} x`],
        ...keep,
      },
    );
});

test('a moved policy, or one that is laid out otherwise, is no difference', () => {
  const moved = item('p', 'permit', {
    file: 'b.cedar',
    text: '// hello\n@id("p") permit(principal,action,resource)',
  });
  assert.deepEqual(policies([item('p', 'permit')], [moved]), { told: [], ...keep });
});

test('a requirement that asks for more tightens: people, passkey, reason, channels', () => {
  const cases: readonly (readonly [Parameters<typeof requirement>[2], Record<string, string>])[] = [
    [{ quorum: 2 }, { quorum: '2' }],
    [{ quorum: 50 }, { quorum: '50' }],
    [{ stepUp: 'passkey' }, { step_up: 'passkey' }],
    [{ reasonRequired: true }, { reason: 'required' }],
    [{ channels: ['web'] }, { channels: 'web' }],
  ];
  for (const [more, annotations] of cases) {
    const [plain, strict] = [ask('a'), ask('a', more, annotations)];
    assert.deepEqual(policies([plain], [strict]).replace, ['a'], JSON.stringify(more));
    assert.deepEqual(policies([strict], [plain]).replace, [], `the other way round: ${JSON.stringify(more)}`);
    assert.match(policies([strict], [plain]).told.join(), /^waits: changes the forbid a/);
  }
  const [some, fewer, others] = [['web', 'cli'], ['cli'], ['slack']].map((channels) =>
    ask('a', { channels }, { channels: channels.join(' ') }),
  );
  assert.ok(some && fewer && others);
  assert.deepEqual(policies([some], [fewer]).replace, ['a']);
  assert.deepEqual(policies([fewer], [some]).replace, []);
  assert.deepEqual(policies([fewer], [others]).replace, []);
});

test('a raised quorum beside anything that does not tighten waits with it', () => {
  const raised = (more: Parameters<typeof requirement>[2], annotations: Record<string, string>) =>
    policies([ask('a')], [ask('a', { quorum: 2, ...more }, { quorum: '2', ...annotations })]);
  assert.deepEqual(raised({ approvers: asGroupId('friends') }, {}), {
    told: [
      'waits: changes the forbid a, which 1 of data-owners can lift: approvers from data-owners to friends and quorum from 1 to 2',
    ],
    ...keep,
  });
  assert.deepEqual(raised({ ttlMs: 1 }, { ttl: 'PT1H' }).replace, []);
  assert.deepEqual(
    raised({ escalate: { afterMs: 60_000, group: asGroupId('friends') } }, { escalate: 'PT1M friends' })
      .replace,
    [],
  );
  assert.deepEqual(raised({}, { tell_agent: '' }).replace, []);
  assert.deepEqual(raised({}, { title: 'Another title' }).replace, []);
});

test('a forbid may not declare an operation that was none: a permit for all would allow it', () => {
  const on = (...actions: string[]) => item('f', 'forbid', { actions });
  const permit = item('p', 'permit');
  assert.deepEqual(policies([permit], [permit, on('ghost___haunt')]).add, []);
  assert.deepEqual(policies([permit], [permit, on('ghost___haunt:input')]).add, []);
  assert.deepEqual(
    policies([permit], [permit, on('crm___x', 'ghost___haunt')], { servers: [server('crm')] }).add,
    [],
  );
  assert.deepEqual(policies([permit], [permit, on('crm___x')], { servers: [server('crm')] }).add, ['f']);
  assert.deepEqual(
    policies([permit], [permit, on('pay___out')], { operations: [operation('pay___out')] }).add,
    ['f'],
  );
  const named = item('p', 'permit', { actions: ['ghost___haunt'] });
  assert.deepEqual(policies([named], [named, on('ghost___haunt')]).add, ['f']);
  assert.deepEqual(policies([named], [named, on('approve')]).add, ['f']);
});

test('a forbid on what people read waits: it could hide what goes on', () => {
  const reads = item('f', 'forbid', { actions: ['read_log'] });
  assert.deepEqual(policies([], [reads]), { told: ['waits: adds the forbid f'], ...keep });
  assert.deepEqual(policies([], [item('f', 'forbid', { actions: ['lift'] })]).add, ['f']);
});

test('a withdrawn permit that permits again waits; its going and one more withdrawal do not', () => {
  const [p, gone] = [item('p', 'permit'), item('p', 'permit', { withdrawn: true })];
  assert.deepEqual(policies([gone], [p]), { told: ['waits: lets the permit p permit again'], ...keep });
  assert.deepEqual(policies([gone], []), {
    told: ['tightens: removes the permit p, which permits nothing any more'],
    ...keep,
  });
  assert.deepEqual(policies([p], [gone]).withdraw, ['p']);
});

test('people and agents: leaving tightens and keeps them in the directory; all else waits', () => {
  const before = directory(
    [person('sam', 'a', 'b'), person('rosa', 'a'), person('lee')],
    [agent('bot', 'sam'), agent('old', 'lee')],
  );
  const after: Directory = {
    people: [person('sam', 'b', 'c'), { ...person('rosa', 'a'), active: false }, person('new', 'a')],
    agents: [{ ...agent('bot', 'rosa'), groups: [asGroupId('g')] }, agent('more', 'sam')],
    roles: { operators: asGroupId('a'), auditors: null, adminsQuorum: 1 },
  };
  const [accepted, found] = [itemised({ directory: before }), itemised({ directory: after })];
  assert.deepEqual(told(accepted, found), [
    'waits: sets roles.adminsQuorum to 1 (was its default)',
    'waits: sets roles.operators to a (was its default)',
    'tightens: removes sam (sam) from a',
    'waits: adds sam (sam) to c',
    'tightens: deactivates rosa (rosa)',
    'tightens: removes lee (lee)',
    'waits: adds new (new) in a',
    'waits: gives the agent bot to rosa (was sam)',
    'waits: puts the agent bot in g (was in none)',
    'tightens: removes the agent old',
    'waits: adds the agent more, owned by sam',
  ]);
  const { directory: tight } = tightened(accepted, found);
  assert.deepEqual(tight, {
    people: [
      person('sam', 'b'),
      { ...person('rosa', 'a'), active: false },
      { ...person('lee'), active: false },
    ],
    agents: [agent('bot', 'sam'), { ...agent('old', 'lee'), active: false }],
    roles: before.roles,
  });
  assert.deepEqual(told(itemised({ directory: tight }), itemised({ directory: before })).toSorted(), [
    'waits: activates lee (lee)',
    'waits: activates rosa (rosa)',
    'waits: activates the agent old',
    'waits: adds sam (sam) to a',
  ]);
});

test('a person and an agent of the same id are two', () => {
  const one = itemised({ directory: directory([person('x')], []) });
  const two = itemised({ directory: directory([person('x')], [agent('x', 'x')]) });
  assert.deepEqual(told(one, two), ['waits: adds the agent x, owned by x']);
});

test('going out of a group that a policy reads waits', () => {
  const [before, after] = [directory([person('sam', 'contractors')]), directory([person('sam')])];
  for (const groups of ['any', ['contractors']] as const) {
    const items = [item('f', 'forbid', { actions: ['approve'], groups })];
    const [accepted, found] = [itemised({ items, directory: before }), itemised({ items, directory: after })];
    assert.deepEqual(told(accepted, found), [
      'waits: removes sam (sam) from contractors, and a policy may forbid less then',
    ]);
    assert.deepEqual(tightened(accepted, found).directory, before);
    // The policy may not go in the same change to clear the way.
    assert.deepEqual(tightened(accepted, itemised({ directory: after })).directory, before);
  }
});

test('servers and operations: less of them and more enforcement tightens; what stands behind a name waits', () => {
  const accepted = itemised({
    servers: {
      servers: [server('crm', { mode: 'observe', modes: { a: 'observe' } }), server('files'), server('old')],
      operations: [operation('pay___out', { mode: 'observe' }), operation('pay___in')],
    },
  });
  const found = itemised({
    servers: {
      servers: [
        server('crm', { modes: { a: 'enforce', b: 'observe' }, pin: 'manual' }),
        server('files', {
          upstream: { kind: 'command', argv: ['evil', '--now'], cwd: '/', env: {} },
          modes: { read: 'observe' },
          tools: { read: profile },
        }),
        server('new', { mode: 'observe' }),
      ],
      operations: [
        operation('pay___out', { input: { type: 'object', required: [] } }),
        operation('pay___back', { profile }),
      ],
    },
  });
  assert.deepEqual(told(accepted, found), [
    'tightens: sets pin of the server crm to manual (was first-sight)',
    'tightens: enforces the server crm',
    'tightens: enforces crm___a',
    'waits: changes what is behind the server files: the command evil --now (was at https://files.example/mcp)',
    'waits: only observes files___read',
    'waits: adds the profile of files___read',
    'tightens: removes the server old',
    'waits: adds the server new, at https://new.example/mcp, only observed',
    'waits: changes the input of pay___out',
    'tightens: enforces pay___out',
    'tightens: removes the operation pay___in',
    'waits: adds the operation pay___back',
  ]);
  const { servers } = tightened(accepted, found);
  assert.deepEqual(servers, {
    servers: [
      server('crm', { pin: 'manual', modes: { a: 'enforce', b: 'observe' } }),
      server('files'),
      { ...server('old'), active: false },
    ],
    operations: [operation('pay___out'), { ...operation('pay___in'), active: false }],
  });
  const served = (name: string): boolean | undefined => {
    const one = found.servers.servers.find((each) => each.name === name);
    return one && isServed(servers, one);
  };
  assert.deepEqual([served('crm'), served('files'), served('new')], [true, false, false]);
  assert.equal(isServed(servers, server('old')), false);
});

test('types and attributes wait; the order of entities and files says nothing', () => {
  const entity = (id: string, open: boolean) => ({
    uid: { type: 'Dataset', id },
    attrs: { open },
    parents: [],
  });
  const one = itemised({
    schemas: [{ file: 'a.cedarschema', text: 'entity A;' }],
    entities: [entity('x', true), entity('y', true)],
  });
  const same = itemised({
    schemas: [{ file: 'a.cedarschema', text: 'entity A;' }],
    entities: [entity('y', true), entity('x', true)],
  });
  assert.deepEqual(told(one, same), []);
  const other = itemised({
    schemas: [{ file: 'a.cedarschema', text: 'entity B;' }],
    entities: [entity('x', false), entity('z', true)],
  });
  assert.deepEqual(told(one, other), [
    'waits: changes a.cedarschema',
    'waits: changes the entity Dataset::"x"',
    'waits: removes the entity Dataset::"y"',
    'waits: adds the entity Dataset::"z"',
  ]);
  // What cannot be told apart by name is one difference, whole: a second entity of the same name hides nothing.
  const twice = itemised({ entities: [entity('x', true), entity('x', false)] });
  assert.deepEqual(told(itemised({ entities: [entity('x', true)] }), twice), [
    'waits: changes entities.json',
  ]);
});

test('how people and agents sign in waits, whatever changes of it, and is not used before', () => {
  const provider = (issuer: string) => ({ issuer, groups: { it: 'admins' } });
  const accepted = itemised({
    servers: { signIn: { 'provider a': provider('https://a.example'), links: true } },
  });
  const found = itemised({
    servers: { signIn: { 'provider a': provider('https://evil.example'), 'issuer b': 'x' } },
  });
  assert.deepEqual(told(accepted, found), [
    'waits: adds how people or agents sign in: issuer b',
    'waits: removes how people or agents sign in: links',
    'waits: changes how people or agents sign in: provider a',
  ]);
  const { servers } = tightened(accepted, found);
  assert.deepEqual(servers, accepted.servers);
  assert.equal(isAcceptedSignIn(servers, 'provider a', provider('https://a.example')), true);
  assert.equal(isAcceptedSignIn(servers, 'provider a', provider('https://evil.example')), false);
  assert.equal(isAcceptedSignIn(servers, 'issuer b', 'x'), false);
  assert.deepEqual(told(itemised({}), itemised({})), [], 'where none is compared, none differs');
});

test('of ways to sign in, what goes and what asks for more is in force at once; nothing else is', () => {
  const hour = 3_600_000;
  const loose = {
    'provider a': { issuer: 'https://a.example' },
    'issuer https://b.example': { agents: [] },
    'sessions.idle': 2 * hour,
    'sessions.absolute': 12 * hour,
    'limits.coolOff': hour,
    signInLinks: true,
    'passkeys.allowVirtualAuthenticator': true,
    later: 1,
  };
  const strict = {
    'sessions.idle': hour,
    'sessions.absolute': hour,
    'limits.coolOff': 24 * hour,
    signInLinks: false,
    'passkeys.allowVirtualAuthenticator': false,
  };
  const of = (signIn: Readonly<Record<string, JsonValue>>) => itemised({ servers: { signIn } });
  assert.deepEqual(told(of(loose), of(strict)), [
    'tightens: removes how people or agents sign in: issuer https://b.example',
    'waits: removes how people or agents sign in: later',
    'tightens: sets limits.coolOff to 1 d (was 1 h)',
    'tightens: sets passkeys.allowVirtualAuthenticator to false (was true)',
    'tightens: removes how people or agents sign in: provider a',
    'tightens: sets sessions.absolute to 1 h (was 12 h)',
    'tightens: sets sessions.idle to 1 h (was 2 h)',
    'tightens: sets signInLinks to false (was true)',
  ]);
  assert.deepEqual(tightened(of(loose), of(strict)).servers.signIn, { ...strict, later: 1 });
  assert.ok(told(of(strict), of(loose)).every((one) => one.startsWith('waits: ')));
  assert.deepEqual(tightened(of(strict), of(loose)).servers.signIn, strict);
});

test('whoever says who comes into a group, or which workload is an agent, is tied to just those', () => {
  const provider = (map: Readonly<Record<string, readonly string[]>>, issuer = 'https://a.example') => ({
    issuer,
    groups: { claim: 'groups', map },
  });
  const issuer = (subs: Readonly<Record<string, string>>, audience: string | null = null) => ({
    audience,
    agents: Object.entries(subs).map(([id, sub]) => ({ agent: id, claims: { sub } })),
  });
  const touches = (was: JsonValue, is: JsonValue): readonly string[] =>
    differenceOf(
      itemised({ servers: { signIn: { x: was } } }),
      itemised({ servers: { signIn: { x: is } } }),
    ).flatMap((one) => one.touches.map(({ what, id }) => `${what} ${id}`));
  const map = { it: ['admins'], all: ['staff'] };
  assert.deepEqual(touches(provider(map), provider({ ...map, us: ['admins'] })), ['group admins']);
  assert.deepEqual(touches(provider(map), provider({ it: ['staff'], all: ['admins'] })), [
    'group admins',
    'group staff',
  ]);
  assert.deepEqual(touches(provider(map), provider(map, 'https://b.example')), [
    'group admins',
    'group staff',
  ]);
  assert.deepEqual(touches(issuer({ one: 'a', two: 'b' }), issuer({ one: 'a', two: 'c' })), ['agent two']);
  assert.deepEqual(touches(issuer({ one: 'a' }), issuer({ one: 'a', three: 'c' })), ['agent three']);
  assert.deepEqual(touches(issuer({ one: 'a', two: 'b' }), issuer({ one: 'a', two: 'b' }, 'x')), [
    'agent one',
    'agent two',
  ]);
});

test('whatever else is said of anything is compared as well, so that nothing is accepted unseen', () => {
  const sam = person('sam', 'a');
  const whole = (more: object) =>
    itemised({
      directory: { ...directory([{ ...sam, ...more }], [{ ...agent('bot', 'sam'), ...more }]), ...more },
      servers: {
        servers: [{ ...server('crm'), ...more }],
        operations: [{ ...operation('o___p'), ...more }],
        ...more,
      },
    });
  assert.deepEqual(told(whole({}), whole({ later: 1 })), [
    'waits: sets later to 1 (was its default)',
    'waits: changes what else is said of sam (sam)',
    'waits: changes what else is said of the agent bot',
    'waits: changes what else is said of the server crm',
    'waits: changes what else is said of o___p',
    'waits: adds how people or agents sign in: later',
  ]);
  const mail = (email: string) => itemised({ directory: directory([{ ...sam, email }]) });
  assert.deepEqual(told(mail('sam@example.com'), mail('eve@example.com')), [
    'waits: sets the e-mail address of sam (sam) to eve@example.com (was sam@example.com)',
  ]);
  assert.deepEqual(
    tightened(mail('sam@example.com'), mail('eve@example.com')).directory,
    mail('sam@example.com').directory,
  );
});
