/**
 * A store as a gate has it whose world fails: every call of it may not be done, or be done and said to have failed, or never be
 * answered because the gate dies first. What it says of a failure is what the real one says of it.
 */
import { err, type Result } from '../../../src/core/result.ts';
import type { ActionId } from '../../../src/core/ids.ts';
import type { Store } from '../../../src/ports/store.ts';
import { SqlFault } from '../../../src/store/driver.ts';
import { notes, type Life } from './life.ts';
import { inside, type Owner } from './time.ts';

/** Share of the reads that wait for their turn, and so can be what a gate dies at. */
const readTurns = 0.15;
/** Reads fail less often than writes: else nothing would come about. */
const readTrouble = 0.15;

const told = (fate: string): string => `simulated: ${fate}`;

/** Never rejects: what failed comes to nothing, and shows by itself later. */
const silent: ReadonlySet<string> = new Set([
  'noticeDone',
  'noticeLater',
  'addCosignature',
  'addStamp',
  'setCursor',
]);
/** Answer at once, and change nothing outside of this process. */
const atOnce: ReadonlySet<string> = new Set([
  'joinKey',
  'health',
  'onChange',
  'onNotices',
  'onLinked',
  'clock',
  'close',
  'backup',
]);

export function frail(life: Pick<Life, 'stage' | 'secrets'>, owner: Owner, store: Store): Store {
  const { stage } = life;
  const effect = <T>(what: string, work: () => Promise<T>, failed: (fate: string) => T): Promise<T> =>
    stage.effect(owner, `store.${what}`, work, failed);
  const read = async (what: string, work: () => Promise<unknown>): Promise<unknown> => {
    if (stage.random.chance(readTurns)) await stage.turn(owner, `store.${what}`);
    const answer = await stage.outside(`store.${what}`, work);
    if (stage.random.chance(stage.trouble * readTrouble)) throw new SqlFault(told(`no ${what}`), 'database');
    return answer;
  };
  const wrapped = Object.entries(store).flatMap(([name, method]): readonly [string, unknown][] => {
    if (typeof method !== 'function' || atOnce.has(name)) return [];
    // Every other method of the port answers a promise.
    const call = method as (...args: readonly unknown[]) => Promise<unknown>;
    return [
      [
        name,
        (...args: readonly unknown[]) =>
          silent.has(name)
            ? effect(
                name,
                () => call(...args),
                () => undefined,
              )
            : read(name, () => call(...args)),
      ],
    ];
  });
  const fault = (fate: string): Result<never, { readonly kind: 'fault'; readonly detail: string }> =>
    err({ kind: 'fault', detail: told(fate) });
  return {
    ...store,
    // The same methods under the same names.
    ...(Object.fromEntries(wrapped) as Partial<Store>),
    change: (command, idempotency, haste) => {
      if (command.kind === 'ask') {
        const { id, action } = command.asked;
        notes(life, action.input['note'], id);
        notes(life, action.reason, id);
      }
      return effect(`change ${command.kind}`, () => store.change(command, idempotency, haste), fault);
    },
    publish: (publishing) => effect('publish', () => store.publish(publishing), fault),
    takeTree: (holder, forMs) =>
      effect(
        'takeTree',
        () => store.takeTree(holder, forMs),
        () => null,
      ),
    confirm: (checkpoint) =>
      effect(
        'confirm',
        () => store.confirm(checkpoint),
        () => false,
      ),
    takeNotices: (channel, leaseMs, limit) =>
      effect(
        'takeNotices',
        () => store.takeNotices(channel, leaseMs, limit),
        () => [],
      ),
    onChange: (listener) =>
      store.onChange((changed: readonly ActionId[]) => {
        if (owner.alive) inside(owner, () => listener(changed));
      }),
    onNotices: (listener) =>
      store.onNotices((elsewhere) => {
        if (owner.alive) inside(owner, () => listener(elsewhere));
      }),
  };
}
