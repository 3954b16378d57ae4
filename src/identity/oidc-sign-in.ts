/**
 * Signing in, and linking an account, with an OpenID provider. What is begun is kept here and bound to the browser that began
 * it: the nonce and the PKCE verifier follow from a secret in that browser's cookie, so neither a reader of the store nor
 * somebody who brings a code of their own can finish it. GET of the callback is inert; a page of ours posts what came back.
 */
import { isDeepStrictEqual } from 'node:util';
import type { AccountKey } from '../core/accounts.ts';
import { aboutNothing } from '../core/entry.ts';
import { asPersonId, type PersonId } from '../core/ids.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import { readJson } from '../core/read-json.ts';
import { refuse, type Refusal } from '../core/refusal.ts';
import { err, ok, type Result } from '../core/result.ts';
import { hmacSha256Hex, sha256Hex } from '../core/sha256.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { PeopleSettings } from '../ports/sign-in.ts';
import type { ChangeError, Store } from '../ports/store.ts';
import { createProvider, type Binding, type Provider, type Vouch } from './oidc.ts';
import { hashOf, newSecret } from './secrets.ts';
import type { Cookies, Known, Sessions } from './sessions.ts';

/** Where every provider sends the browser back to; `state` says which one it was. */
export const callbackPath = '/sign-in/oidc/callback';
/** What such a request is among the begun things (core/begun.ts). */
const oidcKind = 'oidc';
/** How long somebody may take at the provider. */
export const begunMs = 10 * 60_000;
/** How long ago, in seconds, the proof of an account that is linked may be. */
const linkMaxAgeSec = 300;
/** Refusals of one minute that are written to the log; the rest was refused as well. */
const toldPerMinute = 30;
const stateBytes = 32;
const stateForm = /^[A-Za-z0-9_-]{43}$/;

/** `signIn`: opens a session. `anew`: the same, and the provider must ask for the proof again. `link`: attaches the account. */
export type Purpose = 'signIn' | 'anew' | 'link';

interface BegunBody {
  readonly provider: string;
  readonly purpose: Purpose;
  /** A path of ours. */
  readonly next: string;
  /** SHA-256 of the browser's secret. */
  readonly browser: string;
}

export interface OidcParts {
  readonly store: Store;
  readonly origin: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Asked anew at each use: what is accepted of it may change. */
  readonly people: () => PeopleSettings;
  readonly sessions: Sessions;
  readonly cookies: Cookies;
}

/** Where the browser goes, and the cookies that it takes along. */
export interface Going {
  readonly to: string;
  readonly cookies: readonly string[];
}

export interface OidcSignIn {
  /** Begins; answers the provider's address. @param person who links an account; null for signing in. */
  begin(of: {
    readonly provider: string;
    readonly purpose: Purpose;
    readonly next: string;
    readonly person: PersonId | null;
  }): Promise<Result<Going & { readonly name: string }, Refusal>>;
  /** Finishes what the request's query names, which a page of ours has posted. */
  finish(request: Request): Promise<Result<Going, Refusal>>;
}

const elsewhere = refuse(
  'unauthenticated',
  'This sign-in was not begun in this browser, was finished already or took too long; begin again.',
);
const cannotWrite = refuse(
  'audit_unavailable',
  'The gate cannot write at the moment, so nobody can sign in; try again.',
);

const stateHash = (state: string): string => sha256Hex(`countersign.oidc.v1\0${state}`);

