/** The one connection that listens: it comes back after whatever broke it, however often. */
import { detailOf } from './driver.ts';
import type { Connection } from './postgres-connection.ts';
import { earlierLock } from './postgres-earlier.ts';
import { codeOf, lost } from './postgres-fault.ts';
import { hintOf, type Hint } from './postgres-hint.ts';
import type { Hosts } from './postgres-hosts.ts';

export const listenLimits = {
  pauseMsMin: 50,
  pauseMsMax: 2_000,
  /** A connection that breaks without a word is found by asking it something. */
  askMs: 5_000,
} as const;

export interface ListenOptions {
  readonly hosts: Hosts;
  readonly channel: string;
  readonly heard: (hint: Hint) => void;
  /** Told when hints begin to come, and when they stop. */
  readonly listening: (on: boolean) => void;
}

export class Listener {
  readonly #options: ListenOptions;
  #connection: Connection | undefined;
  #pauseMs: number = listenLimits.pauseMsMin;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: ListenOptions) {
    this.#options = options;
  }

  /** Whether the database can tell at all, and why not. It goes on by itself from here on, unless it cannot. */
  async start(): Promise<{ readonly detail: string } | null> {
    try {
      await this.#listen();
      return null;
    } catch (error) {
      // A database that knows no LISTEN will not learn it; one that is away comes back.
      const cannot = error instanceof Error && /^0A|^42/.test(codeOf(error.cause));
      if (cannot) return { detail: detailOf(error) };
      this.#later();
      return null;
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#connection?.end();
  }

  async #listen(): Promise<void> {
    const { hosts, channel, heard, listening } = this.#options;
    const connection = await hosts.connect({ pipeline: false });
    connection.onNotification((on, payload) => {
      if (on === channel) heard(hintOf(payload));
    });
    connection.onEnd(() => this.#lost(connection));
    try {
      await connection.script(`LISTEN "${channel}"`);
      await keepOut(connection);
      if (this.#stopped || connection.broken) throw lost('the connection that listens was lost');
    } catch (error) {
      connection.destroy();
      throw error;
    }
    // From here on its end is what brings the next one; before, what failed is.
    this.#connection = connection;
    this.#pauseMs = listenLimits.pauseMsMin;
    listening(true);
    this.#ask(connection);
  }

  /** A network that was cut says nothing: what is asked then is not answered. */
  #ask(connection: Connection): void {
    this.#timer = setTimeout(() => {
      connection.script('SELECT 1').then(
        () => this.#ask(connection),
        () => connection.destroy(),
      );
    }, listenLimits.askMs).unref();
  }

  #lost(connection: Connection): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    clearTimeout(this.#timer);
    this.#options.listening(false);
    this.#later();
  }

  #later(): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#listen().catch(() => this.#later()), this.#pauseMs).unref();
    this.#pauseMs = Math.min(2 * this.#pauseMs, listenLimits.pauseMsMax);
  }
}

/**
 * Gates of versions before 6 held this lock alone for as long as they ran. While we share it none of them begins to write, however
 * it came by its connection. Best effort: not every engine has such locks.
 */
async function keepOut(connection: Connection): Promise<void> {
  await connection.script(`SELECT pg_try_advisory_lock_shared(${earlierLock})`).catch(() => undefined);
}
