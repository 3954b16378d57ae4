/** What goes wrong in a run: each fault does its harm, and has it mended again before it resolves. */
import type { Gate } from './gates.ts';
import type { Ledger } from './ledger.ts';
import type { ServerPair } from './pair.ts';
import { pause, type Chance } from './random.ts';

export interface Scene {
  readonly pair: ServerPair;
  readonly gates: readonly Gate[];
  readonly ledger: Ledger;
}

export type Fault = (scene: Scene, chance: Chance) => Promise<void>;

async function killGate({ gates }: Scene, chance: Chance): Promise<void> {
  const gate = chance.pick(gates);
  await gate.kill();
  await pause(chance.pick([0, 200, 1500]));
  await gate.start();
}

/** Two at one moment. */
async function killGates({ gates }: Scene, chance: Chance): Promise<void> {
  const some = chance.shuffled(gates).slice(0, 2);
  await Promise.all(some.map((gate) => gate.kill()));
  await Promise.all(some.map((gate) => gate.start()));
}

async function stopGate({ gates }: Scene, chance: Chance): Promise<void> {
  const gate = chance.pick(gates);
  await gate.stop();
  await gate.start();
}

/** Longer than anybody waits for it, and it goes on afterwards as if nothing had been. */
async function pauseGate({ gates }: Scene, chance: Chance): Promise<void> {
  const gate = chance.pick(gates);
  gate.signal('SIGSTOP');
  await pause(chance.pick([500, 3000, 8000]));
  gate.signal('SIGCONT');
}

/** The gate's connections to the database: cut, refused, hanging, slow, or deaf to notifications. */
const network =
  (what: 'cut' | 'refuse' | 'hang' | 'slow' | 'lateNotices' | 'noNotices'): Fault =>
  async ({ gates }, chance) => {
    const some = chance.shuffled(gates).slice(0, chance.chance(0.3) ? gates.length : 1);
    const all = (work: (network: Gate['network']) => void): void =>
      some.forEach((gate) => work(gate.network));
    switch (what) {
      case 'cut':
        for (let times = chance.between(1, 4); times > 0; times -= 1) {
          all((one) => one.cut());
          await pause(chance.between(20, 400));
        }
        break;
      case 'refuse':
        all((one) => one.set({ refusing: true }));
        all((one) => one.cut());
        await pause(chance.pick([300, 2000]));
        break;
      case 'hang':
        all((one) => one.set({ hanging: true }));
        await pause(chance.pick([500, 3000, 7000]));
        // What hung either comes after all, or never.
        if (chance.chance(0.5)) all((one) => one.cut());
        break;
      case 'slow':
        all((one) => one.set({ delayMs: chance.pick([5, 20, 60]) }));
        await pause(2500);
        break;
      case 'lateNotices':
        all((one) => one.set({ noticeDelayMs: chance.pick([200, 1500, 3000]) }));
        await pause(4000);
        break;
      case 'noNotices':
        all((one) => one.set({ noticeDelayMs: null }));
        await pause(4000);
    }
    all((one) => one.clear());
  };

/** The standby hangs for a while: commits wait for it, and go on. */
async function freezeStandby({ pair }: Scene, chance: Chance): Promise<void> {
  pair.freeze();
  await pause(chance.pick([300, 1500, 4000]));
  pair.thaw();
  await pair.inStep();
}

async function loseStandby({ pair }: Scene, chance: Chance): Promise<void> {
  await pair.restartStandby(chance.pick([0, 1000]));
  await pair.inStep();
}

/** kill -9 of the primary. What is written until the next standby is there waits for it, or the operator goes on without. */
async function failOver({ pair }: Scene, chance: Chance): Promise<void> {
  await pair.failOver();
  if (chance.chance(0.3)) await pair.goWithout();
  await pair.renewStandby();
}

/** The worst moment: the standby is behind by all that was written meanwhile, and nothing of that was acknowledged. */
async function failOverBehind({ pair }: Scene, chance: Chance): Promise<void> {
  pair.freeze();
  await pause(chance.pick([100, 400, 1500]));
  await pair.failOver();
  await pair.renewStandby();
}

/** So many facts acknowledged while the standby is frozen are plenty to be lost; where commits wait for it there are none. */
const behindFacts = 30;
const behindMsMax = 5000;

