/**
 * Whoever verifies is attacked by what they are given: a folder whose files never end, a proof that the log's key alone could have
 * made up, an erased payload that is the excuse for everything after it. And whoever holds the database makes the gate hand out
 * what nobody can verify.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { aboutNothing, type EntryDraft } from '../../src/core/entry.ts';
import { asActionId, asSha256Hex } from '../../src/core/ids.ts';
import { sha256Hex } from '../../src/core/sha256.ts';
import { checkpointText } from '../../src/log/checkpoint.ts';
import { copyLog } from '../../src/log/copy.ts';
import { leafBody, receiptKeyId, signPayload, spkiOf } from '../../src/log/leaf.ts';
import { hashLeaf, inclusionProof, rootOf, type Hash } from '../../src/log/merkle.ts';
import { noteWith, signLine, verifierOf } from '../../src/log/note.ts';
import { receiptOf } from '../../src/log/receipt.ts';
import { askStamp } from '../../src/log/stamp.ts';
import { nodesOf } from '../../src/log/tiles.ts';
import { writeTlogProof } from '../../src/log/tlog-proof.ts';
import { folderSource } from '../../src/log/verify/folder.ts';
import { noTrust, type Trust } from '../../src/log/verify/keys.ts';
import { verifyTlogProof } from '../../src/log/verify/receipt.ts';
import { storeSource } from '../../src/log/verify/store-source.ts';
import { verifyWhole, type WholeReport } from '../../src/log/verify/whole.ts';
import {
  draftsOf,
  makeLog,
  newKeys,
  origin,
  readsOf,
  vkeyOfLog,
  type MadeLog,
} from '../log/support/made-log.ts';
import { note, value } from '../store/bench.ts';
import { allPublished, publishing } from '../log/support/publishing.ts';

const scratch = mkdtempSync(join(tmpdir(), 'countersign-verifier-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const keys = newKeys();
const sourceOf = (log: MadeLog) => storeSource(readsOf(log), 'memory');

for (const [name, plant] of [
  ['a pipe', (path: string) => void execFileSync('mkfifo', [path])],
  ['a link to what never ends', (path: string) => symlinkSync('/dev/zero', path)],
] as const)
  test(`a file of the folder is ${name}: verifying ends`, { timeout: 30_000 }, async () => {
    const folder = join(scratch, name.replaceAll(' ', '-'));
    await copyLog(sourceOf(await makeLog(keys, draftsOf(keys, 300))), folder);
    const path = join(folder, 'entries/000001.jsonl');
    rmSync(path);
    plant(path);
    const told = await verifyWhole(folderSource(folder, 'copy'), {
      trust: noTrust,
      held: [],
      signatures: 'none',
    }).catch((error: unknown) => String(error));
    const problems = typeof told === 'string' ? [told] : told.problems.map((one) => one.text);
    assert.match(problems.join(), /entries\/000001|Entry 256 is missing/);
  });

test('a copy is not written through what somebody laid into its folder', async () => {
  const folder = join(scratch, 'planted');
  const log = await makeLog(keys, draftsOf(keys, 20));
  await copyLog(sourceOf(log), folder);
  const outside = join(scratch, 'outside');
  writeFileSync(outside, 'mine');
  symlinkSync(outside, join(folder, 'keys.json.new'));
  await copyLog(sourceOf(log), folder);
  assert.equal(readFileSync(outside, 'utf8'), 'mine');
});

test('a manifest of a size that no log has: copying into that folder ends', { timeout: 20_000 }, async () => {
  for (const size of [-1, 0.5, 1e300]) {
    const folder = mkdtempSync(join(scratch, 'size-'));
    writeFileSync(
      join(folder, 'manifest.json'),
      `{"files":{},"origin":"gate.test","root":"","size":${JSON.stringify(size)},"v":1}\n`,
    );
    await assert.rejects(
      copyLog(sourceOf(await makeLog(keys, draftsOf(keys, 5))), folder),
      /damaged|no beginning/,
      String(size),
    );
  }
});

/** A tree of leaves of whoever holds the log key, and the proof of one. */
async function proofOf(leaves: readonly Uint8Array[], index: number): Promise<string> {
  const hashes: Hash[] = leaves.map(hashLeaf);
  const text = checkpointText({ origin, size: leaves.length, root: rootOf(hashes) });
  const tile = Buffer.concat(hashes);
  return writeTlogProof({
    index,
    extra: leaves[index] ?? null,
    hashes: await inclusionProof(
      index,
      leaves.length,
      nodesOf(() => tile),
    ),
    checkpoint: noteWith(text, [signLine(text, origin, keys.log)]),
  });
}

