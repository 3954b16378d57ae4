/** Issuers of workload tokens in a configuration: whose tokens are taken, and which agents and people they name. */
import { asAgentId, asPersonId } from '../core/ids.ts';
import { keySetOf } from '../identity/jwks.ts';
import type { Issuer, KeysAt } from '../ports/sign-in.ts';
import type { ConfigDocument, Path, Problem } from './document.ts';
import { nearest } from './nearest.ts';
import { nameOf } from './problems.ts';
import type { Secrets } from './secrets.ts';
import type { Written } from './written.ts';

/** An issuer as written. */
export interface WrittenIssuer {
  readonly issuer: string;
  readonly audience?: string;
  readonly jwks?: string | { readonly fromFile: string };
  readonly accessTokens?: boolean;
  readonly authorizationServer?: boolean;
  readonly agents: readonly {
    readonly agent: string;
    readonly claims: Readonly<Record<string, string | number | boolean>>;
  }[];
  readonly people?: { readonly claim?: string; readonly ids?: Readonly<Record<string, string>> };
}

export const issuersOf = (written: Written, secrets: Secrets): readonly Issuer[] =>
  (written.issuers ?? []).map((one, index) => ({
    issuer: one.issuer,
    keys: keysOf(one, ['issuers', index, 'jwks'], secrets),
    audience: one.audience ?? null,
    accessTokens: one.accessTokens === true,
    authorizationServer: one.authorizationServer === true,
    agents: one.agents.map(({ agent, claims }) => ({ agent: asAgentId(agent), claims })),
    people:
      one.people === undefined
        ? null
        : {
            claim: one.people.claim ?? 'sub',
            ids: new Map(Object.entries(one.people.ids ?? {}).map(([value, id]) => [value, asPersonId(id)])),
          },
  }));

function keysOf({ jwks }: WrittenIssuer, path: Path, secrets: Secrets): KeysAt {
  if (jwks === undefined) return { kind: 'discovery' };
  return typeof jwks === 'string'
    ? { kind: 'url', url: jwks }
    : { kind: 'text', text: secrets.read(jwks, path) };
}

/**
 * Issuers that give tokens to everybody who asks, and the claims of which one has to be named: with none of them, anybody's
 * workload would be the agent.
 */
const shared: ReadonlyMap<string, readonly string[]> = new Map([
  ['token.actions.githubusercontent.com', ['sub', 'repository', 'repository_id', 'job_workflow_ref']],
  ['gitlab.com', ['sub', 'project_path', 'project_id', 'ci_config_ref_uri']],
  ['accounts.google.com', ['sub', 'email', 'azp']],
]);

/** Issuers that are there twice or could be overheard, key sets that are none, agents and people who are not there. */
export function issuerProblems(
  written: Written,
  issuers: readonly Issuer[],
  document: ConfigDocument,
): readonly Problem[] {
  const agents = (written.agents ?? []).map((one) => one.id);
  const people = (written.people ?? []).map((one) => one.id);
  return issuers.flatMap((one, index) => {
    const path: Path = ['issuers', index];
    const twice = issuers.findIndex((other) => other.issuer === one.issuer) !== index;
    const problems = [
      ...(twice ? [document.problem([...path, 'issuer'], `issuers: ${one.issuer} is there twice.`)] : []),
      ...addressProblems(one.issuer, [...path, 'issuer'], document),
      ...(one.keys.kind === 'url' ? addressProblems(one.keys.url, [...path, 'jwks'], document) : []),
      ...(one.keys.kind === 'text' ? keySetProblems(one.keys.text, [...path, 'jwks'], document) : []),
    ];
    for (const [at, { agent, claims }] of one.agents.entries()) {
      const here: Path = [...path, 'agents', at];
      if (!agents.includes(agent))
        problems.push(document.problem([...here, 'agent'], unknown('agent', agent, agents)));
      const narrow = shared.get(URL.parse(one.issuer)?.host ?? '');
      if (narrow !== undefined && !narrow.some((name) => Object.hasOwn(claims, name)))
        problems.push(
          document.problem(
            [...here, 'claims'],
            `${nameOf(here)}: ${one.issuer} gives such tokens to anybody; name at least one of ${narrow.join(', ')}.`,
          ),
        );
    }
    for (const [value, person] of one.people?.ids ?? []) {
      if (!people.includes(person))
        problems.push(document.problem([...path, 'people', 'ids', value], unknown('person', person, people)));
    }
    return problems;
  });
}

function unknown(what: 'agent' | 'person', id: string, known: readonly string[]): string {
  const near = nearest(id, known);
  const list = what === 'agent' ? 'agents' : 'people';
  return `issuers: there is no ${what} "${id}" among the ${list}${near === undefined ? '.' : `; did you mean "${near}"?`}`;
}

/** Whoever can change what is read over plain HTTP can be every agent; on this machine nobody is in between. */
function addressProblems(address: string, path: Path, document: ConfigDocument): readonly Problem[] {
  const url = URL.parse(address);
  if (url === null) return [document.problem(path, `${nameOf(path)} is not a URL.`)];
  if (url.username !== '' || url.password !== '')
    return [document.problem(path, `${nameOf(path)} must not hold a user name or a password.`)];
  const here = /^(?:localhost|\[::1\]|127(?:\.\d{1,3}){3})$/.test(url.hostname);
  return url.protocol === 'https:' || here
    ? []
    : [document.problem(path, `${nameOf(path)} must begin with https://.`)];
}

/** Empty: it was not found, which is a problem already, or it was not looked for. */
function keySetProblems(text: string, path: Path, document: ConfigDocument): readonly Problem[] {
  if (text === '') return [];
  try {
    if (keySetOf(text).keys.length > 0) return [];
  } catch {
    // said below
  }
  return [document.problem(path, `${nameOf(path)} holds no JSON Web Key Set with public keys.`)];
}
