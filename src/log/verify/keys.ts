/**
 * Whose keys. An auditor gives the keys that they hold; without any the log's own are taken, and then the answer shows that the log
 * is whole, not whose it is.
 */
import { asSha256Hex } from '../../core/ids.ts';
import type { LogKey } from '../../core/log-key.ts';
import { isJsonArray, isJsonObject, type JsonValue } from '../../core/json.ts';
import { keyOfSpki, receiptKeyId, spkiOf } from '../leaf.ts';
import { verifierOf, vkeyOf, type Verifier } from '../note.ts';
import { problem, type Problem } from './problem.ts';
import type { EntryFacts } from './statement.ts';

/** What an auditor brings. */
export interface Trust {
  /** Keys that sign checkpoints. Empty: those that the log names. */
  readonly log: readonly Verifier[];
  /** Ids of receipt keys; empty: those that a trusted checkpoint's tree names. */
  readonly receipt: ReadonlySet<string>;
  readonly witnesses: readonly Verifier[];
  /** Witnesses that must have cosigned; 0: none. */
  readonly quorum: number;
}

export const noTrust: Trust = { log: [], receipt: new Set(), witnesses: [], quorum: 0 };

/** A key of a log as a verifier of its notes; undefined for a receipt key, or one that is none. */
export function verifierOfKey(key: LogKey): Verifier | undefined {
  if (key.use !== 'log' || key.origin === null) return undefined;
  try {
    return verifierOf(vkeyOf(key.origin, keyOfSpki(key.spki)));
  } catch {
    return undefined;
  }
}

/** Keys that a file of an auditor names; a sentence where it names none. Takes verifier keys, one a line; a PEM; `keys.json`; a Sigstore root of trust. */
export function keysOfText(text: string): Pick<Trust, 'log' | 'receipt'> | string {
  const trimmed = text.trim();
  if (trimmed.startsWith('{') || trimmed.startsWith('[')) return keysOfJson(trimmed);
  if (trimmed.includes('-----BEGIN')) return receiptKeyOfPem(trimmed);
  const log: Verifier[] = [];
  for (const line of trimmed.split('\n')) {
    const one = line.trim();
    if (one === '' || one.startsWith('#')) continue;
    const verifier = verifierOf(one);
    if (verifier === undefined) return `“${one.slice(0, 60)}” is no verifier key`;
    log.push(verifier);
  }
  return log.length === 0 ? 'it names no key' : { log, receipt: new Set() };
}

function receiptKeyOfPem(pem: string): Pick<Trust, 'log' | 'receipt'> | string {
  const body = pem.replace(/-----[A-Z ]+-----/g, '').replace(/\s+/g, '');
  try {
    return { log: [], receipt: new Set([receiptKeyId(spkiOf(keyOfSpki(body)))]) };
  } catch {
    return 'it holds no public key';
  }
}

function keysOfJson(text: string): Pick<Trust, 'log' | 'receipt'> | string {
  let read: JsonValue;
  try {
    // JSON.parse answers JSON.
    read = JSON.parse(text) as JsonValue;
  } catch {
    return 'it is not JSON';
  }
  const log: Verifier[] = [];
  const receipt = new Set<string>();
  const add = (spki: JsonValue | undefined, origin: JsonValue | undefined): void => {
    if (typeof spki !== 'string') return;
    try {
      if (typeof origin === 'string') {
        const verifier = verifierOf(vkeyOf(origin, keyOfSpki(spki)));
        if (verifier !== undefined) log.push(verifier);
      } else receipt.add(receiptKeyId(spkiOf(keyOfSpki(spki))));
    } catch {
      // A key of a kind that nothing here signs with.
    }
  };
  const keys = isJsonObject(read) ? read['keys'] : read;
  for (const one of isJsonArray(keys) ? keys : []) if (isJsonObject(one)) add(one['spki'], one['origin']);
  const tlogs = isJsonObject(read) ? read['tlogs'] : undefined;
  for (const one of isJsonArray(tlogs) ? tlogs : []) {
    if (!isJsonObject(one)) continue;
    const { baseUrl, publicKey } = one;
    const host = typeof baseUrl === 'string' ? URL.parse(baseUrl)?.hostname : undefined;
    if (host !== undefined && isJsonObject(publicKey)) add(publicKey['rawBytes'], host);
  }
  return log.length + receipt.size === 0 ? 'it names no key' : { log, receipt };
}

