/**
 * Ships the log to a file of JSON Lines that is only appended to. What has arrived is what was synced to the disk. A file that
 * was renamed or deleted (a rotation) is noticed before and after each batch, and a new one begun. What a crash left behind is
 * compared with what comes next: lines that are there already are not written twice, and half of a line of ours is cut off;
 * half of anything else stays, and a new line is begun.
 */
import { constants } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { err, ok, type Result } from '../core/result.ts';
import type { Shipped, ShipFailure, Shipper } from '../ports/shipper.ts';

/** How much of the end of a file is compared with what comes next. */
const tailBytesMax = 4 * 1024 * 1024;
/** How often in one batch the file may be taken away under us. */
const triesMax = 3;
const newline = 0x0a;

/** @param path absolute; its folder must be there. */
export function createShipFile({ name, path }: { readonly name: string; readonly path: string }): Shipper {
  let handle: FileHandle | undefined;
  /** Whether its end has been compared since it was opened. */
  let compared = false;
  const drop = async (): Promise<void> => {
    const old = handle;
    handle = undefined;
    compared = false;
    await old?.close().catch(() => undefined);
  };
  const opened = async (): Promise<FileHandle> => {
    if (handle !== undefined && !(await isAt(handle, path))) await drop();
    return (handle ??= await openLog(path));
  };
  const append = async (lines: readonly Buffer[]): Promise<void> => {
    const file = await opened();
    const rest = compared ? lines : await mend(file, lines);
    compared = true;
    const { size } = await file.stat();
    try {
      await writeAll(file, Buffer.concat(rest));
      await file.datasync();
    } catch (error) {
      // Half a line must not stay in front of the next; what cannot be cut off now is compared when it is opened again.
      await file.truncate(size).catch(() => undefined);
      throw error;
    }
  };
  return {
    name,
    async send(batch): Promise<Result<null, ShipFailure>> {
      const lines = batch.map(({ body }: Shipped) => Buffer.from(`${JSON.stringify(body)}\n`));
      try {
        for (let tries = 0; tries < triesMax; tries += 1) {
          await append(lines);
          if (handle !== undefined && (await handle.stat()).nlink > 0) return ok(null);
          // It was deleted while it was written: nobody will read that one.
          await drop();
        }
        return err({ detail: 'the file was deleted again and again while it was written' });
      } catch (error) {
        await drop();
        return err({ detail: reasonOf(error) });
      }
    },
    close: drop,
  };
}

/** For us alone, where we make it. A link is not followed: whoever may write to the folder could lead us elsewhere. */
async function openLog(path: string): Promise<FileHandle> {
  const flags =
    constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags, 0o600);
  try {
    if (!(await file.stat()).isFile()) throw new NoFile();
    // That it is there must survive a power failure too.
    const folder = await open(dirname(path), constants.O_RDONLY);
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

class NoFile extends Error {
  readonly code = 'no regular file is there';
}

/** Whether the path still leads to this file. */
async function isAt(file: FileHandle, path: string): Promise<boolean> {
  const [ours, there] = await Promise.all([file.stat(), stat(path).catch(() => undefined)]);
  return there?.ino === ours.ino && there.dev === ours.dev;
}

/** Makes the end of the file fit what comes next; answers what is not there yet. */
async function mend(file: FileHandle, lines: readonly Buffer[]): Promise<readonly Buffer[]> {
  const { size } = await file.stat();
  if (size === 0) return lines;
  const length = Math.min(size, tailBytesMax);
  const tail = Buffer.alloc(length);
  const { bytesRead } = await file.read(tail, 0, length, size - length);
  const read = tail.subarray(0, bytesRead);
  const cut = read.lastIndexOf(newline) + 1;
  const torn = read.subarray(cut);
  const whole = read.subarray(0, cut);
  const there = overlap(whole, lines);
  const rest = lines.slice(there);
  if (torn.length === 0) return rest;
  const [next] = rest;
  // Ours: it begins what comes next. Its beginning must be within what was read.
  if ((cut > 0 || length === size) && next?.subarray(0, torn.length).equals(torn) === true) {
    await file.truncate(size - torn.length);
    return rest;
  }
  return [Buffer.from('\n'), ...rest];
}

/** How many of the first lines the file ends with already. */
function overlap(whole: Buffer, lines: readonly Buffer[]): number {
  for (let count = lines.length; count > 0; count -= 1) {
    const head = Buffer.concat(lines.slice(0, count));
    if (head.length > whole.length) continue;
    const from = whole.length - head.length;
    if (whole.subarray(from).equals(head) && (from === 0 || whole[from - 1] === newline)) return count;
  }
  return 0;
}

/** A disk that is nearly full takes a part of it. */
async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at);
    if (bytesWritten === 0) throw new Error('nothing was written');
    at += bytesWritten;
  }
}

/** The path is the operator's own; the message of an exception is not needed. */
function reasonOf(error: unknown): string {
  const code: unknown =
    typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  if (code === 'ELOOP') return 'the file is a link, which is not followed';
  return `the file cannot be written${typeof code === 'string' ? `: ${code}` : ''}`;
}
