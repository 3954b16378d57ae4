/**
 * A TCP proxy in front of one server, which can do what networks do: cut every connection, refuse new ones, hang without a
 * word, and bring what the server says late. What it was told of while it hangs is never delivered if it is cut then.
 */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** What the network does now. */
export interface Weather {
  /** New connections are ended at once. */
  refusing: boolean;
  /** Nothing is passed on, either way. */
  hanging: boolean;
  /** So late comes whatever the server says. */
  delayMs: number;
  /** So late comes what it says on connections that listen for notifications; null: never. */
  noticeDelayMs: number | null;
}

const fair: Weather = { refusing: false, hanging: false, delayMs: 0, noticeDelayMs: 0 };

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  listens: boolean;
}

export class Proxy {
  readonly port: number;
  readonly #listener: Server;
  readonly #pairs = new Set<Pair>();
  #weather: Weather = fair;

  private constructor(listener: Server, port: number) {
    this.#listener = listener;
    this.port = port;
  }

  /** @param to the port of the server, which need not be there yet. */
  static async before(to: number): Promise<Proxy> {
    const listener = createServer({ noDelay: true });
    await once(listener.listen(0, '127.0.0.1'), 'listening');
    const address = listener.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const proxy = new Proxy(listener, address.port);
    listener.on('connection', (client) => proxy.#take(client, to));
    return proxy;
  }

  set(weather: Partial<Weather>): void {
    this.#weather = { ...this.#weather, ...weather };
    for (const pair of this.#pairs) this.#flow(pair);
  }

  clear(): void {
    this.set(fair);
  }

  /** Ends every connection that is open, in the middle of whatever it was saying. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
  }

  close(): void {
    this.#listener.close();
    this.cut();
  }

  #take(client: Socket, to: number): void {
    client.on('error', () => undefined);
    if (this.#weather.refusing) {
      client.destroy();
      return;
    }
    const server = connect({ port: to, host: '127.0.0.1', noDelay: true });
    const pair: Pair = { client, server, listens: false };
    this.#pairs.add(pair);
    client.on('data', (chunk) => {
      // As `pg` sends it: its text is in the message.
      if (chunk.includes('LISTEN ')) pair.listens = true;
      server.write(chunk);
    });
    server.on('error', () => client.destroy());
    server.on('data', (chunk) => this.#bring(pair, chunk));
    for (const socket of [client, server])
      socket.on('close', () => {
        this.#pairs.delete(pair);
        // What was said last still arrives.
        client.destroySoon();
        server.destroySoon();
      });
    this.#flow(pair);
  }

  #flow({ client, server }: Pair): void {
    for (const socket of [client, server]) {
      if (this.#weather.hanging) socket.pause();
      else socket.resume();
    }
  }

  /** What waits keeps its order: a later chunk never has an earlier time, because each waits for the one before it. */
  readonly #late = new WeakMap<Pair, Promise<void>>();

  #bring(pair: Pair, chunk: Buffer): void {
    const { delayMs, noticeDelayMs } = this.#weather;
    if (pair.listens && noticeDelayMs === null) return;
    const ms = Math.max(delayMs, pair.listens ? (noticeDelayMs ?? 0) : 0);
    const before = this.#late.get(pair);
    if (ms === 0 && before === undefined) {
      pair.client.write(chunk);
      return;
    }
    const due = new Promise<void>((resolve) => setTimeout(resolve, ms));
    const mine = Promise.all([before, due]).then(() => {
      if (!pair.client.destroyed) pair.client.write(chunk);
      if (this.#late.get(pair) === mine) this.#late.delete(pair);
    });
    this.#late.set(pair, mine);
  }
}
