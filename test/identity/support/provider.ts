/**
 * A real OpenID provider (`oidc-provider`) in this process, behind a small front that a test can tell to misbehave: to answer
 * late or not at all, to send the browser back with other parameters, to hand out other ID tokens than the provider signed.
 */
import assert from 'node:assert/strict';
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  decodeJwt,
  exportJWK,
  generateKeyPair,
  SignJWT,
  type CryptoKey,
  type JWK,
  type JWTPayload,
} from 'jose';
import { Provider, type Context } from 'oidc-provider';

export const clientId = 'countersign';
export const clientSecret = 'a-client-secret-that-only-this-test-knows';

export interface TestAccount {
  readonly name?: string;
  readonly email?: string;
  readonly emailVerified?: boolean;
  readonly groups?: readonly string[];
}

/** What the front does wrong. */
export interface Twist {
  /** Other claims; signed with the provider's own key. */
  readonly claims?: (claims: JWTPayload) => JWTPayload;
  /** The whole ID token, of claims that `claims` may have changed. */
  readonly idToken?: (claims: JWTPayload, own: string) => string | Promise<string>;
  /** Parameters of the way back. */
  readonly back?: (url: URL) => void;
  /** Answers of the token endpoint, of the metadata, of the keys: not at all, or with this status and text. */
  readonly fails?: {
    readonly path: string;
    readonly how: 'hang up' | 'never' | { readonly status: number; readonly text: string };
  };
}

export interface TestProvider {
  readonly issuer: string;
  readonly accounts: Map<string, TestAccount>;
  twist: Twist;
  /** Paths that were asked, in order. */
  readonly asked: readonly string[];
  readonly keys: { readonly own: JWK; readonly privateKey: CryptoKey; readonly kid: string };
  /** Makes the provider itself, once the redirect URI is known. */
  ready(redirectUri: string, client?: object): void;
  /** What a browser does that is sent to the provider: logs in as somebody, and answers where it is sent back to. */
  visit(to: string, login: string, jar?: Map<string, string>): Promise<URL>;
  close(): Promise<void>;
}

const listening = async (server: Server, port = 0): Promise<number> => {
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  // A server that listens on a port has an address with one.
  return (server.address() as AddressInfo).port;
};

const textOf = async (stream: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
};

function configurationOf(
  accounts: Map<string, TestAccount>,
  jwk: JWK,
  redirectUri: string,
  client: object,
): object {
  return {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: [redirectUri],
        response_types: ['code'],
        grant_types: ['authorization_code'],
        token_endpoint_auth_method: 'client_secret_basic',
        ...client,
      },
    ],
    jwks: { keys: [jwk] },
    cookies: { keys: ['a cookie key of the tests'] },
    features: { devInteractions: { enabled: false } },
    conformIdTokenClaims: false,
    scopes: ['openid', 'profile', 'email', 'groups'],
    claims: {
      openid: ['sub'],
      profile: ['name', 'preferred_username'],
      email: ['email', 'email_verified'],
      groups: ['groups'],
    },
    pkce: { required: () => true },
    interactions: {
      url: (_ctx: unknown, interaction: { readonly uid: string }) => `/login/${interaction.uid}`,
    },
    findAccount: (_ctx: unknown, id: string) => {
      const account = accounts.get(id);
      return account === undefined
        ? undefined
        : {
            accountId: id,
            claims: () => ({
              sub: id,
              name: account.name ?? id,
              preferred_username: id,
              ...(account.email === undefined ? {} : { email: account.email }),
              email_verified: account.emailVerified ?? false,
              ...(account.groups === undefined ? {} : { groups: account.groups }),
            }),
          };
    },
    loadExistingGrant: async ({ oidc }: Context) => {
      const { accountId } = oidc.session;
      const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId });
      grant.addOIDCScope('openid profile email groups');
      await grant.save();
      return grant;
    },
  };
}

const loginPage = `<!doctype html><title>Test provider</title><link rel="icon" href="data:,"><form method="post">
<label>Login <input name="login" autofocus></label><button type="submit">Log in</button></form>`;

