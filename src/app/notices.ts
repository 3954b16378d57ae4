/**
 * Tells channels what the outbox holds for them: at least once each, in the background, never on an action's path. A channel
 * that fails is tried again with pauses; one that goes on failing is given up with an entry, so that its silence is on record.
 */
import { stateOf, type Case } from '../core/case.ts';
import { nameOf } from '../core/conflict.ts';
import { agentIn, type Directory } from '../core/directory.ts';
import { agentAbout } from '../core/gate-operations.ts';
import type { ApprovalId } from '../core/ids.ts';
import { veiled } from '../core/sight.ts';
import type { Channel, Told } from '../ports/channel.ts';
import type { Due } from '../ports/store.ts';
import { isOpenToItsReaders } from './access.ts';
import type { Parts } from './parts.ts';
import { absencesNow } from './review.ts';

/** Pauses before each further try; the last one repeats. */
const pausesMs: readonly number[] = [1000, 5000, 30_000, 60_000, 5 * 60_000, 10 * 60_000];
/** Tries of one notice altogether. */
export const noticeTriesMax = 10;
/** Notices that one channel is given at a time. */
const takeMax = 20;
/** For how long they are ours: longer than any delivery takes. After a crash they come back after that. */
export const leaseMs = 60_000;
/** The outbox is looked at again at least this often. */
const lookAgainMs = 30_000;
/** After a fault of the store. */
export const faultPauseMs = 1000;

/** A channel, and what it calls an action. */
export interface Recipient {
  readonly channel: Channel;
  readonly headlineOf: (held: Case) => string;
}

export interface Notices {
  /** Ends the loops; a delivery under way is waited for. */
  stop(): Promise<void>;
}

/** Where a person can look at break-glass, end it and review it. */
export const glassUrl = (origin: string): string => `${origin}/break-glass`;

const isGlassNotice = (kind: Due['kind']): boolean => kind.startsWith('glass.');

async function glassOf({ store }: Parts, approval: ApprovalId): Promise<Pick<Told, 'glass'>> {
  const [now, directory] = await Promise.all([store.glassBy({ approval }), store.directory()]);
  if (now === undefined) return {};
  const people = [now.asker, ...now.approvers, ...(now.review === null ? [] : [now.review.by])];
  return { glass: { now, names: new Map(people.map((id) => [id, nameOf(directory, id)])) } };
}

/** Where a person can look at an approval. */
export const approvalUrl = (origin: string, approval: ApprovalId): string =>
  `${origin}/approvals/${approval}`;

