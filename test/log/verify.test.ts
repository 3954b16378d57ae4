/** Verifying a log: what is whole passes, and whatever was done to it is found, with the first index where it shows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  aboutNothing,
  chain,
  emptyHead,
  payloadType,
  preAuthentication,
  type EntryDraft,
} from '../../src/core/entry.ts';
import { asSha256Hex } from '../../src/core/ids.ts';
import { sha256Hex } from '../../src/core/sha256.ts';
import { signPayload } from '../../src/log/leaf.ts';
import { verifierOf, type Verifier } from '../../src/log/note.ts';
import { noTrust, type Trust } from '../../src/log/verify/keys.ts';
import type { Problem } from '../../src/log/verify/problem.ts';
import { verifyRange } from '../../src/log/verify/range.ts';
import { storeSource } from '../../src/log/verify/store-source.ts';
import { verifyWhole, type WholeOptions, type WholeReport } from '../../src/log/verify/whole.ts';
import {
  caseOf,
  draftsOf,
  makeLog,
  newKeys,
  newWitness,
  publish,
  readsOf,
  vkeyOfLog,
  type MadeLog,
} from './support/made-log.ts';

const keys = newKeys();
const verifier = (vkey: string): Verifier => {
  const read = verifierOf(vkey);
  assert.ok(read !== undefined);
  return read;
};
const trusting = (more: Partial<Trust> = {}): Trust => ({
  ...noTrust,
  log: [verifier(vkeyOfLog(keys))],
  ...more,
});

async function report(log: MadeLog, options: Partial<WholeOptions> = {}): Promise<WholeReport> {
  const source = storeSource(readsOf(log), 'memory');
  const answer = await verifyWhole(source, { trust: trusting(), held: [], signatures: 'all', ...options });
  return typeof answer === 'string' ? assert.fail(answer) : answer;
}

const told = (problems: readonly Problem[]): readonly string[] =>
  problems.map(({ index, code }) => `${index ?? '-'} ${code}`);
const problemsOf = async (log: MadeLog, options: Partial<WholeOptions> = {}): Promise<readonly string[]> =>
  told((await report(log, options)).problems);

/** A row with another statement, as somebody with the database writes it: digest and heads are made to fit. */
function rewrite(log: MadeLog, index: number, change: (statement: string) => string): void {
  let head = log.rows[index - 1]?.head ?? emptyHead;
  for (const row of log.rows.slice(index)) {
    const statement = row.index === index ? change(row.statement) : row.statement;
    const pae = asSha256Hex(sha256Hex(preAuthentication(payloadType, statement)));
    head = chain(head, pae);
    log.rows[row.index] = { ...row, statement, pae, head };
  }
}

