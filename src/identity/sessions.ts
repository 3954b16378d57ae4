/**
 * A person's session in a browser: a cookie whose SHA-256 the store knows. Whatever changes something must prove that one of
 * our own pages asked for it: the right `Origin`, and a token that only a page of this session can know.
 *
 * Residual: cookies ignore ports. On loopback over plain HTTP, another server on the same machine that the person visits
 * under the same name is sent the cookie; whoever shares the machine with agents serves the gate over HTTPS.
 */
import { personIn } from '../core/directory.ts';
import type { PersonId } from '../core/ids.ts';
import { refuse, type Refusal } from '../core/refusal.ts';
import { err, ok, type Result } from '../core/result.ts';
import { equalBytes, hmacSha256Hex } from '../core/sha256.ts';
import type { Random } from '../ports/random.ts';
import type { Store } from '../ports/store.ts';
import { readForm } from './forms.ts';
import { fromOurPages, permittedOrigins } from './origins.ts';
import { hashOf, newSecret, type Secret } from './secrets.ts';

/** How long a session lives, used or not. */
export const sessionLifeMs = 12 * 3_600_000;

/** How long a sign-in link can be used: the demo prints one, and people click later. */
export const linkLifeMs = 12 * 3_600_000;

/** Makes the token of a one-time sign-in link; the link is `ORIGIN/sign-in#TOKEN`. */
export const newLink = (random: Random): Secret => newSecret(random, 'link');

/** A session as the request that carries it proves it. */
export interface Session {
  readonly person: PersonId;
  /** What forms send back in `csrf`, and scripts in `x-csrf-token`. */
  readonly csrf: string;
}

export interface Sessions {
  /** As `Identity.session`. */
  of(request: Request): Promise<Result<Session, Refusal>>;
  /** The hash of the session that the cookie names, known to the store or not. */
  hash(request: Request): string | undefined;
  /** The `Set-Cookie` that hands a session over; with null, the one that takes it back. */
  cookie(token: string | null): string;
  /** Whether a page of ours made this request. */
  fromOurPages(request: Request): boolean;
}

const noSession = refuse(
  'unauthenticated',
  'You are not signed in, or your session has ended; use a sign-in link.',
);
const notOurs = refuse(
  'not_permitted',
  'This did not come from a page of this gate, so nothing was done; open the page again.',
);

/** Separates this use of the session token from its lookup. Changing it ends open forms, not sessions. */
const csrfDomain = 'countersign.csrf.v1\0';
const encoder = new TextEncoder();
const csrfOf = (token: string): string => hmacSha256Hex(encoder.encode(token), csrfDomain);

export function createSessions(parts: { readonly store: Store; readonly origin: string }): Sessions {
  const permitted = permittedOrigins(parts.origin);
  const secure = parts.origin.startsWith('https:');
  // Plain HTTP takes no Secure cookie in every browser, and `__Host-` wants one (RFC 6265bis §4.1.3.2).
  const name = secure ? '__Host-countersign' : 'countersign_session';
  const attributes = `Path=/; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
  const ours = (request: Request): boolean => fromOurPages(request, permitted);
  return {
    of: async (request) => {
      const token = cookieOf(request, name);
      const hash = token === undefined ? undefined : hashOf('session', token);
      if (token === undefined || hash === undefined) return err(noSession);
      const [session, directory] = await Promise.all([parts.store.sessionOf(hash), parts.store.directory()]);
      if (session === undefined || personIn(directory, session.person) === undefined) return err(noSession);
      const csrf = csrfOf(token);
      const reads = request.method === 'GET' || request.method === 'HEAD';
      if (!reads && !(ours(request) && (await proves(request, csrf)))) return err(notOurs);
      return ok({ person: session.person, csrf });
    },
    hash: (request) => hashOf('session', cookieOf(request, name) ?? ''),
    cookie: (token) =>
      `${name}=${token ?? ''}; ${attributes}; Max-Age=${token === null ? 0 : sessionLifeMs / 1000}`,
    fromOurPages: ours,
  };
}

/**
 * The cookie's value; undefined where there is none, or more than one: a second one was put there by somebody else (another
 * port, a sibling host), and which of them a browser sends first is theirs to choose.
 */
function cookieOf(request: Request, name: string): string | undefined {
  const pairs = (request.headers.get('cookie') ?? '').split(';').map((pair) => pair.trim());
  const values = pairs
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  return values.length === 1 ? values[0] : undefined;
}

/** Whether the header or the form field holds the session's CSRF token. The body stays readable for the page's own handler. */
async function proves(request: Request, csrf: string): Promise<boolean> {
  const said = request.headers.get('x-csrf-token') ?? (await readForm(request.clone()))?.get('csrf');
  return said !== undefined && equalBytes(encoder.encode(said), encoder.encode(csrf));
}
