/** `issuers:` in the configuration: what it becomes, and what would let somebody else be an agent. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { parseSettings } from '../../src/config.ts';
import { createWorkloads } from '../../src/identity/workload.ts';
import { newKey } from '../support/issuer.ts';
import { root } from '../support/source.ts';

const base = `
people: [{ id: sam, name: Sam }]
agents: [{ id: bot, owners: [sam] }]
`;
const parse = (issuers: string, file = '/somewhere/countersign.yaml') =>
  parseSettings(`${base}issuers:\n${issuers}`, file, { secrets: 'required' });
const problems = (issuers: string, file?: string): string => {
  const read = parse(issuers, file);
  return read.ok ? '' : read.error.map((one) => `${one.line}: ${one.message}`).join('\n');
};

test('an issuer with all that can be said', () => {
  const read = parse(`
  - issuer: https://ci.example.com/tenant
    audience: https://gate.example.com
    jwks: https://keys.example.com/jwks
    accessTokens: true
    authorizationServer: true
    agents:
      - { agent: bot, claims: { repository_id: "42", protected: true, run: 7 } }
    people: { claim: actor_id, ids: { "1001": sam } }
`);
  assert.ok(read.ok, JSON.stringify(read));
  assert.deepEqual(read.value.issuers, [
    {
      issuer: 'https://ci.example.com/tenant',
      keys: { kind: 'url', url: 'https://keys.example.com/jwks' },
      audience: 'https://gate.example.com',
      accessTokens: true,
      authorizationServer: true,
      agents: [{ agent: 'bot', claims: { repository_id: '42', protected: true, run: 7 } }],
      people: { claim: 'actor_id', ids: new Map([['1001', 'sam']]) },
    },
  ]);
});

test('what is not said: keys are discovered, the audience is the gate, tokens are the workload’s own', () => {
  const read = parse(
    '  - { issuer: https://ci.example.com, agents: [{ agent: bot, claims: { sub: x } }] }\n',
  );
  assert.ok(read.ok, JSON.stringify(read));
  const [one] = read.value.issuers;
  assert.deepEqual([one?.keys, one?.audience, one?.people], [{ kind: 'discovery' }, null, null]);
  assert.deepEqual([one?.accessTokens, one?.authorizationServer], [false, false]);
  const none = parseSettings(base, '/somewhere/countersign.yaml');
  assert.ok(none.ok);
  assert.deepEqual(none.value.issuers, []);
});

test('keys from a file are read, and must be public keys', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-issuers-'));
  try {
    const file = join(folder, 'countersign.yaml');
    const one =
      '  - { issuer: https://k8s.local, jwks: { fromFile: ./jwks.json }, agents: [{ agent: bot, claims: { sub: x } }] }\n';
    assert.match(problems(one, file), /issuers\[0\]\.jwks: the file .*jwks\.json cannot be read \(ENOENT\)/);
    const text = JSON.stringify({ keys: [(await newKey('a')).publicJwk] });
    writeFileSync(join(folder, 'jwks.json'), text);
    const read = parse(one, file);
    assert.ok(read.ok, JSON.stringify(read));
    assert.deepEqual(read.value.issuers[0]?.keys, { kind: 'text', text });
    for (const bad of ['{"keys":[]}', '[]', 'keys', '{"keys":[{"kty":"oct","k":"AA"}]}']) {
      writeFileSync(join(folder, 'jwks.json'), bad);
      assert.match(problems(one, file), /issuers\[0\]\.jwks holds no JSON Web Key Set with public keys/, bad);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('what would let somebody else be the agent, or nobody, is refused with its place', () => {
  const one = (issuer: string, rest = 'agents: [{ agent: bot, claims: { sub: x } }]'): string =>
    problems(`  - { issuer: "${issuer}", ${rest} }\n`);
  assert.match(one('http://ci.example.com'), /5: issuers\[0\]\.issuer must begin with https/);
  assert.equal(one('http://127.0.0.1:9000'), '');
  assert.equal(one('http://localhost:9000'), '');
  assert.match(one('http://127.0.0.1.example.com'), /must begin with https/);
  assert.match(one('https://u:p@ci.example.com'), /must not hold a user name/);
  assert.match(one('https://ci.example.com?x=1'), /must be an https URL/);
  assert.match(
    one(
      'https://ci.example.com',
      'jwks: http://keys.example.com, agents: [{ agent: bot, claims: { sub: x } }]',
    ),
    /jwks must begin with https/,
  );
  assert.match(one('https://ci.example.com', 'agents: []'), /agents/);
  assert.match(one('https://ci.example.com', 'agents: [{ agent: bot, claims: {} }]'), /claims/);
  assert.match(
    one('https://ci.example.com', 'agents: [{ agent: bott, claims: { sub: x } }]'),
    /no agent "bott".*did you mean "bot"/,
  );
  for (const claim of ['iss', 'aud', 'exp', 'act'])
    assert.match(
      one('https://ci.example.com', `agents: [{ agent: bot, claims: { ${claim}: x } }]`),
      /a claim other than iss/,
      claim,
    );
  assert.match(
    one('https://ci.example.com', 'agents: [{ agent: bot, claims: { sub: [x] } }]'),
    /must be a text, a whole number/,
  );
  assert.match(
    one(
      'https://ci.example.com',
      'people: { ids: { a: sem } }, agents: [{ agent: bot, claims: { sub: x } }]',
    ),
    /no person "sem".*did you mean "sam"/,
  );
  assert.match(
    problems(
      '  - &a { issuer: https://ci.example.com, agents: [{ agent: bot, claims: { sub: x } }] }\n  - { issuer: https://ci.example.com, agents: [{ agent: bot, claims: { sub: y } }] }\n',
    ),
    /https:\/\/ci\.example\.com is there twice/,
  );
});

test('of issuers that serve everybody, a claim that says whose workload it is has to be named', () => {
  const github = (claims: string): string =>
    problems(
      `  - { issuer: https://token.actions.githubusercontent.com, agents: [{ agent: bot, claims: ${claims} }] }\n`,
    );
  assert.match(
    github('{ ref: refs/heads/main }'),
    /gives such tokens to anybody; name at least one of sub, repository/,
  );
  assert.equal(github('{ ref: refs/heads/main, repository_id: "42" }'), '');
  const google =
    '  - { issuer: https://accounts.google.com, jwks: https://www.googleapis.com/oauth2/v3/certs, agents: [{ agent: bot, claims: { email_verified: true } }] }\n';
  assert.match(problems(google), /name at least one of sub, email, azp/);
});

test('the examples of docs/agents.md are configurations, and take tokens as those platforms make them', async () => {
  const doc = readFileSync(`${root}/docs/agents.md`, 'utf8');
  const blocks = [...doc.matchAll(/^```yaml\n(.*?)^```$/gms)].map((match) => match[1] ?? '');
  const rest = `
url: https://gate.example.com
people: [{ id: sam, name: Sam }, { id: rosa, name: Rosa }]
agents: [{ id: deploy-bot, owners: [sam] }, { id: crm-bot, owners: [sam] }]
`;
  const key = await newKey('k');
  const nowSec = 1_800_000_000;
  const told = async (
    block: string,
    claims: Readonly<Record<string, unknown>>,
    header: object,
    resource: string,
  ) => {
    // The file of the cluster's keys is not here.
    const read = parseSettings(rest + block, '/somewhere/countersign.yaml', { secrets: 'ignored' });
    assert.ok(read.ok, JSON.stringify(read));
    const [issuer] = read.value.issuers;
    assert.ok(issuer !== undefined);
    const workloads = createWorkloads({
      issuers: () => [{ ...issuer, keys: { kind: 'text', text: JSON.stringify({ keys: [key.publicJwk] }) } }],
      origin: 'https://gate.example.com',
      clock: { nowMs: () => nowSec * 1000 },
      directory: () => Promise.resolve(read.value.proposal.directory),
    });
    const token = await new SignJWT({ iss: issuer.issuer, iat: nowSec - 5, exp: nowSec + 300, ...claims })
      .setProtectedHeader({ alg: key.alg, kid: key.kid, ...header })
      .sign(key.privateKey);
    const answer = await workloads(token, resource);
    if (!answer.ok || answer.value.kind !== 'agent') return answer;
    return [answer.value.id, answer.value.chain?.startedBy ?? null];
  };
  assert.equal(blocks.length, 4);
  const [github = '', kubernetes = '', google = '', oauth = ''] = blocks;
  const origin = 'https://gate.example.com';
  const run = {
    sub: 'repo:acme/shop:environment:production',
    aud: origin,
    nbf: nowSec - 605,
    repository: 'acme/shop',
    repository_id: '724182',
    environment: 'production',
    actor: 'rosa-gh',
    actor_id: '1001',
    runner_environment: 'github-hosted',
  };
  assert.deepEqual(await told(github, run, { typ: 'JWT' }, origin), ['deploy-bot', 'rosa']);
  const pod = {
    sub: 'system:serviceaccount:crm:bot',
    aud: ['countersign'],
    nbf: nowSec - 5,
    exp: nowSec + 3595,
    'kubernetes.io': { namespace: 'crm', serviceaccount: { name: 'bot', uid: '1' } },
  };
  assert.deepEqual(await told(kubernetes, pod, {}, origin), ['crm-bot', null]);
  const cloud = {
    sub: '110169484474386276334',
    azp: '110169484474386276334',
    aud: origin,
    email_verified: true,
  };
  assert.deepEqual(await told(google, cloud, { typ: 'JWT' }, origin), ['crm-bot', null]);
  const access = { client_id: 'crm-bot', sub: 'u-9', aud: `${origin}/mcp/crm`, scope: 'mcp' };
  const unknown = await told(oauth, access, { typ: 'at+jwt' }, `${origin}/mcp/crm`);
  assert.ok(!Array.isArray(unknown), 'a person whom nobody knows');
});