/** The same, and surely behind, where anything at all is acknowledged without the standby: for the negative control. */
async function failOverFarBehind({ pair, ledger }: Scene): Promise<void> {
  pair.freeze();
  const [enough, end] = [ledger.facts.length + behindFacts, Date.now() + behindMsMax];
  while (ledger.facts.length < enough && Date.now() < end) await pause(20);
  await pair.failOver();
  await pair.renewStandby();
}

/** For how long waits are ended, and how often: whatever is written meanwhile is written on the primary alone. */
const endingMs = 1500;
const endEachMs = 40;

/**
 * What waits for the standby is ended, by an impatient operator or by the gates' own connections going: it is committed on the
 * primary alone, and everybody there sees it. Then the primary dies.
 */
const failOverAfter =
  (how: 'cancel' | 'terminate' | 'cut'): Fault =>
  async ({ pair, gates, ledger }, chance) => {
    pair.freeze();
    for (const end = Date.now() + endingMs; Date.now() < end; await pause(endEachMs)) {
      if (how === 'cut') gates.forEach((gate) => gate.network.cut());
      else
        for (let ended = await pair.endWaits(how); ended > 0; ended -= 1) ledger.count(`waits ended: ${how}`);
    }
    // Long enough that somebody might look, and believe what they see.
    await pause(chance.pick([0, 600, 2500]));
    await pair.failOver();
    await pair.renewStandby();
  };

/** The primary comes back by itself, with commits that the standby never had; whoever asks again must not be told of them yet. */
async function failOverAfterRestart({ pair }: Scene, chance: Chance): Promise<void> {
  pair.freeze();
  await pause(chance.between(100, 300));
  await pair.restartPrimary(0);
  await pause(chance.pick([1000, 3000]));
  await pair.failOver();
  await pair.renewStandby();
}

async function restartPrimary({ pair }: Scene, chance: Chance): Promise<void> {
  await pair.restartPrimary(chance.pick([0, 1500]));
  await pair.inStep();
}

/** A gate and the primary at one moment: one machine held both. */
async function loseMachine(scene: Scene, chance: Chance): Promise<void> {
  const gate = chance.pick(scene.gates);
  await Promise.all([gate.kill(), failOver(scene, chance)]);
  await gate.start();
}

export const faults = {
  killGate,
  killGates,
  stopGate,
  pauseGate,
  cut: network('cut'),
  refuse: network('refuse'),
  hang: network('hang'),
  slow: network('slow'),
  lateNotices: network('lateNotices'),
  noNotices: network('noNotices'),
  freezeStandby,
  loseStandby,
  failOver,
  failOverBehind,
  failOverFarBehind,
  failOverAfterCancel: failOverAfter('cancel'),
  failOverAfterTerminate: failOverAfter('terminate'),
  failOverAfterCut: failOverAfter('cut'),
  failOverAfterRestart,
  restartPrimary,
  loseMachine,
} as const satisfies Readonly<Record<string, Fault>>;

export type FaultName = keyof typeof faults;

/** After these a primary shows, until it dies, what it has committed alone; they have runs of their own (waits.test.ts). */
export const endsWaits: ReadonlySet<FaultName> = new Set<FaultName>([
  'failOverAfterCancel',
  'failOverAfterTerminate',
  'failOverAfterRestart',
]);

/** As often as each belongs into a run; their order is the seed's. */
const times: Readonly<Record<FaultName, number>> = {
  killGate: 4,
  killGates: 1,
  stopGate: 1,
  pauseGate: 1,
  cut: 3,
  refuse: 1,
  hang: 1,
  slow: 1,
  lateNotices: 1,
  noNotices: 1,
  freezeStandby: 1,
  loseStandby: 1,
  failOver: 1,
  failOverBehind: 1,
  failOverFarBehind: 0,
  failOverAfterCancel: 0,
  failOverAfterTerminate: 0,
  failOverAfterCut: 1,
  failOverAfterRestart: 0,
  restartPrimary: 1,
  loseMachine: 1,
};

/** What goes wrong in the run of a seed, in its order. */
export function faultsOf(chance: Chance): readonly FaultName[] {
  // The keys of an object of this very type.
  const names = Object.keys(times) as readonly FaultName[];
  return chance.shuffled(names.flatMap((name) => Array.from({ length: times[name] }, () => name)));
}