export function createOidcSignIn(parts: OidcParts): OidcSignIn {
  const providerOf = providersOf(parts);
  const tell = teller(parts);
  return {
    begin: async ({ provider: id, purpose, next, person }) => {
      const known = providerOf(id);
      if (!known.ok) return known;
      const provider = known.value;
      const state = Buffer.from(parts.random.bytes(stateBytes)).toString('base64url');
      const browser = newSecret(parts.random, 'begun');
      const to = await provider.begin(
        bindingOf(browser.token, state, maxAgeOf(provider, purpose)),
        `${parts.origin}${callbackPath}`,
        purpose !== 'signIn',
      );
      if (!to.ok) return to;
      const body: BegunBody = { provider: id, purpose, next, browser: browser.hash };
      const kept = await parts.store.change({
        kind: 'begin',
        begun: {
          hash: stateHash(state),
          kind: oidcKind,
          person,
          body: JSON.stringify(body),
          expiresAtMs: parts.clock.nowMs() + begunMs,
        },
      });
      if (!kept.ok) return err(refusalOf(kept.error));
      const cookie = parts.cookies.write('begun', browser.token, begunMs / 1000);
      return ok({ to: to.value.href, cookies: [cookie], name: provider.settings.name });
    },
    finish: async (request) => {
      const begun = await begunBy(parts, request);
      if (!begun.ok) return begun;
      const { state, token, body, person } = begun.value;
      const known = providerOf(body.provider);
      if (!known.ok) return known;
      const provider = known.value;
      const answer = new URL(`${parts.origin}${callbackPath}`);
      answer.search = new URL(request.url).search;
      const vouch = await provider.finish(answer, bindingOf(token, state, maxAgeOf(provider, body.purpose)));
      if (!vouch.ok) {
        await tell(vouch.error);
        return vouch;
      }
      // What was taken away or changed while the provider answered is not believed either.
      const still = providerOf(body.provider);
      if (!still.ok) return still;
      if (still.value !== provider) return err(elsewhere);
      const account = {
        kind: 'oidc',
        issuer: provider.settings.issuer,
        subject: vouch.value.subject,
      } as const;
      const done =
        body.purpose === 'link'
          ? await link(parts, request, { person, account, vouch: vouch.value })
          : await open(parts, request, { account, vouch: vouch.value });
      const cleared = parts.cookies.write('begun', null, 0);
      return done.ok ? ok({ to: body.next, cookies: [...done.value, cleared] }) : done;
    },
  };
}

/** Answers a provider as it is accepted now; what one says of itself is kept until its settings change. */
function providersOf({ people }: OidcParts): (id: string) => Result<Provider, Refusal> {
  const made = new Map<string, Provider>();
  return (id) => {
    const { providers, waiting = [] } = people();
    const settings = providers.find((one) => one.id === id);
    if (settings === undefined)
      return err(
        waiting.some((one) => one.id === id)
          ? refuse('not_permitted', 'This provider was added or changed, and waits for people to accept it.')
          : refuse('not_found', 'There is no such provider here.'),
      );
    const before = made.get(id);
    if (before !== undefined && isDeepStrictEqual(before.settings, settings)) return ok(before);
    const provider = createProvider(settings);
    made.set(id, provider);
    return ok(provider);
  };
}

/** One who links must have proven the account just now; one who signs in, as lately as is configured. */
const maxAgeOf = ({ settings }: Provider, purpose: Purpose): number =>
  purpose === 'signIn' ? settings.maxAgeSec : Math.min(linkMaxAgeSec, settings.maxAgeSec);

/** What binds an answer to this browser. RFC 7636 §4.1: 43 to 128 characters; 64 hexadecimal ones hold 256 bits. */
function bindingOf(browser: string, state: string, maxAgeSec: number): Binding {
  const key = new TextEncoder().encode(browser);
  return {
    state,
    nonce: hmacSha256Hex(key, `countersign.oidc.nonce.v1\0${state}`),
    verifier: hmacSha256Hex(key, `countersign.oidc.verifier.v1\0${state}`),
    maxAgeSec,
  };
}

interface Taken {
  readonly state: string;
  /** The browser's secret. */
  readonly token: string;
  readonly body: BegunBody;
  readonly person: PersonId | null;
}

