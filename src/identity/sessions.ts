/**
 * A person's session in a browser: a cookie whose SHA-256 the store knows. Whatever changes something must prove that one of
 * our own pages asked for it: the right `Origin`, and a token that only a page of this session can know. A session ends when
 * nobody used it for a while, after its time, when its person ends it, and with the account that opened it.
 *
 * Residual: cookies ignore ports. On loopback over plain HTTP, another server on the same machine that the person visits
 * under the same name is sent the cookie; whoever shares the machine with agents serves the gate over HTTPS.
 */
import { sessionIdOf, type Way } from '../core/accounts.ts';
import { personIn } from '../core/directory.ts';
import type { PersonId } from '../core/ids.ts';
import { refuse, type Refusal } from '../core/refusal.ts';
import { err, ok, type Result } from '../core/result.ts';
import { equalBytes, hmacSha256Hex } from '../core/sha256.ts';
import type { Clock } from '../ports/clock.ts';
import type { SignedIn } from '../ports/identity.ts';
import type { SessionFound } from '../ports/people.ts';
import type { Random } from '../ports/random.ts';
import type { PeopleSettings } from '../ports/sign-in.ts';
import type { Store } from '../ports/store.ts';
import { readForm } from './forms.ts';
import { fromOurPages, permittedOrigins } from './origins.ts';
import { hashOf, newSecret, type Secret } from './secrets.ts';

/** How long a sign-in link can be used: the demo prints one, and people click later. */
export const linkLifeMs = 12 * 3_600_000;

/** How often at most the store is told that a session is used. */
const seenEveryMs = 60_000;

/** Makes the token of a one-time sign-in link; the link is `ORIGIN/sign-in#TOKEN`. */
export const newLink = (random: Random): Secret => newSecret(random, 'link');

/** The session that a request carries, before anything is asked of the request itself. */
export interface Known {
  readonly person: PersonId;
  readonly hash: string;
  readonly way: Way;
}

export interface Sessions {
  /** As `Identity.session`. */
  of(request: Request): Promise<Result<SignedIn, Refusal>>;
  /** Whose browser this is. No proof that a page of ours asks: for what another secret of this browser proves. */
  known(request: Request): Promise<Known | undefined>;
  /** The hash of the session that the cookie names, known to the store or not. */
  hash(request: Request): string | undefined;
  /** The `Set-Cookie` that hands a session over; with null, the one that takes it back. */
  cookie(token: string | null): string;
  /** When a session that is opened now ends at the latest. */
  endsAtMs(): number;
  /** Whether a page of ours made this request. */
  fromOurPages(request: Request): boolean;
}

const noSession = refuse(
  'unauthenticated',
  'You are not signed in, or your session has ended; sign in again.',
);
const notOurs = refuse(
  'not_permitted',
  'This did not come from a page of this gate, so nothing was done; open the page again.',
);

/** Separates this use of the session token from its lookup. Changing it ends open forms, not sessions. */
const csrfDomain = 'countersign.csrf.v1\0';
const encoder = new TextEncoder();
const csrfOf = (token: string): string => hmacSha256Hex(encoder.encode(token), csrfDomain);

export interface SessionParts {
  readonly store: Store;
  readonly origin: string;
  readonly clock: Clock;
  /** Asked anew at each use: what is accepted of it may change. */
  readonly people: () => PeopleSettings;
}

