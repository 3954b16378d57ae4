/**
 * Slack's half of Socket Mode, for tests: greets, sends envelopes, keeps what comes back. RFC 6455 as far as one client needs
 * it: text frames without fragments, ping, close.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { eventually } from '../../../support/gate.ts';
import type { Loose } from './workspace.ts';

export interface SocketServer {
  at(url: string): void;
  /** What `apps.connections.open` answers. */
  open(): object;
  accept(request: IncomingMessage, socket: Duplex): void;
  /** Connections that are open now. */
  count(): number;
  /** Sends a payload to the newest connection; answers the envelope's id. */
  send(type: 'interactive' | 'events_api', payload: unknown): string;
  /** What was acknowledged for this envelope; undefined: nothing yet. */
  acknowledged(envelope: string): Loose;
  /** Asks every client to connect anew, as Slack does now and then. */
  refresh(): void;
  /** Ends every connection without a word. */
  cut(): void;
}

const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const opcodes = { text: 1, close: 8, ping: 9, pong: 10 } as const;

export function createSocketServer(): SocketServer {
  const connections = new Set<Duplex>();
  const acknowledged = new Map<string, Loose>();
  let url = '';
  let envelopes = 0;
  const accept = (request: IncomingMessage, socket: Duplex): void => {
    const key = `${request.headers['sec-websocket-key'] ?? ''}${guid}`;
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${createHash('sha1').update(key).digest('base64')}\r\n\r\n`,
    );
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
    socket.on('error', () => socket.destroy());
    read(socket, (opcode, data) => {
      if (opcode === opcodes.ping) socket.write(frame(opcodes.pong, data));
      if (opcode === opcodes.close) socket.end(frame(opcodes.close, data));
      if (opcode !== opcodes.text) return;
      const { envelope_id, payload } = JSON.parse(data.toString());
      acknowledged.set(envelope_id, payload ?? {});
    });
    socket.write(frame(opcodes.text, Buffer.from(JSON.stringify({ type: 'hello', num_connections: 1 }))));
  };
  return {
    at: (of) => {
      url = of;
    },
    open: () => ({ ok: true, url }),
    accept,
    count: () => connections.size,
    send(type, payload) {
      envelopes += 1;
      const envelope_id = `envelope-${envelopes}`;
      const envelope = { type, envelope_id, payload, accepts_response_payload: type === 'interactive' };
      [...connections].at(-1)?.write(frame(opcodes.text, Buffer.from(JSON.stringify(envelope))));
      return envelope_id;
    },
    acknowledged: (envelope) => acknowledged.get(envelope),
    refresh() {
      const message = Buffer.from(JSON.stringify({ type: 'disconnect', reason: 'refresh_requested' }));
      for (const socket of connections) socket.write(frame(opcodes.text, message));
    },
    cut() {
      for (const socket of connections) socket.destroy();
    },
  };
}

/** Waits for the acknowledgement of an envelope. */
export async function acknowledgement(sockets: SocketServer, envelope: string): Promise<Loose> {
  await eventually(() => sockets.acknowledged(envelope) !== undefined, `${envelope} acknowledged`);
  return sockets.acknowledged(envelope);
}

/** A frame from a server: not masked. */
function frame(opcode: number, data: Buffer): Buffer {
  const head =
    data.length < 126 ? Buffer.alloc(2) : data.length < 65_536 ? Buffer.alloc(4) : Buffer.alloc(10);
  head[0] = 0x80 | opcode;
  head[1] = data.length < 126 ? data.length : head.length === 4 ? 126 : 127;
  if (head.length === 4) head.writeUInt16BE(data.length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(data.length), 2);
  return Buffer.concat([head, data]);
}

/** Frames of a client: always masked. */
function read(socket: Duplex, got: (opcode: number, data: Buffer) => void): void {
  let held = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    for (;;) {
      if (held.length < 2) return;
      const short = (held[1] ?? 0) & 0x7f;
      const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
      const start = 2 + lengthBytes + 4;
      if (held.length < start) return;
      const length =
        lengthBytes === 0
          ? short
          : lengthBytes === 2
            ? held.readUInt16BE(2)
            : Number(held.readBigUInt64BE(2));
      if (held.length < start + length) return;
      const mask = held.subarray(2 + lengthBytes, start);
      const data = Buffer.from(held.subarray(start, start + length)).map(
        (byte, at) => byte ^ (mask[at % 4] ?? 0),
      );
      const opcode = (held[0] ?? 0) & 0x0f;
      held = held.subarray(start + length);
      got(opcode, Buffer.from(data));
    }
  });
}