/** Starts one loop a channel, woken by every commit that wrote notices. */
export function keepNotices(
  parts: Parts,
  channels: readonly Channel[],
  headlineOf: (held: Case) => string,
): Notices {
  const loops = channels.map((channel) => new Loop(parts, { channel, headlineOf }));
  const stopWatching = parts.store.onNotices(() => {
    for (const loop of loops) loop.wake();
  });
  for (const loop of loops) loop.wake();
  return {
    stop: async () => {
      stopWatching();
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  };
}

class Loop {
  readonly #parts: Parts;
  readonly #to: Recipient;
  #running: Promise<void> | undefined;
  #wokenMeanwhile = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: Parts, to: Recipient) {
    this.#parts = parts;
    this.#to = to;
  }

  wake(): void {
    if (this.#stopped) return;
    if (this.#running !== undefined) {
      this.#wokenMeanwhile = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#running = this.#rounds().finally(() => {
      this.#running = undefined;
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #rounds(): Promise<void> {
    let pauseMs = lookAgainMs;
    do {
      this.#wokenMeanwhile = false;
      pauseMs = await this.#round().catch(() => faultPauseMs);
    } while (this.#wokenMeanwhile && !this.#stopped);
    if (!this.#stopped) this.#timer = setTimeout(() => this.wake(), pauseMs).unref();
  }

  /** Delivers what is due; answers how long until something is due again. */
  async #round(): Promise<number> {
    let soonestMs = lookAgainMs;
    for (;;) {
      const due = await this.#parts.store.takeNotices(this.#to.channel.name, leaseMs, takeMax);
      for (const notice of due) {
        if (this.#stopped) return soonestMs; // its lease runs out, and whoever starts next delivers it
        soonestMs = Math.min(soonestMs, (await deliverNotice(this.#parts, this.#to, notice)) ?? lookAgainMs);
      }
      if (due.length < takeMax) return soonestMs;
    }
  }
}

/**
 * Tries one leased notice, once. Answers after how long it is due again; undefined where it is not: it was delivered, or it is
 * given up with an entry. Rejects where the store fails.
 */
export async function deliverNotice(parts: Parts, to: Recipient, notice: Due): Promise<number | undefined> {
  const { store, clock } = parts;
  const held = await store.caseBy({ approval: notice.approval });
  if (held === undefined || overtaken(notice, held, clock.nowMs())) {
    await store.noticeDone(notice.id);
    return undefined;
  }
  const now = await absencesNow(parts);
  // Nobody knows who reads a channel: where a policy hides what a case holds from anybody, no headline tells it.
  const shown = isOpenToItsReaders(parts, now, held) ? held : veiled(held);
  const told: Told = {
    kind: notice.kind,
    id: notice.id,
    case: held,
    url: isGlassNotice(notice.kind) ? glassUrl(parts.origin) : approvalUrl(parts.origin, notice.approval),
    headline: to.headlineOf(shown),
    to: [],
    insteadOf: notice.insteadOf,
    owners: ownersOf(held, now.directory),
    ...(isGlassNotice(notice.kind) ? await glassOf(parts, notice.approval) : {}),
    nowMs: clock.nowMs(),
  };
  const result = await to.channel.deliver(told).catch((error: unknown) => ({
    ok: false as const,
    error: { detail: error instanceof Error ? error.message : String(error), retryable: true },
  }));
  if (result.ok) {
    await store.noticeDone(notice.id);
    return undefined;
  }
  if (!result.error.retryable || notice.attempts + 1 >= noticeTriesMax) {
    await giveUp(parts, notice, held, { channel: to.channel.name, detail: result.error.detail });
    return undefined;
  }
  const pauseMs = pausesMs[Math.min(notice.attempts, pausesMs.length - 1)] ?? lookAgainMs;
  await store.noticeLater(notice.id, clock.nowMs() + pauseMs);
  return pauseMs;
}

/** What was to be told later is told only where people are still waited for. */
function overtaken({ kind }: Due, held: Case, nowMs: number): boolean {
  switch (kind) {
    case 'approval.escalated':
    case 'approval.reminded':
      return stateOf(held, nowMs) !== 'pending';
    case 'approval.opened':
    case 'approval.reviewed':
    case 'approval.closed':
    case 'execution.ended':
    case 'glass.opened':
    case 'glass.closed':
    case 'glass.reviewed':
      return false;
  }
}

const ownersOf = (held: Case, directory: Directory): Told['owners'] =>
  (agentIn(directory, agentAbout(held.asked.action) ?? held.asked.action.agent)?.owners ?? []).map((id) => ({
    id,
    name: nameOf(directory, id),
  }));

async function giveUp(
  { store }: Parts,
  notice: Due,
  held: Case,
  why: { readonly channel: string; readonly detail: string },
): Promise<void> {
  await store.change({
    kind: 'record',
    entries: [
      {
        type: 'notice.failed',
        by: { kind: 'gate' },
        about: { action: held.asked.id, approval: notice.approval, execution: held.execution?.id ?? null },
        subject: held.asked.subject,
        data: {
          channel: why.channel,
          kind: notice.kind,
          attempts: notice.attempts + 1,
          detail: why.detail,
        },
      },
    ],
  });
  await store.noticeDone(notice.id);
}
