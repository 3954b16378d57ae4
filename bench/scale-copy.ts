/** Rows by the million: a stream of COPY into a table, and cheap randomness for what is in them. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Postgres } from './postgres.ts';

/** One stream of COPY into a table. */
class Copy {
  readonly #child;
  readonly #ended: Promise<unknown[]>;
  #text = '';

  constructor(postgres: Postgres, table: string, columns: readonly string[]) {
    this.#child = spawn(
      postgres.program('psql'),
      [
        '-qX',
        '-v',
        'ON_ERROR_STOP=1',
        '-d',
        postgres.url,
        '-c',
        `COPY ${table} (${columns.join(', ')}) FROM STDIN`,
      ],
      { stdio: ['pipe', 'inherit', 'inherit'] },
    );
    this.#ended = once(this.#child, 'exit');
  }

  put(line: string): void {
    this.#text += line;
    this.#text += '\n';
  }

  async flush(least = 1 << 20): Promise<void> {
    if (this.#text.length < least) return;
    const text = this.#text;
    this.#text = '';
    if (!this.#child.stdin.write(text)) await once(this.#child.stdin, 'drain');
  }

  async end(): Promise<void> {
    await this.flush(0);
    this.#child.stdin.end();
    const [code] = await this.#ended;
    if (code !== 0) throw new Error(`COPY ended with ${String(code)}`);
  }
}

/** The streams of one database, opened when they are first needed. */
export class Copies {
  readonly #postgres: Postgres;
  readonly #open = new Map<string, Copy>();

  constructor(postgres: Postgres) {
    this.#postgres = postgres;
  }

  into(table: string, columns: readonly string[]): Copy {
    let copy = this.#open.get(table);
    if (copy === undefined) this.#open.set(table, (copy = new Copy(this.#postgres, table, columns)));
    return copy;
  }

  async flush(): Promise<void> {
    for (const copy of this.#open.values()) await copy.flush();
  }

  async end(): Promise<void> {
    for (const copy of this.#open.values()) await copy.end();
  }
}

/** Cheap randomness: what is made here keeps no secret. */
export class Dice {
  #pool = Buffer.alloc(0);
  #at = 0;

  bytes(count: number): Buffer {
    if (this.#at + count > this.#pool.length) {
      this.#pool = randomBytes(1 << 16);
      this.#at = 0;
    }
    this.#at += count;
    return this.#pool.subarray(this.#at - count, this.#at);
  }

  hex(bytes: number): string {
    return this.bytes(bytes).toString('hex');
  }

  below(limit: number): number {
    return Math.floor((this.bytes(4).readUInt32LE() / 2 ** 32) * limit);
  }
}
