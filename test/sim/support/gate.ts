/**
 * One simulated gate: the parts of a real one over a store, channels and an upstream that fail, with every loop that a real one
 * runs. As main.ts builds it, without its doors: agents and people come through app/ and enforce/mcp.
 */
import { keepAlive } from '../../../src/app/alive.ts';
import { keepDeadlines, recover } from '../../../src/app/deadlines.ts';
import { keepNotices } from '../../../src/app/notices.ts';
import { createPaces } from '../../../src/app/pace.ts';
import { limitDefaults, type Parts } from '../../../src/app/parts.ts';
import { keepRetention } from '../../../src/app/retention.ts';
import { keepShipping } from '../../../src/app/shipping.ts';
import { createTurns } from '../../../src/app/turns.ts';
import { createUnwritten } from '../../../src/app/unwritten.ts';
import { createWaiters, type Waiters } from '../../../src/app/waiters.ts';
import { createWorld, type World } from '../../../src/app/world.ts';
import { aboutNothing } from '../../../src/core/entry.ts';
import { createPasskeys } from '../../../src/identity/passkeys.ts';
import { checkpointOf } from '../../../src/log/checkpoint.ts';
import { keepCosigned } from '../../../src/log/cosigning.ts';
import { memoryIn, type Memory } from '../../../src/log/given.ts';
import { whileWhole } from '../../../src/log/guard.ts';
import { readNote } from '../../../src/log/note.ts';
import { keepPublished, type Publisher } from '../../../src/log/publish.ts';
import { createTransparency } from '../../../src/log/transparency.ts';
import { Closers } from '../../../src/main/closers.ts';
import { bodyOf } from '../../../src/main/gate.ts';
import type { LogSettings } from '../../../src/ports/log-settings.ts';
import type { Passkeys } from '../../../src/ports/passkeys.ts';
import type { PolicyEngine } from '../../../src/ports/policy.ts';
import type { Store } from '../../../src/ports/store.ts';
import { frail } from './frail.ts';
import { clockOf, type Life } from './life.ts';
import { simEngine } from './organisation.ts';
import { channelsOf, placesOf, routing } from './outside.ts';
import { inside, runningNow, type Owner } from './time.ts';

export const origin = 'http://localhost';
const base = 'gate.test';
/** Payloads that are older are erased by the gate itself. */
export const payloadsMs = 2 * 3_600_000;
/** How often the files are looked at. */
const lookMs = 1000;

export interface SimGate {
  readonly owner: Owner;
  readonly parts: Parts;
  readonly world: World;
  readonly publisher: Publisher;
  /** The store that does not fail, for the end. */
  readonly inner: Store;
  /** Stops in order, as a gate does that is told to. */
  stop(): Promise<void>;
}

/** Proving a policy set takes a thread, and so its time: nothing else goes on meanwhile. */
const engineOf = (life: Life, owner: Owner): PolicyEngine => {
  const engine = simEngine();
  const waits = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    await life.stage.turn(owner, what);
    return life.stage.outside(what, work);
  };
  return {
    ...engine,
    check: (texts, world) => waits('check policies', () => engine.check(texts, world)),
    load: (texts, world, reason) => waits('load policies', () => engine.load(texts, world, reason)),
  };
};

/** Where a crash between a commit and the giving out is remembered, or not. */
function memoryOf(life: Life, owner: Owner): Memory {
  if (life.ground.kind === 'postgres') return memoryIn(null);
  const { beside, stage } = life;
  const failed = (fate: string): never => {
    throw new Error(`simulated: ${fate}`);
  };
  return {
    path: null,
    read: () =>
      stage.effect(
        owner,
        'read the checkpoint',
        () => {
          const { note } = beside;
          if (note === undefined) return { kind: 'none' } as const;
          const checkpoint = checkpointOf(readNote(note)?.text ?? '');
          return checkpoint === undefined
            ? ({ kind: 'unread' } as const)
            : ({ kind: 'given', checkpoint, note } as const);
        },
        failed,
      ),
    write: (note) => stage.effect(owner, 'keep the checkpoint', () => void (beside.note = note), failed),
  };
}

/** Passkeys are verified by the real library; now and then it answers nothing of use. */
const passkeysOf = (life: Life, owner: Owner, parts: Pick<Parts, 'random'>): Passkeys => {
  const real = createPasskeys({ origin, random: parts.random, allowVirtualAuthenticator: () => false });
  const effect = <T>(what: string, work: () => Promise<T>): Promise<T> =>
    life.stage.effect(owner, what, work, (fate) => {
      throw new Error(`simulated: ${fate}`);
    });
  return {
    ...real,
    attested: (registration, challenge) =>
      effect('read a new passkey', () => real.attested(registration, challenge)),
    proven: (assertion, of) => effect('verify a passkey', () => real.proven(assertion, of)),
  };
};

/** Notes who waits for what, so that one can ask whether they still have to. */
function watched(life: Life, owner: Owner, waiters: Waiters): Waiters {
  return {
    ...waiters,
    changed: async (action, ms, signal) => {
      const wait = { owner, action, ms, by: runningNow() };
      life.waits.add(wait);
      const woken = await waiters.changed(action, ms, signal);
      life.waits.delete(wait);
      return woken;
    },
  };
}

