/**
 * Who speaks. Bearer tokens are looked up by their SHA-256 at every request, workload tokens are verified (workload.ts), and
 * whoever they name must be active in the accepted directory at that moment: an agent that was removed, a token that was
 * revoked or has ended, is refused at once.
 */
import { isActiveAgent, personIn, type Directory, type Principal } from '../core/directory.ts';
import type { PersonId } from '../core/ids.ts';
import { refuse, type Refusal } from '../core/refusal.ts';
import { err, ok, type Result } from '../core/result.ts';
import { tokenState, type TokenRow } from '../core/tokens.ts';
import type { Clock } from '../ports/clock.ts';
import type { Identity } from '../ports/identity.ts';
import type { Random } from '../ports/random.ts';
import { peopleDefaults, type Issuer, type PeopleSettings } from '../ports/sign-in.ts';
import type { Store } from '../ports/store.ts';
import { hashOf, newSecret, type Secret } from './secrets.ts';
import { createOidcSignIn } from './oidc-sign-in.ts';
import { cookiesOf, createSessions } from './sessions.ts';
import { createSignIn } from './sign-in.ts';
import { createWorkloads, isCompact, type Workloads } from './workload.ts';

/** What identity is built from. */
export interface IdentityParts {
  readonly store: Store;
  /** The public origin, without a slash at its end. */
  readonly origin: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Whose workload tokens are taken, asked for each; default: nobody's. */
  readonly issuers?: () => readonly Issuer[];
  /** Whose account this is at an OpenID provider, by (iss, sub); default: nobody's. */
  readonly accountOf?: (issuer: string, subject: string) => Promise<PersonId | undefined>;
  /** How people sign in, asked at each use; default: by one-time links alone. */
  readonly people?: () => PeopleSettings;
  /** Told what operators should read; default: nothing. */
  readonly say?: (line: string) => void;
}

/** Makes a bearer token, `cs_agent_…` or `cs_person_…`; the command line prints the token and stores the hash. */
export const newToken = (random: Random, kind: Principal['kind']): Secret => newSecret(random, kind);

/** RFC 6750 §2.1; the scheme's name has no case (RFC 9110 §11.1). */
const bearerForm = /^bearer +(\S+)$/i;

/** Of requests nothing is remembered; of issuers their keys (jwks.ts). */
export function createIdentity(parts: IdentityParts): Identity {
  const { store, origin, clock, accountOf, say } = parts;
  const { issuers = () => [], people = () => peopleDefaults } = parts;
  const sessions = createSessions({ store, origin, clock, people });
  const oidc = createOidcSignIn({ ...parts, people, sessions, cookies: cookiesOf(origin) });
  const workloads = createWorkloads({
    issuers,
    origin,
    clock,
    directory: () => store.directory(),
    ...(accountOf === undefined ? {} : { accountOf }),
    ...(say === undefined ? {} : { say }),
  });
  return {
    bearer: (request) => bearer(parts, workloads, request),
    session: (request) => sessions.of(request),
    routes: createSignIn({ ...parts, people, sessions, oidc }),
  };
}

/** No credentials at all: RFC 6750 §3.1 wants no error code then. */
const nobody = refuse(
  'unauthenticated',
  'This needs `Authorization: Bearer TOKEN` with a token that is known here.',
);

/** A token, and not a good one (RFC 6750 §3.1, `invalid_token`). */
const notGood = (token: 'unknown' | 'expired' | 'revoked'): Refusal => {
  const said = { unknown: 'is not known here', expired: 'has expired', revoked: 'was revoked' }[token];
  return refuse('unauthenticated', `This token ${said}; a new one is needed.`, { token });
};

async function bearer(
  { store, clock, origin }: IdentityParts,
  workloads: Workloads,
  request: Request,
): Promise<Result<Principal, Refusal>> {
  const header = request.headers.get('authorization');
  if (header === null) return err(nobody);
  const token = bearerForm.exec(header)?.[1];
  if (token === undefined) return err(/^bearer\b/i.test(header) ? notGood('unknown') : nobody);
  if (isCompact(token)) return workloads(token, resourceOf(request, origin));
  const kind = token.startsWith('cs_agent_') ? 'agent' : 'person';
  const hash = hashOf(kind, token);
  const known = hash === undefined ? undefined : await store.bearerOf(hash);
  if (known === undefined) return err(notGood('unknown'));
  const { token: row, directory } = known;
  if (row.principal.kind !== kind || !isIn(directory, row.principal)) return err(notGood('unknown'));
  const state = tokenState(row, clock.nowMs());
  return state === 'good' ? ok(principalWith(row)) : err(notGood(state));
}

/** What a request is made to: an MCP server is a resource of its own, everything else the gate (RFC 9728 §1.2). */
function resourceOf(request: Request, origin: string): string {
  const { pathname } = new URL(request.url);
  return pathname.startsWith('/mcp/') ? `${origin}${pathname}` : origin;
}

const isIn = (directory: Directory, principal: Principal): boolean =>
  principal.kind === 'agent'
    ? isActiveAgent(directory, principal.id)
    : personIn(directory, principal.id) !== undefined;

/** With how they proved themselves. An operator issued a person's token at the machine: it counts from then on. */
function principalWith({ id, principal, atMs }: TokenRow): Principal {
  const via = { kind: 'token', id } as const;
  return principal.kind === 'agent'
    ? { kind: 'agent', id: principal.id, via }
    : { kind: 'person', id: principal.id, way: { via, countsFromMs: atMs, authAtMs: atMs } };
}
