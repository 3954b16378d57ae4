/**
 * How far long work has come: a bar on a terminal, drawn over itself; a line now and then elsewhere, so that a log of a job shows
 * that it goes on. Always on stderr.
 */
import { grouped } from '../core/render/shown.ts';

export interface Progress {
  at(done: number, of: number): void;
  /** Wipes the bar. */
  end(): void;
}

const drawnMs = 100;
const toldMs = 10_000;
const barChars = 30;

/** What is written to; a terminal has `isTTY`. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** @param what is done, such as "verified". */
export function progressOn(
  stream: ProgressStream,
  what: string,
  nowMs: () => number = () => performance.now(),
): Progress {
  const bar = stream.isTTY === true;
  const beganMs = nowMs();
  let lastMs = bar ? beganMs - drawnMs : beganMs;
  let drawn = false;
  return {
    at(done, of) {
      const now = nowMs();
      if (now - lastMs < (bar ? drawnMs : toldMs)) return;
      lastMs = now;
      const part = of === 0 ? 1 : done / of;
      const text = `${grouped(done)} of ${grouped(of)} ${what}, ${Math.floor(part * 100)} %`;
      if (!bar) {
        stream.write(`${text}\n`);
        return;
      }
      const full = Math.floor(part * barChars);
      const leftMs = part === 0 ? 0 : ((now - beganMs) * (1 - part)) / part;
      stream.write(
        `\r\u001B[K[${'#'.repeat(full)}${'.'.repeat(barChars - full)}] ${text}${leftMs < 1000 ? '' : `, ${Math.ceil(leftMs / 1000)} s left`}`,
      );
      drawn = true;
    },
    end() {
      if (drawn) stream.write('\r\u001B[K');
      drawn = false;
    },
  };
}