/** The keys that the entries themselves tell of, compared with those that stand beside them. */
export class ToldKeys {
  readonly #told = new Map<string, LogKey>();
  /** The tree's size when each key began for the first time. */
  readonly #begun = new Map<string, number>();
  readonly #ended = new Map<string, number>();
  readonly #signed = new Map<string, [number, number]>();

  see({ type, data, atMs, index }: EntryFacts): void {
    const { id, use, spki, origin, size } = data;
    if (typeof id !== 'string') return;
    if (type === 'key.begun' && typeof spki === 'string' && (use === 'log' || use === 'receipt'))
      this.#told.set(id, {
        id,
        use,
        spki,
        origin: typeof origin === 'string' ? origin : null,
        begunAtMs: atMs,
        begunAt: Number(size),
        endedAtMs: null,
      });
    const known = this.#told.get(id);
    if (type === 'key.begun') {
      this.#ended.delete(id);
      if (!this.#begun.has(id)) this.#begun.set(id, Number(size));
    }
    if (type !== 'key.ended' || known === undefined) return;
    this.#told.set(id, { ...known, endedAtMs: atMs });
    this.#ended.set(id, index);
  }

  /** A key has signed the leaves from `first` to `last`, and perhaps some between. */
  signed(keyId: string, first: number, last: number): void {
    const known = this.#signed.get(keyId);
    if (known === undefined) this.#signed.set(keyId, [first, last]);
    else known[1] = last;
  }

  get keys(): readonly LogKey[] {
    return [...this.#told.values()];
  }

  /** Compares with the keys that the source keeps, and with those that were given. */
  check(kept: readonly LogKey[], trust: Trust): readonly Problem[] {
    const found: Problem[] = [];
    for (const key of kept) {
      const told = this.#told.get(key.id);
      if (told === undefined) {
        found.push(
          problem('key', null, `The key ${key.id} is kept beside the log, and no entry says that it began.`),
        );
        continue;
      }
      const same = [told.use === key.use, told.spki === key.spki, told.origin === key.origin];
      const times = [
        told.begunAtMs === key.begunAtMs,
        told.begunAt === key.begunAt,
        told.endedAtMs === key.endedAtMs,
      ];
      if (![...same, ...times].every(Boolean))
        found.push(problem('key', null, `The key ${key.id} is kept with other facts than its entries tell.`));
      if (idOf(key) !== key.id) found.push(problem('key', null, `The key ${key.id} does not have this id.`));
    }
    for (const told of this.#told.values())
      if (!kept.some((one) => one.id === told.id))
        found.push(problem('key', null, `The key ${told.id} began, and is not among those that are kept.`));
    for (const [id, [first, last]] of this.#signed) {
      const told = this.#told.get(id);
      const ended = this.#ended.get(id);
      if (told !== undefined && told.use !== 'receipt')
        found.push(
          problem('key', first, `Entry ${first} is signed by the key ${id}, which does not sign entries.`),
        );
      const begun = this.#begun.get(id);
      if (begun !== undefined && first < begun)
        found.push(
          problem('key', first, `Entry ${first} is signed by the key ${id}, which began at ${begun}.`),
        );
      if (ended !== undefined && last > ended)
        found.push(
          problem('key', last, `Entry ${last} is signed by the key ${id}, which ended at entry ${ended}.`),
        );
      if (trust.receipt.size > 0 && !trust.receipt.has(id))
        found.push(
          problem(
            'key',
            first,
            `Entry ${first} is signed by the key ${id}, which is not among those you gave.`,
          ),
        );
    }
    return found;
  }
}

function idOf(key: LogKey): string | undefined {
  try {
    return key.use === 'receipt' ? asSha256Hex(receiptKeyId(key.spki)) : verifierOfKey(key)?.id;
  } catch {
    return undefined;
  }
}