/** Uses up what this browser began; whatever another one began stays as it is. */
async function begunBy(parts: OidcParts, request: Request): Promise<Result<Taken, Refusal>> {
  const [state, ...more] = new URL(request.url).searchParams.getAll('state');
  const token = parts.cookies.read(request, 'begun');
  const browser = token === undefined ? undefined : hashOf('begun', token);
  if (state === undefined || more.length > 0 || !stateForm.test(state)) return err(elsewhere);
  if (token === undefined || browser === undefined) return err(elsewhere);
  const row = await parts.store.begun(stateHash(state));
  const body = row === undefined ? undefined : bodyOf(row.body);
  if (row === undefined || body === undefined || body.browser !== browser) return err(elsewhere);
  const person = row.person === null ? null : asPersonId(row.person);
  // Whoever began to link is who is signed in now.
  if (person !== null && (await parts.sessions.known(request))?.person !== person) return err(elsewhere);
  const used = await parts.store.change({
    kind: 'finish',
    hash: row.hash,
    of: oidcKind,
    person,
    body: row.body,
  });
  return used.ok ? ok({ state, token, body, person }) : err(refusalOf(used.error, elsewhere));
}

/** Written by `begin`; anything else is nothing. */
function bodyOf(text: string): BegunBody | undefined {
  const read = readJson(text);
  if (!read.ok || !isJsonObject(read.value)) return undefined;
  const { provider, purpose, next, browser }: JsonObject = read.value;
  return typeof provider === 'string' &&
    (purpose === 'signIn' || purpose === 'anew' || purpose === 'link') &&
    typeof next === 'string' &&
    typeof browser === 'string'
    ? { provider, purpose, next, browser }
    : undefined;
}

interface Proven {
  readonly account: AccountKey;
  readonly vouch: Vouch;
}

/** Always a new session: one that came with the request may have been put there by somebody else. */
async function open(
  parts: OidcParts,
  request: Request,
  { account, vouch }: Proven,
): Promise<Result<readonly string[], Refusal>> {
  const { store, sessions, people } = parts;
  const secret = newSecret(parts.random, 'session');
  const opened = await store.change({
    kind: 'signInWith',
    account: { ...account, display: vouch.display },
    authAtMs: vouch.authAtMs,
    groups: vouch.groups,
    email: vouch.email,
    ...(vouch.chat === null ? {} : { also: [{ ...vouch.chat, display: vouch.display }] }),
    sessionHash: secret.hash,
    expiresAtMs: sessions.endsAtMs(),
    coolOffMs: people().coolOffMs,
  });
  if (!opened.ok) return err(refusalOf(opened.error));
  const before = await sessions.known(request);
  if (before !== undefined)
    await store.change({ kind: 'signOut', person: before.person, sessionHash: before.hash });
  return ok([sessions.cookie(secret.token)]);
}

async function link(
  parts: OidcParts,
  request: Request,
  { person, account, vouch }: Proven & { readonly person: PersonId | null },
): Promise<Result<readonly string[], Refusal>> {
  const session: Known | undefined = await parts.sessions.known(request);
  if (session === undefined || session.person !== person) return err(elsewhere);
  const linked = await parts.store.change({
    kind: 'linkAccount',
    person: session.person,
    way: session.way,
    account: { ...account, display: vouch.display },
    code: null,
    coolOffMs: parts.people().coolOffMs,
  });
  return linked.ok ? ok([]) : err(refusalOf(linked.error));
}

const refusalOf = (error: ChangeError, otherwise?: Refusal): Refusal =>
  error.kind === 'refused' ? (otherwise ?? error.refusal) : cannotWrite;

/** Writes to the log what a provider's answer was refused for; so much within a minute. */
function teller({ store, clock }: OidcParts): (refusal: Refusal) => Promise<void> {
  let minute = { fromMs: 0, count: 0 };
  return async ({ code, evidence }) => {
    const nowMs = clock.nowMs();
    if (Math.abs(nowMs - minute.fromMs) >= 60_000) minute = { fromMs: nowMs, count: 0 };
    minute = { ...minute, count: minute.count + 1 };
    if (minute.count > toldPerMinute) return;
    await store.change({
      kind: 'record',
      entries: [
        {
          type: 'account.refused',
          by: { kind: 'gate' },
          about: aboutNothing,
          subject: null,
          data: {
            code,
            provider: String(evidence?.['provider'] ?? ''),
            why: String(evidence?.['why'] ?? ''),
          },
        },
      ],
    });
  };
}
