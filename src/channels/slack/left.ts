/**
 * Presses that were written down and not carried out: a crash, a store or a Slack that failed at the wrong moment. Each is
 * carried out as if it had just been pressed, after Slack was asked again who that is; what is too old is refused by the gate.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { clickMs, type Click } from '../../core/chat.ts';
import type { Chat } from '../../ports/chat.ts';
import { unaskedRefusal } from './members.ts';
import type { Presses } from './presses.ts';
import type { Words } from './tell.ts';

/** How often they are tried; younger ones may be under way. */
const againMs = 10_000;

export interface LeftParts {
  readonly chat: Pick<Chat, 'open' | 'turnAway'>;
  readonly presses: Pick<Presses, 'carry'>;
  readonly words: Words;
  readonly nowMs: () => number;
}

export interface Left {
  /** At the start, all of them; those that Slack must be asked about and cannot are tried again. Rejects where they cannot be read. */
  carryAll(): Promise<void>;
  /** Tries again from now on, until there are none. */
  keep(): void;
  stop(): void;
}

export function createLeft({ chat, presses, words, nowMs }: LeftParts): Left {
  const stopping = new AbortController();
  const { signal } = stopping;
  let keeping = false;
  /** False where Slack cannot be asked who pressed, and there is still time. */
  const carryOne = async (click: Click): Promise<boolean> => {
    const carried = await presses.carry(click);
    if (carried === null && nowMs() - click.atMs <= clickMs) return false;
    const word = carried ?? (await chat.turnAway(click, unaskedRefusal, { user: click.account.subject }));
    await words.aside(click.at, click.account.subject, word);
    return true;
  };
  /** Answers whether some are left. */
  const carry = async (atLeastMs: number): Promise<boolean> => {
    let left = false;
    for (const click of await chat.open('slack')) {
      if (signal.aborted) return false;
      if (nowMs() - click.atMs < atLeastMs) left = true;
      else if (!(await carryOne(click))) return true;
    }
    return left;
  };
  const loop = async (): Promise<void> => {
    for (let again = true; again && !signal.aborted;) {
      await sleep(againMs, null, { signal, ref: false }).catch(() => undefined);
      again = await carry(againMs).catch(() => true);
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
        if (await carry(0)) keep();
      } catch (error) {
        keep();
        throw error;
      }
    },
    stop: () => stopping.abort(),
  };
}
