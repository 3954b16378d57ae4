/** The parts of a gate, made from an open store and log; and what is said of it. */
import type { About } from '../app/about.ts';
import { createBoard, type ReadBoard } from '../app/standing.ts';
import { createPaces } from '../app/pace.ts';
import type { Limits, Parts, WorldNow } from '../app/parts.ts';
import { createTurns } from '../app/turns.ts';
import { createUnwritten } from '../app/unwritten.ts';
import { createWaiters } from '../app/waiters.ts';
import { createWorld, type World } from '../app/world.ts';
import { type Settings } from '../config.ts';
import { aboutOf } from '../config/about.ts';
import { heldCalls } from '../enforce/mcp/hold.ts';
import { createPasskeys } from '../identity/passkeys.ts';
import { channelNames } from './channels.ts';
import { Closers } from './closers.ts';
import { evidenceDesk } from './evidence.ts';
import { type RunningLog } from './log.ts';
import { type Telemetry } from './telemetry.ts';
import { createPolicyEngine } from '../policy/engine.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { Store } from '../ports/store.ts';

/** What the parts are made from. */
export interface Made {
  readonly store: Store;
  readonly log: RunningLog;
  readonly clock: Clock;
  readonly random: Random;
  readonly timezone: string;
  readonly origin: string;
  readonly closers: Closers;
  readonly telemetry: Telemetry;
  readonly lives: () => boolean;
}

/** Makes them; what they begin is ended by the closers. */
export function partsOf(
  settings: Settings,
  { store, log, clock, random, timezone, origin, closers, telemetry, lives }: Made,
): Parts & { readonly board: ReadBoard; readonly world: World } {
  const waiters = createWaiters();
  const { meters, tracing } = telemetry;
  meters.gauge('waiting', () => waiters.waiting());
  meters.gauge('mcp_calls_held', () => heldCalls(waiters));
  meters.gauge('store_writable', () => (store.health().writable ? 1 : 0));
  closers.add(store.onChange((changed) => waiters.wake(changed)));
  const unwritten = createUnwritten(store);
  closers.add(() => unwritten.stop());
  const policy = createPolicyEngine({ timezone });
  const world = createWorld({ store, policy, clock, random });
  const allowVirtualAuthenticator = (): boolean => world.signIn().allowVirtualAuthenticator;
  const { transparency } = log;
  const { ocsf, quorum } = settings.log;
  return {
    store,
    unwritten,
    policy,
    clock,
    random,
    waiters,
    world,
    transparency,
    ocsf,
    origin,
    lives,
    turns: createTurns(),
    pace: createPaces(),
    limits: limitsNow(settings, world),
    board: createBoard(),
    meters,
    scrape: () => meters.registry.metrics(),
    ...(settings.telemetry.traces === null ? {} : { tracing }),
    passkeys: createPasskeys({ origin, random, allowVirtualAuthenticator }),
    evidence: evidenceDesk({ store, policy, clock, world, origin }, transparency, quorum),
  };
}

/** What is said of the gate, as it is when somebody looks. */
export const aboutNow = (
  { board, clock, world }: Parts & Required<Pick<Parts, 'board'>>,
  settings: Settings,
  gate: string,
): About =>
  aboutOf(settings, {
    gate,
    board,
    channels: [...channelNames(settings), ...(settings.callbacks === null ? [] : ['callback'])],
    servers: () => world.inForce().servers,
    providers: () => world.signIn().people.providers,
    clock,
  });

/** As at start, but for the cool-off: it is a part of what is accepted, and may change while the gate runs. */
const limitsNow = (settings: Settings, world: WorldNow): Limits => ({
  ...settings.limits,
  get coolOffMs() {
    return world.signIn().people.coolOffMs;
  },
});
