/** The disk itself: 8 KiB written in place and made durable, one after another. The floor under every durable answer. */
import { closeSync, fdatasyncSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const blockBytes = 8192;
/** Written in place, round and round, so that no write makes the file longer. */
const blocks = 64;

export class Disk {
  readonly #file: number;
  readonly #block = Buffer.alloc(blockBytes, 0x5a);
  #at = 0;

  constructor(folder: string) {
    this.#file = openSync(join(folder, 'raw'), 'w', 0o600);
    for (let block = 0; block < blocks; block += 1)
      writeSync(this.#file, this.#block, 0, blockBytes, block * blockBytes);
    fsyncSync(this.#file);
  }

  /** Milliseconds of each write for about `forMs`. */
  sample(forMs: number): readonly number[] {
    const samples: number[] = [];
    const end = performance.now() + forMs;
    for (let from = performance.now(); from < end; from = performance.now()) {
      this.write();
      samples.push(performance.now() - from);
    }
    return samples;
  }

  /** One block, durable when this returns. */
  write(): void {
    this.#at = (this.#at + 1) % blocks;
    this.#block.writeDoubleLE(performance.now(), 0);
    writeSync(this.#file, this.#block, 0, blockBytes, this.#at * blockBytes);
    fdatasyncSync(this.#file);
  }

  close(): void {
    closeSync(this.#file);
  }
}
