/** Makes a life out of a seed and a store, lives it, and leaves nothing behind. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { beginEnrolment, enrol } from '../../../src/app/passkeys.ts';
import { vkeyOf } from '../../../src/log/note.ts';
import { Signer } from '../../../src/log/signer.ts';
import { Authenticator } from '../../support/authenticator.ts';
import { startWitness } from '../../support/witness.ts';
import { origin } from './gate.ts';
import { clockOf, type Ground, type Life } from './life.ts';
import { firstFiles, people } from './organisation.ts';
import { generator } from './random.ts';
import { Stage } from './stage.ts';
import { outsideOf, ownerNow } from './time.ts';
import { Whole, type Lived } from './whole.ts';

/** The same in all lives of a process, so that a seed that is lived twice says the same. */
const keys = {
  log: generateKeyPairSync('ed25519').privateKey,
  receipt: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
};
const authenticators = new Map(people.map((person) => [person, new Authenticator(origin)]));

/** Requests of gates (to the witness) wait for their turn, and fail, as everything else does. */
function installFetch(stage: Stage): () => void {
  const real = globalThis.fetch;
  globalThis.fetch = (input, init) => {
    const owner = ownerNow();
    if (owner === undefined) return real(input, init);
    return stage.effect(
      owner,
      'fetch',
      async () => {
        const answer = await real(input, init);
        return new Response(await answer.text(), { status: answer.status, headers: answer.headers });
      },
      (fate): never => {
        throw new TypeError(`simulated: ${fate}`);
      },
    );
  };
  return () => void (globalThis.fetch = real);
}

/** Many entries are signed in a thread of their own, which takes its own time. */
function installSigner(stage: Stage): () => void {
  // Called as a method of the signer that it is taken from.
  // oxlint-disable-next-line typescript/unbound-method
  const real = Signer.prototype.sign;
  Signer.prototype.sign = function sign(...args) {
    return stage.outside('sign', () => real.apply(this, args));
  };
  return () => void (Signer.prototype.sign = real);
}

const enrolAll =
  (stage: Stage): Life['enrol'] =>
  async ({ parts }) => {
    for (const [person, authenticator] of authenticators) {
      const secret = parts.passkeys?.newEnrolment() ?? assert.fail();
      const granted = await parts.store.change({
        kind: 'grantPasskey',
        person,
        by: { kind: 'operator' },
        way: undefined,
        hash: secret.hash,
        expiresAtMs: parts.clock.nowMs() + 600_000,
      });
      assert.ok(granted.ok, JSON.stringify(granted));
      const begun = await beginEnrolment(parts, person);
      assert.ok(begun.ok, JSON.stringify(begun));
      const registration = authenticator.register(begun.value.create);
      const input = { name: 'key', challenge: begun.value.create, registration, grant: secret.token };
      const enrolled = await enrol(parts, person, { ...input, assertion: null });
      assert.ok(enrolled.ok, JSON.stringify(enrolled));
      stage.random.next();
    }
  };

/** Lives one life. @param makeGround a store of its own. */
export async function liveOne(
  seed: number,
  makeGround: () => Promise<Ground>,
  steps: number,
): Promise<Lived> {
  const random = generator(seed);
  const stage = new Stage(random.fork());
  const wall = { skewMs: 0 };
  const ground = await makeGround();
  const witness = await startWitness();
  const clock = clockOf({ stage, wall });
  const watcher = await ground.watch(clock);
  witness.add(vkeyOf('gate.test', keys.log, 1));
  for (const authenticator of authenticators.values()) authenticator.counter = 0;
  const life: Life = {
    seed,
    random,
    stage,
    ground,
    watcher,
    keys,
    beside: { note: undefined },
    witness,
    files: { ...firstFiles(random), version: 0 },
    changedMind: false,
    acks: [],
    dones: [],
    arrived: new Map(),
    shipped: new Map(),
    given: new Map(),
    receipts: [],
    waits: new Set(),
    secrets: new Map(),
    wrongs: [],
    wall,
    enrol: enrolAll(stage),
    sign: (person, challenge) => authenticators.get(person)?.sign(challenge),
  };
  const undo = [stage.time.install(), installFetch(stage), installSigner(stage)];
  try {
    return await new Whole(life).live(steps);
  } finally {
    for (const one of undo.toReversed()) one();
    await outsideOf(() => watcher.close());
    await witness.close();
    await ground.remove();
  }
}

/** What of an entry a seed decides: not salts, nor what is signed or proven with keys made anew. */
export const seeded = ({ entries }: Lived): readonly string[] =>
  entries.map(({ entry }) =>
    JSON.stringify(entry, (key, value: unknown) =>
      ['proof', 'passkey', 'credential', 'key', 'spki'].includes(key) ? null : value,
    ),
  );
