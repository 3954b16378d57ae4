/**
 * Reads a file that others can write. Promises: it ends. A pipe or a device in place of a file is refused and not waited for, and
 * no more is read than may be there: else whoever can write the folder could stop the gate, or keep it from reading the next change.
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';

/** Opening a pipe without this waits for whoever writes into it. */
const flags = constants.O_RDONLY | constants.O_NONBLOCK;

/** Like the failures of the system, it has a `code`. */
class Unreadable extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** Throws with a `code`: of the system, or `not a file`, or `too large` for more than `bytesMax` bytes. */
export async function readRegularFile(file: string, bytesMax: number): Promise<Buffer> {
  const handle = await open(file, flags);
  try {
    refuseOthers(await handle.stat());
    const chunks: Buffer[] = [];
    let left = bytesMax + 1;
    while (left > 0) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(Math.min(left, chunkBytes)));
      if (bytesRead === 0) return Buffer.concat(chunks);
      chunks.push(buffer.subarray(0, bytesRead));
      left -= bytesRead;
    }
    throw new Unreadable('too large');
  } finally {
    await handle.close();
  }
}

/** The same at once, for small files. */
export function readRegularFileSync(file: string, bytesMax: number): Buffer {
  const opened = openSync(file, flags);
  try {
    refuseOthers(fstatSync(opened));
    const chunks: Buffer[] = [];
    let left = bytesMax + 1;
    while (left > 0) {
      const buffer = Buffer.alloc(Math.min(left, chunkBytes));
      const bytesRead = readSync(opened, buffer);
      if (bytesRead === 0) return Buffer.concat(chunks);
      chunks.push(buffer.subarray(0, bytesRead));
      left -= bytesRead;
    }
    throw new Unreadable('too large');
  } finally {
    closeSync(opened);
  }
}

function refuseOthers(found: Stats): void {
  if (!found.isFile()) throw new Unreadable(found.isDirectory() ? 'EISDIR' : 'not a file');
}

const chunkBytes = 65_536;
