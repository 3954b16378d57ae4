/**
 * Ships the log over syslog with TLS (RFC 5425). The receiver's certificate is verified, against the given authorities or the
 * system's, and its name with it; there is no way to leave that out. Syslog acknowledges nothing: what counts as arrived is what
 * the socket has taken, so that what was on its way when a connection broke may be lost (docs/shipping.md).
 */
import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { err, ok, type Result } from '../core/result.ts';
import type { ShipFailure, Shipper } from '../ports/shipper.ts';
import { syslogFrame } from './syslog.ts';

export interface ShipSyslog {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** PEM; null: the system's authorities. */
  readonly ca: string | null;
}

/** @param origin the log's, as the messages' host. */
export function createShipSyslog(settings: ShipSyslog, origin: () => string): Shipper {
  let socket: TLSSocket | undefined;
  const drop = (): void => {
    socket?.destroy();
    socket = undefined;
  };
  return {
    name: settings.name,
    async send(batch, signal): Promise<Result<null, ShipFailure>> {
      try {
        if (socket?.writable !== true || socket.readableEnded) {
          drop();
          socket = await connected(settings, signal);
        }
        const frames = batch.map((one) => syslogFrame(one, origin()));
        await written(socket, Buffer.concat(frames), signal);
        return ok(null);
      } catch (error) {
        // Half a message may have left: the next connection begins with a whole one.
        drop();
        return err({ detail: reasonOf(error, signal) });
      }
    },
    close: async () => drop(),
  };
}

function connected({ host, port, ca }: ShipSyslog, signal: AbortSignal): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      minVersion: 'TLSv1.2',
      rejectUnauthorized: true,
      // An address is no server name (RFC 6066 §3), and is compared with the certificate all the same.
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(ca === null ? {} : { ca }),
    });
    const stop = (): void => void socket.destroy(new Error('aborted'));
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    // It has nothing to say to us; unread, it could fill up and end unseen.
    socket.resume();
    socket.setKeepAlive(true, keepAliveMs);
    socket.once('secureConnect', () => {
      signal.removeEventListener('abort', stop);
      resolve(socket);
    });
    // Stays, so that a connection that breaks between two batches is no exception.
    socket.on('error', (error) => {
      signal.removeEventListener('abort', stop);
      reject(error);
    });
    socket.once('close', () => reject(new Error('closed')));
  });
}

const keepAliveMs = 30_000;

/** Resolves when the operating system has taken all of it. */
function written(socket: TLSSocket, bytes: Buffer, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: Error | null): void => {
      signal.removeEventListener('abort', late);
      socket.removeListener('close', closed);
      if (error == null) resolve();
      else reject(error);
    };
    const late = (): void => done(new Error('aborted'));
    const closed = (): void => done(new Error('closed'));
    signal.addEventListener('abort', late, { once: true });
    socket.once('close', closed);
    if (signal.aborted) late();
    else socket.write(bytes, done);
  });
}

function reasonOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'the receiver did not take it in time';
  const code: unknown =
    typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  if (typeof code !== 'string') return 'the connection was closed';
  return code.startsWith('ERR_TLS') ||
    code.includes('CERT') ||
    code.includes('SELF_SIGNED') ||
    code.includes('UNABLE_TO')
    ? `the receiver’s certificate was refused (${code})`
    : `the receiver cannot be reached (${code})`;
}
