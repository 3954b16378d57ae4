/** Witnesses: what follows is cosigned, what does not is told at once, and none of them is in anybody's way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkpointText } from '../../src/log/checkpoint.ts';
import { keepCosigned } from '../../src/log/cosigning.ts';
import { hashLeaf, rootAt } from '../../src/log/merkle.ts';
import { noteWith, readNote, signLine, verifierOf, verifyNote, vkeyOf } from '../../src/log/note.ts';
import { nodesOf } from '../../src/log/tiles.ts';
import { askWitness } from '../../src/log/witness.ts';
import type { Store } from '../../src/ports/store.ts';
import { eventually } from '../support/gate.ts';
import { publishAll, testKeys } from '../support/published.ts';
import { startWitness, type TestWitness } from '../support/witness.ts';
import { note } from '../store/bench.ts';
import { sqliteBench } from '../store/sqlite-bench.ts';

const origin = 'audit.test';

interface Rig {
  readonly store: Store;
  readonly keys: ReturnType<typeof testKeys>;
  readonly witness: TestWitness;
  /** The newest that was published here. */
  given(): { readonly origin: string; readonly size: number } | null;
  /** Adds entries and publishes them. */
  grow(count: number): Promise<void>;
}

async function withRig(body: (rig: Rig) => Promise<void>): Promise<void> {
  const bench = await sqliteBench();
  const store = await bench.open({});
  const witness = await startWitness();
  const keys = testKeys();
  witness.add(vkeyOf(origin, keys.log));
  let n = 0;
  let given: { readonly origin: string; readonly size: number } | null = null;
  try {
    await body({
      store,
      keys,
      witness,
      async grow(count) {
        for (let more = 0; more < count; more += 1) assert.ok((await store.change(note((n += 1)))).ok);
        await publishAll(store, keys, origin);
        given = { origin, size: (await store.head()).size };
      },
      given: () => given,
    });
  } finally {
    await witness.close();
    await store.close();
    await bench.remove();
  }
}

const keep = (rig: Rig, lateMs = 60_000) =>
  keepCosigned({
    store: rig.store,
    clock: { nowMs: () => Date.now() },
    witnesses: [{ key: rig.witness.vkey, url: rig.witness.url }],
    lateMs,
    holds: () => true,
    given: () => rig.given(),
  });

const types = async (store: Store): Promise<readonly string[]> =>
  (await store.entries(-1, 1000))
    .map((sealed) => sealed.entry.type)
    .filter((type) => type.startsWith('log.'));

test('each new checkpoint is cosigned, from where the witness stands; another process goes on there', async () => {
  await withRig(async (rig) => {
    await rig.grow(5);
    const first = keep(rig);
    const cosigned = async (): Promise<number> =>
      (await rig.store.newestCheckpoint())?.cosignatures.length ?? 0;
    await eventually(async () => (await cosigned()) === 1, 'the first checkpoint is cosigned');
    await rig.grow(300);
    await eventually(async () => (await cosigned()) === 1, 'so is the second');
    await first.stop();
    await rig.grow(1);
    const second = keep(rig);
    await eventually(async () => (await cosigned()) === 1, 'and the third, by another process');
    const [standing] = second.standing();
    assert.deepEqual(
      [standing?.name, standing?.cosigned?.size, standing?.late],
      ['witness.test/w1', 306, null],
    );
    await second.stop();
    assert.deepEqual(rig.witness.cosigned, [5, 305, 306]);

    const newest = await rig.store.newestCheckpoint();
    const whole = readNote(`${newest?.note}${newest?.cosignatures[0]?.line}\n`);
    const verifiers = [vkeyOf(origin, rig.keys.log), rig.witness.vkey].map(verifierOf);
    assert.ok(whole);
    const signed = verifyNote(
      whole,
      verifiers.filter((one) => one !== undefined),
    );
    assert.equal(signed?.length, 2, 'anybody can verify both signatures');
    assert.deepEqual(await types(rig.store), [], 'nothing was late');
  });
});

