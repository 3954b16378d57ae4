/** A copy of the log in a folder: verifies, grows, loses what was erased, and is never mixed with another log. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { aboutNothing, type EntryDraft } from '../../src/core/entry.ts';
import { copyLog, CopyFailed, type Copied } from '../../src/log/copy.ts';
import { folderSource } from '../../src/log/verify/folder.ts';
import { noTrust } from '../../src/log/verify/keys.ts';
import { storeSource } from '../../src/log/verify/store-source.ts';
import { verifyWhole, type WholeReport } from '../../src/log/verify/whole.ts';
import { draftsOf, makeLog, newKeys, newWitness, readsOf, type MadeLog } from './support/made-log.ts';

const keys = newKeys();
const scratch = mkdtempSync(join(tmpdir(), 'countersign-copy-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
let folders = 0;
const newFolder = (): string => join(scratch, `log-${(folders += 1)}`);

const copy = (log: MadeLog, folder: string): Promise<Copied> =>
  copyLog(storeSource(readsOf(log), 'memory'), folder);
async function verify(folder: string): Promise<WholeReport> {
  const report = await verifyWhole(folderSource(folder, 'copy'), {
    trust: noTrust,
    held: [],
    signatures: 'all',
  });
  return typeof report === 'string' ? assert.fail(report) : report;
}
const filesOf = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name).slice(folder.length + 1))
    .toSorted();

/** The same history, up to a size. */
async function historyOf(
  sizes: readonly number[],
  drafts = draftsOf(keys, Math.max(...sizes)),
): Promise<readonly MadeLog[]> {
  const logs: MadeLog[] = [];
  for (const size of sizes)
    logs.push(await makeLog(keys, drafts.slice(0, size), { leaves: logs.at(-1)?.leaves ?? [] }));
  return logs;
}

test('a copy of a log of any size verifies, and is for its owner only', async () => {
  for (const size of [3, 255, 256, 257, 700]) {
    const folder = newFolder();
    const log = await makeLog(keys, draftsOf(keys, size), { witnesses: [newWitness('w.test')] });
    assert.deepEqual(await copy(log, folder), { origin: 'gate.test', size, before: 0, blanked: 0 });
    const report = await verify(folder);
    assert.deepEqual([report.problems, report.warnings, report.size], [[], [], size]);
    assert.equal(report.root, log.checkpoints.at(-1)?.root);
    assert.equal(statSync(folder).mode & 0o077, 0);
    assert.equal(statSync(join(folder, 'entries/000000.jsonl')).mode & 0o077, 0);
  }
});

test('run again it adds what is new, and is the same as one that was made at once', async () => {
  const sizes = [5, 200, 256, 300, 300, 511, 513, 900];
  const folder = newFolder();
  let before = 0;
  for (const log of await historyOf(sizes)) {
    assert.deepEqual(await copy(log, folder), {
      origin: 'gate.test',
      size: log.rows.length,
      before,
      blanked: 0,
    });
    before = log.rows.length;
    assert.deepEqual((await verify(folder)).problems, []);
    assert.deepEqual((await verify(folder)).warnings, [], 'nothing of before is left over');
    const fresh = newFolder();
    await copy(log, fresh);
    assert.deepEqual(filesOf(folder), filesOf(fresh));
    for (const name of filesOf(fresh))
      assert.deepEqual(readFileSync(join(folder, name)), readFileSync(join(fresh, name)), name);
  }
});

test('what was erased since is gone from the copy too', async () => {
  const erasing: EntryDraft = {
    type: 'payloads.erased',
    by: { kind: 'gate' },
    about: aboutNothing,
    subject: null,
    data: {
      scope: 'before',
      count: 4,
      indexes: [
        [20, 22],
        [300, 300],
      ],
      reason: 'r',
      basis: null,
    },
  };
  const drafts = [...draftsOf(keys, 600), erasing, ...draftsOf(keys, 12).slice(0, 1)];
  const [before, now] = await historyOf([600, 602], drafts);
  assert.ok(before !== undefined && now !== undefined);
  const folder = newFolder();
  await copy(before, folder);
  const text = (): string => readFileSync(join(folder, 'entries/000000.jsonl'), 'utf8');
  const salt = /"salt":"([0-9a-f]{64})"/.exec(before.rows[21]?.statement ?? '')?.[1] ?? assert.fail();
  assert.ok(text().includes(salt));
  for (const index of [20, 21, 22, 300])
    now.rows[index] = { ...(now.rows[index] ?? assert.fail()), statement: '' };
  assert.equal((await copy(now, folder)).blanked, 2);
  assert.ok(!text().includes(salt), 'not even its salt is left');
  const report = await verify(folder);
  assert.deepEqual([report.problems, report.erased], [[], 4]);
});

