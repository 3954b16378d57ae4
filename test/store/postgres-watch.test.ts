/** What a gate hears of others: hints wake at once, what no hint told is looked for, and nobody is woken for what was heard. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionIdOf, type ActionId } from '../../src/core/ids.ts';
import type { Row, SqlValue } from '../../src/store/driver.ts';
import type { Hint } from '../../src/store/postgres-hint.ts';
import { Watch, watchLimits } from '../../src/store/postgres-watch.ts';

const id = (n: number): ActionId => actionIdOf(new Uint8Array(16).fill(n));

/** A log whose entry `n` is about a held action, or about nothing that anybody waits for. */
function bench() {
  const log: (ActionId | null)[] = [];
  const asked: string[] = [];
  const told: (readonly ActionId[])[] = [];
  let world = 0;
  let notices = 0;
  let away = false;
  let missed = 0;
  const query = (sql: string, params: readonly SqlValue[] = []): Promise<readonly Row[]> => {
    if (away) return Promise.reject(new Error('away'));
    if (sql.includes('log_head')) return Promise.resolve([{ size: log.length, world, now_ms: 5 }]);
    const [from, to, most] = params.map(Number);
    asked.push(`${from}-${to}`);
    const found = new Set(log.slice(from, to).filter((one) => one !== null));
    return Promise.resolve([...found].slice(0, most).map((one) => ({ id: one })));
  };
  const watch = new Watch({
    reads: { query },
    self: 'me',
    nowMs: 'NULL',
    announce: (changed) => void told.push(changed),
    announceNotices: () => void (notices += 1),
    measured: () => undefined,
    missed: () => void (missed += 1),
  });
  const taken = (): readonly (readonly ActionId[])[] => told.splice(0);
  const hint = (one: Partial<Hint>): void =>
    watch.heard({ from: 'other', size: log.length, changed: [], notices: false, ...one });
  return {
    watch,
    log,
    asked,
    taken,
    hint,
    look: () => watch.look(),
    notices: () => notices,
    missed: () => missed,
    change: () => void (world += 1),
    goAway: (on: boolean) => void (away = on),
  };
}

test('attack: whoever lies about how long the log is hides nothing, once hints come no more', async () => {
  const { watch, log, hint, look, taken } = bench();
  log.push(id(1));
  await look();
  await watch.listening(true);
  taken();
  // Anybody who may NOTIFY says so; the two entries come while nobody listens.
  hint({ size: 3 });
  await watch.listening(false);
  log.push(id(2), id(3));
  await look();
  assert.deepEqual(taken(), [[id(2), id(3)]]);
});

test('missed is what no hint told, and nothing else', async () => {
  const { watch, log, hint, look, change, missed } = bench();
  await look();
  await watch.listening(true);
  for (let n = 0; n < 5; n += 1) {
    // What nobody waits for is told by no hint.
    log.push(null, null);
    await look();
    log.push(id(n));
    hint({ changed: [id(n)] });
    await look();
    change();
    hint({ changed: 'everything' });
    await look();
  }
  assert.equal(missed(), 0);
  log.push(id(9));
  await look();
  assert.equal(missed(), 1);
  change();
  await look();
  assert.equal(missed(), 2);
});

test('what was there at the start wakes nobody', async () => {
  const { log, look, taken } = bench();
  log.push(id(1));
  await look();
  assert.deepEqual(taken(), []);
});

test('without hints, exactly what changed is woken, once', async () => {
  const { log, look, taken, asked, notices } = bench();
  log.push(id(1));
  await look();
  log.push(id(2), null, id(3), id(2));
  await look();
  assert.deepEqual(taken(), [[id(2), id(3)]]);
  assert.equal(notices(), 1, 'somebody may have been told of it');
  await look();
  log.push(null);
  await look();
  assert.deepEqual([taken(), notices()], [[], 1], 'nobody waits for that');
  assert.deepEqual(asked, ['1-5', '5-6']);
});

test('what a hint told is not looked for again, but what came before hints did is', async () => {
  const { watch, log, look, taken, asked, hint } = bench();
  await look();
  log.push(id(1));
  hint({ changed: [id(1)] });
  assert.deepEqual(taken(), [[id(1)]]);
  await watch.listening(true);
  assert.deepEqual(taken(), [[id(1)]], 'hints were not known to come then');
  log.push(id(2), id(3));
  hint({ changed: [id(2), id(3)] });
  assert.deepEqual(taken(), [[id(2), id(3)]]);
  await look();
  assert.deepEqual(taken(), []);
  log.push(id(4));
  await look();
  assert.deepEqual(taken(), [[id(4)]], 'a hint that never comes costs a look');
  assert.deepEqual(asked, ['0-1', '3-4']);
});

test('what was committed while nobody listened is looked for when somebody does again', async () => {
  const { watch, log, look, taken, hint } = bench();
  await look();
  await watch.listening(true);
  await watch.listening(false);
  log.push(id(1));
  log.push(id(2));
  hint({ changed: [id(2)] });
  assert.deepEqual(taken(), [[id(2)]]);
  await watch.listening(true);
  assert.deepEqual(taken(), [[id(1), id(2)]]);
});

test('one’s own hints wake nobody, and say how far one has heard', async () => {
  const { watch, log, look, taken, asked, hint } = bench();
  await look();
  await watch.listening(true);
  log.push(id(1));
  hint({ from: 'me', changed: [id(1)], notices: true });
  await look();
  assert.deepEqual([taken(), asked], [[], []]);
});

test('a changed world wakes everybody, and so does more than a look can read', async () => {
  const { log, look, taken, change, hint, notices } = bench();
  await look();
  change();
  await look();
  assert.deepEqual(taken(), [[]]);
  log.push(...Array.from({ length: watchLimits.entriesMax + 1 }, () => id(1)));
  await look();
  assert.deepEqual(taken(), [[]]);
  log.length -= 1;
  await look();
  assert.deepEqual(taken(), [[]], 'a log that became shorter is another one');
  hint({ changed: 'everything' });
  assert.deepEqual(taken(), [[]]);
  hint({ notices: true });
  assert.deepEqual([taken(), notices()], [[], 1]);
});

test('a look that fails is made again', async () => {
  const { watch, log, look, taken, goAway } = bench();
  await look();
  log.push(id(1));
  goAway(true);
  assert.equal(await look(), false);
  await watch.listening(true);
  goAway(false);
  assert.equal(await look(), true);
  assert.deepEqual(taken(), [[id(1)]]);
});