test('a rewritten, a cut and a shorter log: the witness says so, and it is an alarm at once', async () => {
  await withRig(async (rig) => {
    await rig.grow(20);
    const first = keep(rig);
    await eventually(() => rig.witness.cosigned.length === 1, 'it is cosigned');
    await first.stop();
    // Signed with the real key: another entry 3, and twenty-one entries in all.
    const leaves = Array.from({ length: 21 }, (_, at) => hashLeaf(Buffer.from(`another ${at}`)));
    const nodes = nodesOf(() => Buffer.concat(leaves));
    const signed = async (size: number): Promise<string> => {
      const text = checkpointText({ origin, size, root: await rootAt(size, nodes) });
      return noteWith(text, [signLine(text, origin, rig.keys.log)]);
    };
    const settings = { key: rig.witness.vkey, url: rig.witness.url };
    const proof = [hashLeaf(Buffer.from('x'))];
    const rewritten = await askWitness(settings, { old: 20, proof, note: await signed(21), size: 21 });
    assert.ok(!rewritten.ok && rewritten.error.fork, 'rewritten and grown');
    const same = await askWitness(settings, { old: 20, proof: [], note: await signed(20), size: 20 });
    assert.ok(!same.ok && same.error.fork, 'another root for the same size');
    const cut = await askWitness(settings, { old: 0, proof: [], note: await signed(10), size: 10 });
    assert.ok(!cut.ok && cut.error.fork, 'shorter than what it saw');

    const other = await sqliteBench();
    const copy = await other.open({});
    try {
      for (let n = 0; n < 25; n += 1) assert.ok((await copy.change(note(1000 + n))).ok);
      await publishAll(copy, rig.keys, origin);
      const forked = keep({ ...rig, store: copy, given: () => ({ origin, size: 25 }) });
      await eventually(async () => (await types(copy)).length > 0, 'the alarm is in the log');
      assert.match(forked.standing()[0]?.late ?? '', /another history of this log/);
      assert.deepEqual(await types(copy), ['log.late'], 'once');
      await forked.stop();
    } finally {
      await copy.close();
      await other.remove();
    }
    assert.deepEqual(rig.witness.cosigned, [20], 'it cosigned nothing of this');
  });
});

test('a witness that refuses, forges or hangs is late after its time, and in time again afterwards', async () => {
  await withRig(async (rig) => {
    await rig.grow(2);
    rig.witness.behave('forge');
    const cosigning = keep(rig, 1);
    await eventually(() => (cosigning.standing()[0]?.late ?? '') !== '', 'it is late');
    assert.match(cosigning.standing()[0]?.late ?? '', /does not verify/);
    assert.equal((await rig.store.newestCheckpoint())?.cosignatures.length, 0, 'nothing forged is stored');
    rig.witness.behave('well');
    await eventually(() => cosigning.standing()[0]?.late === null, 'it has caught up', 30_000);
    await cosigning.stop();
    assert.deepEqual(await types(rig.store), ['log.late', 'log.caught_up']);
  });
});

test('a witness that knows no such log, or not its key, says so in words for its operator', async () => {
  await withRig(async (rig) => {
    await rig.grow(1);
    const newest = await rig.store.newestCheckpoint();
    assert.ok(newest);
    const stranger = await startWitness('other.test');
    try {
      const submission = { old: 0, proof: [], note: newest.note, size: newest.size };
      const unknown = await askWitness({ key: stranger.vkey, url: stranger.url }, submission);
      assert.match(unknown.ok ? '' : unknown.error.detail, /does not know this log/);
      stranger.add(vkeyOf(origin, testKeys().log));
      const otherKey = await askWitness({ key: stranger.vkey, url: stranger.url }, submission);
      assert.match(otherKey.ok ? '' : otherKey.error.detail, /other keys/);
      const wrong = await askWitness({ key: vkeyOf(origin, rig.keys.log), url: stranger.url }, submission);
      assert.match(wrong.ok ? '' : wrong.error.detail, /none of a witness/);
    } finally {
      await stranger.close();
    }
  });
});
