/**
 * The keys of a log that moves: where they are now, and whether the new configuration names the same. Promise: no key, and no part of
 * one, is in anything that this answers.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import type { Settings } from '../config.ts';
import { readKeyFile } from '../log/key-files.ts';
import { keysFolderOf } from '../main/log.ts';
import { Failure } from './command.ts';

export interface MovedKey {
  /** Under which name the configuration gives it: `log.keys.NAME`. */
  readonly use: 'log' | 'logBefore' | 'receipt';
  /** The file that is to be copied; null: the configuration of now names it. */
  readonly file: string | null;
  /** What the new configuration names: `unread`: something that cannot be read from here. */
  readonly there: 'same' | 'missing' | 'other' | 'unread';
}

const files = { log: 'log.pem', logBefore: 'log.before.pem', receipt: 'receipt.pem' } as const;

/** Of keys that there are: a store that no gate has run on has none. */
export async function keysOf(source: Settings, target: Settings): Promise<readonly MovedKey[]> {
  const folder = keysFolderOf(source);
  const found: MovedKey[] = [];
  for (const use of ['log', 'logBefore', 'receipt'] as const) {
    const configured = source.log.keys[use];
    const inFolder =
      configured !== null || (use === 'logBefore' && source.log.keys.log !== null) || folder === null;
    const file = inFolder ? null : join(folder, files[use]);
    const pem = file === null ? configured : await readKeyFile(file);
    if (pem === null || pem === undefined) continue;
    found.push({ use, file, there: thereOf(pem, target.log.keys[use]) });
  }
  return found;
}

function thereOf(here: string, there: string | null): MovedKey['there'] {
  if (there === null) return 'missing';
  const [one, other] = [keyOf(here), keyOf(there)];
  if (one === null || other === null) return 'unread';
  return one.equals(other) ? 'same' : 'other';
}

/** Null where it is none: its parser's words could quote the file. */
function keyOf(pem: string): KeyObject | null {
  try {
    return createPrivateKey(pem);
  } catch {
    return null;
  }
}

/** With another key the log would have to go on under another name. */
export function mustBeTheSame(
  keys: readonly MovedKey[],
  { to, folder }: { readonly to: string; readonly folder: string },
): void {
  for (const { use, there, file } of keys) {
    if (there === 'other')
      throw new Failure(
        `log.keys.${use} of ${to} is another key than the one that signs the log of ${folder}${file === null ? '' : ` (${files[use]} in its folder keys)`}: the log would go on under another name. Name the same key, or none yet.`,
      );
  }
}