export function createSessions(parts: SessionParts): Sessions {
  const { store, clock, people, origin } = parts;
  const permitted = permittedOrigins(origin);
  const cookies = cookiesOf(origin);
  const ours = (request: Request): boolean => fromOurPages(request, permitted);
  const tokenIn = (request: Request): { readonly token: string; readonly hash: string } | undefined => {
    const token = cookies.read(request, 'session');
    const hash = token === undefined ? undefined : hashOf('session', token);
    return token === undefined || hash === undefined ? undefined : { token, hash };
  };
  const known = async (request: Request): Promise<Known | undefined> => {
    const carried = tokenIn(request);
    if (carried === undefined) return undefined;
    const [found, directory] = await Promise.all([store.sessionOf(carried.hash), store.directory()]);
    if (found === undefined || !isGood(found, parts)) return undefined;
    const { person } = found.row;
    if (personIn(directory, person) === undefined) return undefined;
    if (isByHand(request) && clock.nowMs() - found.row.seenAtMs >= seenEveryMs)
      // Nobody waits for it: a session that was seen a minute later ends a minute later.
      void store.change({ kind: 'seenSession', sessionHash: carried.hash }, undefined, 'soon');
    return { person, hash: carried.hash, way: found.way };
  };
  return {
    known,
    of: async (request) => {
      const [carried, session] = [tokenIn(request), await known(request)];
      if (carried === undefined || session === undefined) return err(noSession);
      const csrf = csrfOf(carried.token);
      const reads = request.method === 'GET' || request.method === 'HEAD';
      if (!reads && !(ours(request) && (await proves(request, csrf)))) return err(notOurs);
      return ok({ person: session.person, csrf, way: session.way, session: sessionIdOf(session.hash) });
    },
    hash: (request) => tokenIn(request)?.hash,
    cookie: (token) => cookies.write('session', token, people().absoluteMs / 1000),
    endsAtMs: () => clock.nowMs() + people().absoluteMs,
    fromOurPages: ours,
  };
}

/** Used lately enough, and opened by something that still opens sessions. */
function isGood({ row, way: { via } }: SessionFound, { clock, people: now }: SessionParts): boolean {
  const people = now();
  if (clock.nowMs() - row.seenAtMs > people.idleMs) return false;
  if (clock.nowMs() - row.openedAtMs > people.absoluteMs) return false;
  switch (via.kind) {
    case 'link':
      return people.signInLinks;
    case 'account':
      // Of a provider that is configured no more, nothing is believed any longer. Where a change of one waits, those whom it
      // signed in before stay: else nobody might be left who could accept it.
      return [...people.providers, ...(people.waiting ?? [])].some(
        (one) => one.issuer === via.account.issuer,
      );
    case 'token':
      return false;
  }
}

/**
 * Whether a person did this, and not a page that looks for news by itself: a form, a link, an address typed. Whoever sends no
 * `Sec-Fetch-Mode` is no page of ours.
 */
const isByHand = (request: Request): boolean =>
  request.method === 'POST' || (request.headers.get('sec-fetch-mode') ?? 'navigate') === 'navigate';

/** `session`: who is signed in. `begun`: in which browser a sign-in was begun. */
type CookieUse = 'session' | 'begun';

export interface Cookies {
  /**
   * The cookie's value; undefined where there is none, or more than one: a second one was put there by somebody else (another
   * port, a sibling host), and which of them a browser sends first is theirs to choose.
   */
  read(request: Request, use: CookieUse): string | undefined;
  /** A `Set-Cookie`; with a null value it takes the cookie back. */
  write(use: CookieUse, value: string | null, maxAgeSec: number): string;
}

/** The gate's two cookies. Both are strict: what needs one is asked by a page of ours. */
export function cookiesOf(origin: string): Cookies {
  const secure = origin.startsWith('https:');
  // Plain HTTP takes no Secure cookie in every browser, and `__Host-` wants one (RFC 6265bis §4.1.3.2).
  const names = secure
    ? { session: '__Host-countersign', begun: '__Host-countersign-begun' }
    : { session: 'countersign_session', begun: 'countersign_begun' };
  const attributes = `Path=/; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
  return {
    read: (request, use) => cookieOf(request, names[use]),
    write: (use, value, maxAgeSec) =>
      `${names[use]}=${value ?? ''}; ${attributes}; Max-Age=${value === null ? 0 : maxAgeSec}`,
  };
}

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
