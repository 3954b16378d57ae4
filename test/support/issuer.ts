/**
 * An issuer of workload tokens, as CI systems and clouds run one: a real HTTP server on loopback with metadata, public keys and
 * a token endpoint, and keys made with jose. What it signs is up to the test.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';

export interface Signing {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
  readonly alg: string;
}

export async function newKey(kid: string, alg = 'ES256'): Promise<Signing> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, privateKey, alg, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

export interface TestIssuer {
  readonly url: string;
  /** What it answers, by path; a test may replace any. */
  readonly answers: Map<string, (request: IncomingMessage, response: ServerResponse) => void>;
  /** How often a path was asked for. */
  readonly asked: Map<string, number>;
  /** The keys that it publishes now. */
  keys: JWK[];
  readonly key: Signing;
  /** A token of this issuer: good for ten minutes, unless the claims say something else; null leaves a claim out. */
  sign(
    claims: Readonly<Record<string, unknown>>,
    how?: { readonly key?: Signing; readonly header?: Readonly<Record<string, unknown>> },
  ): Promise<string>;
  /** Bodies of requests at `/token`. */
  readonly grants: URLSearchParams[];
  close(): Promise<void>;
}

/** @param claimsOf what its token endpoint signs for a client that asks for a resource. */
export async function startIssuer(
  claimsOf: (client: string, resource: string) => Readonly<Record<string, unknown>> = () => ({}),
  nowMs: () => number = () => Date.now(),
): Promise<TestIssuer> {
  const answers: TestIssuer['answers'] = new Map();
  const asked = new Map<string, number>();
  const grants: URLSearchParams[] = [];
  const key = await newKey('one');
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    asked.set(pathname, (asked.get(pathname) ?? 0) + 1);
    const answer = answers.get(pathname);
    if (answer !== undefined) return answer(request, response);
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuer: TestIssuer = {
    url,
    answers,
    asked,
    grants,
    keys: [key.publicJwk],
    key,
    sign: (claims, how = {}) => {
      const nowSec = Math.floor(nowMs() / 1000);
      const all = { iss: url, iat: nowSec, exp: nowSec + 600, ...claims };
      const payload = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
      const { privateKey, kid, alg } = how.key ?? key;
      return new SignJWT(payload)
        .setProtectedHeader({ alg, kid, typ: 'JWT', ...how.header })
        .sign(privateKey);
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  const metadata = {
    issuer: url,
    jwks_uri: `${url}/jwks`,
    token_endpoint: `${url}/token`,
    authorization_endpoint: `${url}/authorize`,
    response_types_supported: ['code'],
    grant_types_supported: ['client_credentials'],
    token_endpoint_auth_methods_supported: ['client_secret_basic'],
  };
  const json =
    (value: () => unknown) =>
    (_request: IncomingMessage, response: ServerResponse): void => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value()));
    };
  answers.set(
    '/.well-known/openid-configuration',
    json(() => metadata),
  );
  answers.set(
    '/.well-known/oauth-authorization-server',
    json(() => metadata),
  );
  answers.set(
    '/jwks',
    json(() => ({ keys: issuer.keys })),
  );
  answers.set('/token', (request, response) => {
    void (async () => {
      const body = new URLSearchParams(await text(request));
      grants.push(body);
      const basic = Buffer.from(
        (request.headers.authorization ?? '').replace('Basic ', ''),
        'base64',
      ).toString();
      const [client = ''] = basic.split(':');
      const resource = body.get('resource') ?? '';
      const access_token = await issuer.sign({ aud: resource, ...claimsOf(client, resource) });
      json(() => ({ access_token, token_type: 'Bearer', expires_in: 600 }))(request, response);
    })();
  });
  return issuer;
}
