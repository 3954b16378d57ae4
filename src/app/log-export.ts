/**
 * The log, or a part of it, as a file for people's tools: CSV, JSON Lines, OCSF. Promises: it is in the order of the log and ends
 * where the log ended when it was asked for; the entry that says who took how many rows of what is written before the first of
 * them leaves; it is made a few entries at a time, as fast as it is taken, so that its size costs no memory; nobody gets by it what
 * the log's page would not show them.
 */
import type { Absences } from '../core/delegation.ts';
import type { Directory } from '../core/directory.ts';
import { aboutNothing, type EntryDraft } from '../core/entry.ts';
import type { PersonId } from '../core/ids.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import { csvHead, csvLine } from '../core/log-export/csv.ts';
import { jsonLine, rowOf } from '../core/log-export/row.ts';
import { ocsfOf, type OcsfVersion } from '../core/ocsf/ocsf.ts';
import { refuse, type Refusal } from '../core/refusal.ts';
import { err, ok, type Result } from '../core/result.ts';
import { maskSecrets } from '../core/secrets.ts';
import { casesMax, type LogFilter, type LogScan } from '../ports/overview.ts';
import {
  scanSeen,
  seesAll,
  wholeEntries,
  type Looking,
  type SeenEntry,
  type SeenScan,
  type As,
} from './log-sight.ts';
import { filterOf, isSearch, notUnderstood, saidOf, type Wanted } from './log-wanted.ts';
import type { Parts } from './parts.ts';

export const exportFormats = ['csv', 'jsonl', 'ocsf'] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** What it is called and what is in it; OCSF is JSON Lines as well, one event a line. */
const kinds: Readonly<Record<ExportFormat, { readonly suffix: string; readonly type: string }>> = {
  csv: { suffix: 'csv', type: 'text/csv; charset=utf-8; header=present' },
  jsonl: { suffix: 'jsonl', type: 'application/jsonl; charset=utf-8' },
  ocsf: { suffix: 'ocsf.jsonl', type: 'application/jsonl; charset=utf-8' },
};

/** Exports under way at once in one process: each holds a reader of the database busy. */
export const exportsMax = 4;
/** Entries that are counted in one go. */
const countedMax = 1000;

/** Somebody who reads the log, with what they may see of it. */
export interface LogReader {
  readonly by: EntryDraft['by'];
  readonly directory: Directory;
  /** They see everything, so that the store may count for them. */
  readonly whole: boolean;
  scan<T>(query: LogScan, as: As<T>): Promise<SeenScan<T>>;
}

/** A person. Whether they may read the log has been asked before. */
export const personReader = (parts: Looking, world: Absences, person: PersonId): LogReader => ({
  by: { kind: 'person', id: person },
  directory: world.directory,
  whole: seesAll({ parts, world, person }),
  scan: (query, as) => scanSeen({ parts, world, person }, query, as),
});

/** Somebody with the rights of the configuration's files: the store's are theirs anyway. */
export const operatorReader = (store: Exporting, directory: Directory): LogReader => ({
  by: { kind: 'operator' },
  directory,
  whole: true,
  async scan(query, as) {
    const found = await store.scanLog(query);
    return { ...found, entries: await wholeEntries(store, found.entries, as) };
  },
});

type Exporting = Pick<Parts['store'], 'change' | 'head' | 'indexAt' | 'scanLog' | 'casesOf'>;

export interface ExportAsked {
  readonly wanted: Wanted;
  readonly format: ExportFormat;
  /** Of the OCSF schema. */
  readonly version: OcsfVersion;
  /** The log's: a bare host name. */
  readonly origin: string;
  /** Aborts it; what has been written by then is all there is. */
  readonly ends?: AbortSignal;
}

/** What of the gate an export names: the version of OCSF that is configured, and what the log calls itself now. */
export async function exportTerms({
  ocsf,
  transparency,
  origin,
}: Pick<Parts, 'ocsf' | 'transparency' | 'origin'>): Promise<Pick<ExportAsked, 'version' | 'origin'>> {
  const standing = await transparency?.standing();
  return { version: ocsf ?? '1.8.0', origin: standing?.origin ?? new URL(origin).hostname };
}

/** What is made while it is taken. `return` gives it up, begun or not. */
export interface Pieces extends AsyncIterable<string> {
  next(): Promise<IteratorResult<string, void>>;
  return(): Promise<IteratorResult<string, void>>;
}

export interface LogExport {
  /** As many as the entry `log.exported` says. */
  readonly rows: number;
  readonly name: string;
  /** A media type. */
  readonly type: string;
  /** UTF-8 text in pieces. Rejects where it was aborted or the store failed: what came before is not whole. */
  readonly pieces: Pieces;
}

/** How many exports a process has under way, by its store. */
const under = new WeakMap<object, number>();

