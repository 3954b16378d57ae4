/**
 * Signing in and out: by a provider (oidc-sign-in.ts), or by a one-time link. A link is `/sign-in#TOKEN`: what follows `#` never
 * reaches a server or a log by itself. GET is inert, so that whatever follows links (chat previews, mail scanners) uses nothing
 * up; a POST from our own page does what is done.
 */
import { isFresh } from '../core/accounts.ts';
import { personIn } from '../core/directory.ts';
import { refuse, statusOf, titles, type Refusal } from '../core/refusal.ts';
import type { Result } from '../core/result.ts';
import { visibleLine } from '../core/visible.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { PeopleSettings } from '../ports/sign-in.ts';
import type { Store } from '../ports/store.ts';
import { readForm, readText } from './forms.ts';
import { hashOf, newSecret } from './secrets.ts';
import { callbackPath, type Going, type OidcSignIn } from './oidc-sign-in.ts';
import type { Sessions } from './sessions.ts';
import {
  backPage,
  backScript,
  goingPage,
  messagePage,
  signInPage,
  signInScript,
  signInStyle,
  type Offered,
} from './sign-in-page.ts';

interface SignInParts {
  readonly store: Store;
  readonly origin: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Asked anew at each use: what is accepted of it may change. */
  readonly people: () => PeopleSettings;
  readonly sessions: Sessions;
  readonly oidc: OidcSignIn;
}

/** Where people land who did not ask for a page. */
const landing = '/inbox';
/** UTF-8 bytes of `{"token": "…"}`. */
const whoBytesMax = 1024;

const used = refuse(
  'unauthenticated',
  'This sign-in link was used, is too old or never existed; ask for a new one.',
);
const elsewhere = refuse(
  'not_permitted',
  'This did not come from a page of this gate, so nothing was done; open the link again.',
);
const switchedOff = refuse('not_permitted', 'One-time links are switched off here; sign in with an account.');
const notFresh = refuse(
  'not_permitted',
  'Sign in again first: an account is linked within five minutes of that.',
);
const unknown = refuse('not_found', 'There is no such page.');

/** Answers `/sign-in`, what that page needs, and `/sign-out`; `not_found` for all else. */
export function createSignIn(parts: SignInParts): (request: Request) => Promise<Response> {
  const { sessions, people } = parts;
  return async (request) => {
    const { pathname } = new URL(request.url);
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    switch (`${method} ${pathname}`) {
      case 'GET /sign-in':
        return page(200, signInPage(offeredOf(people())));
      case 'GET /sign-in.js':
        return script(signInScript);
      case 'GET /sign-in/continue.js':
        return script(backScript);
      case 'GET /sign-in.css':
        return new Response(signInStyle, {
          headers: { 'content-type': 'text/css; charset=utf-8', 'cache-control': 'no-cache' },
        });
      case `GET ${callbackPath}`:
        return page(200, backPage);
      case 'GET /sign-in/session':
        return session(parts, request);
      case 'POST /sign-in/who':
        return sessions.fromOurPages(request) ? who(parts, request) : problem(elsewhere);
      case 'POST /sign-in':
        return sessions.fromOurPages(request)
          ? signIn(parts, request)
          : page(403, messagePage(elsewhere.detail));
      case 'POST /sign-in/link':
        return link(parts, request);
      case `POST ${callbackPath}`:
        return sessions.fromOurPages(request)
          ? went(await parts.oidc.finish(request))
          : page(403, messagePage(elsewhere.detail));
      case 'POST /sign-out':
        return signOut(parts, request);
      default:
        return problem(unknown);
    }
  };
}

const offeredOf = ({ providers, waiting = [], signInLinks }: PeopleSettings): Offered => ({
  providers,
  waiting: waiting.map((one) => one.id),
  links: signInLinks,
});

/** The token of a link, or of a whole link that somebody pasted. */
const tokenIn = (text: string): string => text.slice(text.lastIndexOf('#') + 1).trim();

/** Whom a link would sign in, so that the button can say so; uses nothing up. */
async function who(parts: SignInParts, request: Request): Promise<Response> {
  if (!parts.people().signInLinks) return problem(switchedOff);
  const hash = hashOf('link', tokenIn(tokenOfJson(await readText(request, whoBytesMax))));
  const id = hash === undefined ? undefined : await parts.store.linkOf(hash);
  const person = id === undefined ? undefined : personIn(await parts.store.directory(), id);
  return person === undefined
    ? problem(used)
    : json(200, { person: { id: person.id, name: visibleLine(person.name) } });
}

function tokenOfJson(text: string | undefined): string {
  try {
    const value: unknown = JSON.parse(text ?? '');
    const token: unknown =
      typeof value === 'object' && value !== null ? Reflect.get(value, 'token') : undefined;
    return typeof token === 'string' ? token : '';
  } catch {
    return '';
  }
}

/** For the page: a link followed from elsewhere carries no strict cookie, but the page's own question does. */
async function session(parts: SignInParts, request: Request): Promise<Response> {
  const found = await parts.sessions.of(request);
  if (!found.ok) return problem(found.error);
  const person = personIn(await parts.store.directory(), found.value.person);
  return person === undefined
    ? problem(used)
    : json(200, { person: { id: person.id, name: visibleLine(person.name) } });
}