/** Another statement that says the same. */
const resalted = (statement: string): string => statement.replace(/"salt":"[0-9a-f]{4}/, '"salt":"beef');

test('a whole log passes: with the keys of the auditor, and with its own, which it says', async () => {
  const log = await makeLog(keys, draftsOf(keys, 700));
  const given = await report(log);
  assert.deepEqual(given.problems, []);
  assert.equal(given.trust, 'given');
  assert.deepEqual(given.signatures, { verified: 700, of: 700 });
  assert.deepEqual(given.checkpoints, { kept: 7, held: 0, witnessed: null, stamped: null });
  assert.ok(given.lives.executions > 50);
  assert.equal((await report(log, { trust: noTrust })).trust, 'log');
  // Any size: an edge of the tree is where mistakes are.
  for (const size of [3, 4, 7, 8, 255, 256, 257, 511, 512, 513])
    assert.deepEqual(await problemsOf(await makeLog(keys, draftsOf(keys, size))), [], `${size} entries`);
});

test('one edit is named by its index: of the statement alone, of all that the database has, of the tree', async () => {
  const make = (): Promise<MadeLog> => makeLog(keys, draftsOf(keys, 600));
  const alone = await make();
  const row = alone.rows[300];
  assert.ok(row !== undefined);
  alone.rows[300] = { ...row, statement: resalted(row.statement) };
  assert.equal((await problemsOf(alone))[0], '300 altered');

  const chained = await make();
  rewrite(chained, 300, resalted);
  const found = await problemsOf(chained);
  assert.equal(found[0], '300 leaf');
  assert.ok(
    found.every((one) => Number(one.split(' ')[0]) >= 300),
    found.join(),
  );

  // Leaves and tiles as well, but not the key that signs checkpoints.
  const grown = await make();
  const [checkpoints, before] = [[...grown.checkpoints], [...grown.leaves]];
  rewrite(grown, 300, resalted);
  const other = grown.rows[300];
  assert.ok(other !== undefined && before[300] !== undefined);
  grown.leaves[300] = {
    ...before[300],
    pae: other.pae,
    signature: signPayload(other.statement, keys.receipt),
  };
  await publish(grown);
  grown.checkpoints.splice(0, Infinity, ...checkpoints);
  const forked = await problemsOf(grown);
  assert.equal(forked[0], '300 fork', 'the tree fits the checkpoint at 300, and not the next');
  assert.ok(forked.includes('- root'), forked.join());
});

test('removed, reordered, added, cut: named where it begins', async () => {
  const make = (): Promise<MadeLog> => makeLog(keys, draftsOf(keys, 600));
  const removed = await make();
  removed.rows.splice(300, 1);
  assert.equal((await problemsOf(removed))[0], '300 missing');

  const renumbered = await make();
  renumbered.rows.splice(300, 1);
  for (const [index, row] of renumbered.rows.entries()) renumbered.rows[index] = { ...row, index };
  assert.match((await problemsOf(renumbered))[0] ?? '', /^300 /);

  const swapped = await make();
  const [one, two] = [swapped.rows[300], swapped.rows[301]];
  assert.ok(one !== undefined && two !== undefined);
  swapped.rows[300] = { ...two, index: 300 };
  swapped.rows[301] = { ...one, index: 301 };
  assert.match((await problemsOf(swapped))[0] ?? '', /^300 /);

  const cut = await make();
  cut.rows.splice(550);
  assert.deepEqual((await problemsOf(cut)).slice(0, 2), ['550 row', '550 missing']);

  const tile = await make();
  tile.tiles.delete('0/1');
  assert.equal((await problemsOf(tile))[0], '256 tile');
  const short = await make();
  short.tiles.set('0/2', (short.tiles.get('0/2') ?? new Uint8Array()).slice(0, -32));
  assert.equal((await problemsOf(short))[0], '599 tile');
  const upper = await make();
  const level1 = upper.tiles.get('1/0')?.slice() ?? new Uint8Array();
  level1[40] = (level1[40] ?? 0) ^ 1;
  upper.tiles.set('1/0', level1);
  assert.deepEqual(await problemsOf(upper), ['256 tile']);
});

test('whoever has the keys of the log can rewrite it whole; a checkpoint that was kept, or a witness, shows it', async () => {
  const witnesses = [newWitness('w1.test'), newWitness('w2.test')];
  const making = { witnesses };
  const honest = await makeLog(keys, draftsOf(keys, 600), making);
  const note = honest.checkpoints.find((one) => one.size === 400);
  assert.ok(note !== undefined);
  const held = [{ name: 'kept.txt', note: note.note }];
  const trust = trusting({ witnesses: witnesses.map((one) => verifier(one.vkey)), quorum: 2 });
  const whole = await report(honest, { held, trust });
  assert.deepEqual(whole.problems, []);
  assert.deepEqual(whole.warnings, []);
  assert.deepEqual([whole.checkpoints.held, whole.checkpoints.witnessed?.size], [1, 600]);

  // Another history, signed with the real keys; the witnesses never saw it.
  const rewritten = await makeLog(keys, draftsOf(keys, 600), {
    salt: (index) => sha256Hex(index < 350 ? `salt ${index}` : `other ${index}`),
    leaves: honest.leaves.slice(0, 350),
  });
  assert.deepEqual(
    await problemsOf(rewritten),
    [],
    'nothing else can show it: that is what witnesses are for',
  );
  assert.deepEqual(await problemsOf(rewritten, { held }), ['0 fork']);
  // Something else that is wrong with it hides nothing of this.
  const row = rewritten.rows[370] ?? assert.fail();
  rewritten.rows[370] = { ...row, statement: `${row.statement} ` };
  assert.ok((await problemsOf(rewritten, { held })).includes('0 fork'));
  rewritten.rows[370] = row;
  assert.deepEqual(await problemsOf(rewritten, { trust }), ['- not_witnessed']);
  // The old cosigned checkpoints beside the new history do not fit it; the last one that does says from where it is another.
  rewritten.checkpoints.splice(
    0,
    Infinity,
    ...honest.checkpoints.slice(0, 4),
    ...rewritten.checkpoints.slice(4),
  );
  assert.equal((await problemsOf(rewritten, { trust }))[0], '300 fork');

  // Cut back, with a checkpoint over what is left.
  const cut = await makeLog(keys, draftsOf(keys, 350));
  assert.deepEqual(await problemsOf(cut, { held }), ['350 rolled_back']);
  // … and grown again.
  const later: EntryDraft[] = [];
  for (let number = 1000; later.length < 100; number += 1) later.push(...caseOf(number, 350 + later.length));
  const regrown = await makeLog(keys, [...draftsOf(keys, 350), ...later], {
    leaves: honest.leaves.slice(0, 350),
  });
  assert.ok(regrown.rows.length > 400);
  assert.deepEqual(await problemsOf(regrown, { held }), ['0 fork']);
  const older = honest.checkpoints.find((one) => one.size === 300);
  assert.deepEqual(
    await problemsOf(regrown, { held: [...held, { name: 'older.txt', note: older?.note ?? '' }] }),
    ['300 fork'],
    'two kept checkpoints narrow it',
  );
});

test('witnesses are counted by their keys, only where they signed this, and what they have not seen yet is said', async () => {
  const [one, two] = [newWitness('w1.test'), newWitness('w2.test')];
  const log = await makeLog(keys, draftsOf(keys, 600), { witnesses: [one, two], witnessedTo: 450 });
  const witnesses = [verifier(one.vkey), verifier(two.vkey)];
  const late = await report(log, { trust: trusting({ witnesses, quorum: 2 }) });
  assert.deepEqual(late.problems, []);
  assert.deepEqual(
    [late.checkpoints.witnessed?.size, late.checkpoints.witnessed?.by],
    [400, ['w1.test', 'w2.test']],
  );
  assert.match(late.warnings.join(), /from 400 on are not witnessed/);
  const stranger = newWitness('w2.test');
  assert.deepEqual(
    await problemsOf(log, {
      trust: trusting({ witnesses: [verifier(one.vkey), verifier(stranger.vkey)], quorum: 2 }),
    }),
    ['- not_witnessed'],
    'a key of the same name is not that witness',
  );
  // One witness under two names.
  const twice = {
    ...one,
    name: 'again.test',
    vkey: (await import('../../src/log/note.ts')).vkeyOf('again.test', one.key, 4),
  };
  const doubled = await makeLog(keys, draftsOf(keys, 100), { witnesses: [one, twice] });
  assert.deepEqual(
    await problemsOf(doubled, {
      trust: trusting({ witnesses: [verifier(one.vkey), verifier(twice.vkey)], quorum: 2 }),
    }),
    ['- not_witnessed'],
  );
  // A line of a known witness that does not verify makes the note false.
  const forged = await makeLog(keys, draftsOf(keys, 100), { witnesses: [one] });
  const other = await makeLog(keys, draftsOf(keys, 90), { witnesses: [one] });
  forged.checkpoints.splice(0, 1, {
    ...(forged.checkpoints[0] ?? assert.fail()),
    cosignatures: other.checkpoints[0]?.cosignatures ?? [],
  });
  assert.ok(
    (await problemsOf(forged, { trust: trusting({ witnesses: [verifier(one.vkey)], quorum: 1 }) })).includes(
      '- checkpoint',
    ),
  );
});

test('keys: a checkpoint of a stranger, an entry of a stranger, a key that the log tells otherwise', async () => {
  const log = await makeLog(keys, draftsOf(keys, 300));
  const stranger = newKeys();
  assert.deepEqual(await problemsOf(log, { trust: { ...noTrust, log: [verifier(vkeyOfLog(stranger))] } }), [
    '- checkpoint',
  ]);
  assert.deepEqual(
    await problemsOf(log, {
      held: [
        { name: 'x', note: (await makeLog(stranger, draftsOf(stranger, 10))).checkpoints[0]?.note ?? '' },
      ],
    }),
    ['- checkpoint'],
    'a checkpoint that nobody known signed shows nothing, and that is said',
  );
  assert.deepEqual(await problemsOf(log, { trust: trusting({ receipt: new Set(['0'.repeat(64)]) }) }), [
    '0 key',
  ]);
  const receipt = log.logKeys.find((key) => key.use === 'receipt')?.id ?? '';
  assert.deepEqual(await problemsOf(log, { trust: trusting({ receipt: new Set([receipt]) }) }), []);

  // The tree is right, the signature is another's: found by looking at signatures, and only so.
  const forged = await makeLog(keys, draftsOf(keys, 300));
  const row = forged.rows[200];
  assert.ok(row !== undefined && forged.leaves[200] !== undefined);
  forged.leaves[200] = { ...forged.leaves[200], signature: signPayload(row.statement, stranger.receipt) };
  await publish(forged);
  assert.deepEqual(await problemsOf(forged), ['200 signature']);
  assert.deepEqual(await problemsOf(forged, { signatures: 'none' }), []);

  const unnamed = await makeLog(keys, draftsOf(keys, 300));
  unnamed.leaves[200] = { ...(unnamed.leaves[200] ?? assert.fail()), keyId: 'f'.repeat(64) };
  assert.equal((await problemsOf(unnamed))[0], '200 key');

  for (const change of [{ begunAtMs: 5 }, { endedAtMs: 5 }, { begunAt: 2 }, { origin: 'other.test' }]) {
    const otherwise = await makeLog(keys, draftsOf(keys, 300));
    otherwise.logKeys = otherwise.logKeys.map((key) => (key.use === 'receipt' ? { ...key, ...change } : key));
    assert.deepEqual(await problemsOf(otherwise), ['- key'], JSON.stringify(change));
  }
  const fewer = await makeLog(keys, draftsOf(keys, 300));
  fewer.logKeys = [...fewer.logKeys, { ...(fewer.logKeys[1] ?? assert.fail()), id: 'e'.repeat(64) }];
  assert.deepEqual(await problemsOf(fewer), ['- key']);
});

test('a key signs nothing after it ended', async () => {
  const receipt = (await makeLog(keys, draftsOf(keys, 3))).logKeys[1] ?? assert.fail();
  const ended: EntryDraft = {
    type: 'key.ended',
    by: { kind: 'gate' },
    about: aboutNothing,
    subject: null,
    data: { id: receipt.id, use: receipt.use, origin: null, spki: receipt.spki, size: 0 },
  };
  const log = await makeLog(keys, [...draftsOf(keys, 300), ended, ...caseOf(900, 301)]);
  log.logKeys = log.logKeys.map((key) =>
    key.id === receipt.id ? { ...key, endedAtMs: log.rows[300]?.atMs ?? 0 } : key,
  );
  assert.deepEqual(await problemsOf(log), ['303 key']);
});

test('more ranges in one entry than a call takes arguments are read all the same', async () => {
  const many: EntryDraft = {
    type: 'payloads.erased',
    by: { kind: 'gate' },
    about: aboutNothing,
    subject: null,
    data: { indexes: Array.from({ length: 300_000 }, () => [0, 0]) },
  };
  assert.deepEqual(await problemsOf(await makeLog(keys, [...draftsOf(keys, 90), many])), []);
});

test('a payload may be gone only where a later entry says that it was erased', async () => {
  const naming = (indexes: readonly (readonly [number, number])[]): EntryDraft => ({
    type: 'payloads.erased',
    by: { kind: 'gate' },
    about: aboutNothing,
    subject: null,
    data: { scope: 'before', count: 1, indexes, reason: 'r', basis: null },
  });
  const blank = (log: MadeLog, index: number): void => {
    log.rows[index] = { ...(log.rows[index] ?? assert.fail()), statement: '' };
  };
  const log = await makeLog(keys, [
    ...draftsOf(keys, 300),
    naming([
      [20, 25],
      [40, 40],
    ]),
  ]);
  for (const index of [20, 21, 22, 23, 24, 25, 40]) blank(log, index);
  const erased = await report(log);
  assert.deepEqual([told(erased.problems), erased.erased], [[], 7]);
  blank(log, 26);
  assert.deepEqual(await problemsOf(log), ['26 erased']);
  const gone = await makeLog(keys, draftsOf(keys, 300));
  blank(gone, 299);
  assert.deepEqual(await problemsOf(gone), ['299 erased']);
  const itself = await makeLog(keys, [...draftsOf(keys, 300), naming([[300, 301]]), ...caseOf(900, 301)]);
  blank(itself, 301);
  assert.ok(
    (await problemsOf(itself)).includes('301 erased'),
    'an entry names only what is older than itself',
  );
  // A blank row whose digest is another's is an edit still.
  const swapped = await makeLog(keys, [...draftsOf(keys, 300), naming([[20, 25]])]);
  for (const index of [20, 21, 22, 23, 24, 25]) blank(swapped, index);
  swapped.rows[22] = { ...(swapped.rows[22] ?? assert.fail()), pae: asSha256Hex('0'.repeat(64)) };
  assert.equal((await problemsOf(swapped))[0], '22 leaf');
});

test('what is recorded and not in the tree yet is followed too', async () => {
  const log = await makeLog(keys, draftsOf(keys, 400));
  const rows = [...log.rows];
  log.rows.splice(350);
  log.leaves.splice(350);
  await publish(log);
  log.rows.splice(0, Infinity, ...rows);
  assert.deepEqual([(await report(log)).beyond, await problemsOf(log)], [50, []]);
  const row = log.rows[380] ?? assert.fail();
  log.rows[380] = { ...row, statement: row.statement.replace('gate', 'gote') };
  assert.match((await problemsOf(log))[0] ?? '', /^380 altered/);
  log.rows.splice(380, 1);
  assert.deepEqual(await problemsOf(log), ['380 missing']);
});

test('times go forward, and a row says what its statement says', async () => {
  assert.equal((await problemsOf(await makeLog(keys, draftsOf(keys, 300), { stepMs: -100 })))[0], '11 time');
  for (const change of [{ atMs: 5 }, { type: 'review.recorded' as const }]) {
    const log = await makeLog(keys, draftsOf(keys, 300));
    log.rows[200] = { ...(log.rows[200] ?? assert.fail()), ...change };
    assert.deepEqual(await problemsOf(log), ['200 row']);
  }
  const headless = await makeLog(keys, draftsOf(keys, 300));
  headless.rows[200] = { ...(headless.rows[200] ?? assert.fail()), head: asSha256Hex('0'.repeat(64)) };
  assert.equal((await problemsOf(headless))[0], '200 chain');
});

test('an entry that was written after other entries than stand before it is found, whoever signed it all', async () => {
  const log = await makeLog(keys, draftsOf(keys, 300));
  // About no action: its subject is the head of the chain that it was written on.
  rewrite(log, 2, (statement) =>
    statement.replace(/"subject":.*"sha256":"[0-9a-f]{4}/, (found) => `${found.slice(0, -4)}beef`),
  );
  log.leaves.length = 0;
  await publish(log);
  assert.deepEqual(await problemsOf(log), ['2 chain']);
});

test('a checkpoint beside other facts than it says, or with a stamp of something else', async () => {
  const log = async (change: object): Promise<readonly string[]> => {
    const made = await makeLog(keys, draftsOf(keys, 300));
    made.checkpoints[1] = { ...(made.checkpoints[1] ?? assert.fail()), ...change };
    return problemsOf(made);
  };
  assert.deepEqual(await log({ root: 'A'.repeat(43) + '=' }), ['- checkpoint']);
  assert.deepEqual(await log({ origin: 'other.test' }), ['- checkpoint']);
  assert.deepEqual(await log({ stamp: Buffer.from('no token').toString('base64') }), ['- checkpoint']);
});

test('a log can be whole and tell of what should not have happened', async () => {
  const [base, at] = [draftsOf(keys, 90), 90];
  // Number 1 of three is held: asked, opened, reviewed, approved, started, succeeded.
  const held = caseOf(901, at);
  const [asked, opened, reviewed, approved, started, succeeded] = held;
  assert.ok(asked && opened && reviewed && approved && started && succeeded);
  const find = async (drafts: readonly EntryDraft[], stepMs?: number): Promise<readonly string[]> =>
    problemsOf(await makeLog(keys, [...base, ...drafts], stepMs === undefined ? {} : { stepMs }));
  const data = (draft: EntryDraft, more: EntryDraft['data']): EntryDraft => ({
    ...draft,
    data: { ...draft.data, ...more },
  });
  assert.deepEqual(await find(held), []);
  assert.deepEqual(await find([asked, opened, data(started, { grant: at })]), ['92 finding'], 'not approved');
  assert.deepEqual(
    await find([asked, opened, reviewed, approved, data(started, { grant: at })]),
    ['94 finding'],
    'another grant',
  );
  assert.deepEqual(
    await find([asked, opened, approved]),
    ['92 finding', '92 finding'],
    'approved without a review',
  );
  assert.deepEqual(
    await find([
      asked,
      opened,
      { ...reviewed, by: { kind: 'person', id: 'sam' as never } },
      data(approved, { people: ['sam'] }),
    ]),
    ['92 finding'],
    'by the owner of the agent',
  );
  assert.deepEqual(
    await find([asked, opened, reviewed, data(reviewed, {}), approved]),
    ['93 finding'],
    'twice by one',
  );
  assert.deepEqual(
    await find([asked, data(opened, { requirements: [{ quorum: 2 }] }), reviewed, approved]),
    ['93 finding'],
    'by too few',
  );
  assert.deepEqual(
    await find([asked, opened, data(reviewed, { digest: 'sha256:other' }), approved]),
    ['92 finding'],
    'another action was reviewed',
  );
  assert.deepEqual(await find([...held, started]), ['96 finding'], 'runs twice');
  assert.deepEqual(await find([...held.slice(0, 5), started]), ['95 finding'], 'runs twice at once');
  assert.deepEqual(await find([started]), ['90 finding'], 'nobody asked');
  assert.deepEqual(await find([asked, succeeded]), ['91 finding'], 'ends and never began');
  const [refused] = caseOf(902, at);
  assert.ok(refused);
  const deniedRun = { ...started, about: refused.about, subject: refused.subject };
  assert.deepEqual(await find([refused, deniedRun]), ['91 finding'], 'denied, and runs');
  assert.deepEqual(await find([asked, opened, reviewed, approved, started]), [], 'may still run');
  assert.deepEqual(
    await find([asked, opened, reviewed, approved, started, ...caseOf(903, 95)], 3_700_000),
    ['94 finding'],
    'has no end for more than an hour',
  );
  const unknown: EntryDraft = { ...succeeded, type: 'execution.unknown', data: {} };
  const settled: EntryDraft = { ...succeeded, type: 'execution.settled', data: { status: 'failed' } };
  assert.deepEqual(await find([...held.slice(0, 5), unknown, settled]), []);
  assert.deepEqual(await find([...held, settled]), ['96 finding'], 'its end was known');
});

test('large logs are verified in threads, with the same answer', async () => {
  const log = await makeLog(keys, draftsOf(keys, 4000), { every: 1000 });
  let last = 0;
  const done: number[] = [];
  const whole = await report(log, {
    progress: (at) => {
      assert.ok(at > last);
      last = at;
      done.push(at);
    },
  });
  assert.deepEqual(
    [told(whole.problems), whole.signatures.verified, last, done.length],
    [[], 4000, 4000, 16],
  );
  const row = log.rows[3333] ?? assert.fail();
  log.rows[3333] = { ...row, statement: `${row.statement} ` };
  assert.equal((await problemsOf(log, { signatures: 'none' }))[0], '3333 altered');
  const stopping = new AbortController();
  await assert.rejects(
    report(log, { signal: stopping.signal, progress: () => stopping.abort() }),
    (error: Error) => error.constructor.name === 'Stopped',
  );
});

test('a range is verified without the rest, up to the checkpoint', async () => {
  const log = await makeLog(keys, draftsOf(keys, 3000), { every: 1000 });
  const range = async (from: number, to: number, trust = trusting()): Promise<unknown> => {
    const answer = await verifyRange(storeSource(readsOf(log), 'memory'), { from, to }, { trust });
    return typeof answer === 'string' ? answer : [answer.from, answer.to, ...told(answer.problems)];
  };
  assert.deepEqual(await range(600, 700), [512, 767]);
  assert.deepEqual(await range(2990, 2999), [2816, 2999]);
  assert.deepEqual(await range(0, 2999), [0, 2999]);
  assert.match(String(await range(2990, 3000)), /covers those from 0 to 2999/);
  assert.deepEqual(await range(600, 700, { ...noTrust, log: [verifier(vkeyOfLog(newKeys()))] }), [
    512,
    767,
    '- checkpoint',
  ]);
  const row = log.rows[650] ?? assert.fail();
  log.rows[650] = { ...row, statement: resalted(row.statement) };
  assert.deepEqual(await range(0, 511), [0, 511], 'what is outside is not looked at');
  assert.equal(((await range(600, 700)) as readonly unknown[])[2], '650 altered');
  log.rows[650] = row;
  // Leaf and tile fit each other, and not the tree.
  rewrite(log, 650, resalted);
  const now = log.rows[650] ?? assert.fail();
  log.leaves[650] = {
    ...(log.leaves[650] ?? assert.fail()),
    pae: now.pae,
    signature: signPayload(now.statement, keys.receipt),
  };
  const [checkpoints, upper] = [[...log.checkpoints], log.tiles.get('1/0')];
  await publish(log, { every: 1000 });
  log.checkpoints.splice(0, Infinity, ...checkpoints);
  log.tiles.set('1/0', upper ?? assert.fail());
  assert.deepEqual(await range(600, 700), [512, 767, '512 tile']);
});
