/**
 * One replica's store in a process of its own, without HTTP: it decides when it is told to, and says how long it took.
 *
 *     replica-worker.ts URL       talks to its parent
 */
import { openPostgres } from '../src/store/postgres.ts';
import type { AskCommand, Command } from '../src/core/command.ts';
import { approve, ask } from './commands.ts';
import { timed } from './measurement.ts';

/** `hold` opens approvals and keeps them; `review` decides so many of those. */
export interface ReplicaJob {
  readonly kind: 'ask' | 'hold' | 'review';
  readonly callers: number;
  readonly count: number;
}

export interface ReplicaDone {
  readonly tookMs: number;
  readonly samplesMs: readonly number[];
}

const store = await openPostgres({ url: process.argv[2] ?? '', channels: ['terminal'] });
const held: AskCommand[] = [];

async function must(command: Command): Promise<void> {
  const result = await store.change(command);
  if (!result.ok) throw new Error(`The store refused ${command.kind}: ${JSON.stringify(result.error)}`);
}

async function run({ kind, callers, count }: ReplicaJob): Promise<ReplicaDone> {
  const versions = await store.versions();
  const asks = (effect: 'allow' | 'review'): readonly AskCommand[] =>
    Array.from({ length: count }, () => ask(effect, versions, store.joinKey()));
  if (kind === 'hold') held.push(...asks('review'));
  const waiting = kind === 'hold' ? held.slice(-count) : [];
  // Made before the clock runs: what is measured is the decision, not the making of its question.
  const commands: readonly Command[] =
    kind === 'ask' ? asks('allow') : kind === 'hold' ? waiting : held.splice(0, count).map(approve);
  return timed(callers, commands.length, async (at) => {
    const command = commands[at];
    if (command !== undefined) await must(command);
  });
}

async function answer(job: ReplicaJob): Promise<void> {
  try {
    process.send?.(await run(job));
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
}

process.on('message', (job: ReplicaJob) => {
  void answer(job);
});
process.on('disconnect', () => void store.close().then(() => process.exit(0)));
process.send?.('ready');
