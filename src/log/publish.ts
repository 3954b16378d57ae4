/**
 * Publishes the tree over the entries that the store has committed: one batch after another, by whoever holds it. Promises:
 * nothing is signed before it was checked to follow from what was signed before; nothing signed leaves the process before its
 * commit, nor before it is remembered beside the store; no name ever has two trees; memory does not grow with the log; nothing
 * of the gate waits for any of it. What was damaged is named, and stops it until the store is whole again.
 */
import type { KeyObject } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { aboutNothing } from '../core/entry.ts';
import { rfc3339 } from '../core/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { LogSettings } from '../ports/log-settings.ts';
import type { Published, RawEntry } from '../ports/log-store.ts';
import type { Store } from '../ports/store.ts';
import { checkpointText, type Checkpoint } from './checkpoint.ts';
import type { Memory } from './given.ts';
import type { KeySource, SigningKeys } from './keys.ts';
import { emptyRoot, sameHash } from './merkle.ts';
import { noteWith, signLine } from './note.ts';
import { openTree, type OpenTree } from './open-tree.ts';
import { receiptIdOf, signOff } from './sign-off.ts';
import { Signer } from './signer.ts';
import type { Signed } from './signing.ts';
import { Edge, TileMissing } from './tiles.ts';

export const publishLimits = {
  /** How long the tree is held. It is renewed while there is something to publish. */
  leaseMs: 4000,
  /** From one publishing to the next, while there is always something. */
  pauseMs: 200,
  /** From a commit to the publishing, where there was nothing: who waits for the commit is answered meanwhile. */
  soonMs: 10,
  /** How often is looked for what nobody has told of. */
  lookMs: 1000,
  /** Entries in one publishing. */
  batchMax: 4096,
} as const;

/** Entries in one read. */
const pageMax = 1000;

export interface PublisherParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly keys: KeySource;
  readonly memory: Memory;
  /** What the log is called, as configured. */
  readonly base: string;
  readonly settings: Pick<LogSettings, 'heartbeatMs'>;
  /** A random name of this process. */
  readonly holder: string;
  /** Told what an operator should read. */
  readonly say: (line: string) => void;
}

export interface Publisher {
  /** Whether this process publishes the tree. */
  readonly holds: boolean;
  /** What was found edited in the stored log, in a sentence; null: nothing was. While it is, nothing is published. */
  readonly damage: string | null;
  /** Why nothing is published; null: it is. */
  readonly problem: string | null;
  /** Under which name the tree goes on; null: not known yet. */
  readonly origin: string | null;
  /** The newest checkpoint that may be given out; null: none. */
  readonly given: { readonly origin: string; readonly size: number } | null;
  /** The key that signs leaves and envelopes. */
  readonly receiptKey: KeyObject;
  /** Publishes what is committed by now, and gives the tree back. */
  stop(): Promise<void>;
}

/** What a round came to. `more`: there is more to publish. */
type Round = 'done' | 'more';

/** Starts publishing; resolves after the first round. Rejects where the keys cannot be used. */
export async function keepPublished(parts: PublisherParts): Promise<Publisher> {
  const loop = new Loop(parts, await parts.keys.read());
  await loop.start();
  return loop;
}

class Loop implements Publisher {
  readonly #parts: PublisherParts;
  readonly #signer = new Signer();
  #keys: SigningKeys;
  /** As this process has left or found it; null: to be found out. */
  #tree: OpenTree | null = null;
  /** The newest note that is committed, and not yet remembered. */
  #unremembered: { readonly origin: string; readonly size: number; readonly note: string } | null = null;
  #given: Publisher['given'] = null;
  #takenAtMs = Number.NEGATIVE_INFINITY;
  #holds = false;
  #damage: string | null = null;
  #problem: string | null = null;
  #timer: NodeJS.Timeout | undefined;
  #firesAtMs = Number.POSITIVE_INFINITY;
  #publishedAtMs = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;
  #stopped = false;
  #stopWatching = (): void => undefined;

