/**
 * Presses that were written down before a crash. Each is checked with Teams again and carried out or turned away; while Teams
 * cannot be asked, they are kept until they are too old.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { clickMs, type Click } from '../../core/chat.ts';
import type { Chat } from '../../ports/chat.ts';
import type { Messenger } from '../../ports/messenger.ts';
import { unasked, type Presses } from './presses.ts';

/** How often they are tried while Teams cannot be asked who pressed. */
const againMs = 10_000;

export interface LeftParts {
  readonly chat: Chat;
  readonly presses: Presses;
  readonly messenger: Messenger;
  readonly nowMs: () => number;
  readonly stopping: AbortSignal;
  readonly failed: (error: unknown) => void;
}

/** Resolves once each was tried; those that must be tried again are, until `stopping`. Never rejects. */
export async function carryLeft(parts: LeftParts): Promise<void> {
  if (await hasMore(parts)) void keepCarrying(parts);
}

async function keepCarrying(parts: LeftParts): Promise<void> {
  for (let again = true; again && !parts.stopping.aborted;) {
    await sleep(againMs, null, { signal: parts.stopping, ref: false }).catch(() => undefined);
    again = await hasMore(parts);
  }
}

async function hasMore(parts: LeftParts): Promise<boolean> {
  try {
    for (const click of await parts.chat.open('teams')) {
      if (parts.stopping.aborted) return false;
      if (!(await carried(parts, click))) return true;
    }
    return false;
  } catch (error) {
    parts.failed(error);
    return true;
  }
}

/** False where Teams cannot be asked who pressed, and there is still time. */
async function carried({ chat, presses, messenger, nowMs }: LeftParts, click: Click): Promise<boolean> {
  const word = await presses.carry(click);
  if (word === null && nowMs() - click.atMs <= clickMs) return false;
  const { text, ...said } = word ?? (await chat.turnAway(click, unasked, { user: click.account.subject }));
  // Nobody waits for the answer to their press any more: it is told as a message.
  const url = said.kind === 'refused' ? (said.link?.url ?? null) : null;
  await messenger.tell(click.account.subject, { text, url });
  return true;
}
