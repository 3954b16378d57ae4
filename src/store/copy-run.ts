/** One run of a copy: where it begins, its pages, and the order in which the two stores are closed and opened. */
import { again, mustGoOn } from './copy-again.ts';
import {
  readCopyMark,
  replaceCopyMark,
  writeBegun,
  writeMoved,
  type CopyMark,
  type MovedMark,
  type Reached,
} from './copy-marks.ts';
import { Refused, type Copied } from './copy-result.ts';
import { countRows, holdable, keyOf, readPage, tableOf, type Table } from './copy-tables.ts';
import {
  analyze,
  beginAnew,
  claim,
  makeRoomFor,
  MarkMoved,
  metaOf,
  openForGates,
  openTarget,
  writePage,
  writeRest,
} from './copy-target.ts';
import { compare, compareLog, type Sides } from './copy-verify.ts';
import { integer, text } from './columns.ts';
import { SqlFault, type Driver } from './driver.ts';
import { readHead, type HeadRow } from './head-rows.ts';
import { codeOf } from './postgres-fault.ts';
import { tables } from './schema.ts';

export interface Begins {
  readonly source: Driver;
  readonly target: Driver;
  readonly store: string;
  readonly moved: MovedMark | undefined;
  readonly begun: string | undefined;
  readonly from: string;
  readonly newId: () => string;
}

/** The mark that this run goes on from. Throws a Refused where the target is no place for this store. */
export async function markFor(begins: Begins): Promise<CopyMark> {
  const { source, target, store, moved, begun, from, newId } = begins;
  const was = await openTarget(target, newId() + newId());
  if (moved !== undefined && was?.id !== moved.id)
    throw new Refused({ kind: 'elsewhere', to: moved.to, atMs: moved.atMs });
  if (was !== undefined && was.store !== store) throw new Refused({ kind: 'other', from: was.from });
  if (was?.state === 'open') {
    if (moved === undefined) throw new Refused({ kind: 'newer' });
    return was;
  }
  const goesOn = was !== undefined && was.state !== 'begin' && (moved !== undefined || was.id === begun);
  const id = moved?.id ?? (goesOn ? was.id : newId());
  // The source says first which copy it is read for: a copy that it does not name is not gone on with.
  if (moved === undefined) await source.transaction(() => writeBegun(source, id));
  if (goesOn) return was;
  const fresh: CopyMark = { id, store, from, state: 'copying', done: {}, head: null };
  if (was !== undefined) return beginAnew(target, was, fresh);
  const claimed = await claim(target, fresh);
  if (claimed === null) throw new Refused({ kind: 'used' });
  return claimed;
}

const nothing: Reached = { rows: 0, last: null, whole: false };

export interface Runs extends Sides {
  readonly moved: MovedMark | undefined;
  readonly to: string;
  readonly nowMs: () => number;
}

export class Copying {
  readonly #runs: Runs;
  #mark: CopyMark;

  constructor(runs: Runs, mark: CopyMark) {
    this.#runs = runs;
    this.#mark = mark;
  }