  constructor(parts: PublisherParts, keys: SigningKeys) {
    this.#parts = parts;
    this.#keys = keys;
  }

  get holds(): boolean {
    return this.#holds;
  }

  get damage(): string | null {
    return this.#damage;
  }

  get problem(): string | null {
    return this.#damage ?? this.#problem;
  }

  get origin(): string | null {
    return this.#tree?.origin ?? this.#given?.origin ?? null;
  }

  get given(): Publisher['given'] {
    return this.#given;
  }

  get receiptKey(): KeyObject {
    return this.#keys.receipt;
  }

  async start(): Promise<void> {
    await this.#sayOfKeys();
    this.#stopWatching = this.#parts.store.onChange(() => this.#soon());
    await (this.#running = this.#run());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopWatching();
    clearTimeout(this.#timer);
    await this.#running;
    await this.#round().catch(() => undefined);
    // Whoever comes next need not wait until the time is over.
    if (this.#holds) await this.#parts.store.takeTree(this.#parts.holder, 0).catch(() => null);
    await this.#signer.close();
  }

  /** A generated key that is new where one has signed before is lost, and nobody could have it back. */
  async #sayOfKeys(): Promise<void> {
    const { made } = this.#keys;
    if (made.length === 0) return;
    const known = await this.#parts.store.logKeys();
    const lost = made.filter((use) => known.some((one) => one.use === use && one.endedAtMs === null));
    this.#parts.say(
      lost.length > 0
        ? `warning: what has signed this log is not there any more (${lost.join(' and ')} key); new keys were made, and the log says so.`
        : 'Made the keys that sign the log: keep a copy of the folder "keys", apart from the backups of the store.',
    );
  }

  /** Looks soon: at once where it was idle, else when the pause is over. */
  #soon(): void {
    const nowMs = performance.now();
    const { soonMs, pauseMs } = publishLimits;
    this.#arm(Math.max(soonMs, this.#publishedAtMs + pauseMs - nowMs));
  }

