/**
 * A primary and its standby: what an operator, or whatever stands in for one, does with them. Each server can be followed
 * through a proxy of its own, so that replication can be frozen; what was not delivered when the primary is killed is lost.
 *
 * Promises: there is one primary at a time, and what it was when it was killed never answers anybody again.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { goesWithUs } from './ended.ts';
import { freePort } from '../../support/ports.ts';
import { give, PostgresServer, type Cluster } from './postgres.ts';
import { Proxy } from './proxy.ts';
import { pause } from './random.ts';

/** How long the standby may take to be there again; far more than it takes. */
const syncMsMax = 60_000;

export class ServerPair {
  readonly cluster: Cluster;
  readonly servers: readonly [PostgresServer, PostgresServer];
  readonly #follow: readonly [Proxy, Proxy];
  /** Whether a commit waits for the standby. */
  readonly #synchronous: boolean;
  #primary: 0 | 1 = 0;

  private constructor(
    cluster: Cluster,
    servers: ServerPair['servers'],
    follow: readonly [Proxy, Proxy],
    synchronous: boolean,
  ) {
    this.cluster = cluster;
    this.servers = servers;
    this.#follow = follow;
    this.#synchronous = synchronous;
  }

  static async start({ synchronous }: { readonly synchronous: boolean }): Promise<ServerPair> {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-pair-'));
    goesWithUs(folder);
    chmodSync(folder, 0o700);
    give(folder);
    const cluster: Cluster = { folder, password: randomBytes(16).toString('hex') };
    const one = new PostgresServer(cluster, 'one', await freePort());
    const two = new PostgresServer(cluster, 'two', await freePort());
    const follow = [await Proxy.before(one.port), await Proxy.before(two.port)] as const;
    const pair = new ServerPair(cluster, [one, two], follow, synchronous);
    await one.initialise();
    await one.start();
    await pair.renewStandby();
    return pair;
  }

  get primary(): PostgresServer {
    return this.servers[this.#primary];
  }

  get standby(): PostgresServer {
    return this.servers[this.#primary === 0 ? 1 : 0];
  }

  get #line(): Proxy {
    return this.#follow[this.#primary];
  }

  /** The standby learns nothing more until `thaw`, or for ever where the primary is killed before. */
  freeze(): void {
    this.#line.set({ hanging: true });
  }

  thaw(): void {
    this.#line.clear();
  }

  /** kill -9 of the primary; the standby becomes the primary with what it has. */
  async failOver(): Promise<void> {
    const line = this.#line;
    await this.primary.kill();
    // Whatever was on its way is gone with the machine.
    line.cut();
    line.clear();
    this.#primary = this.#primary === 0 ? 1 : 0;
    await this.primary.promote();
  }

  /** kill -9 of the primary, which comes back by itself, with all that it had on its disk. */
  async restartPrimary(downMs: number): Promise<void> {
    await this.primary.kill();
    await pause(downMs);
    await this.primary.start();
  }

  async restartStandby(downMs: number): Promise<void> {
    await this.standby.kill();
    await pause(downMs);
    await this.standby.start();
  }

  /** Goes on without a standby: a commit waits for none, until `renewStandby`. */
  async goWithout(): Promise<void> {
    await this.#name('');
  }

  /** Makes the standby anew from the primary, and waits until commits are on both. */
  async renewStandby(): Promise<void> {
    await this.standby.kill();
    await this.standby.copyOf(this.primary, this.#line.port);
    await this.standby.start();
    if (this.#synchronous) await this.#name('ANY 1 (one, two)');
    await this.inStep();
  }

  /** Resolves once the standby has all that the primary had when this was called, and is waited for, where it is to be. */
  async inStep(): Promise<void> {
    const end = Date.now() + syncMsMax;
    const [now] = await this.primary.query('SELECT pg_current_wal_flush_lsn()::text AS lsn');
    for (;;) {
      const rows = await this.primary.query(
        `SELECT 1 FROM pg_stat_replication WHERE application_name = $1 AND state = 'streaming' AND flush_lsn >= $2::pg_lsn
         AND (NOT $3 OR sync_state IN ('sync', 'quorum'))`,
        [this.standby.name, now?.['lsn'], this.#synchronous],
      );
      if (rows.length > 0) return;
      if (Date.now() > end) throw new Error('the standby never came into step');
      await pause(50);
    }
  }

  /** Ends what waits for the standby to have its commit: the commit stays, on the primary alone. */
  async endWaits(how: 'cancel' | 'terminate'): Promise<number> {
    const rows = await this.primary.query(
      `SELECT pg_${how}_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`,
    );
    return rows.length;
  }

  async close(): Promise<void> {
    for (const proxy of this.#follow) proxy.close();
    for (const server of this.servers) await server.kill();
  }

  async #name(standbys: string): Promise<void> {
    await this.primary.query(`ALTER SYSTEM SET synchronous_standby_names = '${standbys}'`);
    await this.primary.query('SELECT pg_reload_conf()');
  }
}
