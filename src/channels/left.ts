/**
 * Presses in a chat that were written down and not carried out: a crash, a store or a platform that failed at the wrong moment.
 * Each is carried out as if it had just been pressed, after the platform was asked again who that is; what is too old is refused
 * by the gate. The same for every platform.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { clickMs, type ChatKind, type Click } from '../core/chat.ts';
import type { Refusal } from '../core/refusal.ts';
import type { Chat, Word } from '../ports/chat.ts';

/** How often they are tried; younger ones may be under way. */
const againMs = 10_000;

export interface LeftParts {
  readonly name: ChatKind;
  readonly chat: Pick<Chat, 'open' | 'turnAway'>;
  /** Asks the platform again who that is, and carries it out. Null where it could not be asked. */
  readonly carry: (click: Click) => Promise<Word | null>;
  /** What somebody is told whose press could not be checked in time. */
  readonly unasked: Refusal;
  /** Nobody waits for the answer to their press any more: it is told to them alone. */
  readonly tell: (click: Click, word: Word) => Promise<unknown>;
  readonly nowMs: () => number;
  /** Instead of {@link againMs}. */
  readonly everyMs?: number;
}

export interface Left {
  /** At the start, all of them; those that the platform must be asked about and cannot are tried again. Rejects where they cannot be read. */
  carryAll(): Promise<void>;
  /** Tries again from now on, until there are none. */
  keep(): void;
  stop(): void;
}

export function createLeft(parts: LeftParts): Left {
  const { name, chat, unasked, tell, nowMs, everyMs = againMs } = parts;
  const stopping = new AbortController();
  const { signal } = stopping;
  let keeping = false;
  /** False where the platform cannot be asked who pressed, and there is still time. */
  const carryOne = async (click: Click): Promise<boolean> => {
    const carried = await parts.carry(click);
    if (carried === null && nowMs() - click.atMs <= clickMs) return false;
    const word = carried ?? (await chat.turnAway(click, unasked, { user: click.account.subject }));
    await tell(click, word);
    return true;
  };
  /** Answers whether some are left. */
  const carryOpen = async (atLeastMs: number): Promise<boolean> => {
    let left = false;
    for (const click of await chat.open(name)) {
      if (signal.aborted) return false;
      if (nowMs() - click.atMs < atLeastMs) left = true;
      else if (!(await carryOne(click))) return true;
    }
    return left;
  };
  const loop = async (): Promise<void> => {
    for (let again = true; again && !signal.aborted;) {
      await sleep(everyMs, null, { signal, ref: false }).catch(() => undefined);
      again = await carryOpen(everyMs).catch(() => true);
    }
    keeping = false;
  };
  const keep = (): void => {
    if (keeping) return;
    keeping = true;
    void loop();
  };
  return {
    keep,
    async carryAll() {
      try {
        if (await carryOpen(0)) keep();
      } catch (error) {
        keep();
        throw error;
      }
    },
    stop: () => stopping.abort(),
  };
}
