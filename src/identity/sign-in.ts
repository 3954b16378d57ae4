/**
 * Signing in by one-time links. A link is `/sign-in#TOKEN`: what follows `#` never reaches a server or a log by itself. GET is
 * inert, so that whatever follows links (chat previews, mail scanners) uses nothing up; a POST from our own page consumes it.
 */
import { personIn } from '../core/directory.ts';
import { refuse, statusOf, titles, type Refusal } from '../core/refusal.ts';
import { visibleLine } from '../core/visible.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { Store } from '../ports/store.ts';
import { readForm, readText } from './forms.ts';
import { hashOf, newSecret } from './secrets.ts';
import { sessionLifeMs, type Sessions } from './sessions.ts';
import { messagePage, signInPage, signInScript, signInStyle } from './sign-in-page.ts';

interface SignInParts {
  readonly store: Store;
  readonly origin: string;
  readonly clock: Clock;
  readonly random: Random;
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
const unknown = refuse('not_found', 'There is no such page.');

/** Answers `/sign-in`, what that page needs, and `/sign-out`; `not_found` for all else. */
export function createSignIn(
  parts: SignInParts,
  sessions: Sessions,
): (request: Request) => Promise<Response> {
  return async (request) => {
    const { pathname } = new URL(request.url);
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    switch (`${method} ${pathname}`) {
      case 'GET /sign-in':
        return page(200, signInPage);
      case 'GET /sign-in.js':
        return new Response(signInScript, {
          headers: { 'content-type': 'text/javascript; charset=utf-8', 'cache-control': 'no-cache' },
        });
      case 'GET /sign-in.css':
        return new Response(signInStyle, {
          headers: { 'content-type': 'text/css; charset=utf-8', 'cache-control': 'no-cache' },
        });
      case 'GET /sign-in/session':
        return session(parts, sessions, request);
      case 'POST /sign-in/who':
        return sessions.fromOurPages(request) ? who(parts, request) : problem(elsewhere);
      case 'POST /sign-in':
        return sessions.fromOurPages(request)
          ? signIn(parts, sessions, request)
          : page(403, messagePage(elsewhere.detail));
      case 'POST /sign-out':
        return signOut(parts, sessions, request);
      default:
        return problem(unknown);
    }
  };
}

/** The token of a link, or of a whole link that somebody pasted. */
const tokenIn = (text: string): string => text.slice(text.lastIndexOf('#') + 1).trim();

/** Whom a link would sign in, so that the button can say so; uses nothing up. */
async function who(parts: SignInParts, request: Request): Promise<Response> {
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
async function session(parts: SignInParts, sessions: Sessions, request: Request): Promise<Response> {
  const found = await sessions.of(request);
  if (!found.ok) return problem(found.error);
  const person = personIn(await parts.store.directory(), found.value.person);
  return person === undefined
    ? problem(used)
    : json(200, { person: { id: person.id, name: visibleLine(person.name) } });
}

async function signIn(parts: SignInParts, sessions: Sessions, request: Request): Promise<Response> {
  const linkHash = hashOf('link', tokenIn((await readForm(request))?.get('token') ?? ''));
  if (linkHash === undefined) return page(401, messagePage(used.detail));
  // Always a new session: one that came with the request may have been put there by somebody else.
  const secret = newSecret(parts.random, 'session');
  const expiresAtMs = parts.clock.nowMs() + sessionLifeMs;
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
  const before = sessions.hash(request);
  const whose = before === undefined ? undefined : await parts.store.sessionOf(before);
  if (before !== undefined && whose !== undefined)
    await parts.store.change({ kind: 'signOut', person: whose.person, sessionHash: before });
  return seeOther(nextPath(request, parts.origin), sessions.cookie(secret.token));
}

async function signOut(parts: SignInParts, sessions: Sessions, request: Request): Promise<Response> {
  const found = await sessions.of(request);
  if (!found.ok && found.error.code !== 'unauthenticated') return page(403, messagePage(found.error.detail));
  const sessionHash = sessions.hash(request);
  if (found.ok && sessionHash !== undefined) {
    const result = await parts.store.change({ kind: 'signOut', person: found.value.person, sessionHash });
    if (!result.ok)
      return page(
        503,
        messagePage('The gate cannot write at the moment, so you are still signed in; try again.'),
      );
  }
  return seeOther('/sign-in', sessions.cookie(null));
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
const seeOther = (path: string, cookie: string): Response =>
  new Response(null, {
    status: 303,
    headers: { location: path, 'set-cookie': cookie, 'cache-control': 'no-store' },
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
