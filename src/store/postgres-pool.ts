/** A few connections that read, and a bounded wait for one of them. */
import { SqlFault } from './driver.ts';
import type { Connection } from './postgres-connection.ts';
import type { Hosts } from './postgres-hosts.ts';

export const poolLimits = {
  connectionsMax: 8,
  /** For how long somebody waits for a connection. */
  waitMsMax: 5_000,
  waitingMax: 10_000,
  /** What nobody used for so long is closed. */
  idleMsMax: 60_000,
} as const;

interface Waiting {
  /** Null: make one of your own. */
  readonly give: (connection: Connection | null) => void;
  readonly late: NodeJS.Timeout;
}

interface Idle {
  readonly connection: Connection;
  readonly late: NodeJS.Timeout;
}

export class Pool {
  readonly #hosts: Hosts;
  readonly #idle: Idle[] = [];
  readonly #waiting = new Set<Waiting>();
  readonly #busy = new Set<Connection>();
  /** Connections that are there or being made. */
  #count = 0;
  #closed = false;

  constructor(hosts: Hosts) {
    this.#hosts = hosts;
  }

  /** Hands a connection to `work`; one that breaks, or is not the primary's any more, is not used again. */
  async use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await this.#take();
    this.#busy.add(connection);
    try {
      return await work(connection);
    } finally {
      this.#busy.delete(connection);
      this.#give(connection);
    }
  }

  /** Connections in use, for operators. */
  get busy(): number {
    return this.#busy.size;
  }

  /** Reads that are under way are waited for, but not for ever. */
  async close(withinMs: number): Promise<void> {
    this.#closed = true;
    for (const one of this.#waiting) {
      clearTimeout(one.late);
      one.give(null);
    }
    this.#waiting.clear();
    const end = performance.now() + withinMs;
    while (this.#busy.size > 0 && performance.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 5));
    for (const connection of this.#busy) connection.destroy();
    await Promise.all(
      this.#idle.splice(0).map(({ connection, late }) => {
        clearTimeout(late);
        return connection.end();
      }),
    );
  }

  async #take(): Promise<Connection> {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      clearTimeout(idle.late);
      if (this.#good(idle.connection)) return idle.connection;
      this.#drop(idle.connection);
    }
    if (this.#closed) throw new SqlFault('PostgreSQL: the store is closed', 'database');
    if (this.#count < poolLimits.connectionsMax) return this.#make();
    if (this.#waiting.size >= poolLimits.waitingMax) throw exhausted();
    const given = await new Promise<Connection | null | undefined>((resolve) => {
      const waiting: Waiting = {
        give: resolve,
        late: setTimeout(() => {
          this.#waiting.delete(waiting);
          resolve(undefined);
        }, poolLimits.waitMsMax),
      };
      this.#waiting.add(waiting);
    });
    if (given === undefined) throw exhausted();
    return given ?? this.#take();
  }

  async #make(): Promise<Connection> {
    this.#count += 1;
    try {
      return await this.#hosts.connect({ pipeline: false });
    } catch (error) {
      this.#count -= 1;
      this.#next(null);
      throw error;
    }
  }

  #give(connection: Connection): void {
    if (this.#closed || !this.#good(connection)) {
      this.#drop(connection);
      this.#next(null);
    } else if (!this.#next(connection)) {
      const idle: Idle = {
        connection,
        late: setTimeout(() => {
          this.#idle.splice(this.#idle.indexOf(idle), 1);
          this.#count -= 1;
          void connection.end();
        }, poolLimits.idleMsMax).unref(),
      };
      this.#idle.push(idle);
    }
  }

  /** To whoever has waited longest; false where nobody waits. */
  #next(connection: Connection | null): boolean {
    const [waiting] = this.#waiting;
    if (waiting === undefined) return false;
    this.#waiting.delete(waiting);
    clearTimeout(waiting.late);
    waiting.give(connection);
    return true;
  }

  #drop(connection: Connection): void {
    this.#count -= 1;
    connection.destroy();
  }

  /** After a failover the old primary may go on answering with what was true. */
  #good(connection: Connection): boolean {
    return !connection.broken && connection.host === this.#hosts.primary;
  }
}

const exhausted = (): SqlFault =>
  new SqlFault(
    `PostgreSQL: all ${poolLimits.connectionsMax} connections that read are in use, and none was free in ${poolLimits.waitMsMax / 1000} s`,
    'database',
  );
