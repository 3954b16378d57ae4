/**
 * Who speaks. Bearer tokens are looked up by their SHA-256 at every request, and whoever they name must be in the accepted
 * directory at that moment: an agent that was removed is refused at once, whatever it still holds.
 */
import { isActiveAgent, personIn, type Directory, type Principal } from '../core/directory.ts';
import { refuse, type Refusal } from '../core/refusal.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Clock } from '../ports/clock.ts';
import type { Identity } from '../ports/identity.ts';
import type { Random } from '../ports/random.ts';
import type { Store } from '../ports/store.ts';
import { hashOf, newSecret, type Secret } from './secrets.ts';
import { createSessions } from './sessions.ts';
import { createSignIn } from './sign-in.ts';

/** What identity is built from. */
export interface IdentityParts {
  readonly store: Store;
  /** The public origin, without a slash at its end. */
  readonly origin: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** Makes a bearer token, `cs_agent_…` or `cs_person_…`; the command line prints the token and stores the hash. */
export const newToken = (random: Random, kind: Principal['kind']): Secret => newSecret(random, kind);

/** RFC 6750 §2.1; the scheme's name has no case (RFC 9110 §11.1). */
const bearerForm = /^bearer +(\S+)$/i;

/** Nothing is remembered between requests. */
export function createIdentity(parts: IdentityParts): Identity {
  const sessions = createSessions(parts);
  return {
    bearer: (request) => bearer(parts.store, request),
    session: (request) => sessions.of(request),
    routes: createSignIn(parts, sessions),
  };
}

const nobody = refuse(
  'unauthenticated',
  'This needs `Authorization: Bearer TOKEN` with a token that is known here.',
);

async function bearer(store: Store, request: Request): Promise<Result<Principal, Refusal>> {
  const token = bearerForm.exec(request.headers.get('authorization') ?? '')?.[1];
  if (token === undefined) return err(nobody);
  const kind = token.startsWith('cs_agent_') ? 'agent' : 'person';
  const hash = hashOf(kind, token);
  if (hash === undefined) return err(nobody);
  const known = await store.bearerOf(hash);
  if (known === undefined) return err(nobody);
  const { principal, directory } = known;
  return principal.kind === kind && isIn(directory, principal) ? ok(principal) : err(nobody);
}

const isIn = (directory: Directory, principal: Principal): boolean =>
  principal.kind === 'agent'
    ? isActiveAgent(directory, principal.id)
    : personIn(directory, principal.id) !== undefined;
