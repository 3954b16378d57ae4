/** A whole gate whose people sign in with a real provider, and browsers of theirs without a browser: a cookie jar, and forms. */
import assert from 'node:assert/strict';
import { asPersonId } from '../../../src/core/ids.ts';
import type { Entry } from '../../../src/core/entry.ts';
import { newLink } from '../../../src/identity/sessions.ts';
import { systemRandom } from '../../../src/main.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import { operations, startTestGate, type TestGate } from '../../support/gate.ts';
import { clientId, clientSecret, startProvider, type TestProvider } from './provider.ts';

/** Ada administers, and so does Ben; Rosa and Mia are data owners; Sam owns the agent. */
export const people = `
people:
  - { id: sam, name: Sam Lee, groups: [data-owners, platform], email: sam@acme.test }
  - { id: rosa, name: Rosa Diaz, groups: [data-owners], email: rosa@acme.test }
  - { id: mia, name: Mia Chen, groups: [data-owners] }
  - { id: eve, name: Eve Adams, groups: [sales], email: twice@acme.test }
  - { id: zoe, name: Zoe Roy, email: twice@acme.test }
  - { id: ada, name: Ada Berg, groups: [audit, admins] }
  - { id: ben, name: Ben Oz, groups: [admins] }
agents:
  - { id: crm-bot, owners: [sam] }
roles: { operators: platform, auditors: audit }
`;

export const redirectPath = '/sign-in/oidc/callback';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** One person at one browser. */
export interface TestBrowser {
  readonly jar: Map<string, string>;
  /** The same person's cookies at the provider. */
  readonly at: Map<string, string>;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** As our own page would: with its Origin. */
  post(path: string, fields: Record<string, string>, headers?: Record<string, string>): Promise<Answer>;
  /** The same with the session's CSRF token. */
  form(path: string, fields: Record<string, string>): Promise<Answer>;
  /** Presses the provider's button; answers where the browser goes. */
  begin(provider?: string, next?: string, more?: Record<string, string>): Promise<string>;
  /** What the page does that the provider sent the browser back to. */
  back(url: URL): Promise<Answer>;
  /** The whole way. */
  signIn(login: string, provider?: string): Promise<Answer>;
  /** The whole way to one more account. */
  link(login: string, provider?: string): Promise<Answer>;
  /** By a one-time link. */
  byLink(person: string): Promise<Answer>;
  /** Who is signed in; null for nobody. */
  who(): Promise<string | null>;
}

export interface PeopleGate {
  readonly gate: TestGate;
  readonly provider: TestProvider;
  /** The second provider, which nobody trusts less. */
  readonly other: TestProvider;
  readonly origin: string;
  browser(): TestBrowser;
  entries(type?: string): Promise<readonly Entry[]>;
  close(): Promise<void>;
}

const providerYaml = (id: string, issuer: string, more: string): string =>
  `  - { id: ${id}, name: ${id === 'corp' ? 'Acme login' : 'Other login'}, issuer: '${issuer}', clientId: ${clientId}, clientSecret: ${clientSecret}${more} }\n`;

export async function startPeopleGate(
  options: {
    readonly clock?: Clock;
    /** More keys of the first provider. */
    readonly corp?: string;
    /** More of the configuration. */
    readonly config?: string;
  } = {},
): Promise<PeopleGate> {
  const [provider, other] = await Promise.all([startProvider(), startProvider()]);
  const config = `${people}${operations}${options.config ?? ''}
providers:
${providerYaml('corp', provider.issuer, options.corp ?? '')}${providerYaml('other', other.issuer, '')}`;
  const gate = await startTestGate({
    config,
    ...(options.clock === undefined ? {} : { clock: options.clock }),
  });
  const { origin } = gate.gate();
  for (const one of [provider, other]) one.ready(`${origin}${redirectPath}`);
  return {
    gate,
    provider,
    other,
    origin,
    browser: () => browserAt(gate, { corp: provider, other }),
    entries: async (type) => {
      const all = (await gate.gate().parts.store.entries(-1, 1000)).map((one) => one.entry);
      return type === undefined ? all : all.filter((one) => one.type === type);
    },
    close: async () => {
      await gate.stop();
      await Promise.all([provider.close(), other.close()]);
    },
  };
}

export function browserAt(gate: TestGate, providers: Readonly<Record<string, TestProvider>>): TestBrowser {
  const jar = new Map<string, string>();
  const at = new Map<string, string>();
  const ask = async (path: string, init: RequestInit): Promise<Answer> => {
    const { origin } = gate.gate();
    const response = await fetch(new URL(path, origin), {
      ...init,
      redirect: 'manual',
      headers: {
        cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(init.headers as Record<string, string>), // made below
      },
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';');
      const equals = pair.indexOf('=');
      if (/max-age=0/i.test(cookie)) jar.delete(pair.slice(0, equals));
      else jar.set(pair.slice(0, equals), pair.slice(equals + 1));
    }
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  const post: TestBrowser['post'] = (path, fields, headers = {}) =>
    ask(path, {
      method: 'POST',
      headers: {
        origin: gate.gate().origin,
        'content-type': 'application/x-www-form-urlencoded',
        ...headers,
      },
      body: new URLSearchParams(fields).toString(),
    });
  const get: TestBrowser['get'] = (path, headers = {}) => ask(path, { method: 'GET', headers });
  const goingTo = (answer: Answer): string => {
    const href = /id="onward"[^>]* href="([^"]+)"/.exec(answer.text)?.[1];
    assert.ok(href !== undefined, `${answer.status}: ${answer.text}`);
    return href.replaceAll('&amp;', '&');
  };
  const form: TestBrowser['form'] = async (path, fields) => {
    const page = await get('/account');
    const csrf = /name="csrf" value="([0-9a-f]{64})"/.exec(page.text)?.[1] ?? 'none';
    return post(path, { csrf, ...fields });
  };
  const back: TestBrowser['back'] = (url) => post(url.pathname + url.search, {});
  const providerOf = (id: string): TestProvider => {
    const one = providers[id];
    assert.ok(one !== undefined, id);
    return one;
  };
  const begin: TestBrowser['begin'] = async (provider = 'corp', next, more = {}) =>
    goingTo(
      await post(`/sign-in${next === undefined ? '' : `?next=${encodeURIComponent(next)}`}`, {
        provider,
        ...more,
      }),
    );
  return {
    jar,
    at,
    get,
    post,
    form,
    back,
    begin,
    signIn: async (login, provider = 'corp') =>
      back(await providerOf(provider).visit(await begin(provider), login, at)),
    link: async (login, provider = 'corp') => {
      const answer = await form('/sign-in/link', { provider });
      if (answer.status !== 200) return answer;
      return back(await providerOf(provider).visit(goingTo(answer), login, at));
    },
    byLink: async (person) => {
      const { token, hash } = newLink(systemRandom);
      const { store, clock } = gate.gate().parts;
      const expiresAtMs = clock.nowMs() + 60_000;
      const made = await store.change({ kind: 'link', person: asPersonId(person), hash, expiresAtMs });
      assert.ok(made.ok);
      return post('/sign-in', { token });
    },
    who: async () => {
      const answer = await get('/sign-in/session');
      if (answer.status !== 200) return null;
      const { person } = JSON.parse(answer.text) as { readonly person: { readonly id: string } };
      return person.id;
    },
  };
}
