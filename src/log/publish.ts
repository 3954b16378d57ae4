/**
 * Publishes the tree over the entries that the store has committed: one batch after another, by whoever holds it. Promises:
 * nothing is signed before it was checked to follow from what was signed before; nothing signed leaves the process before its
 * commit, nor before it is remembered beside the store; no name ever has two trees; memory does not grow with the log; nothing
 * of the gate waits for any of it. What was damaged is named, and stops it until the store is whole again.
 */
import type { KeyObject } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Clock } from '../ports/clock.ts';
import type { LogSettings } from '../ports/log-settings.ts';
import { leavesPerPublishing, type Published, type StoredCheckpoint } from '../ports/log-store.ts';
import type { Store } from '../ports/store.ts';
import type { Wrong } from './check.ts';
import { readBatch, readUpto, recordHeartbeat, wrongAhead } from './entries.ts';
import type { Memory } from './given.ts';
import { grow, noteOf, type Grown } from './grow.ts';
import type { KeySource, SigningKeys } from './keys.ts';
import { emptyRoot } from './merkle.ts';
import { contradictsGiven, isSignedBy, openTree, type OpenTree } from './open-tree.ts';
import { Rounds, type Round } from './rounds.ts';
import { receiptIdOf, signOff, wordsOfMade } from './sign-off.ts';
import { Signer } from './signer.ts';
import type { SignedLeaf } from './signing.ts';

/**
 * How long the tree is held. Where only this process can hold it, it is renewed while there is something to publish; else all the
 * time: whoever holds it keeps it until it stops, and is followed within this time and a look.
 */
const leaseMs = { alone: 4000, shared: 3000 } as const;

export interface PublisherParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly keys: KeySource;
  readonly memory: Memory;
  /** What the log is called, as configured. */
  readonly base: string;
  readonly settings: Pick<LogSettings, 'heartbeatMs'>;
  /** Whoever has the same name is the same holder. */
  readonly holder: string;
  /** Told what an operator should read. */
  readonly say: (line: string) => void;
}

/** A checkpoint by its name, size and note. */
type Given = Pick<StoredCheckpoint, 'origin' | 'size' | 'note'>;

export interface Publisher {
  /** Whether this process publishes the tree. */
  readonly holds: boolean;
  /** What was found edited in the stored log, in a sentence; null: nothing was. While it is, nothing is published. */
  readonly damage: string | null;
  /** Why nothing is published; null: it is. */
  readonly problem: string | null;
  /** Why the keys cannot be used any more; null: they can. Those that were read last are used until then. */
  readonly keysProblem: string | null;
  /** Under which name the tree goes on; null: not known yet. */
  readonly origin: string | null;
  /** The newest checkpoint that may be given out; null: none. */
  readonly given: Given | null;
  /** The key that signs leaves and envelopes. */
  readonly receiptKey: KeyObject;
  /** Publishes what is committed by now, and gives the tree back. */
  stop(): Promise<void>;
}

/** Starts publishing; resolves after the first round. Rejects where the keys cannot be used. */
export async function keepPublished(parts: PublisherParts): Promise<Publisher> {
  const publishing = new Publishing(parts, await parts.keys.read());
  await publishing.start();
  return publishing;
}

class Publishing implements Publisher {
  readonly #parts: PublisherParts;
  readonly #signer = new Signer();
  readonly #rounds = new Rounds(() => this.#round());
  readonly #leaseMs: number;
  #keys: SigningKeys;
  /** As this process has left or found it; null: to be found out. */
  #tree: OpenTree | null = null;
  /** The newest note that is committed, and not remembered yet. */
  #unremembered: Given | null = null;
  #takenAtMs = Number.NEGATIVE_INFINITY;
  #fault: string | null = null;
  #stopWatching = (): void => undefined;
  #held = false;
  /** What this process found altered. */
  #found: string | null = null;
  /** What a gate found, as the store says. */
  #told: string | null = null;
  keysProblem: string | null = null;
  given: Publisher['given'] = null;

