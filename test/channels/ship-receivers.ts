/** Receivers of a shipped log on loopback ports of their own: a TLS syslog server that reads octet-counted frames, and an HTTP one. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttp, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { createServer as createTls, type TLSSocket } from 'node:tls';
import type { Signed } from '../support/certificates.ts';

export interface SyslogReceiver {
  readonly port: number;
  /** Whole messages, in the order of their arrival. */
  readonly messages: readonly string[];
  /** Ends every connection; it goes on listening. */
  readonly cut: () => void;
  readonly end: () => Promise<void>;
}

export async function syslogReceiver(signed: Signed, port = 0): Promise<SyslogReceiver> {
  const messages: string[] = [];
  const sockets = new Set<TLSSocket>();
  const server = createTls({ key: signed.key, cert: signed.cert }, (socket) => {
    sockets.add(socket);
    let held = Buffer.alloc(0);
    socket.on('data', (data) => {
      held = Buffer.concat([held, data]);
      for (;;) {
        const space = held.indexOf(0x20);
        if (space < 0) return;
        const length = Number(held.subarray(0, space).toString('ascii'));
        assert.ok(Number.isSafeInteger(length) && length > 0, 'a frame begins with its length');
        if (held.length < space + 1 + length) return;
        messages.push(held.subarray(space + 1, space + 1 + length).toString('utf8'));
        held = held.subarray(space + 1 + length);
      }
    });
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', () => undefined);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: address.port,
    messages,
    cut,
    end: async () => {
      cut();
      await new Promise((done) => server.close(done));
    },
  };
}

export interface HttpGot {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The CloudEvents of it. */
  readonly events: readonly CloudEvent[];
}

export interface CloudEvent {
  readonly specversion: string;
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  readonly time: string;
  readonly data: { readonly index: number; readonly type: string; readonly [field: string]: unknown };
}

export interface HttpReceiver {
  readonly port: number;
  readonly got: readonly HttpGot[];
  readonly end: () => Promise<void>;
}

/** @param answer what it says to a request; default: 204. It may say nothing. */
export async function httpReceiver(
  answer: (response: ServerResponse, got: HttpGot, times: number) => void = (response) =>
    void response.writeHead(204).end(),
): Promise<HttpReceiver> {
  const got: HttpGot[] = [];
  const server = createHttp((request, response) => {
    void text(request).then((body) => {
      const said: unknown = JSON.parse(body);
      const events = (Array.isArray(said) ? said : [said]) as readonly CloudEvent[];
      const one = { headers: request.headers, body, events };
      got.push(one);
      answer(response, one, got.length);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return {
    port: address.port,
    got,
    end: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
