/** The hosts of one URL: which of them is the primary is found out at each connection. */
import { detailOf, SqlFault } from './driver.ts';
import { Connection, connectionLimits, type How } from './postgres-connection.ts';
import { hostsOf, type Host } from './postgres-url.ts';

export class Hosts {
  readonly pooled: boolean;
  readonly #hosts: readonly Host[];
  #primary: Host | undefined;

  /** @throws Error where the URL cannot be used. */
  constructor(url: string, pooled: boolean) {
    this.#hosts = hostsOf(url);
    this.pooled = pooled;
  }

  /** The host that took the newest connection. */
  get primary(): Host | undefined {
    return this.#primary;
  }

  /**
   * Tries the last good host first, then each in the order of the URL, and takes the one that is no standby. Throws one fault
   * for all of them; it may be tried again where any of them may be a moment later.
   */
  async connect(how: Pick<How, 'pipeline' | 'patient'>): Promise<Connection> {
    const first = this.#primary;
    const hosts = first === undefined ? this.#hosts : [first, ...this.#hosts.filter((one) => one !== first)];
    const connectMsMax = hosts.length > 1 ? connectionLimits.connectMsEach : connectionLimits.connectMsMax;
    const faults: { readonly host: Host; readonly error: unknown }[] = [];
    for (const host of hosts) {
      try {
        const connection = await Connection.open(host, { ...how, pooled: this.pooled, connectMsMax });
        this.#primary = host;
        return connection;
      } catch (error) {
        faults.push({ host, error });
      }
    }
    const again = faults.some(({ error }) => error instanceof SqlFault && error.again);
    const said = faults.map(
      ({ host, error }) => `${host.name}: ${detailOf(error).replace(/^PostgreSQL: /, '')}`,
    );
    const hint = faults.some(({ error }) => /unsupported startup parameter/.test(detailOf(error)))
      ? ' This is a pooler such as PgBouncer: name a connection past it as postgres.direct.'
      : '';
    throw new SqlFault(`PostgreSQL: ${said.join('; ')}.${hint}`, 'database', faults.at(-1)?.error, again);
  }
}