  constructor(parts: PublisherParts, keys: SigningKeys) {
    this.#parts = parts;
    this.#leaseMs = parts.store.shared ? leaseMs.shared : leaseMs.alone;
    this.#keys = keys;
  }

  get holds(): boolean {
    // What nobody has renewed for so long another may have by now.
    const late = performance.now() - this.#takenAtMs >= this.#leaseMs;
    return this.#held && !(this.#parts.store.shared && late);
  }

  get damage(): string | null {
    return this.#found ?? this.#told;
  }

  get problem(): string | null {
    return this.damage ?? this.#fault;
  }

  get origin(): string | null {
    return this.#tree?.origin ?? this.given?.origin ?? null;
  }

  get receiptKey(): KeyObject {
    return this.#keys.receipt;
  }

  async start(): Promise<void> {
    const { store, say } = this.#parts;
    const made = wordsOfMade(this.#keys, await store.logKeys());
    if (made !== null) say(made);
    this.#stopWatching = store.onChange(() => this.#rounds.soon());
    await this.#rounds.start();
  }

  async stop(): Promise<void> {
    this.#stopWatching();
    await this.#rounds.stop();
    await this.#round();
    // Whoever comes next need not wait until the time is over.
    if (this.holds) await this.#parts.store.takeTree(this.#parts.holder, 0);
    await this.#signer.close();
  }

  /** Never rejects. */
  async #round(): Promise<Round> {
    try {
      return await this.#look();
    } catch (error) {
      this.#tree = null;
      return this.#fails(error instanceof Error ? error.message : String(error));
    }
  }

  /** Says of a problem once, until it is another. */
  #fails(fault: string): 'done' {
    if (this.#fault !== fault) this.#parts.say(`The log is not published: ${fault}`);
    this.#fault = fault;
    return 'done';
  }

  /** The tree goes on: what was altered is mended, whoever found it. */
  async #works(): Promise<void> {
    if (this.#told !== null && !(await this.#parts.store.setDamage(null))) return;
    this.#told = null;
    this.#found = null;
    this.#fault = null;
  }

  async #look(): Promise<Round> {
    const { store, holder } = this.#parts;
    const { shared } = store;
    if (shared) await this.#hear();
    if (shared && !this.holds && !(await store.treeFree(holder))) return this.#follow();
    const head = await store.head();
    const rotated = await this.#readKeys();
    const as = this.#tree?.published;
    if (!rotated && this.#unremembered === null && as?.size === head.size && as.head === head.head) {
      this.#fault = null;
      if (shared && (await this.#hold()) === null) return 'done';
      return this.#beat(head.size);
    }
    if (rotated) this.#tree = null;
    const tree = await this.#hold();
    if (tree === null) return 'done';
    await this.#remember();
    return this.#publish(tree);
  }

  /** Takes the keys as their files are now; answers whether they are others than before. */
  async #readKeys(): Promise<boolean> {
    const { keys } = this.#parts;
    try {
      const rotated = await keys.changed();
      if (rotated) this.#keys = await keys.read();
      this.keysProblem = null;
      return rotated;
    } catch (error) {
      this.keysProblem = error instanceof Error ? error.message : String(error);
      throw error;
    }
  }