/** Counts, records, and begins. */
export async function exportLog(
  store: Exporting,
  reader: LogReader,
  asked: ExportAsked,
): Promise<Result<LogExport, Refusal>> {
  const { wanted, format, version } = asked;
  const [wrong] = notUnderstood(wanted);
  // A page may leave a field out and say so; a file that holds more than was asked for cannot.
  if (wrong !== undefined)
    return err(refuse('input_invalid', `"${wrong}" could not be understood.`, { parameter: wrong }));
  if ((under.get(store) ?? 0) >= exportsMax)
    return err(refuse('quota', `${exportsMax} exports are under way already; try again when one has ended.`));
  under.set(store, (under.get(store) ?? 0) + 1);
  let over = false;
  const end = (): void => {
    if (!over) under.set(store, (under.get(store) ?? 1) - 1);
    over = true;
  };
  try {
    const part = await partOf(store, filterOf(wanted));
    const rows = await countOf(store, reader, part, asked.ends);
    // Somebody may look for a secret; it must not be in the log for that.
    const query = { ...maskedObject(saidOf(wanted)), size: part.size };
    const entry: EntryDraft = {
      type: 'log.exported',
      by: reader.by,
      about: aboutNothing,
      subject: null,
      data: { format, rows, query, ...(format === 'ocsf' ? { version } : {}) },
    };
    const recorded = await store.change({ kind: 'record', entries: [entry] });
    if (!recorded.ok) {
      end();
      return err(refuse('audit_unavailable', 'The export could not be recorded, so nothing is given out.'));
    }
    const { suffix, type } = kinds[format];
    const name = `countersign-log-${part.first}-${Math.max(part.first, part.until - 1)}${isSearch(wanted) ? '-filtered' : ''}.${suffix}`;
    return ok({ rows, name, type, pieces: leavable(piecesOf(reader, part, asked), end) });
  } catch (error) {
    end();
    throw error;
  }
}

const maskedObject = (said: JsonObject): JsonObject => {
  const masked = maskSecrets(said);
  return isJsonObject(masked) ? masked : {};
};

/** Which entries: indexes, found once, and what is looked for in them. */
interface Part {
  readonly first: number;
  /** Exclusive. */
  readonly until: number;
  readonly filter: LogFilter;
  /** Of the log, when it was asked for. */
  readonly size: number;
}

async function partOf(store: Exporting, filter: LogFilter): Promise<Part> {
  const { fromMs, toMs } = filter;
  const { size } = await store.head();
  const first = fromMs === null ? 0 : await store.indexAt(fromMs);
  const until = toMs === null ? size : await store.indexAt(toMs);
  const plain = { ...filter, fromMs: null, toMs: null };
  return { first, until: Math.max(first, Math.min(until, size)), filter: plain, size };
}

/** Rows that it will have. Where nothing but a time is asked for, every entry is one. */
async function countOf(
  store: Exporting,
  reader: LogReader,
  { first, until, filter }: Part,
  ends: AbortSignal | undefined,
): Promise<number> {
  if (Object.values(filter).every((value) => value === null)) return until - first;
  let rows = 0;
  for (let at = first; at < until;) {
    ends?.throwIfAborted();
    const query = { ...filter, first: at, until, limit: reader.whole ? countedMax : casesMax };
    const page = reader.whole ? await store.scanLog(query) : await reader.scan(query, () => null);
    rows += page.entries.length;
    if (!page.more) break;
    at = page.searchedTo;
  }
  return rows;
}

async function* piecesOf(
  reader: LogReader,
  { first, until, filter }: Part,
  asked: ExportAsked,
): AsyncGenerator<string, void> {
  if (asked.format === 'csv') yield csvHead();
  for (let at = first; at < until;) {
    asked.ends?.throwIfAborted();
    const page = await reader.scan({ ...filter, first: at, until, limit: casesMax }, (one) =>
      written(one, reader, asked),
    );
    if (page.entries.length > 0) yield page.entries.join('');
    if (!page.more) break;
    at = page.searchedTo;
  }
}

/** A generator that was never begun runs no `finally` of its own. */
function leavable(inner: AsyncGenerator<string, void>, end: () => void): Pieces {
  const pieces: Pieces = {
    async next() {
      try {
        const one = await inner.next();
        if (one.done === true) end();
        return one;
      } catch (error) {
        end();
        throw error;
      }
    },
    return() {
      end();
      return inner.return();
    },
    [Symbol.asyncIterator]: () => pieces,
  };
  return pieces;
}

function written(one: SeenEntry, { directory }: LogReader, { format, version, origin }: ExportAsked): string {
  switch (format) {
    case 'csv':
      return csvLine(rowOf(one, one.held, directory));
    case 'jsonl':
      return jsonLine(rowOf(one, one.held, directory));
    case 'ocsf':
      return jsonLine(ocsfOf(one.entry, { held: one.held, directory, version, origin, pae: one.pae }));
  }
}
