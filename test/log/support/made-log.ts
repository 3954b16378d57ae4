/**
 * A log made in memory, of any size and content, with real keys, leaves, tiles and checkpoints: what the checks are tried on. It is
 * not the publisher: tests also need logs that no publisher would make.
 */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { aboutNothing, emptyHead, seal, type EntryDraft, type Sealed } from '../../../src/core/entry.ts';
import { asActionId, asApprovalId, asPersonId, asSha256Hex } from '../../../src/core/ids.ts';
import type { LogKey } from '../../../src/core/log-key.ts';
import { sha256Hex } from '../../../src/core/sha256.ts';
import type { Leaf, RawEntry, StoredCheckpoint } from '../../../src/ports/log-store.ts';
import { checkpointText } from '../../../src/log/checkpoint.ts';
import { leafBody, receiptKeyId, signPayload, spkiOf } from '../../../src/log/leaf.ts';
import { emptyRoot, hashLeaf } from '../../../src/log/merkle.ts';
import { cosignLine, keyIdOf, noteWith, rawEd25519, signLine, vkeyOf } from '../../../src/log/note.ts';
import { Edge, type TileAt } from '../../../src/log/tiles.ts';
import type { StoreReads } from '../../../src/log/verify/store-source.ts';

export const origin = 'gate.test';

export interface Keys {
  readonly log: KeyObject;
  readonly receipt: KeyObject;
}

export const newKeys = (): Keys => ({
  log: generateKeyPairSync('ed25519').privateKey,
  receipt: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
});

export const vkeyOfLog = (keys: Keys): string => vkeyOf(origin, keys.log);

export interface Witness {
  readonly name: string;
  readonly key: KeyObject;
  readonly vkey: string;
}

export function newWitness(name: string): Witness {
  const { privateKey } = generateKeyPairSync('ed25519');
  return { name, key: privateKey, vkey: vkeyOf(name, privateKey, 4) };
}

const startMs = Date.UTC(2026, 10, 22, 12);
const digest = (text: string): string => `sha256:${sha256Hex(text)}`;

/** Keys, then actions: allowed and run, held and approved and run, denied; a bit of everything a gate writes. */
export function draftsOf(keys: Keys, count: number): readonly EntryDraft[] {
  const drafts: EntryDraft[] = [
    { type: 'log.opened', by: { kind: 'gate' }, about: aboutNothing, subject: null, data: { origin } },
    ...keyDrafts(keys),
  ];
  for (let number = 0; drafts.length < count; number += 1) drafts.push(...caseOf(number, drafts.length));
  return drafts.slice(0, count);
}

const keyDrafts = (keys: Keys): readonly EntryDraft[] =>
  logKeysOf(keys).map((key) => ({
    type: 'key.begun',
    by: { kind: 'gate' },
    about: aboutNothing,
    subject: null,
    data: { id: key.id, use: key.use, origin: key.origin, spki: key.spki, size: 0 },
  }));

export function logKeysOf(keys: Keys): readonly LogKey[] {
  const times = { begunAtMs: startMs, begunAt: 0, endedAtMs: null };
  const receipt = spkiOf(keys.receipt);
  return [
    { id: keyIdOf(origin, 1, rawEd25519(keys.log)), use: 'log', spki: spkiOf(keys.log), origin, ...times },
    { id: receiptKeyId(receipt), use: 'receipt', spki: receipt, origin: null, ...times },
  ];
}

/** One case, whose grant is where it says. @param at the index of its first entry. */
export function caseOf(number: number, at: number): readonly EntryDraft[] {
  const action = asActionId(`act_${String(number).padStart(26, '0')}`);
  const approval = asApprovalId(`apr_${String(number).padStart(26, '0')}`);
  const held = number % 3 === 1;
  const denied = number % 3 === 2;
  const about = { action, approval: held ? approval : null, execution: null };
  const draft = (
    type: EntryDraft['type'],
    data: EntryDraft['data'],
    by: EntryDraft['by'] = { kind: 'gate' },
  ): EntryDraft => ({
    type,
    by,
    about,
    subject: asSha256Hex(sha256Hex(action)),
    data,
  });
  const named = digest(action);
  const effect = held ? 'review' : denied ? 'deny' : 'allow';
  const asked = draft(
    'action.asked',
    {
      digest: named,
      operation: 'crm___export_rows',
      enforcement: 'mediated',
      mode: 'enforce',
      verdict: { effect, explanation: { text: 'Größere Ausfuhren – “prüfen” ✓' } },
    },
    { kind: 'agent', id: 'crm-bot' as never },
  );
  if (denied) return [asked];
  const run = (grant: number): readonly EntryDraft[] => [
    draft('execution.started', { digest: named, enforcement: 'mediated', grant }),
    draft('execution.succeeded', { outcomeBy: 'gate', detail: null }),
  ];
  if (!held) return [asked, ...run(at)];
  const rosa = { kind: 'person', id: asPersonId('rosa') } as const;
  return [
    asked,
    draft('approval.opened', {
      digest: named,
      requirements: [{ id: 'export', quorum: 1 }],
      eligible: [],
      conflict: [{ person: 'sam', why: 'owns the agent' }],
    }),
    draft(
      'review.recorded',
      { decision: 'approve', digest: named, reason: 'ok', unsafe: false, channel: 'web' },
      rosa,
    ),
    draft('approval.approved', { digest: named, people: ['rosa'], grantExpiresAtMs: 1 }),
    ...run(at + 3),
  ];
}

