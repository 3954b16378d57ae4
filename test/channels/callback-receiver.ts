/** A receiver of callbacks on a loopback port of its own, over http or https, and what it takes to reach it by a name. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer as createHttp,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { text } from 'node:stream/consumers';
import type { Net } from '../../src/channels/pinned-post.ts';

export const callbackSecret = `whsec_${Buffer.from('a key of thirty-two bytes, or so').toString('base64')}`;

export interface Got {
  readonly headers: IncomingHttpHeaders;
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly body: string;
  /** The name that the TLS client asked for; undefined over http. */
  readonly servername: string | false | null | undefined;
}

export interface Receiver {
  readonly port: number;
  readonly got: readonly Got[];
  readonly end: () => Promise<void>;
}

export async function receiver(
  answer: (response: ServerResponse, times: number) => void = (response) => response.writeHead(204).end(),
  how: { readonly secure?: boolean; readonly host?: string } = {},
): Promise<Receiver> {
  const got: Got[] = [];
  const take = (request: IncomingMessage, response: ServerResponse): void => {
    void text(request).then((body) => {
      const { headers, method, url: path } = request;
      // Over https every socket is one of TLS.
      const servername = how.secure === true ? (request.socket as TLSSocket).servername : undefined;
      got.push({ headers, method, path, body, servername });
      answer(response, got.length);
    });
  };
  const server: Server =
    how.secure === true ? createHttps({ cert: certificate, key: privateKey }, take) : createHttp(take);
  server.listen(0, how.host ?? '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return {
    port: address.port,
    got,
    end: async () => {
      server.closeAllConnections();
      if (server.listening) await new Promise((done) => server.close(done));
    },
  };
}

/** Names that answer these addresses, one list a question; the last one goes on answering. */
export function names(...answers: readonly (readonly string[])[]): Net & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    ca: certificate,
    resolve: (name) => {
      asked.push(name);
      return Promise.resolve(answers[Math.min(asked.length, answers.length) - 1] ?? []);
    },
  };
}

/** Whether a receiver that follows Standard Webhooks takes it for ours. */
export function isSigned({ headers, body }: Pick<Got, 'headers' | 'body'>, secret = callbackSecret): boolean {
  const id = headers['webhook-id'];
  const at = headers['webhook-timestamp'];
  const said = headers['webhook-signature'];
  const expected = createHmac('sha256', Buffer.from(secret.slice('whsec_'.length), 'base64'))
    .update(`${String(id)}.${String(at)}.${body}`)
    .digest('base64');
  return said === `v1,${expected}`;
}

/** Made for these tests alone, for wf.example.com and a.flows.example.com; trusted by nobody else. */
export const certificate = `-----BEGIN CERTIFICATE-----
MIIBhzCCASygAwIBAgIBATAKBggqhkjOPQQDAjAbMRkwFwYDVQQDDBBDb3VudGVy
c2lnbiB0ZXN0MCAXDTI0MDEwMTAwMDAwMFoYDzIxMjQwMTAxMDAwMDAwWjAbMRkw
FwYDVQQDDBBDb3VudGVyc2lnbiB0ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD
QgAEpogDi1ZHcHYW5qhOLa0I2IqdbCbcv+8e/Uf0uMdDZmCDl/KNnx5bFbvU7j8A
/xa+s6EkghUIkZgbgBJxt6G9MKNfMF0wLgYDVR0RBCcwJYIOd2YuZXhhbXBsZS5j
b22CE2EuZmxvd3MuZXhhbXBsZS5jb20wDAYDVR0TBAUwAwEB/zAdBgNVHQ4EFgQU
A8Vl1kcDZJVYgEJkmc+tfo/zgbwwCgYIKoZIzj0EAwIDSQAwRgIhAJOXBP/ONOPS
9KSjREg2c5fB9/D4UxDFBbJU6LnoVmtIAiEAwpJrHdiTER1Nr28yGlrjkkC76YeX
lIO9+FvJnBUXGt4=
-----END CERTIFICATE-----
`;
export const privateKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg58Iujx4zmAQf+/hy
dd3+6/eJU+ZEhGQO68yXteTNzdKhRANCAASmiAOLVkdwdhbmqE4trQjYip1sJty/
7x79R/S4x0NmYIOX8o2fHlsVu9TuPwD/Fr6zoSSCFQiRmBuAEnG3ob0w
-----END PRIVATE KEY-----
`;
