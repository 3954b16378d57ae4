/**
 * Says that this gate lives, and looks after what gates that are gone have left running. Promises: who is gone is decided in the
 * store's transaction (core/runner.ts), by its clock; a gate that cannot write says nothing of the others; what is lost is marked
 * once, whoever notices first, and nothing is repeated.
 */
import { gateLimits } from '../core/runner.ts';
import type { GateBody, GateRow } from '../ports/gates.ts';
import type { Store } from '../ports/store.ts';

export interface Alive {
  /** Whether there can be others. */
  readonly shared: boolean;
  /** The gates as they were when this one said last that it lives; the longest there first. */
  gates(): readonly GateRow[];
  /** False where others may have taken this gate for gone by now, and what it has started for lost. By the process's steady clock. */
  lives(): boolean;
  /** Says so now, and not only at the next turn: something of what it says has changed. */
  now(): Promise<void>;
  /** The gate is no more: its row is gone. */
  stop(): Promise<void>;
}

export interface AliveParts {
  readonly store: Pick<Store, 'shared' | 'beat' | 'leave' | 'orphans' | 'change'>;
  /** Its id. */
  readonly gate: string;
  /** What it says of itself, as it is now. */
  readonly body: () => GateBody;
  /** Lines for the operator. */
  readonly say: (line: string) => void;
}

/** Resolves when it is written down that the gate lives; rejects where that cannot be. */
export async function keepAlive(parts: AliveParts): Promise<Alive> {
  const { store, gate, say } = parts;
  let rows: readonly GateRow[] = [];
  let told = '';
  let heardMs = Number.NEGATIVE_INFINITY;
  let stopped = false;
  let away = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let givingUp: Promise<void> | undefined;

  const beat = async (): Promise<boolean> => {
    const body = parts.body();
    const text = JSON.stringify(body);
    // Where no other gate can be, nobody listens: it is written when it changes.
    if (!store.shared && text === told) return true;
    // From before it was asked: by the store's clock it is heard of no earlier.
    const askedMs = performance.now();
    const answered = await store.beat(gate, body);
    if (answered === null) return false;
    heardMs = askedMs;
    told = text;
    sayGone(rows, answered, gate, say);
    rows = answered;
    return true;
  };
  const round = async (): Promise<void> => {
    const written = await beat();
    if (written === away)
      say(
        written
          ? 'The store can be written again.'
          : 'The store cannot be written: whatever is asked for is denied until it can.',
      );
    away = !written;
    if (!written || !store.shared) return;
    // Beside the beats: while it takes long, this gate must not be taken for gone itself.
    givingUp ??= giveUp(store, say)
      .catch(() => undefined)
      .finally(() => (givingUp = undefined));
  };
  const inTurn = (): Promise<void> => {
    // What the store cannot do now is tried at the next turn; its health tells why.
    running = running.then(() => (stopped ? undefined : round())).catch(() => undefined);
    return running;
  };
  if (!(await beat())) throw new Error('The store cannot be written, so this gate cannot say that it lives.');
  const arm = (): void => {
    if (!stopped) timer = setTimeout(() => void inTurn().then(arm), gateLimits.beatMs).unref();
  };
  arm();
  return {
    shared: store.shared,
    gates: () => rows,
    lives: () => !store.shared || performance.now() - heardMs < gateLimits.goneMs - gateLimits.beatMs,
    now: () => inTurn(),
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
      await givingUp;
      await store.leave(gate);
    },
  };
}

/** Runs that are given up at once: they ride in one flush. */
const togetherMax = 100;

/** Marks as `unknown` what gates ran that are gone. The store refuses what is not known to be so. */
async function giveUp(store: AliveParts['store'], say: AliveParts['say']): Promise<void> {
  const orphans = await store.orphans();
  let lost = 0;
  for (let at = 0; at < orphans.length; at += togetherMax) {
    const some = orphans.slice(at, at + togetherMax);
    const results = await Promise.all(some.map((execution) => store.change({ kind: 'lost', execution })));
    lost += results.filter((one) => one.ok).length;
    // The rest at the next turn.
    if (results.some((one) => !one.ok && one.error.kind === 'fault')) break;
  }
  if (lost > 0)
    say(`Running on gates that are gone: ${lost}. How they ended is unknown, and nothing is repeated.`);
}

/** Said once, by each gate that notices. */
function sayGone(
  before: readonly GateRow[],
  now: readonly GateRow[],
  self: string,
  say: AliveParts['say'],
): void {
  const isGone = (one: GateRow): boolean => one.silentMs >= gateLimits.goneMs;
  for (const one of now) {
    if (one.id === self || !isGone(one)) continue;
    const was = before.find(({ id }) => id === one.id);
    if (was !== undefined && !isGone(was))
      say(
        `The gate ${one.id} on ${one.body.host} has not been heard of for ${Math.round(one.silentMs / 1000)} s.`,
      );
  }
}