test('a tlog-proof under the log key alone: leaves of no form, of another receipt key, or without its signature', async () => {
  const log = await makeLog(keys, draftsOf(keys, 8));
  const receipt = spkiOf(keys.receipt);
  const trust: Trust = {
    ...noTrust,
    log: [verifierOf(vkeyOfLog(keys)) ?? assert.fail()],
    receipt: new Set([receiptKeyId(receipt)]),
  };
  const row = log.rows[4] ?? assert.fail();
  const { statement, pae } = row;
  const entry = Buffer.from(statement);
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const good = leafBody({ pae, signature: signPayload(statement, keys.receipt), spki: receipt });
  const check = async (leaf: Uint8Array, given: Uint8Array | null): Promise<unknown> =>
    verifyTlogProof(await proofOf([good, good, good, good, leaf], 4), trust, given);
  for (const given of [entry, good, null]) assert.equal(typeof (await check(good, given)), 'object');
  const theirs = leafBody({ pae, signature: signPayload(statement, stranger), spki: spkiOf(stranger) });
  const unsigned = leafBody({ pae, signature: signPayload(statement, stranger), spki: receipt });
  const noForm = Buffer.from(`${Buffer.from(good).toString('latin1')} `);
  for (const given of [entry, null]) assert.match(String(await check(theirs, given)), /not among those/);
  assert.match(String(await check(unsigned, entry)), /signature/);
  for (const given of [entry, null]) assert.match(String(await check(noForm, given)), /leaf/);
});

/** What an attacker with the database adds: a run that nobody was asked for. */
const forgedRun = (grant?: number): EntryDraft => ({
  type: 'execution.started',
  by: { kind: 'gate' },
  about: { action: asActionId(`act_${'9'.repeat(26)}`), approval: null, execution: null },
  subject: asSha256Hex(sha256Hex('theirs')),
  data: { digest: `sha256:${sha256Hex('theirs')}`, ...(grant === undefined ? {} : { grant }) },
});

test('an erased payload is no excuse for a run that nothing permits', async () => {
  const drafts = draftsOf(keys, 40);
  const erasing: EntryDraft = {
    type: 'payloads.erased',
    by: { kind: 'person', id: 'oz' as never },
    about: aboutNothing,
    subject: null,
    data: { scope: { kind: 'entries' }, count: 1, indexes: [[5, 5]], reason: 'x', basis: null },
  };
  const report = async (forged: EntryDraft): Promise<WholeReport> => {
    const log = await makeLog(keys, [...drafts, erasing, forged]);
    const row = log.rows[5] ?? assert.fail();
    log.rows[5] = { ...row, statement: '' };
    const told = await verifyWhole(sourceOf(log), { trust: noTrust, held: [], signatures: 'all' });
    return typeof told === 'string' ? assert.fail(told) : told;
  };
  // Its grant may have stood in what is gone: nothing can be said of it.
  assert.equal((await report(forgedRun(5))).lives.unseen > 0, true);
  const named = await report(forgedRun(8));
  assert.ok(
    named.problems.some(
      (one) => one.index === 41 && /nothing in the log below it permits that/.test(one.text),
    ),
    JSON.stringify(named.problems),
  );
});

test('a checkpoint whose signature was altered in the store is in no receipt that is handed out', async () => {
  const made = await publishing();
  const store = await made.open({});
  try {
    const publisher = await made.publish(store);
    value(await store.change(note(1)));
    await allPublished(store, publisher);
    await publisher.stop();
    const receipt = () =>
      receiptOf({ store, nodeAt: nodesOf((level, n) => store.tile(level, n)), quorum: 0 }, 1);
    assert.ok((await receipt()).ok);
    for (const { origin: name, size, note: text } of await store.checkpoints(100)) {
      const at = text.indexOf('\u2014');
      const [line = ''] = text.slice(at).split('\n');
      const [dash, who, signature = ''] = line.split(' ');
      const bytes = Buffer.from(signature, 'base64');
      bytes[20] = (bytes[20] ?? 0) ^ 1;
      await made.raw('UPDATE checkpoints SET note = $3 WHERE origin = $1 AND size = $2', [
        name,
        size,
        `${text.slice(0, at)}${dash} ${who} ${bytes.toString('base64')}\n`,
      ]);
    }
    const none = await receipt();
    assert.ok(!none.ok && none.error.kind === 'fault', 'handed out');
  } finally {
    await store.close();
    await made.remove();
  }
});

test('an authority that answers without end is cut off', { timeout: 15_000 }, async () => {
  let sent = 0;
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/timestamp-reply' });
    const more = (): void => {
      while (!response.destroyed && sent < 256 * 1_048_576) {
        sent += 65_536;
        if (!response.write(Buffer.alloc(65_536))) return void response.once('drain', more);
      }
      response.end();
    };
    more();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : assert.fail();
  try {
    const answer = await askStamp(`http://127.0.0.1:${port}/`, 'gate.test\n1\nAA==\n\n');
    assert.ok(!answer.ok);
    assert.ok(sent < 32 * 1_048_576, `${sent} bytes were taken`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
