/**
 * A TCP proxy before PostgreSQL that knows the one message whose loss matters: COMMIT. It can lose it, or its answer, and can be
 * moved to another server.
 */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * `answer`: the server gets COMMIT, the client never hears of it and its connection breaks. `question`: the server never gets it,
 * and does not learn either that the client is gone. `silence`: as `answer`, but the connection stays.
 */
export type Losing = 'answer' | 'question' | 'silence';

const commit = Buffer.from('Q\0\0\0\u000bCOMMIT\0', 'latin1');

export class CommitProxy {
  readonly #listener: Server;
  readonly #clients = new Set<Socket>();
  readonly #servers = new Set<Socket>();
  readonly port: number;
  #to: number;
  #losing: Losing | null = null;
  #left = 0;
  #skip = 0;
  /** How many were lost. */
  lost = 0;
  /** Called when a COMMIT has been passed on, or not. */
  onLost: () => void = () => undefined;

  private constructor(listener: Server, port: number, to: number) {
    this.#listener = listener;
    this.port = port;
    this.#to = to;
  }

  static async before(to: number): Promise<CommitProxy> {
    const listener = createServer({ noDelay: true });
    await once(listener.listen(0, '127.0.0.1'), 'listening');
    const address = listener.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const proxy = new CommitProxy(listener, address.port, to);
    listener.on('connection', (client) => proxy.#take(client));
    return proxy;
  }

  /** From the next COMMIT on but for `skip`, `times` of them. */
  lose(what: Losing, times = 1, skip = 0): void {
    this.#losing = what;
    this.#left = times;
    this.#skip = skip;
  }

  /** New connections go to another server. */
  to(port: number): void {
    this.#to = port;
  }

  close(): void {
    this.#listener.close();
    for (const socket of [...this.#clients, ...this.#servers]) socket.destroy();
  }

  #take(client: Socket): void {
    const server = connect({ port: this.#to, host: '127.0.0.1', noDelay: true });
    this.#clients.add(client);
    this.#servers.add(server);
    let cut = false;
    let deaf = false;
    client.on('data', (data: Buffer) => {
      if (!data.includes(commit) || this.#losing === null || this.#left === 0 || this.#skip-- > 0) {
        if (!deaf) server.write(data);
        return;
      }
      this.#left -= 1;
      this.lost += 1;
      cut = true;
      if (this.#losing !== 'question') server.write(data);
      else deaf = true;
      // Broken for the client once the server has had time to commit; the server's side stays open.
      if (this.#losing !== 'silence') setTimeout(() => client.resetAndDestroy(), 50);
      this.onLost();
    });
    server.on('data', (data) => {
      if (!cut) client.write(data);
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => undefined);
      one.on('close', () => {
        this.#clients.delete(one);
        this.#servers.delete(one);
        // A lost question: nobody tells the server that its client is gone.
        if (!(one === client && deaf)) other.destroySoon();
      });
    }
  }
}
