/**
 * The files beside a store that its log is signed with: private keys, and the newest checkpoint that was given out. Promises:
 * a file is whole or not there; a key is never overwritten by making one; nobody but the gate's user can read a key.
 */
import { chmod, link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';

/** The keys' folder or one of its files cannot be used; the message tells an operator what to do. */
export class KeyFault extends Error {
  readonly code = 'KEYS';

  constructor(message: string) {
    super(message);
    this.name = 'KeyFault';
  }
}

/** Where the keys of an embedded store are. */
export const keysFolder = (directory: string): string => join(directory, 'keys');

const forOwner = 0o077;
/** Bytes of a key or of a note that are read. */
const fileBytesMax = 65_536;

/** Makes the folder for this user only; throws a KeyFault where others may enter it. */
export async function openFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await mustBePrivate(folder, '700');
}

async function mustBePrivate(path: string, mode: string): Promise<void> {
  // Windows has no such bits; its folders of users are closed to others.
  if (process.platform === 'win32') return;
  if (((await stat(path)).mode & forOwner) !== 0)
    throw new KeyFault(
      `${path} can be read by others than the gate's user, and it is what signs the log: chmod ${mode} ${path}`,
    );
}

/** A key's text; undefined where there is none. Throws a KeyFault where others can read it. */
export async function readKeyFile(path: string): Promise<string | undefined> {
  const text = await readIfThere(path);
  if (text !== undefined) await mustBePrivate(path, '600');
  return text;
}

/** Undefined where there is no such file. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    const text = await readFile(path, 'utf8');
    if (text.length > fileBytesMax) throw new KeyFault(`${path} is longer than ${fileBytesMax} bytes.`);
    return text;
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Writes a file that must not be there yet; false where it is. Durable when it resolves. */
export async function writeNew(path: string, text: string): Promise<boolean> {
  const beside = await writeBeside(path, text);
  try {
    // A link never replaces anything, which a rename does.
    await link(beside, path);
    await syncFolder(dirname(path));
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(beside, { force: true });
  }
}

/** Writes a file, or replaces it. Durable when it resolves. */
export async function writeOver(path: string, text: string): Promise<void> {
  const beside = await writeBeside(path, text);
  try {
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

async function writeBeside(path: string, text: string): Promise<string> {
  const beside = `${path}.${randomUUID()}`;
  const file = await open(beside, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  // Whatever the umask is.
  await chmod(beside, 0o600);
  return beside;
}

/** A new name is durable once its folder is. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;
