/**
 * Tells channels what the outbox holds for them: at least once each, in the background, never on an action's path. Here is what
 * one notice says, to whom, and what becomes of it; when it is tried is in outbox.ts, what a failure leads to in failing.ts.
 *
 * Promise: a channel that fails is said to, on the notice, from its first failure until it is told; the next channel of those
 * whom it does not reach is told instead, once; and what is given up leaves an entry.
 */
import { stateOf, type Case } from '../core/case.ts';
import { nameOf } from '../core/conflict.ts';
import { agentIn, type Directory } from '../core/directory.ts';
import { agentAbout } from '../core/gate-operations.ts';
import type { ApprovalId } from '../core/ids.ts';
import { veiled } from '../core/sight.ts';
import type { Channel, ChannelFailure, Routing, Told } from '../ports/channel.ts';
import type { Due } from '../ports/store.ts';
import { isOpenToItsReaders } from './access.ts';
import { afterFailure } from './failing.ts';
import { othersFirst } from './elsewhere.ts';
import { Loop, type Attempted } from './outbox.ts';
import type { Parts } from './parts.ts';
import { absencesNow } from './review.ts';
import { concerned, destinationsOf, isRouted, nextChannels, noRouting, routingOver } from './routes.ts';

/** A channel, and what it calls an action. */
export interface Recipient {
  readonly channel: Channel;
  readonly headlineOf: (held: Case) => string;
  /** Where groups are reached, as it is now; absent: the channel needs no routes. */
  readonly routing?: () => Routing;
}

export interface Notices {
  /** Ends the loops; a delivery under way is waited for. */
  stop(): Promise<void>;
}

/** Where a person can look at break-glass, end it and review it. */
export const glassUrl = (origin: string): string => `${origin}/break-glass`;

/** Where a person can look at an approval. */
export const approvalUrl = (origin: string, approval: ApprovalId): string =>
  `${origin}/approvals/${approval}`;

/** How notices find their way; default: to everybody, and looked at as soon as they are there. */
export interface Ways {
  readonly routing?: () => Routing;
  /** From a commit to the look at what it wrote (outbox.ts), by channel. */
  readonly gatherMsOf?: (channel: string) => number;
}

