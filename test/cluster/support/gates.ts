/**
 * Gates as they run in earnest: each a process of its own (`serve`) with the same configuration, its own port, and its own
 * network to both database servers. Killed, paused, stopped and started again by the harness.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from '../../support/source.ts';
import { endsWithUs, hasEnded } from './ended.ts';
import type { ServerPair } from './pair.ts';
import { freePort } from '../../support/ports.ts';
import { urlOfPair } from './postgres.ts';
import { Proxy } from './proxy.ts';

const cli = join(root, 'src', 'cli.ts');
/** How long a gate may take to serve; it may start in the middle of a failover. */
const startMsMax = 90_000;
/** How long one that is told to stop may take. */
const stopMsMax = 30_000;

/** Of every process of ours: the database, and where bin/node.mjs keeps compiled sources, because gates are started often here. */
export const environmentOf = (url: string): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  HOME: process.env['HOME'],
  NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
  DATABASE_URL: url,
});

export class Gate {
  readonly name: string;
  readonly port: number;
  readonly #proxies: readonly Proxy[];
  readonly #config: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #log: string;
  #process: ChildProcess | undefined;

  private constructor(
    name: string,
    port: number,
    proxies: readonly Proxy[],
    pair: ServerPair,
    config: string,
  ) {
    this.name = name;
    this.port = port;
    this.#proxies = proxies;
    this.#config = config;
    this.#log = join(config, '..', `${name}.log`);
    const url = urlOfPair(
      pair.cluster,
      proxies.map((proxy) => proxy.port),
    );
    this.#env = environmentOf(url);
  }

  /** Not started yet. */
  static async make(name: string, pair: ServerPair, config: string): Promise<Gate> {
    const proxies = [await Proxy.before(pair.servers[0].port), await Proxy.before(pair.servers[1].port)];
    return new Gate(name, await freePort(), proxies, pair, config);
  }

  get running(): boolean {
    return this.#process !== undefined;
  }

  /** Its network to the database. */
  get network(): { set: Proxy['set']; cut: Proxy['cut']; clear: Proxy['clear'] } {
    return {
      set: (weather) => this.#proxies.forEach((proxy) => proxy.set(weather)),
      cut: () => this.#proxies.forEach((proxy) => proxy.cut()),
      clear: () => this.#proxies.forEach((proxy) => proxy.clear()),
    };
  }

  /** Resolves when it serves. One that cannot start is started again, as whatever keeps it running does. */
  async start(): Promise<void> {
    const end = Date.now() + startMsMax;
    for (;;) {
      const failed = await this.#startOnce(end);
      if (failed === undefined) return;
      if (Date.now() > end) throw new Error(`the gate ${this.name} did not start: ${failed}`);
    }
  }

  async #startOnce(end: number): Promise<string | undefined> {
    const args = [cli, 'serve', '--config', this.#config, '--port', String(this.port)];
    const child = spawn(process.execPath, args, { env: this.#env, stdio: ['ignore', 'pipe', 'pipe'] });
    const { pid } = child;
    if (pid === undefined) throw new Error('no process');
    endsWithUs(pid);
    this.#process = child;
    child.stderr.pipe(createWriteStream(this.#log, { flags: 'a' }));
    child.once('exit', () => {
      hasEnded(pid);
      if (this.#process === child) this.#process = undefined;
    });
    const late = setTimeout(() => child.kill('SIGKILL'), Math.max(0, end - Date.now()));
    const listening = once(createInterface({ input: child.stdout }), 'line').then(() => undefined);
    const exited = once(child, 'exit').then(([code, signal]) => `it ended with ${code ?? signal}`);
    const failed = await Promise.race([listening, exited]);
    clearTimeout(late);
    return failed;
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** SIGTERM: it ends by itself, with what it has to do before. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** The machine stands still for a while, and so does its network. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process?.kill(signal);
  }

  async close(): Promise<void> {
    await this.kill();
    for (const proxy of this.#proxies) proxy.close();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), stopMsMax);
    await ended;
    clearTimeout(late);
  }
}
