/** What only a copy in a folder can have wrong: files that no tile commits to, and files that do not belong there. */
import { readdir } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { sha256Hex } from '../../core/sha256.ts';
import type { LogKey } from '../../core/log-key.ts';
import type { StoredCheckpoint } from '../../ports/log-store.ts';
import { numberOfTile, tilePath, widthOf } from '../tiles.ts';
import {
  bytesOf,
  entriesName,
  keysText,
  manifestOf,
  smallFiles,
  textOf,
  trustedRootText,
  unfinishedName,
} from './folder-files.ts';
import { problem, type Problem } from './problem.ts';

/** Names of files that do not belong that are told. */
const strangersMax = 10;

export async function ownOfFolder(
  folder: string,
  newest: StoredCheckpoint,
): Promise<{ readonly problems: readonly Problem[]; readonly warnings: readonly string[] }> {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((one) => !one.isDirectory())
    .map((one) =>
      join(one.parentPath, one.name)
        .slice(folder.length + 1)
        .split(sep)
        .join('/'),
    );
  if (names.includes(unfinishedName))
    return {
      problems: [problem('file', null, 'This copy is not finished: run the command that makes it again.')],
      warnings: [],
    };
  const strangers = names.filter((name) => !belongs(name, newest.size));
  const warnings =
    strangers.length === 0
      ? []
      : [
          `${strangers.length} ${strangers.length === 1 ? 'file is' : 'files are'} no part of the log, and nothing was checked about ${strangers.length === 1 ? 'it' : 'them'}: ${strangers.slice(0, strangersMax).join(', ')}${strangers.length > strangersMax ? ', …' : ''}.`,
        ];
  return { problems: await smallProblems((name) => bytesOf(join(folder, name)), newest), warnings };
}

const smallNames: ReadonlySet<string> = new Set(['manifest.json', ...smallFiles]);

/** Whether a copy of a log of this size has a file of this name. */
export function belongs(name: string, size: number): boolean {
  if (smallNames.has(name)) return true;
  const entries = Number(/^entries\/(\d{6,15})\.jsonl$/.exec(name)?.[1] ?? NaN);
  if (!Number.isNaN(entries)) return entriesName(entries) === name && widthOf(0, entries, size) > 0;
  const [, level = '', number = ''] = /^tile\/(entries|\d{1,2})\/(.+?)(?:\.p\/\d+)?$/.exec(name) ?? [];
  const n = numberOfTile(number);
  if (n === undefined) return false;
  const at = level === 'entries' ? level : Number(level);
  const width = widthOf(at === 'entries' ? 0 : at, n, size);
  return width > 0 && tilePath(at, n, width) === name;
}

/** What is wrong with the files that no tile commits to. @param read a file's bytes. */
export async function smallProblems(
  read: (name: string) => Promise<Uint8Array | undefined> | Uint8Array | undefined,
  newest: Pick<StoredCheckpoint, 'origin' | 'size' | 'root'>,
): Promise<readonly Problem[]> {
  const manifest = manifestOf(textOf((await read('manifest.json')) ?? new Uint8Array()));
  if (manifest === undefined)
    return [problem('file', null, 'manifest.json is missing, or not in the form that it was written in.')];
  const problems: Problem[] = [];
  const wrong = (text: string): void => void problems.push(problem('file', null, text));
  const { origin, size, root, files } = manifest;
  if (origin !== newest.origin || size !== newest.size || root !== newest.root)
    wrong('manifest.json tells of another checkpoint than the file “checkpoint”.');
  if (Object.keys(files).toSorted().join() !== [...smallFiles].toSorted().join())
    wrong('manifest.json names other files than a copy has.');
  for (const name of smallFiles) {
    const bytes = await read(name);
    if (bytes === undefined) wrong(`${name} is missing.`);
    else if (sha256Hex(bytes) !== files[name]) wrong(`${name} is not the file that manifest.json tells of.`);
  }
  const keys = keysIn(textOf((await read('keys.json')) ?? new Uint8Array()));
  if (keys === undefined) wrong('keys.json is not in the form that it was written in.');
  else if (textOf((await read('trusted_root.json')) ?? new Uint8Array()) !== rootOfTrust(keys))
    wrong('trusted_root.json names other keys than keys.json.');
  return problems;
}

/** Undefined where the keys are none. */
function rootOfTrust(keys: readonly LogKey[]): string | undefined {
  try {
    return trustedRootText(keys);
  } catch {
    return undefined;
  }
}

function keysIn(text: string): readonly LogKey[] | undefined {
  try {
    const read: unknown = JSON.parse(text);
    // Written again and compared with what it was read from.
    const { keys } = read as { readonly keys: readonly LogKey[] };
    return keysText(keys) === text ? keys : undefined;
  } catch {
    return undefined;
  }
}