/** Starts one loop a channel, woken by every commit that wrote notices. */
export function keepNotices(
  parts: Parts,
  channels: readonly Channel[],
  headlineOf: (held: Case) => string,
  { routing = () => noRouting, gatherMsOf = () => 0 }: Ways = {},
): Notices {
  const names = new Set(channels.map((channel) => channel.name));
  const loops = channels.map((channel) => {
    const to: Recipient = { channel, headlineOf, routing: () => routingOver(routing(), names) };
    return new Loop(
      {
        take: (leaseMs, max) => parts.store.takeNotices(channel.name, leaseMs, max),
        deliver: (notice, failures) => tell(parts, to, notice, failures),
        fail: (notice, failure, failures) => failed(parts, to, notice, { failure, failures }),
        putBack: (notice) => parts.store.noticeLater(notice.id, parts.clock.nowMs()),
      },
      parts.clock,
      gatherMsOf(channel.name),
    );
  });
  const stopWatching = parts.store.onNotices((elsewhere) => {
    for (const loop of loops) loop.soon(elsewhere ? othersFirst(parts) : 0);
  });
  for (const loop of loops) loop.wake();
  return {
    stop: async () => {
      stopWatching();
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  };
}

/**
 * Tries one leased notice, once. Answers after how long it is due again; undefined where it is not: it was delivered, or it is
 * given up with an entry. Rejects where the store fails.
 */
export const deliverNotice = async (parts: Parts, to: Recipient, notice: Due): Promise<number | undefined> =>
  (await tell(parts, to, notice, 0)).pauseMs;

/** @param failures how often in a row the channel as a whole could not be reached before. */
async function tell(parts: Parts, to: Recipient, notice: Due, failures: number): Promise<Attempted> {
  const { store, clock } = parts;
  const held = await store.caseBy({ approval: notice.approval });
  if (held === undefined || overtaken(notice, held, clock.nowMs())) {
    await store.noticeDone(notice.id);
    return { pauseMs: undefined, failure: null };
  }
  // What cannot be put into words holds up no other; where it was the store, what follows rejects as well.
  const result = await toldOf(parts, to, notice, held)
    .then((told) => to.channel.deliver(told))
    .catch((error: unknown) => ({
      ok: false as const,
      error: { detail: error instanceof Error ? error.message : String(error), retryable: true },
    }));
  if (result.ok) {
    await store.noticeDone(notice.id);
    return { pauseMs: undefined, failure: null };
  }
  const failure: ChannelFailure = result.error;
  const all = failures + (failure.whole === true ? 1 : 0);
  return { pauseMs: await failed(parts, to, notice, { failure, failures: all }), failure };
}

/** What a channel is told of a case, as it is at this moment. */
async function toldOf(parts: Parts, to: Recipient, notice: Due, held: Case): Promise<Told> {
  const { channel, headlineOf } = to;
  const now = await absencesNow(parts);
  // Nobody knows who reads a channel: where a policy hides what a case holds from anybody, no headline tells it.
  const shown = isOpenToItsReaders(parts, now, held) ? held : veiled(held);
  const ofGlass = notice.kind.startsWith('glass.');
  return {
    kind: notice.kind,
    id: notice.id,
    case: held,
    url: ofGlass ? glassUrl(parts.origin) : approvalUrl(parts.origin, notice.approval),
    headline: headlineOf(shown),
    to: isRouted(channel.name)
      ? destinationsOf(routingOf(to), await lookedUp(parts, notice, channel.name, held))
      : [],
    insteadOf: notice.insteadOf,
    owners: ownersOf(held, now.directory),
    ...(ofGlass ? await glassOf(parts, notice.approval) : {}),
    ...(notice.attempts > 0 ? { again: true } : {}),
    nowMs: now.nowMs,
  };
}

const routingOf = ({ routing = () => noRouting }: Recipient): Routing => routing();

/** What the routes of a notice are looked up for: whom it is for, and where there are copies already. */
async function lookedUp(
  { store, clock }: Parts,
  notice: Due,
  channel: Parameters<typeof destinationsOf>[1]['channel'],
  held: Case,
): Promise<Parameters<typeof destinationsOf>[1]> {
  const [posts, directory] = await Promise.all([store.postsOf(notice.approval), store.directory()]);
  const groups = concerned(notice.kind, held, { directory, nowMs: clock.nowMs() });
  return { channel, insteadOf: notice.insteadOf, groups, posts };
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

async function glassOf({ store }: Parts, approval: ApprovalId): Promise<Pick<Told, 'glass'>> {
  const [now, directory] = await Promise.all([store.glassBy({ approval }), store.directory()]);
  if (now === undefined) return {};
  const people = [now.asker, ...now.approvers, ...(now.review === null ? [] : [now.review.by])];
  return { glass: { now, names: new Map(people.map((id) => [id, nameOf(directory, id)])) } };
}

/**
 * What a failure leads to is written down: the notice is due again, with why; the next channel is told; or it is given up.
 * Answers as `deliverNotice`. @param of.failures how often in a row the channel as a whole could not be reached.
 */
async function failed(
  parts: Parts,
  to: Recipient,
  notice: Due,
  of: { readonly failure: ChannelFailure; readonly failures: number },
): Promise<number | undefined> {
  const { store, clock } = parts;
  const { detail, busy } = of.failure;
  const held = await store.caseBy({ approval: notice.approval });
  if (held === undefined || overtaken(notice, held, clock.nowMs())) {
    await store.noticeDone(notice.id);
    return undefined;
  }
  const next = isRouted(notice.channel)
    ? nextChannels(routingOf(to), await lookedUp(parts, notice, notice.channel, held))
    : [];
  const nowMs = clock.nowMs();
  const after = afterFailure(notice, of.failure, { held, failures: of.failures, next, nowMs });
  if (after.kind === 'giveUp') {
    await giveUp(parts, notice, held, detail);
    return undefined;
  }
  for (const channel of after.instead) await fallBack(parts, notice, { to: channel, detail });
  const fellBack = notice.fellBack || after.instead.length > 0;
  // Who waits for somebody else does not wait for the channel: nothing is said to fail.
  await store.noticeLater(notice.id, nowMs + after.pauseMs, busy === true ? undefined : { detail, fellBack });
  return after.pauseMs;
}

/** The next channel is told from now on. */
async function fallBack(
  { store }: Parts,
  { approval, kind, channel, attempts }: Due,
  { to, detail }: { readonly to: string; readonly detail: string },
): Promise<void> {
  const result = await store.change({
    kind: 'fallBack',
    approval,
    notice: kind,
    from: channel,
    detail,
    attempts: attempts + 1,
    to,
  });
  if (!result.ok && result.error.kind === 'fault') throw new Error(result.error.detail);
}

async function giveUp({ store }: Parts, notice: Due, held: Case, detail: string): Promise<void> {
  const { approval, channel, kind, attempts } = notice;
  const result = await store.change({
    kind: 'record',
    entries: [
      {
        type: 'notice.failed',
        by: { kind: 'gate' },
        about: { action: held.asked.id, approval, execution: held.execution?.id ?? null },
        subject: held.asked.subject,
        data: { channel, kind, attempts: attempts + 1, detail },
      },
    ],
  });
  if (!result.ok && result.error.kind === 'fault') throw new Error(result.error.detail);
  await store.noticeDone(notice.id);
}