/** Its store, and as whom it was opened. */
export interface Opened {
  readonly inner: Store;
  readonly id: string;
}

/** Starts one; rejects where its world fails meanwhile, as a real one ends. Called inside of its owner. */
export async function startGate(life: Life, owner: Owner, opened: Opened): Promise<SimGate> {
  const { inner, id } = opened;
  const closers = new Closers();
  const clock = clockOf(life);
  const plain = frail(life, owner, inner);
  let damage = (): string | null => null;
  const store = whileWhole(plain, () => damage());
  const random = life.random.fork();
  const publisher = await keepPublished({
    store: plain,
    clock,
    say: (line) => life.wrongs.push(...(line.includes('was altered') ? [line] : [])),
    keys: {
      read: () => Promise.resolve({ ...life.keys, logBefore: null, made: [] }),
      changed: () => Promise.resolve(false),
    },
    memory: memoryOf(life, owner),
    base,
    settings: { heartbeatMs: 3_600_000 },
    holder: life.ground.kind === 'sqlite' ? 'gate' : id,
  });
  damage = () => publisher.damage;
  closers.add(() => publisher.stop());
  const settings: LogSettings = {
    origin: base,
    keys: { log: null, logBefore: null, receipt: null },
    public: false,
    heartbeatMs: 3_600_000,
    witnesses: [{ key: life.witness.vkey, url: life.witness.url }],
    quorum: 1,
    lateMs: 600_000,
    stamps: null,
    payloadsMs,
    ship: [],
    ocsf: '1.8.0',
  };
  const cosigning = keepCosigned({
    store: plain,
    clock,
    witnesses: settings.witnesses,
    lateMs: settings.lateMs,
    holds: () => publisher.holds,
    given: () => publisher.given,
  });
  closers.add(() => cosigning.stop());
  const waiters = createWaiters();
  closers.add(store.onChange((changed) => waiters.wake(changed)));
  const unwritten = createUnwritten(store);
  closers.add(() => unwritten.stop());
  const policy = engineOf(life, owner);
  const world = createWorld({ store, policy, clock, random });
  const parts: Parts = {
    store,
    unwritten,
    policy,
    clock,
    random,
    waiters: watched(life, owner, waiters),
    world,
    turns: createTurns(),
    pace: createPaces(),
    limits: { ...limitDefaults, coolOffMs: 0, pendingPerAgent: 8 },
    origin,
    transparency: createTransparency({ store: plain, settings, publisher, cosigning, stamping: null }),
    passkeys: passkeysOf(life, owner, { random }),
  };
  const alive = await keepAlive({
    store: plain,
    gate: id,
    body: bodyOf(origin, () => ({ config: null, current: true })),
    say: () => undefined,
  });
  closers.add(() => alive.stop());
  // Where other gates may live, what is left running is given up once it is known whose it was (app/alive.ts).
  if (!plain.shared) await recover(parts);
  closers.add(await keepFiles(life, world));
  const deadlines = keepDeadlines(parts);
  closers.add(() => deadlines.stop());
  const notices = keepNotices(parts, channelsOf(life, owner), () => 'A headline', {
    routing: () => routing,
    gatherMsOf: (name) => (name === 'slack' ? 50 : 0),
  });
  closers.add(() => notices.stop());
  const shipping = keepShipping(parts, { places: placesOf(life, owner, parts), lateMs: settings.lateMs });
  closers.add(() => shipping.stop());
  const retention = keepRetention(parts, { payloadsMs });
  closers.add(() => retention.stop());
  await record(store, 'gate.started');
  return {
    owner,
    parts,
    world,
    publisher,
    inner,
    stop: async () => {
      await record(store, 'gate.stopped');
      await closers.run();
    },
  };
}

/** Takes what the files say, now and whenever they, or what is accepted, have changed. */
async function keepFiles(life: Life, world: World): Promise<() => void> {
  let seen = -1;
  const take = async (): Promise<void> => {
    const { version } = life.files;
    await world.take(() => {
      const { proposal, texts } = life.files;
      return Promise.resolve({ proposal, policies: { kind: 'texts', texts } });
    });
    seen = version;
  };
  await take();
  let running = false;
  const look = async (): Promise<void> => {
    if (running) return;
    running = true;
    try {
      if (seen !== life.files.version || (await world.isBehind())) await take();
    } catch {
      // The next look tries again.
    }
    running = false;
  };
  const timer = setInterval(() => void look(), lookMs);
  return () => clearInterval(timer);
}

const record = (store: Store, type: 'gate.started' | 'gate.stopped'): Promise<unknown> =>
  store.change({
    kind: 'record',
    entries: [{ type, by: { kind: 'gate' }, about: aboutNothing, subject: null, data: {} }],
  });

/** Enters a gate from outside of it. */
export const at = <T>(gate: SimGate, work: () => T): T => inside(gate.owner, work);
