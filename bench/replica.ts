/** One replica's store in a process of its own (replica-worker.ts), and requests to a whole gate. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileOf } from './process.ts';
import type { ReplicaDone, ReplicaJob } from './replica-worker.ts';
import type { Pending } from './resume.ts';

export class Replica {
  readonly #child: ChildProcess;
  /** Rejects when the process ends. */
  readonly #died: Promise<never>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#died = once(child, 'exit').then(() => {
      throw new Error('a replica ended by itself');
    });
    // Whoever waits for an answer learns of it.
    this.#died.catch(() => undefined);
  }

  static async start(url: string): Promise<Replica> {
    const child = fork(fileOf('replica-worker.ts'), [url], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const replica = new Replica(child);
    await Promise.race([once(child, 'message'), replica.#died]);
    return replica;
  }

  async run(job: ReplicaJob): Promise<ReplicaDone> {
    if (job.callers === 0 || job.count === 0) return { tookMs: 0, samplesMs: [] };
    const answer = once(this.#child, 'message');
    this.#child.send(job);
    // replica-worker.ts sends nothing else.
    const [done] = (await Promise.race([answer, this.#died])) as [ReplicaDone];
    return done;
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    await ended;
  }
}

/** What a gate answers; throws where that is a no. */
export async function send(
  origin: string,
  token: string,
  method: string,
  path: string,
  body?: object,
): Promise<unknown> {
  const response = await fetch(origin + path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text}`);
  return text === '' ? null : JSON.parse(text);
}

// The API's own shapes (design §8), checked as far as they are used.
export function idIn(said: unknown): string {
  const { id } = said as { readonly id?: string };
  if (id === undefined) throw new Error(`no id in ${JSON.stringify(said)}`);
  return id;
}

export function pendingIn(said: unknown): Pending {
  const { approval, digest } = said as {
    readonly approval?: { readonly id?: string };
    readonly digest?: string;
  };
  if (approval?.id === undefined || digest === undefined)
    throw new Error(`nothing waits: ${JSON.stringify(said)}`);
  return { id: approval.id, digest };
}