  #arm(ms: number): void {
    const firesAtMs = performance.now() + ms;
    if (this.#stopped || this.#running !== undefined || firesAtMs >= this.#firesAtMs) {
      // While a round runs, the next one is armed by its end.
      this.#again ||= this.#running !== undefined;
      return;
    }
    clearTimeout(this.#timer);
    this.#firesAtMs = firesAtMs;
    this.#timer = setTimeout(() => {
      this.#firesAtMs = Number.POSITIVE_INFINITY;
      this.#running = this.#run();
    }, ms).unref();
  }

  #again = false;

  /** One round and the arming of the next; never rejects. */
  async #run(): Promise<void> {
    this.#again = false;
    let round: Round = 'done';
    try {
      round = await this.#round();
    } catch (error) {
      this.#tree = null;
      this.#fails(error instanceof Error ? error.message : String(error));
    }
    this.#running = undefined;
    if (round === 'more') this.#arm(0);
    else if (this.#again) this.#soon();
    this.#arm(publishLimits.lookMs);
  }

  /** Says of a problem once, until it is another. */
  #fails(problem: string): void {
    if (this.#problem !== problem) this.#parts.say(`The log is not published: ${problem}`);
    this.#problem = problem;
  }

  async #round(): Promise<Round> {
    const { store, keys } = this.#parts;
    const head = await store.head();
    const rotated = await keys.changed();
    const as = this.#tree?.published;
    if (!rotated && this.#unremembered === null && as?.size === head.size && as.head === head.head) {
      this.#problem = null;
      return this.#beat(head.size);
    }
    if (rotated) {
      this.#keys = await keys.read();
      this.#tree = null;
    }
    const tree = await this.#hold();
    if (tree === null) return 'done';
    await this.#remember();
    return this.#publish(tree);
  }

  /** The tree, where this process may go on with it; null: another holds it, or it is damaged. */
  async #hold(): Promise<OpenTree | null> {
    const { store, holder } = this.#parts;
    const { leaseMs } = publishLimits;
    const nowMs = performance.now();
    if (this.#tree !== null && this.#holds && nowMs - this.#takenAtMs < leaseMs / 2) return this.#tree;
    const published = await store.takeTree(holder, leaseMs);
    this.#holds = published !== null;
    if (published === null) {
      this.#tree = null;
      const { writable, detail } = store.health();
      // Another holder is no problem: it publishes.
      if (writable) this.#problem = null;
      else this.#fails(detail ?? 'the store cannot be written');
      return null;
    }
    this.#takenAtMs = nowMs;
    const as = this.#tree?.published;
    if (this.#tree !== null && as !== undefined && isSame(as, published)) return this.#tree;
    return this.#open(published);
  }

  async #open(published: Published): Promise<OpenTree | null> {
    const { store } = this.#parts;
    this.#tree = null;
    const opened = await openTree(this.#parts, published);
    if (opened.kind === 'damaged') return this.#damaged(opened.what);
    const { tree } = opened;
    const { newest, origin, reason } = tree;
    if (newest?.origin !== origin && reason !== null)
      this.#parts.say(`The log goes on as ${origin}: ${reason}.`);
    const why = await signOff(store, tree, this.#keys);
    if (why !== null) {
      this.#fails(why);
      return null;
    }
    // So that a crash right after its first checkpoint is not taken for a record that somebody removed.
    if (newest?.origin !== origin)
      await this.#parts.memory.write(this.#noteOf({ origin, size: 0, root: emptyRoot }));
    // What was committed under this name before a crash may not be remembered yet.
    else this.#unremembered = { origin, size: newest.size, note: newest.note };
    this.#tree = tree;
    return tree;
  }

  #damaged(what: string): null {
    if (this.#damage !== what)
      this.#parts.say(
        `The stored log was altered: ${what}. Nothing runs and nothing is published until a backup is restored.`,
      );
    this.#damage = what;
    this.#tree = null;
    return null;
  }

  /** Before it is given out. */
  async #remember(): Promise<void> {
    const one = this.#unremembered;
    if (one === null) return;
    await this.#parts.memory.write(one.note);
    this.#unremembered = null;
    this.#given = { origin: one.origin, size: one.size };
  }

  async #publish(tree: OpenTree, isSecond = false): Promise<Round> {
    const { store } = this.#parts;
    const { size, head } = tree.published;
    const entries = await this.#read(size);
    if (entries.length === 0) return this.#nothingNew(tree, isSecond);
    const signed = await this.#signer.sign(entries, { size, head }, this.#keys.receipt);
    if (signed.kind === 'wrong') {
      const { index, what } = signed.wrong;
      return this.#lookAgain(isSecond, `entry ${index} of the log ${what}`);
    }
    const grown = await this.#grow(tree, signed);
    if (grown === null) return this.#lookAgain(isSecond, 'the stored tree is not the one that was signed');
    const { checkpoint, tiles, note } = grown;
    const { epoch } = tree.published;
    const upto = entries.at(-1)?.head ?? head;
    const keyId = receiptIdOf(this.#keys);
    const result = await store.publish({
      epoch,
      from: size,
      leaves: signed.leaves.map(({ index, signature }) => ({ index, keyId, signature })),
      tiles,
      head: upto,
      checkpoint: {
        ...checkpoint,
        root: Buffer.from(checkpoint.root).toString('base64'),
        note,
        atMs: this.#parts.clock.nowMs(),
      },
    });
    if (!result.ok) {
      this.#tree = null;
      this.#takenAtMs = Number.NEGATIVE_INFINITY;
      if (result.error.kind === 'fault') this.#fails(result.error.detail);
      return 'done';
    }
    this.#publishedAtMs = performance.now();
    this.#damage = null;
    this.#problem = null;
    const published = { size: checkpoint.size, head: upto, epoch };
    this.#tree = { ...tree, published, root: checkpoint.root, reason: null };
    this.#unremembered = { origin: tree.origin, size: checkpoint.size, note };
    await this.#remember();
    return entries.length >= publishLimits.batchMax ? 'more' : 'done';
  }

  /** At most one batch. */
  async #read(from: number): Promise<readonly RawEntry[]> {
    const entries: RawEntry[] = [];
    while (entries.length < publishLimits.batchMax) {
      const left = publishLimits.batchMax - entries.length;
      const page = await this.#parts.store.rawEntries(from + entries.length, Math.min(left, pageMax));
      entries.push(...page);
      if (page.length < Math.min(left, pageMax)) break;
    }
    return entries;
  }

  /** The tree with the leaves, and its note; null: what is stored is not what was signed. */
  async #grow(
    tree: OpenTree,
    { leaves }: Signed & { readonly kind: 'signed' },
  ): Promise<{
    readonly checkpoint: Checkpoint;
    readonly tiles: Edge['changed'];
    readonly note: string;
  } | null> {
    const { origin } = tree;
    try {
      const edge = await Edge.of(tree.published.size, (level, n) => this.#parts.store.tile(level, n));
      if (!sameHash(edge.root() ?? emptyRoot, tree.root)) return null;
      for (const { hash } of leaves) edge.add(hash);
      const checkpoint = { origin, size: edge.size, root: edge.root() ?? emptyRoot };
      return { checkpoint, tiles: edge.changed, note: this.#noteOf(checkpoint) };
    } catch (error) {
      if (error instanceof TileMissing) return null;
      throw error;
    }
  }

  /** Signed with the key, and with the one before it while both sign. */
  #noteOf(checkpoint: Checkpoint): string {
    const text = checkpointText(checkpoint);
    const { log, logBefore } = this.#keys;
    const signers = logBefore === null ? [log] : [log, logBefore];
    return noteWith(
      text,
      signers.map((key) => signLine(text, checkpoint.origin, key)),
    );
  }

  /** Nothing comes after what is published: then the log must end there. */
  async #nothingNew(tree: OpenTree, isSecond: boolean): Promise<Round> {
    const head = await this.#parts.store.head();
    const { size, head: upto } = tree.published;
    if (head.size > size) return isSecond ? this.#lookAgain(true, `entry ${size} of the log is missing`) : this.#publish(tree, true);
    if (head.size < size)
      return this.#lookAgain(isSecond, `${size} entries are published, and the log has ${head.size}`);
    if (head.head !== upto) return this.#lookAgain(isSecond, 'the head of the log is not the published one');
    this.#damage = null;
    this.#problem = null;
    return 'done';
  }

  /** What does not fit may have been put back meanwhile (a restore): it is damage where it does not fit what is there now. */
  async #lookAgain(isSecond: boolean, what: string): Promise<Round> {
    if (isSecond) {
      this.#damaged(what);
      return 'done';
    }
    this.#tree = null;
    const tree = await this.#hold();
    return tree === null ? 'done' : this.#publish(tree, true);
  }

  /** An entry where there was none for long, by the holder alone. */
  async #beat(size: number): Promise<Round> {
    const { store, clock, settings } = this.#parts;
    if (size === 0) return 'done';
    const [last] = await store.rawEntries(size - 1, 1);
    if (last === undefined || clock.nowMs() - last.atMs < settings.heartbeatMs) return 'done';
    if ((await this.#hold()) === null) return 'done';
    const data = { since: rfc3339(last.atMs) };
    const result = await store.change({
      kind: 'record',
      entries: [{ type: 'log.heartbeat', by: { kind: 'gate' }, about: aboutNothing, subject: null, data }],
    });
    return result.ok ? 'more' : 'done';
  }
}

const isSame = (one: Published, other: Published): boolean =>
  one.size === other.size && one.head === other.head && one.epoch === other.epoch;
