/** How people sign in, of a configuration: defaults, what is refused with its place, and what start-up says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings, type Settings } from '../../src/config.ts';
import { problemText } from '../../src/config/document.ts';

const read = (text: string, env: Record<string, string> = {}) =>
  parseSettings(text, '/nowhere/c.yaml', { env, label: 'c.yaml' });
const settings = (text: string, env: Record<string, string> = {}): Settings => {
  const found = read(text, env);
  if (!found.ok) assert.fail(found.error.map(problemText).join('\n'));
  return found.value;
};
const problems = (text: string): readonly string[] => {
  const found = read(text);
  return found.ok ? [] : found.error.map(problemText);
};
const provider = (more = ''): string =>
  `providers:\n  - { id: corp, name: Corp, issuer: 'https://login.acme.test', clientId: gate, clientSecret: s${more} }\n`;

test('nothing said: links alone, an hour, twelve hours, a day', () => {
  assert.deepEqual(settings('').people, {
    providers: [],
    idleMs: 3_600_000,
    absoluteMs: 12 * 3_600_000,
    signInLinks: true,
    coolOffMs: 24 * 3_600_000,
  });
  assert.equal(settings('').limits.coolOffMs, 24 * 3_600_000);
});

test('a provider, with its secret from the environment, its groups and its times', () => {
  const text = `
providers:
  - id: corp
    name: Corp
    issuer: https://login.acme.test/realms/one
    clientId: gate
    clientSecret: { fromEnv: CORP_SECRET }
    scopes: [email, groups]
    groups: { claim: groups, map: { Data Team: data-owners, "id:4": sre } }
    maxAge: PT1H
    linkByEmail: dangerous-match-by-email
sessions: { idle: PT20M, absolute: PT8H }
signInLinks: false
limits: { coolOff: PT48H }
people: [{ id: rosa, name: Rosa, email: rosa@acme.test }]
`;
  const { people, proposal, warnings } = settings(text, { CORP_SECRET: 'hush' });
  assert.deepEqual(people, {
    providers: [
      {
        id: 'corp',
        name: 'Corp',
        issuer: 'https://login.acme.test/realms/one',
        clientId: 'gate',
        clientSecret: 'hush',
        scopes: ['openid', 'email', 'groups'],
        groups: { claim: 'groups', map: { 'Data Team': ['data-owners'], 'id:4': ['sre'] } },
        maxAgeSec: 3600,
        linkByEmail: true,
      },
    ],
    idleMs: 20 * 60_000,
    absoluteMs: 8 * 3_600_000,
    signInLinks: false,
    coolOffMs: 48 * 3_600_000,
  });
  assert.equal(proposal.directory.people[0]?.email, 'rosa@acme.test');
  assert.match(warnings.join('\n'), /corp attaches accounts by e-mail address/);
  assert.doesNotMatch(warnings.join('\n'), /hush/);
});

const wrong: readonly (readonly [text: string, says: RegExp])[] = [
  [provider().replace('https:', 'http:'), /issuer must be https, except on this machine/],
  [
    `${provider()}${provider().replace('providers:\n', '')}`,
    /the id "corp" is there twice[^]*issuer https:\/\/login\.acme\.test is there twice/,
  ],
  [provider(', maxAge: P90D'), /maxAge is at most 30 d/],
  ['sessions: { idle: P2D }\n', /sessions\.idle is at most/],
  ['sessions: { absolute: P8D }\n', /sessions\.absolute is at most/],
  ['sessions: { idle: PT0S }\n', /sessions\.idle must be longer than nothing/],
  ['limits: { coolOff: P60D }\n', /limits\.coolOff is at most/],
  ['signInLinks: false\n', /signInLinks: false needs a provider/],
  [provider(', linkByEmail: true'), /linkByEmail/],
  [provider(", issuer2: 'x'"), /issuer2/],
  [provider().replace(', clientSecret: s', ''), /clientSecret/],
  [provider(", groups: { claim: groups, map: { A: 'Not An Id' } }"), /groups/],
  [provider(', clientSecret: { fromEnv: NOT_SET }').replace(', clientSecret: s,', ','), /NOT_SET is not set/],
];

for (const [text, says] of wrong)
  test(`refused: ${says.source.slice(0, 60)}`, () => {
    const found = problems(text).join('\n');
    assert.match(found, says);
    assert.match(found, /c\.yaml:\d+:\d+/);
  });

test('plain HTTP on this machine is for tests, and said; so is a cool-off that is none', () => {
  const text = provider().replace('https://login.acme.test', 'http://127.0.0.1:9');
  assert.match(settings(text).warnings.join('\n'), /reached without TLS/);
  assert.match(settings('limits: { coolOff: PT1M }\n').warnings.join('\n'), /hijacked session/);
  assert.match(
    settings('people: [{ id: a, name: A, email: x@y }, { id: b, name: B, email: x@y }]\n').warnings.join(
      '\n',
    ),
    /e-mail address is there twice/,
  );
});
