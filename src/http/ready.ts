/**
 * `/healthz` and `/readyz`. The first says that the process lives, and depends on nothing: an orchestrator that restarts what
 * does not must not restart every gate because the database is away. The second says whether agents and people should be sent
 * here: the store answers and a write to it worked a moment ago, the log is whole and its keys can be used, there are policies
 * to judge with, and the gate is not on its way down.
 *
 * Promises: anybody may ask, so an answer names no file, host or person, and asking often costs no more than asking seldom; an
 * answer comes within {@link probeMsMax}, whatever hangs.
 */
import type { Parts } from '../app/parts.ts';

/** How old what is known of the store may be; younger than that it is not asked again. */
export const freshMs = 2000;
/** How long the store may take to answer. */
export const probeMsMax = 3000;
/** A question that was never answered is given up after this, so that the next one can find that it works again. */
const givenUpMs = 30_000;

export type Standing = 'ready' | 'unavailable' | 'starting' | 'stopping';

/** 200: the event loop answers. */
export const alive = (): Response => plain(200, { status: 'ok' });

/** 503, with a sentence for each cause. RFC 9110 §10.2.3: ask again in a second. */
export const notReady = (status: Exclude<Standing, 'ready'>, why: readonly string[]): Response =>
  plain(503, { status, why }, { 'retry-after': '1' });

const plain = (status: number, body: object, headers: Readonly<Record<string, string>> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } });

export interface ReadinessParts {
  readonly parts: Pick<Parts, 'store' | 'policy' | 'transparency'>;
  /** Null where the gate is ready by itself; else a sentence that says why not (starting, stopping). */
  readonly ready: () => string | null;
}

/** Answers `GET /readyz`. Never rejects. */
export function createReadiness({ parts, ready }: ReadinessParts): () => Promise<Response> {
  const probe = createProbe(parts);
  return async () => {
    const leaving = ready();
    // Whatever else is wrong: the answer of a gate that stops must not wait for the store.
    if (leaving !== null) return notReady('stopping', [leaving]);
    const store = await probe();
    const { transparency, policy } = parts;
    const why = [
      store,
      (transparency?.damage() ?? null) === null || store === altered ? null : altered,
      (transparency?.keysProblem() ?? null) === null
        ? null
        : 'The keys of the log cannot be used, so it is not signed.',
      policy.broken() === null ? null : 'There is no usable policy set, so everything is denied.',
    ].filter((sentence) => sentence !== null);
    return why.length === 0 ? plain(200, { status: 'ready' }) : notReady('unavailable', why);
  };
}

/** Found by this gate, or told by another. */
const altered = 'The stored log was altered, so nothing runs.';
const unwritable = 'The store cannot be written, so nothing may run.';
const silent = 'The store does not answer, so nothing may run.';

/** What is wrong with the store, in a sentence; null: nothing. One question at a time, however many ask. */
function createProbe({ store }: Pick<Parts, 'store'>): () => Promise<string | null> {
  let known: { readonly atMs: number; readonly what: string | null } | undefined;
  let asking: { readonly sinceMs: number; readonly answer: Promise<string | null> } | undefined;
  const ask = async (): Promise<string | null> => {
    // Both ways to the database: a write goes through the writer, a read past it.
    const [written, read] = await Promise.allSettled([store.probe(), store.damage()]);
    if (read.status === 'rejected') return silent;
    if (written.status === 'rejected' || !written.value.ok) return unwritable;
    return read.value === null ? null : altered;
  };
  const begin = (nowMs: number): Promise<string | null> => {
    const answer = ask();
    const mine = { sinceMs: nowMs, answer };
    asking = mine;
    void answer.then((what) => {
      known = { atMs: performance.now(), what };
      if (asking === mine) asking = undefined;
    });
    return answer;
  };
  return async () => {
    // A write that has just failed is known at once.
    if (!store.health().writable) return unwritable;
    const nowMs = performance.now();
    if (known !== undefined && nowMs - known.atMs < freshMs) return known.what;
    const pending = asking !== undefined && nowMs - asking.sinceMs < givenUpMs ? asking : undefined;
    const leftMs = probeMsMax - (pending === undefined ? 0 : nowMs - pending.sinceMs);
    if (pending !== undefined && leftMs <= 0) return silent;
    return within(pending?.answer ?? begin(nowMs), leftMs);
  };
}

/** The answer, or that there was none in time. */
async function within(answer: Promise<string | null>, ms: number): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(silent), ms);
  });
  const first = await Promise.race([answer, late]);
  clearTimeout(timer);
  return first;
}