test('a copy that was interrupted says so, and is finished by the next run', async () => {
  const [log] = await historyOf([900]);
  assert.ok(log !== undefined);
  const folder = newFolder();
  const ends = new AbortController();
  await assert.rejects(
    copyLog(storeSource(readsOf(log), 'memory'), folder, {
      signal: ends.signal,
      progress: () => ends.abort(),
    }),
    CopyFailed,
  );
  const begun = await verifyWhole(folderSource(folder, 'copy'), {
    trust: noTrust,
    held: [],
    signatures: 'all',
  });
  assert.match(typeof begun === 'string' ? begun : '', /no copy of a log/);
  await copy(log, folder);
  assert.deepEqual((await verify(folder)).problems, []);

  // Later, while it grows.
  const [, more] = await historyOf([900, 1300]);
  const grown = newFolder();
  const [small] = await historyOf([700]);
  assert.ok(more !== undefined && small !== undefined);
  await copy(small, grown);
  writeFileSync(join(grown, 'UNFINISHED'), '');
  assert.match((await verify(grown)).problems[0]?.text ?? '', /not finished: run the command/);
});

test('a folder of another log, or of something else, is left alone', async () => {
  const [log] = await historyOf([300]);
  assert.ok(log !== undefined);
  const folder = newFolder();
  await copy(log, folder);
  const files = filesOf(folder).map((name) => readFileSync(join(folder, name), 'hex'));
  const other = await makeLog(keys, draftsOf(keys, 400), { salt: () => 'a'.repeat(64) });
  await assert.rejects(copy(other, folder), /no beginning of this one/);
  const [shorter] = await historyOf([200]);
  assert.ok(shorter !== undefined);
  await assert.rejects(copy(shorter, folder), /no beginning of this one/);
  assert.deepEqual(
    filesOf(folder).map((name) => readFileSync(join(folder, name), 'hex')),
    files,
  );
  const mine = newFolder();
  await copy(log, mine);
  rmSync(join(mine, 'manifest.json'));
  await assert.rejects(copy(log, mine), /holds something else/);
  log.rows.splice(100, 1);
  await assert.rejects(copy(log, newFolder()), /missing in the store: verify it first/);
});

test('files that do not belong are named, and make the log no less whole', async () => {
  const [log] = await historyOf([300]);
  assert.ok(log !== undefined);
  const folder = newFolder();
  await copy(log, folder);
  writeFileSync(join(folder, 'entries', 'extra.jsonl'), '{}');
  const report = await verify(folder);
  assert.deepEqual(report.problems, []);
  assert.match(report.warnings.join(), /1 file is no part of the log.*entries\/extra\.jsonl/);
});

test('a file that is gone, cut, or longer is named', async () => {
  const [log] = await historyOf([700]);
  assert.ok(log !== undefined);
  const folder = newFolder();
  await copy(log, folder);
  const first = async (): Promise<string> => {
    const [problem] = (await verify(folder)).problems;
    return `${problem?.index ?? '-'} ${problem?.code ?? ''}`;
  };
  const cases: readonly (readonly [
    name: string,
    change: (bytes: Buffer) => Buffer | undefined,
    told: string,
  ])[] = [
    ['entries/000001.jsonl', () => undefined, '256 missing'],
    ['entries/000001.jsonl', (bytes) => bytes.subarray(0, -1), '- unreadable'],
    ['entries/000001.jsonl', (bytes) => Buffer.concat([bytes, Buffer.from('{}\n')]), '512 misplaced'],
    ['entries/000001.jsonl', (bytes) => bytes.subarray(bytes.indexOf(10) + 1), '256 unreadable'],
    ['tile/entries/001', () => undefined, '256 leaf'],
    ['tile/entries/001', (bytes) => bytes.subarray(0, -1), '256 leaf'],
    ['tile/0/001', () => undefined, '256 tile'],
    ['tile/0/001', (bytes) => Buffer.concat([bytes, bytes]), '256 tile'],
    ['tile/1/000.p/2', () => undefined, '0 tile'],
    ['keys.json', () => undefined, '0 key'],
    ['manifest.json', () => undefined, '- file'],
    ['checkpoints.jsonl', (bytes) => bytes.subarray(0, -40), '- file'],
  ];
  for (const [name, change, told] of cases) {
    const path = join(folder, name);
    const whole = readFileSync(path);
    const changed = change(whole);
    if (changed === undefined) rmSync(path);
    else writeFileSync(path, changed);
    assert.equal(await first(), told, name);
    writeFileSync(path, whole);
  }
  assert.ok(existsSync(join(folder, 'README.txt')));
  assert.deepEqual((await verify(folder)).problems, []);
});