/** One page, two ways: a provider's button, or the token of a link. */
async function signIn(parts: SignInParts, request: Request): Promise<Response> {
  const { sessions } = parts;
  const fields = await readForm(request);
  const provider = fields?.get('provider');
  if (provider !== undefined) {
    const anew = fields?.get('anew') === 'yes';
    const purpose = anew ? 'anew' : 'signIn';
    return begin(parts, request, { provider, purpose, next: nextPath(request, parts.origin), person: null });
  }
  if (!parts.people().signInLinks) return page(403, messagePage(switchedOff.detail));
  const linkHash = hashOf('link', tokenIn(fields?.get('token') ?? ''));
  if (linkHash === undefined) return page(401, messagePage(used.detail));
  // Always a new session: one that came with the request may have been put there by somebody else.
  const secret = newSecret(parts.random, 'session');
  const expiresAtMs = sessions.endsAtMs();
  const result = await parts.store.change({
    kind: 'signIn',
    linkHash,
    sessionHash: secret.hash,
    expiresAtMs,
  });
  if (!result.ok) {
    if (result.error.kind === 'refused') return page(401, messagePage(result.error.refusal.detail));
    return page(
      503,
      messagePage('The gate cannot write at the moment, so nobody can sign in; the link is still good.'),
    );
  }
  const before = await sessions.known(request);
  if (before !== undefined)
    await parts.store.change({ kind: 'signOut', person: before.person, sessionHash: before.hash });
  return withCookies(seeOther(nextPath(request, parts.origin)), [sessions.cookie(secret.token)]);
}

/** Begins to link an account to whoever is signed in; the form carries their session's token. */
async function link(parts: SignInParts, request: Request): Promise<Response> {
  const provider = (await readForm(request.clone()))?.get('provider');
  const found = await parts.sessions.of(request);
  if (!found.ok) return page(statusOf(found.error.code), messagePage(found.error.detail));
  const { person, way } = found.value;
  if (!isFresh(way, parts.clock.nowMs())) return page(403, messagePage(notFresh.detail));
  return begin(parts, request, { provider: provider ?? '', purpose: 'link', next: '/account', person });
}

/** Off to a provider; from the gate's own name, because the browser comes back to that with its cookie. */
async function begin(
  { oidc, origin }: SignInParts,
  request: Request,
  of: Parameters<OidcSignIn['begin']>[0],
): Promise<Response> {
  const asked = new URL(request.url);
  const host = request.headers.get('host') ?? asked.host;
  if (host !== new URL(origin).host)
    return page(403, messagePage(`This gate goes by ${origin}; open it there and sign in again.`));
  const going = await oidc.begin(of);
  if (!going.ok) return page(statusOf(going.error.code), messagePage(going.error.detail));
  const { name, to, cookies } = going.value;
  return withCookies(page(200, goingPage(name, to)), cookies);
}

/** Back from a provider: on to where the person wanted to go, or a page that says why not. */
const went = (going: Result<Going, Refusal>): Response =>
  going.ok
    ? withCookies(seeOther(going.value.to), going.value.cookies)
    : page(statusOf(going.error.code), messagePage(wordsFor(going.error)));

/** What somebody can do about it. */
const wordsFor = ({ detail, evidence }: Refusal): string =>
  evidence?.['why'] === 'unknown'
    ? `${detail} If you are a person of this gate: sign in as you did before, with a link of the operator or another account, open “Your account”, and link this one there.`
    : detail;

function withCookies(response: Response, cookies: readonly string[]): Response {
  for (const cookie of cookies) response.headers.append('set-cookie', cookie);
  return response;
}

async function signOut(parts: SignInParts, request: Request): Promise<Response> {
  const { sessions } = parts;
  // The session's proof reads the body once more.
  const everywhere = (await readForm(request.clone()))?.get('everywhere') === 'yes';
  const found = await sessions.of(request);
  if (!found.ok && found.error.code !== 'unauthenticated') return page(403, messagePage(found.error.detail));
  const sessionHash = sessions.hash(request);
  if (found.ok && sessionHash !== undefined) {
    const { person } = found.value;
    const result = await parts.store.change(
      everywhere
        ? { kind: 'endSessions', person, which: { kind: 'all' } }
        : { kind: 'signOut', person, sessionHash },
    );
    if (!result.ok)
      return page(
        503,
        messagePage('The gate cannot write at the moment, so you are still signed in; try again.'),
      );
  }
  return withCookies(seeOther('/sign-in'), [sessions.cookie(null)]);
}

/**
 * `?next=` where it is a path of ours; a full or protocol-relative address, or one with a backslash, is not. Looked at again
 * once its dots are resolved: `/..//host` begins as a path and ends as another host.
 */
function nextPath(request: Request, origin: string): string {
  const next = new URL(request.url).searchParams.get('next') ?? landing;
  const path = /^\/(?![/\\])[\x21-\x7e]*$/;
  const url = path.test(next) && !next.includes('\\') ? URL.parse(next, origin) : null;
  if (url === null || url.origin !== new URL(origin).origin || !path.test(url.pathname)) return landing;
  return url.pathname + url.search + url.hash;
}

/** A page with nothing in it but ours: no inline script or style, no other host, no frame around it. */
const page = (status: number, html: string): Response =>
  new Response(html, {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      // Not `no-referrer`: then browsers post forms with `Origin: null`.
      'referrer-policy': 'same-origin',
    },
  });

/** RFC 9110 §15.4.4; 303 turns the POST into a GET. */
const seeOther = (path: string): Response =>
  new Response(null, { status: 303, headers: { location: path, 'cache-control': 'no-store' } });

const script = (text: string): Response =>
  new Response(text, {
    headers: { 'content-type': 'text/javascript; charset=utf-8', 'cache-control': 'no-cache' },
  });

const json = (status: number, body: object, type = 'application/json'): Response =>
  new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': type, 'cache-control': 'no-store' },
  });

const problem = ({ code, detail }: Refusal): Response =>
  json(
    statusOf(code),
    {
      type: `https://countersign.dev/problems/${code}`,
      title: titles[code],
      status: statusOf(code),
      detail,
      code,
    },
    'application/problem+json',
  );
