/** A store whose world was accepted with its true digests, and the evidence made of it: for tests of the whole from entries alone. */
import assert from 'node:assert/strict';
import { asJson } from '../../src/app/acceptance.ts';
import { gatherEvidence, type Gathered, type Making } from '../../src/app/evidence.ts';
import type { EvidenceQuery } from '../../src/core/evidence/model.ts';
import type { PopulationRow } from '../../src/core/evidence/model-rows.ts';
import type { How } from '../../src/core/command-config.ts';
import type { AcceptedPolicies } from '../../src/core/config-change.ts';
import type { Directory } from '../../src/core/directory.ts';
import { asPersonId, type PersonId } from '../../src/core/ids.ts';
import { policyDigest } from '../../src/core/policy-digest.ts';
import { configDigest } from '../../src/core/steps/config.ts';
import type { Verdict, Versions } from '../../src/core/verdict.ts';
import { storeTest, value, type MakeBench, type Opened } from '../store/bench.ts';
import { sqliteBench } from '../store/sqlite-bench.ts';
import { directory as people, pia } from '../store/erasing.ts';
import * as world from '../store/world.ts';

export const policies: AcceptedPolicies = {
  policies: [{ file: 'a.cedar', text: 'permit (principal, action, resource);' }],
  schemas: [],
  entities: [],
};
export const set = policyDigest(policies);
export const ada = asPersonId('oz');
export { pia };

export interface Rig extends Opened {
  /** Verdicts as the engine gives them for the accepted set. */
  readonly allow: Verdict;
  readonly review: Verdict;
  readonly deny: Verdict;
  now(): Promise<Versions>;
  accept(
    what: 'policies' | 'directory' | 'servers',
    body: object,
    how?: Exclude<How, 'reviewed'>,
  ): Promise<void>;
  gather(query?: Partial<EvidenceQuery>, by?: PersonId, parts?: Partial<Making>): Promise<Gathered>;
  rows(gathered: Gathered): Promise<readonly PopulationRow[]>;
}

/** What gathering needs besides the store: no policies that narrow anything, and none that parse. */
const quiet = {
  policy: { narrows: () => false, items: () => [], mayDo: () => true },
  world: {},
  origin: 'https://gate.example.com',
} as unknown as Pick<Making, 'policy' | 'world' | 'origin'>;

let bench: MakeBench = sqliteBench;
/** The tests that are registered from here on run on another database. */
export const onBench = (make: MakeBench): void => {
  bench = make;
};

export const evidenceTest = (name: string, scene: (rig: Rig) => Promise<void>): void =>
  storeTest(name, bench, async (opened) => {
    const { store, clock } = opened;
    const accept: Rig['accept'] = async (what, body, how = 'machine') => {
      const part = { what, body: asJson(body), digest: configDigest(asJson(body)) };
      const by = { kind: 'operator' } as const;
      value(await store.change({ kind: 'accept', how, parts: [part], by, expected: null }));
    };
    await accept('directory', people satisfies Directory, 'first');
    await accept('policies', policies, 'first');
    const versions = await store.versions();
    const named = (verdict: Verdict): Verdict => ({ ...verdict, policyDigest: set });
    const parts: Making = { ...quiet, store, clock };
    await scene({
      ...opened,
      versions,
      allow: named(world.allow(versions)),
      review: named(world.review(versions)),
      deny: named(world.deny(versions)),
      now: () => store.versions(),
      accept,
      async gather(query = {}, by = ada, more = {}) {
        const whole = { fromMs: 0, toMs: clock.nowMs() + 86_400_000, asOf: null, samples: null };
        const generator = { name: 'countersign', version: '1.2.3' };
        const made = await gatherEvidence(
          { ...parts, ...more },
          { ...whole, ...query },
          { by: { kind: 'person', id: by }, generator, quorum: 1 },
        );
        assert.ok(made.ok, JSON.stringify(made));
        return made.value;
      },
      async rows(gathered) {
        const all: PopulationRow[] = [];
        for await (const page of gathered.pages()) {
          assert.ok(page.length <= 200);
          all.push(...page);
        }
        return all;
      },
    });
  });

/** The result of a check of a row. */
export const check = (
  row: PopulationRow | undefined,
  name: PopulationRow['checks'][number]['name'],
): string => row?.checks.find((one) => one.name === name)?.result ?? 'no row';
