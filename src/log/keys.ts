/**
 * The private keys that sign the log: as configured, else made at first start in the folder `keys` of an embedded store.
 * Promises: a key is never replaced by starting; one that others can read is refused; a rotation that stopped half way is as
 * good as one that has not begun, and can be begun again.
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { link, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeyUse } from '../core/log-key.ts';
import type { LogSettings } from '../ports/log-settings.ts';
import {
  isCode,
  KeyFault,
  openFolder,
  readIfThere,
  readKeyFile,
  syncFolder,
  writeNew,
  writeOver,
} from './key-files.ts';
import { keyIdOf, rawEd25519, readNote } from './note.ts';

export interface SigningKeys {
  /** Ed25519: checkpoints. */
  readonly log: KeyObject;
  /** The one before it, while both sign; null: only one does. */
  readonly logBefore: KeyObject | null;
  /** ECDSA P-256: leaves and envelopes. */
  readonly receipt: KeyObject;
  /** Which were made just now, because there were none. */
  readonly made: readonly KeyUse[];
}

export interface KeySource {
  /** As they are now. Throws a KeyFault. */
  read(): Promise<SigningKeys>;
  /** Whether `read` would answer others than the last time. */
  changed(): Promise<boolean>;
}

const files = { log: 'log.pem', logBefore: 'log.before.pem', receipt: 'receipt.pem' } as const;

/** @param folder where keys that are not configured are kept; null: nowhere, so that both have to be configured. */
export function keysFrom(folder: string | null, configured: LogSettings['keys']): KeySource {
  let last = '';
  return {
    async read() {
      const keys = await readKeys(folder, configured);
      last = await filesNow(folder, configured);
      return keys;
    },
    changed: async () => (await filesNow(folder, configured)) !== last,
  };
}

async function readKeys(folder: string | null, configured: LogSettings['keys']): Promise<SigningKeys> {
  const made: KeyUse[] = [];
  const find = async (use: KeyUse): Promise<KeyObject> => {
    const pem = configured[use];
    if (pem !== null) return privateKey(pem, use, `log.keys.${use}`);
    if (folder === null)
      throw new KeyFault(
        `A PostgreSQL store keeps no keys. One that was moved has the keys of the store before: name its data/keys/${files[use]} as log.keys.${use}: {fromFile: …}. For a new one, make a key with "openssl genpkey -algorithm ${use === 'log' ? 'ed25519' : 'EC -pkeyopt ec_paramgen_curve:P-256'} -out ${use}.pem", and name it as log.keys.${use}: {fromFile: ${use}.pem}.`,
      );
    const path = join(folder, files[use]);
    await openFolder(folder);
    const found = await readKeyFile(path);
    if (found !== undefined) return privateKey(found, use, path);
    // Where somebody else has made one meanwhile, theirs is the key.
    if (await writeNew(path, newPem(use))) made.push(use);
    return privateKey((await readKeyFile(path)) ?? '', use, path);
  };
  const log = await find('log');
  const receipt = await find('receipt');
  return { log, receipt, logBefore: await keyBefore(folder, configured, log), made };
}

async function keyBefore(
  folder: string | null,
  configured: LogSettings['keys'],
  log: KeyObject,
): Promise<KeyObject | null> {
  const path = folder === null || configured.log !== null ? undefined : join(folder, files.logBefore);
  const pem = configured.logBefore ?? (path === undefined ? undefined : await readKeyFile(path));
  if (pem === undefined) return null;
  const before = privateKey(pem, 'log', path ?? 'log.keys.logBefore');
  // A rotation that stopped half way: both names are the same key.
  return before.equals(log) ? null : before;
}

function privateKey(pem: string, use: KeyUse, name: string): KeyObject {
  try {
    const key = createPrivateKey(pem);
    if (use === 'log' ? key.asymmetricKeyType === 'ed25519' : isP256(key)) return key;
  } catch {
    // Said below; the parser's own words could quote the file.
  }
  throw new KeyFault(`${name} is no ${use === 'log' ? 'Ed25519' : 'ECDSA P-256'} private key in PEM.`);
}

const isP256 = (key: KeyObject): boolean =>
  key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';

/** PKCS #8. */
function newPem(use: KeyUse): string {
  const { privateKey: made } =
    use === 'log' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return made.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** What changes when a file of keys does. */
async function filesNow(folder: string | null, configured: LogSettings['keys']): Promise<string> {
  if (folder === null) return '';
  const names = [
    ...(configured.log === null ? [files.log, files.logBefore] : []),
    ...(configured.receipt === null ? [files.receipt] : []),
  ];
  const states = names.map(async (name) => {
    try {
      const { ino, mtimeMs, size } = await stat(join(folder, name));
      return `${ino} ${mtimeMs} ${size}`;
    } catch (error) {
      if (isCode(error, 'ENOENT')) return '';
      throw error;
    }
  });
  return (await Promise.all(states)).join('\n');
}

/** Makes a new key. The log key before it goes on signing beside the new one until `finishRotation`. */
export async function rotateKey(folder: string, use: KeyUse): Promise<void> {
  const path = join(folder, files[use]);
  await openFolder(folder);
  const now = await readKeyFile(path);
  if (now === undefined)
    throw new KeyFault(`There is no ${path} yet: the gate makes it when it is started first.`);
  const next = `${path}.next`;
  if (use === 'log') {
    const beforePath = join(folder, files.logBefore);
    const before = await readKeyFile(beforePath);
    if (before !== undefined && before !== now)
      throw new KeyFault(
        `The log key is being rotated already: ${beforePath} signs too. End that first: countersign log rotate --finish`,
      );
    if (before === undefined) await link(path, beforePath);
  }
  await writeOver(next, newPem(use));
  await rename(next, path);
  await syncFolder(folder);
}

/**
 * The log key before signs no more, and is gone; false where there was none. Throws a KeyFault where nothing that was given out is
 * signed with the new one yet: without the key before the gate could not tell that checkpoint from a stranger's.
 */
export async function finishRotation(folder: string): Promise<boolean> {
  const path = join(folder, files.logBefore);
  if ((await readKeyFile(path)) === undefined) return false;
  const key = privateKey((await readKeyFile(join(folder, files.log))) ?? '', 'log', join(folder, files.log));
  const given = readNote((await readIfThere(join(folder, 'checkpoint'))) ?? '');
  const signs = given?.signatures.some(({ name, id }) => id === keyIdOf(name, 1, rawEd25519(key)));
  if (signs === false)
    throw new KeyFault(
      'The new log key has signed no checkpoint yet: start the gate, or wait a moment, then finish.',
    );
  await rm(path);
  await syncFolder(folder);
  return true;
}
