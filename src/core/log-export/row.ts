/**
 * An entry of the log as one row for people's tools: a plain sentence, who, what it was about, its data with secrets masked, and
 * its digest, by which it is found in the log again. CSV and JSON Lines are written from it.
 */
import type { Case } from '../case.ts';
import { nameOf } from '../conflict.ts';
import type { Directory } from '../directory.ts';
import type { About, Entry, EntryType } from '../entry.ts';
import type { Sha256Hex } from '../ids.ts';
import { isJsonObject, type JsonObject } from '../json.ts';
import { entryWords } from '../render/log-words.ts';
import { pickText } from '../render/read.ts';
import { maskSecrets, maskText } from '../secrets.ts';
import type { Verdict } from '../verdict.ts';

export interface LogRow {
  readonly index: number;
  /** RFC 3339, UTC. */
  readonly at: string;
  readonly type: EntryType;
  readonly sentence: string;
  readonly by: {
    readonly kind: Entry['by']['kind'];
    readonly id: string | null;
    readonly name: string | null;
  };
  readonly agent: string | null;
  readonly operation: string | null;
  readonly resource: { readonly type: string; readonly id: string } | null;
  /** Of the action that it is about. */
  readonly verdict: Verdict['effect'] | null;
  /** Ids of the policies that had a part in the verdict. */
  readonly policies: readonly string[];
  readonly about: About;
  /** True: the payload was erased; index, time, type and digest are all that is left. */
  readonly erased: boolean;
  readonly data: JsonObject;
  /** SHA-256 of the DSSE pre-authentication encoding of the entry's statement. */
  readonly digest: Sha256Hex;
}

/** @param held the case that it is about, as the reader may see it; null: none, gone, or not at all. */
export function rowOf(
  { entry, pae }: { readonly entry: Entry; readonly pae: Sha256Hex },
  held: Case | null,
  directory: Directory,
): LogRow {
  const { index, at, type, by, about, data } = entry;
  const erased = entry.erased === true;
  const asked = erased ? null : (held?.asked ?? null);
  const id = by.kind === 'agent' || by.kind === 'person' ? by.id : null;
  const masked = maskSecrets(data);
  const resource = asked?.action.resource;
  return {
    index,
    at,
    type,
    sentence: entryWords(entry, directory, asked).text,
    by: erased
      ? { kind: by.kind, id: null, name: null }
      : { kind: by.kind, id, name: by.kind === 'person' ? nameOf(directory, by.id) : id },
    agent: asked?.action.agent ?? pickText(masked, ['agent']) ?? (by.kind === 'agent' ? by.id : null),
    operation: asked?.action.operation ?? pickText(masked, ['operation']) ?? null,
    resource: resource === undefined ? null : { type: resource.type, id: maskText(resource.id) },
    verdict: asked?.verdict.effect ?? null,
    policies: asked?.verdict.explanation.policies.map((one) => one.id) ?? [],
    about,
    erased,
    data: isJsonObject(masked) ? masked : {},
    digest: pae,
  };
}

/** One line of JSON Lines, with its line feed. */
export const jsonLine = (row: object): string => `${JSON.stringify(row)}\n`;