export interface MadeLog {
  readonly keys: Keys;
  readonly entries: Sealed[];
  readonly rows: RawEntry[];
  readonly leaves: Leaf[];
  readonly tiles: Map<string, Uint8Array>;
  readonly checkpoints: StoredCheckpoint[];
  logKeys: readonly LogKey[];
}

export interface Making {
  /** Sizes at which a checkpoint is kept; the last one always is. */
  readonly every?: number;
  readonly witnesses?: readonly Witness[];
  /** Witnesses sign up to this size only. */
  readonly witnessedTo?: number;
  /** Milliseconds between entries. */
  readonly stepMs?: number;
  readonly salt?: (index: number) => string;
  /** Of another log: the first entries are the same as there, with their signatures. */
  readonly leaves?: readonly Leaf[];
}

/** Seals drafts in order, signs their leaves, and publishes their tree. */
export async function makeLog(
  keys: Keys,
  drafts: readonly EntryDraft[],
  making: Making = {},
): Promise<MadeLog> {
  const log: MadeLog = {
    keys,
    entries: [],
    rows: [],
    leaves: [...(making.leaves ?? [])],
    tiles: new Map(),
    checkpoints: [],
    logKeys: logKeysOf(keys),
  };
  const salt = making.salt ?? ((index): string => sha256Hex(`salt ${index}`));
  let head = emptyHead;
  for (const [index, draft] of drafts.entries()) {
    // The first are of one time: the keys begin with them.
    const atMs = startMs + Math.max(0, index - 10) * (making.stepMs ?? 100);
    const sealed = seal(draft, { index, atMs, salt: salt(index), head });
    head = sealed.head;
    log.entries.push(sealed);
    log.rows.push({ index, atMs, type: draft.type, statement: sealed.statement, pae: sealed.pae, head });
  }
  await publish(log, making);
  return log;
}

/** Signs the rows that have no leaf yet, and makes tiles and checkpoints anew. */
export async function publish(log: MadeLog, making: Making = {}): Promise<void> {
  const keyId = receiptKeyId(spkiOf(log.keys.receipt));
  const edge = await Edge.of(0, () => undefined);
  log.tiles.clear();
  log.checkpoints.length = 0;
  const every = making.every ?? 100;
  for (const row of log.rows) {
    const leaf = log.leaves[row.index] ?? {
      index: row.index,
      pae: row.pae,
      keyId,
      signature: signPayload(row.statement, log.keys.receipt),
    };
    log.leaves[row.index] = leaf;
    edge.add(hashLeaf(leafBody({ ...leaf, spki: spkiOf(log.keys.receipt) })));
    const size = row.index + 1;
    if (size % every === 0 || size === log.rows.length)
      log.checkpoints.push(
        checkpointOf(log.keys, { size, root: edge.root() ?? emptyRoot }, row.atMs, making),
      );
  }
  for (const { level, n, hashes } of edge.changed) log.tiles.set(`${level}/${n}`, hashes);
}

export function checkpointOf(
  keys: Keys,
  of: { readonly size: number; readonly root: Uint8Array },
  atMs: number,
  { witnesses = [], witnessedTo = Infinity }: Making,
): StoredCheckpoint {
  const text = checkpointText({ origin, ...of });
  return {
    origin,
    size: of.size,
    root: Buffer.from(of.root).toString('base64'),
    note: noteWith(text, [signLine(text, origin, keys.log)]),
    atMs,
    cosignatures: (of.size <= witnessedTo ? witnesses : []).map(({ name, key, vkey }) => ({
      key: vkey,
      line: cosignLine(text, { name, key, seconds: Math.floor(atMs / 1000) }),
      atMs,
    })),
    stamp: null,
    stampedAtMs: null,
  };
}

/** As a store answers. */
export function readsOf(log: MadeLog): StoreReads {
  const tileAt: TileAt = (level, n) => log.tiles.get(`${level}/${n}`);
  return {
    rawEntries: (from, limit) => Promise.resolve(log.rows.filter((row) => row.index >= from).slice(0, limit)),
    leaves: (from, limit) => Promise.resolve(log.leaves.filter((leaf) => leaf.index >= from).slice(0, limit)),
    tile: (level, n) => Promise.resolve(tileAt(level, n)),
    newestCheckpoint: () => Promise.resolve(log.checkpoints.at(-1)),
    checkpointCovering: (size, of) =>
      Promise.resolve(
        log.checkpoints.find((one) => one.size >= size && (of === undefined || one.origin === of)),
      ),
    checkpoints: (limit) => Promise.resolve(log.checkpoints.toReversed().slice(0, limit)),
    logKeys: () => Promise.resolve(log.logKeys),
    head: () => Promise.resolve({ size: log.rows.length, head: log.rows.at(-1)?.head ?? emptyHead }),
  };
}
