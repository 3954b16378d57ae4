/** Whether what is acknowledged survives the loss of the primary: asked at the start, and from then on again and again. */
import type { Durability } from '../ports/durability.ts';
import { integer, text, textOrNull } from './columns.ts';
import { SqlFault, type Queries, type Row } from './driver.ts';
import { codeOf } from './postgres-fault.ts';

export const standbyLimits = { askMs: 30_000 } as const;

/** Another role's rows say nothing of the state without the role pg_monitor. */
const ask = `SELECT current_setting('synchronous_standby_names') AS names, current_setting('fsync') AS fsync,
  (SELECT count(*) FROM pg_stat_replication) AS standbys,
  (SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')) AS waited_for,
  (SELECT max(CAST(sync_state AS TEXT)) FROM pg_stat_replication) AS seen`;

export async function readDurability(reads: Queries): Promise<Durability> {
  const row = await answered(reads);
  if (row === null)
    return {
      kind: 'standby',
      synchronous: false,
      detail: 'this database does not say whether a standby is waited for',
    };
  const names = text(row, 'names');
  const standbys = integer(row, 'standbys');
  const waitedFor = integer(row, 'waited_for');
  const of = (synchronous: boolean, detail: string): Durability => ({ kind: 'standby', synchronous, detail });
  if (text(row, 'fsync') !== 'on') return of(false, 'fsync is off: what is acknowledged may be on no disk');
  if (names === '') {
    return of(
      false,
      `synchronous_standby_names is empty: what is acknowledged is lost with this server${standbys === 0 ? ', which has no standby' : ''}`,
    );
  }
  if (waitedFor > 0) return of(true, `each commit waits for a standby (${names})`);
  if (standbys > 0 && textOrNull(row, 'seen') === null)
    return of(
      true,
      `each commit waits for a standby (${names}); this role may not see which (grant it pg_monitor)`,
    );
  return of(
    false,
    `commits wait for a standby (${names}), and none is there: nothing can be written until one is`,
  );
}

/** Null: an engine that has no such tables. */
async function answered(reads: Queries): Promise<Row | null> {
  try {
    return (await reads.query(ask))[0] ?? null;
  } catch (error) {
    if (error instanceof SqlFault && /^42|^0A/.test(codeOf(error.cause))) return null;
    throw error;
  }
}

export interface StandbyOptions {
  readonly reads: Queries;
  /** Told in a sentence at the start where there is no synchronous standby, and at each change. */
  readonly say: (line: string) => void;
}

/** The newest answer, kept up to date. */
export class Standby {
  readonly #options: StandbyOptions;
  #known: Durability;
  #timer: NodeJS.Timeout | undefined;

  private constructor(options: StandbyOptions, known: Durability) {
    this.#options = options;
    this.#known = known;
  }

  /** @param required it is an error that there is none. */
  static async ask(options: StandbyOptions, required: boolean): Promise<Standby> {
    const known = await readDurability(options.reads);
    if (required && !isSafe(known)) {
      throw new Error(`postgres.standby is required, and ${detailOf(known)}.`);
    }
    if (!isSafe(known)) options.say(warning(known));
    return new Standby(options, known);
  }

  get known(): Durability {
    return this.#known;
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), standbyLimits.askMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async look(): Promise<void> {
    let now: Durability;
    try {
      now = await readDurability(this.#options.reads);
    } catch {
      return; // what is wrong with the database shows where somebody can be told
    }
    const before = this.#known;
    this.#known = now;
    if (isSafe(before) === isSafe(now)) return;
    this.#options.say(isSafe(now) ? `store: ${detailOf(now)} again.` : warning(now));
  }
}

const isSafe = (one: Durability): boolean => one.kind === 'disk' || one.synchronous;
const detailOf = (one: Durability): string => (one.kind === 'disk' ? 'it is on this disk' : one.detail);
const warning = (one: Durability): string =>
  `warning: NO SYNCHRONOUS STANDBY: ${detailOf(one)}. An approval that people were told of can be lost in a failover (docs/postgresql.md).`;