export async function startProvider(): Promise<TestProvider> {
  const accounts = new Map<string, TestAccount>();
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  const kid = 'test-key';
  const own = { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' };
  const jwk = { ...(await exportJWK(privateKey)), kid, alg: 'RS256', use: 'sig' };
  const asked: string[] = [];
  let provider: Provider | undefined;

  const inner = createServer((request, response) => {
    const path = request.url ?? '';
    if (path.startsWith('/login/') && request.method === 'GET')
      return void response.setHeader('content-type', 'text/html').end(loginPage);
    if (path.startsWith('/login/'))
      return void textOf(request).then((body) => {
        const accountId = new URLSearchParams(body.toString()).get('login') ?? '';
        return provider?.interactionFinished(request, response, { login: { accountId } });
      });
    void provider?.callback()(request, response);
  });
  const innerPort = await listening(inner);

  const front = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    asked.push(path);
    const { fails } = made.twist;
    if (fails !== undefined && path === fails.path) {
      if (fails.how === 'never') return;
      if (fails.how === 'hang up') return void request.socket.destroy();
      response.writeHead(fails.how.status, { 'content-type': 'application/json' }).end(fails.how.text);
      return;
    }
    const onward = httpRequest(
      {
        host: '127.0.0.1',
        port: innerPort,
        path: request.url,
        method: request.method,
        headers: request.headers,
      },
      (answer) => void twisted(answer, path, response),
    );
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  const port = await listening(front);
  const issuer = `http://127.0.0.1:${port}`;

  const sign = (claims: JWTPayload): Promise<string> =>
    new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid, typ: 'JWT' }).sign(privateKey);
  const twisted = async (
    answer: IncomingMessage,
    path: string,
    response: import('node:http').ServerResponse,
  ): Promise<void> => {
    const { claims, idToken, back } = made.twist;
    const headers = { ...answer.headers };
    let body = await textOf(answer);
    if (path === '/token' && answer.statusCode === 200 && (claims !== undefined || idToken !== undefined)) {
      const json = JSON.parse(body.toString()) as { id_token: string };
      const said = claims?.(decodeJwt(json.id_token)) ?? decodeJwt(json.id_token);
      const token = await (idToken?.(said, json.id_token) ?? sign(said));
      body = Buffer.from(JSON.stringify({ ...json, id_token: token }));
      headers['content-length'] = String(body.length);
    }
    const location = headers.location === undefined ? undefined : URL.parse(headers.location, issuer);
    if (back !== undefined && location?.searchParams.has('code') === true) {
      back(location);
      headers.location = location.href;
    }
    response.writeHead(answer.statusCode ?? 500, headers).end(body);
  };

  const made: TestProvider = {
    issuer,
    accounts,
    twist: {},
    asked,
    keys: { own, privateKey, kid },
    ready: (redirectUri, client = {}) => {
      provider = new Provider(issuer, configurationOf(accounts, jwk, redirectUri, client));
      provider.on('server_error', (...args) => console.error('provider:', args[1]));
    },
    visit: async (to, login, jar = new Map()) => visited(to, login, jar, issuer),
    close: async () => {
      front.closeAllConnections();
      inner.closeAllConnections();
      await Promise.all([front, inner].map((one) => new Promise((resolve) => one.close(resolve))));
    },
  };
  return made;
}

/** Follows redirects with cookies until the provider sends the browser elsewhere. */
async function visited(to: string, login: string, jar: Map<string, string>, issuer: string): Promise<URL> {
  let url = new URL(to);
  let posts = false;
  for (let step = 0; step < 12; step += 1) {
    if (url.origin !== issuer) return url;
    const response = await fetch(url, {
      redirect: 'manual',
      method: posts ? 'POST' : 'GET',
      headers: {
        cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(posts ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
      },
      ...(posts ? { body: new URLSearchParams({ login }).toString() } : {}),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';');
      const at = pair.indexOf('=');
      if (/expires=Thu, 01 Jan 1970/i.test(cookie)) jar.delete(pair.slice(0, at));
      else jar.set(pair.slice(0, at), pair.slice(at + 1));
    }
    const text = await response.text();
    const location = response.headers.get('location');
    if (location === null) {
      assert.equal(response.status, 200, `${url.href}: ${text}`);
      assert.ok(!posts && url.pathname.startsWith('/login/'), `stuck at ${url.href}: ${text}`);
      posts = true;
      continue;
    }
    posts = false;
    url = new URL(location, url);
  }
  throw new Error('the provider sends the browser in circles');
}