  async run(): Promise<Copied> {
    const { source, target, moved, to, nowMs } = this.#runs;
    if (this.#mark.state === 'open') return this.#told({ digest: '', pictures: 0, rows: 0, before: true });
    const log = await readHead(source);
    // Nobody else writes to the source until this transaction ends, and a kill rolls it back.
    const copied = await source.transaction(async () => {
      const done = await this.#copyAndCompare();
      await this.#step((was) => ({ ...was, state: 'verified' }), replaced(target));
      if (moved === undefined)
        await writeMoved(source, { id: this.#mark.id, to, atMs: nowMs(), writers: log.writers });
      return done;
    });
    // From here on the source is closed: a crash leaves none that runs, and the next run comes here again.
    const writers = moved?.writers ?? log.writers;
    await this.#step(
      (was) => ({ ...was, state: 'open', done: {} }),
      (was, next) => openForGates(target, [was, next], writers),
    );
    return copied;
  }

  async #copyAndCompare(): Promise<Copied> {
    const { source, target, watch } = this.#runs;
    const copied: Table[] = [];
    const counts: number[] = [];
    for (const name of tables) {
      if (name === 'log_head') continue;
      const table = await tableOf(source, name);
      copied.push(table);
      counts.push(await countRows(source, table));
    }
    const of = counts.reduce((sum, one) => sum + one, 0);
    const rows = (): number => Object.values(this.#mark.done).reduce((sum, one) => sum + one.rows, 0);
    const log = await readHead(source);
    await again(() => makeRoomFor(target, log.size));
    try {
      for (const table of copied) await this.#table(table, () => watch({ step: 'copied', done: rows(), of }));
      await this.#rest(log);
      for (const table of copied) await analyze(target, table);
      const compared = await compare(this.#runs, copied, of);
      await compareLog(this.#runs, log);
      return await this.#told({ ...compared, rows: of, before: false });
    } catch (error) {
      // What is there is not what was written: the next run leaves nothing of it.
      if (error instanceof Refused && error.why.kind === 'differs')
        await this.#step((was) => ({ ...was, state: 'begin' }), replaced(target));
      throw error;
    }
  }

  async #table(table: Table, progress: () => void): Promise<void> {
    const { source, target, signal } = this.#runs;
    for (;;) {
      mustGoOn(signal);
      const reached = this.#mark.done[table.name] ?? nothing;
      if (reached.whole) return;
      const page = await readPage(source, table, reached.last);
      const rows = page.rows.map((row) => holdable(table, row).row);
      const last = rows.at(-1);
      const next: Reached = {
        rows: reached.rows + rows.length,
        last: last === undefined ? reached.last : keyOf(table, last),
        whole: page.last,
      };
      await this.#step(
        (was) => ({ ...was, state: 'copying', done: { ...was.done, [table.name]: next } }),
        (was, then) => writePage(target, table, rows, [was, then]),
      ).catch((error: unknown) => {
        throw inTheWay(error, table);
      });
      progress();
    }
  }

  async #rest(log: HeadRow): Promise<void> {
    const { source, target } = this.#runs;
    const meta = await metaOf(source);
    await this.#step(
      (was) => ({ ...was, state: 'copying', head: { size: log.size, head: log.head } }),
      async (was, next) => void (await writeRest(target, { meta, log }, [was, next])),
    );
  }

  /** One change of the target together with its mark. Where no answer came, the mark tells whether it happened. */
  async #step(
    nextOf: (was: CopyMark) => CopyMark,
    write: (was: CopyMark, next: CopyMark) => Promise<void>,
  ): Promise<void> {
    const was = this.#mark;
    const next = nextOf(was);
    this.#mark = await again(
      async () => {
        await write(was, next);
        return next;
      },
      async () => {
        const now = JSON.stringify(await readCopyMark(this.#runs.target));
        if (now === JSON.stringify(next)) return { done: next };
        if (now === JSON.stringify(was)) return null;
        throw new MarkMoved();
      },
    ).catch((error: unknown) => {
      if (!(error instanceof MarkMoved)) throw error;
      throw new Refused({
        kind: 'fault',
        detail: 'somebody else writes to the same copy; end that first',
        goesOn: true,
      });
    });
  }

  async #told(of: Pick<Copied, 'digest' | 'pictures' | 'rows' | 'before'>): Promise<Copied> {
    const { source, to } = this.#runs;
    const { size, head } = await readHead(source);
    const [newest] = await source.query(
      'SELECT origin FROM checkpoints ORDER BY at_ms DESC, size DESC LIMIT 1',
    );
    const [running] = await source.query("SELECT count(*) AS n FROM executions WHERE status = 'started'");
    return {
      ...of,
      to,
      // All but `meta`.
      tables: tables.length,
      entries: size,
      head,
      origin: newest === undefined ? null : text(newest, 'origin'),
      running: running === undefined ? 0 : integer(running, 'n'),
    };
  }
}

/** A row of somebody else's has the key of one of ours. */
const inTheWay = (error: unknown, { name }: Table): unknown =>
  error instanceof SqlFault && codeOf(error.cause) === uniqueViolation
    ? new Refused({ kind: 'differs', table: name, what: 'a row is there that this copy did not write' })
    : error;

const uniqueViolation = '23505';

const replaced =
  (target: Driver) =>
  async (was: CopyMark, next: CopyMark): Promise<void> => {
    if (!(await replaceCopyMark(target, was, next))) throw new MarkMoved();
  };
