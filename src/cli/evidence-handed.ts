/** A package of evidence as the command line hands it out, wherever it was made; and how a zip from a gate becomes one. */
import { unzipSync } from 'fflate';
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { readJson } from '../core/read-json.ts';
import { sha256Hex } from '../core/sha256.ts';
import type { PackedFile } from '../ports/evidence-pack.ts';
import { Failure } from './command.ts';

export interface Handed {
  readonly files: readonly PackedFile[];
  zip(): Uint8Array;
  /** Of a folder that holds it. */
  readonly name: string;
  readonly rows: number;
  /** Indexes of the first and the last entry. */
  readonly entries: readonly [from: number, to: number];
  readonly exceptions: number;
  readonly complete: boolean;
  /** A checkpoint covers its last entry. */
  readonly published: boolean;
}

/** All files together, unpacked. */
const unpackedBytesMax = 4096 * 1_048_576;
const manifestBytesMax = 16 * 1_048_576;
/** One or more plain steps down, whoever wrote the zip. */
const plainName = /^(?:[A-Za-z0-9_-][A-Za-z0-9._-]*\/)*[A-Za-z0-9_-][A-Za-z0-9._-]*$/;
/** What the manifest cannot list. */
const unlisted: ReadonlySet<string> = new Set(['manifest.json', 'manifest.dsse.json']);

/** What a gate sent, if it is whole: every file as its manifest has it, and no other. */
export function handedOf(zip: Uint8Array): Handed {
  const files = unpacked(zip);
  const manifest = manifestOf(files.get('manifest.json'));
  const listed = manifest === undefined ? undefined : manifest['files'];
  if (manifest === undefined || listed === undefined || !isJsonArray(listed))
    throw new Failure('What the gate sent has no manifest.');
  const names = new Set(unlisted);
  for (const one of listed) {
    const name = textIn(one, 'name') ?? '';
    const bytes = files.get(name);
    if (bytes === undefined || sha256Hex(bytes) !== textIn(one, 'sha256'))
      throw new Failure(`What the gate sent is not what its manifest says: ${name}.`);
    names.add(name);
  }
  for (const name of files.keys())
    if (!names.has(name)) throw new Failure(`What the gate sent holds what its manifest does not: ${name}.`);
  const log = objectIn(manifest, 'log');
  const query = objectIn(manifest, 'query');
  const exceptions = listed.find((one) => textIn(one, 'name') === 'Exceptions.xlsx');
  const day = (name: string): string => (textIn(query, name) ?? '').slice(0, 10);
  return {
    files: [...files].map(([name, bytes]) => ({ name, bytes })),
    zip: () => zip,
    name: `evidence-${day('from')}-to-${day('to')}-as-of-${numberIn(query, 'asOf')}`.replace(/[^\w-]/g, ''),
    rows: numberIn(manifest, 'rows'),
    entries: [numberIn(log, 'from'), numberIn(log, 'to')],
    exceptions: numberIn(objectIn(exceptions, 'counts'), 'exceptions'),
    complete: manifest['complete'] === true,
    published: textIn(log, 'tier') !== 'unpublished',
  };
}

function unpacked(zip: Uint8Array): ReadonlyMap<string, Uint8Array<ArrayBuffer>> {
  let size = 0;
  const found = (() => {
    try {
      return unzipSync(zip, {
        filter: ({ name, originalSize }) => {
          size += originalSize;
          if (size > unpackedBytesMax) throw new Failure('What the gate sent is too large.');
          // A name must not lead out of the folder that it is written to.
          if (!plainName.test(name))
            throw new Failure('What the gate sent holds a file with a strange name.');
          return true;
        },
      });
    } catch (error) {
      throw error instanceof Failure ? error : new Failure('What the gate sent is no zip.');
    }
  })();
  return new Map(Object.entries(found).map(([name, bytes]) => [name, new Uint8Array(bytes)]));
}

function manifestOf(bytes: Uint8Array | undefined): JsonObject | undefined {
  if (bytes === undefined) return undefined;
  const read = readJson(bytes, { bytesMax: manifestBytesMax, depthMax: 32 });
  return read.ok && isJsonObject(read.value) ? read.value : undefined;
}

const within = (value: JsonValue | undefined, name: string): JsonValue | undefined =>
  value !== undefined && isJsonObject(value) ? value[name] : undefined;
const textIn = (value: JsonValue | undefined, name: string): string | null => {
  const found = within(value, name);
  return typeof found === 'string' ? found : null;
};
const numberIn = (value: JsonValue | undefined, name: string): number => {
  const found = within(value, name);
  return typeof found === 'number' ? found : 0;
};
const objectIn = (value: JsonValue | undefined, name: string): JsonObject | undefined => {
  const found = within(value, name);
  return found !== undefined && isJsonObject(found) ? found : undefined;
};
