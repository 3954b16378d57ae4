/**
 * `/tlog/…`: the log as C2SP tlog-tiles has it, for whoever follows or verifies it. Promises: only what the checkpoint that was
 * given out covers; what it answered once for a path it answers for ever, but for the checkpoint and the list of keys; paths are
 * taken in their one right form alone.
 */
import type { JsonObject } from '../core/json.ts';
import { rfc3339 } from '../core/time.ts';
import type { LogStore, StoredCheckpoint } from '../ports/log-store.ts';
import { leafBody, keyOfSpki } from './leaf.ts';
import { hashBytes } from './merkle.ts';
import { vkeyOf } from './note.ts';
import { cosigned } from './receipt.ts';
import { numberOfTile, tileWidth, widthOf } from './tiles.ts';

export interface ServeParts {
  readonly store: LogStore;
  /** The newest checkpoint that may be given out. */
  readonly checkpoint: () => Promise<StoredCheckpoint | undefined>;
  /** Whether everybody may read; else whoever `mayRead` says. */
  readonly public: boolean;
}

/** The largest entry of a bundle: lengths are 16 bits. */
const entryBytesMax = 65_535;
/** Levels of the largest tree that the specification knows. */
const levelMax = 63;

type Asked =
  | { readonly kind: 'checkpoint' }
  | { readonly kind: 'keys' }
  | { readonly kind: 'tile'; readonly level: number; readonly n: number; readonly width: number }
  | { readonly kind: 'entries'; readonly n: number; readonly width: number };

/** What a path asks for; undefined: nothing there is. */
export function askedFor(path: string): Asked | undefined {
  if (path === '/tlog/checkpoint') return { kind: 'checkpoint' };
  if (path === '/tlog/keys') return { kind: 'keys' };
  const match = /^\/tlog\/tile\/(entries|0|[1-9]\d?)\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(
    path,
  );
  const n = numberOfTile(match?.[2] ?? '');
  const width = match?.[3] === undefined ? tileWidth : Number(match[3]);
  if (match === null || n === undefined || (match[3] !== undefined && width >= tileWidth)) return undefined;
  if (match[1] === 'entries') return { kind: 'entries', n, width };
  const level = Number(match[1]);
  return level > levelMax ? undefined : { kind: 'tile', level, n, width };
}

/** @param mayRead whether who asks is an auditor. Undefined for a path that is none of the log's. */
export async function serveLog(
  parts: ServeParts,
  request: Request,
  mayRead: () => Promise<boolean>,
): Promise<Response | undefined> {
  const { pathname } = new URL(request.url);
  if (!pathname.startsWith('/tlog/')) return undefined;
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return new Response('Only GET and HEAD.\n', { status: 405, headers: { allow: 'GET, HEAD' } });
  // Before anything is looked up: whether a tile is there is a part of what the log says.
  if (!parts.public && !(await mayRead()))
    return new Response('The log is for auditors.\n', {
      status: 403,
      headers: { 'cache-control': 'no-store' },
    });
  const asked = askedFor(pathname);
  return (asked === undefined ? undefined : await answer(parts, asked)) ?? notThere();
}

const notThere = (): Response =>
  new Response('The log has no such thing.\n', { status: 404, headers: { 'cache-control': 'no-store' } });

async function answer(parts: ServeParts, asked: Asked): Promise<Response | undefined> {
  const checkpoint = await parts.checkpoint();
  const size = checkpoint?.size ?? 0;
  const bytes = 'application/octet-stream';
  switch (asked.kind) {
    case 'checkpoint':
      return checkpoint === undefined
        ? undefined
        : respond(cosigned(checkpoint), 'text/plain; charset=utf-8', 'no-cache');
    case 'keys':
      return respond(JSON.stringify(await keysView(parts.store, checkpoint)), 'application/json', 'no-cache');
    case 'tile': {
      const { level, n, width } = asked;
      if (widthOf(level, n, size) < width) return undefined;
      const tile = await parts.store.tile(level, n);
      if (tile === undefined || tile.length < width * hashBytes) return undefined;
      return respond(tile.slice(0, width * hashBytes), bytes, lasting(parts, width));
    }
    case 'entries': {
      const { n, width } = asked;
      if (widthOf(0, n, size) < width) return undefined;
      const body = await entriesOf(parts.store, n * tileWidth, width);
      return body === undefined ? undefined : respond(body, bytes, lasting(parts, width));
    }
  }
}

/** A full tile never changes; a partial one is of use until it is full. */
const lasting = (parts: ServeParts, width: number): string =>
  `${parts.public ? 'public' : 'private'}, max-age=${width === tileWidth ? '31536000, immutable' : '3600'}`;

const respond = (body: string | Uint8Array, type: string, cache: string): Response =>
  // A view of our own bytes, never of shared memory.
  new Response(typeof body === 'string' ? body : new Uint8Array(body), {
    headers: { 'content-type': type, 'cache-control': cache },
  });

/** Bodies of leaves, each after its length in 16 bits, big-endian. */
async function entriesOf(store: LogStore, from: number, count: number): Promise<Uint8Array | undefined> {
  const [leaves, keys] = await Promise.all([store.leaves(from, count), store.logKeys()]);
  const parts: Uint8Array[] = [];
  for (const [at, { index, pae, keyId, signature }] of leaves.entries()) {
    const spki = keys.find((one) => one.use === 'receipt' && one.id === keyId)?.spki;
    if (index !== from + at || spki === undefined) return undefined;
    const body = leafBody({ pae, signature, spki });
    if (body.length > entryBytesMax) return undefined;
    parts.push(Uint8Array.of(body.length >> 8, body.length & 0xff), body);
  }
  return leaves.length === count ? Buffer.concat(parts) : undefined;
}

/** Public halves of everything that ever signed, the newest first. */
async function keysView(store: LogStore, checkpoint: StoredCheckpoint | undefined): Promise<JsonObject> {
  const keys = (await store.logKeys()).toReversed();
  return {
    origin: checkpoint?.origin ?? null,
    keys: keys.map((key) => ({
      use: key.use,
      id: key.id,
      ...(key.origin === null ? {} : { origin: key.origin, vkey: vkeyOf(key.origin, keyOfSpki(key.spki)) }),
      spki: key.spki,
      begunAt: key.begunAt,
      begun: rfc3339(key.begunAtMs),
      ended: key.endedAtMs === null ? null : rfc3339(key.endedAtMs),
    })),
  };
}
