/** What the wire of a chat says of itself: how it stands, on the board; and lines for the operator, each at most once in a while. */
import type { ChatKind } from '../core/chat.ts';
import { channelName } from '../core/render/channels.ts';
import type { Clock } from '../ports/clock.ts';
import type { Board } from '../ports/standing.ts';

/** How often the same is said again: most of it anybody can bring about. */
const sayEveryMs = 60_000;
/** Lines that are remembered for that. */
const linesMax = 20;

export interface Aloud {
  /** Null: it stands. */
  stands(failure: string | null): void;
  /** On the board, and to the operator. */
  fails(failure: string): void;
  /** To the operator alone. */
  says(line: string): void;
}

export interface AloudParts {
  readonly name: ChatKind;
  readonly board: Pick<Board, 'say'>;
  readonly clock: Clock;
  /** One line for the operator's terminal. */
  readonly say: (line: string) => void;
}

export function createAloud({ name, board, clock, say }: AloudParts): Aloud {
  const saidAtMs = new Map<string, number>();
  const stands = (failure: string | null): void =>
    board.say({
      kind: 'channel',
      name,
      ok: failure === null,
      detail: failure,
      atMs: clock.nowMs(),
    });
  const says = (line: string): void => {
    const [last, nowMs] = [saidAtMs.get(line), clock.nowMs()];
    if (last !== undefined && nowMs - last < sayEveryMs) return;
    if (saidAtMs.size >= linesMax) saidAtMs.clear();
    saidAtMs.set(line, nowMs);
    say(`${channelName(name)}: ${line}`);
  };
  return {
    stands,
    says,
    fails(failure) {
      stands(failure);
      says(failure);
    },
  };
}