  /** What another gate found stops this one too. */
  async #hear(): Promise<void> {
    const told = await this.#parts.store.damage();
    if (told !== null && told !== this.damage)
      this.#parts.say(
        `Another gate found the stored log altered: ${told}. Nothing runs until that is mended.`,
      );
    this.#told = told;
    // Whoever holds the tree looks at it again until it is.
    if (told !== null) this.#tree = null;
  }

  /** Another holds the tree: what it has published may be given out here too, where it is signed with a key that we have. */
  async #follow(): Promise<Round> {
    const { store } = this.#parts;
    this.#tree = null;
    this.#held = false;
    // What this process found, and another goes on with, is mended, or it will be found again.
    this.#found = null;
    this.#rounds.published();
    await this.#readKeys();
    const newest = await store.newestCheckpoint();
    const { given } = this;
    if (newest === undefined) return this.#follows();
    const { origin, size, note } = newest;
    const why = await contradictsGiven(this.#parts, newest);
    // Whoever holds the tree cannot know what this gate does; if it comes to hold it, it goes on under another name.
    if (why !== null) return this.#fails(why);
    if (given?.origin === origin && given.size >= size) return this.#follows();
    const { log, logBefore } = this.#keys;
    if (!isSignedBy(newest, logBefore === null ? [log] : [log, logBefore]))
      return this.#fails(
        `the newest checkpoint of ${origin} is signed with none of the keys that this gate has`,
      );
    // It may have been read from a primary that waited for no standby, and be nowhere else.
    if (!(await store.confirm(newest))) return this.#follows();
    this.#unremembered = { origin, size, note };
    await this.#remember();
    return this.#follows();
  }

  #follows(): 'done' {
    this.#fault = null;
    return 'done';
  }

  /** The tree, where this process may go on with it; null: another holds it, or it is damaged. */
  async #hold(): Promise<OpenTree | null> {
    const { store, holder } = this.#parts;
    const nowMs = performance.now();
    if (this.#tree !== null && this.#held && nowMs - this.#takenAtMs < this.#leaseMs / 2) return this.#tree;
    const published = await store.takeTree(holder, this.#leaseMs);
    this.#held = published !== null;
    if (published === null) {
      this.#tree = null;
      const { writable, detail } = store.health();
      // Another holder is no problem: it publishes.
      if (writable) this.#fault = null;
      else this.#fails(detail ?? 'the store cannot be written');
      return null;
    }
    this.#takenAtMs = nowMs;
    const as = this.#tree?.published;
    return as !== undefined && isSame(as, published) ? this.#tree : this.#open(published);
  }

  async #open(published: Published): Promise<OpenTree | null> {
    const { store, memory, say } = this.#parts;
    this.#tree = null;
    const opened = await openTree({ ...this.#parts, held: this.#keys }, published);
    if (opened.kind === 'damaged') {
      await this.#damaged(opened.what);
      return null;
    }
    const { tree } = opened;
    const { newest, origin, reason } = tree;
    if (newest?.origin !== origin && reason !== null) say(`The log goes on as ${origin}: ${reason}.`);
    // Nothing is said under a new name while it cannot be published: the log would grow by it at each look.
    const wrong = newest?.origin === origin ? null : await wrongAhead(store, published);
    if (wrong !== null) {
      await this.#damaged(wordsOfWrong(wrong));
      return null;
    }
    const why = await signOff(store, tree, this.#keys);
    if (why !== null) {
      this.#fails(why);
      return null;
    }
    // So that a crash right after its first checkpoint is not taken for a record that somebody removed.
    if (newest?.origin !== origin)
      await memory.write(noteOf({ origin, size: 0, root: emptyRoot }, this.#keys));
    // What was committed under this name before a crash may not be remembered yet.
    else {
      // Nor does what a server shows have to be there to stay, where there are several.
      if (store.shared && !(await store.confirm(newest))) return null;
      this.#unremembered = { origin, size: newest.size, note: newest.note };
    }
    this.#tree = tree;
    return tree;
  }

  async #damaged(what: string): Promise<void> {
    const { store } = this.#parts;
    if (this.damage !== what)
      this.#parts.say(
        `The stored log was altered: ${what}. Nothing runs and nothing is published until a backup is restored.`,
      );
    this.#found = what;
    this.#tree = null;
    // Where that cannot be written, nothing can: it is tried again at the next look.
    if (store.shared && this.#told !== what && (await store.setDamage(what))) this.#told = what;
  }

  /** Before it is given out. */
  async #remember(): Promise<void> {
    const one = this.#unremembered;
    if (one === null) return;
    await this.#parts.memory.write(one.note);
    this.#unremembered = null;
    this.given = one;
  }

  /** One batch. @param isSecond what does not fit now does not fit what is there. */
  async #publish(tree: OpenTree, isSecond = false): Promise<Round> {
    const { store } = this.#parts;
    const entries = await readBatch(store, tree.published.size);
    const last = entries.at(-1);
    if (last === undefined) return this.#nothingNew(tree, isSecond);
    const keys = this.#keys;
    const upto = await readUpto(store, tree.published);
    const signed = await this.#signer.sign(entries, upto, keys.receipt);
    if (signed.kind === 'wrong') return this.#lookAgain(isSecond, wordsOfWrong(signed.wrong));
    const grown = await grow(store, tree, { leaves: signed.leaves, keys });
    if (grown === null) return this.#lookAgain(isSecond, 'the stored tree is not the one that was signed');
    if (!(await this.#commit(tree, { leaves: signed.leaves, head: last.head, grown, keys }))) return 'done';
    await this.#remember();
    return entries.length >= leavesPerPublishing ? 'more' : 'done';
  }

  async #commit(
    tree: OpenTree,
    of: Pick<Published, 'head'> & {
      readonly leaves: readonly SignedLeaf[];
      readonly grown: Grown;
      readonly keys: SigningKeys;
    },
  ): Promise<boolean> {
    const { epoch, size: from } = tree.published;
    const { checkpoint, tiles, note } = of.grown;
    const { origin, size, root } = checkpoint;
    const keyId = receiptIdOf(of.keys);
    const atMs = this.#parts.clock.nowMs();
    const result = await this.#parts.store.publish({
      epoch,
      from,
      leaves: of.leaves.map(({ index, signature }) => ({ index, keyId, signature })),
      tiles,
      head: of.head,
      checkpoint: { origin, size, root: Buffer.from(root).toString('base64'), note, atMs },
    });
    if (!result.ok) {
      this.#tree = null;
      this.#takenAtMs = Number.NEGATIVE_INFINITY;
      if (result.error.kind === 'fault') this.#fails(result.error.detail);
      return false;
    }
    this.#rounds.published();
    await this.#works();
    // Its newest checkpoint is of this name from now on.
    this.#tree = { ...tree, published: { size, head: of.head, epoch }, root };
    this.#unremembered = { origin, size, note };
    return true;
  }

  /** Nothing comes after what is published: then the log must end there. */
  async #nothingNew(tree: OpenTree, isSecond: boolean): Promise<Round> {
    const now = await this.#parts.store.head();
    const { size, head } = tree.published;
    if (now.size > size) return this.#lookAgain(isSecond, `entry ${size} of the log is missing`);
    if (now.size < size)
      return this.#lookAgain(isSecond, `${size} entries are published, and the log has ${now.size}`);
    if (now.head !== head) return this.#lookAgain(isSecond, 'the head of the log is not the published one');
    await this.#works();
    return 'done';
  }

  /** What does not fit may have been put back meanwhile (a restore): it is damage where it does not fit what is there now. */
  async #lookAgain(isSecond: boolean, what: string): Promise<Round> {
    if (isSecond) {
      await this.#damaged(what);
      return 'done';
    }
    this.#tree = null;
    const tree = await this.#hold();
    return tree === null ? 'done' : this.#publish(tree, true);
  }

  /** An entry where there was none for long, by the holder alone. */
  async #beat(size: number): Promise<Round> {
    const { store, clock, settings } = this.#parts;
    const [last] = await store.rawEntries(Math.max(0, size - 1), 1);
    if (last === undefined || clock.nowMs() - last.atMs < settings.heartbeatMs) return 'done';
    if ((await this.#hold()) === null) return 'done';
    return (await recordHeartbeat(store, last.atMs)) ? 'more' : 'done';
  }
}

const wordsOfWrong = ({ index, what }: Wrong): string => `entry ${index} of the log ${what}`;

const isSame = (one: Published, other: Published): boolean =>
  one.size === other.size && one.head === other.head && one.epoch === other.epoch;
