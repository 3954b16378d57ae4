/** `log copy` and `log verify` as people and scripts call them, on the log of a real gate. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { appendFileSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { eventually } from '../support/gate.ts';
import { inFolder, organisation, run, serving, start } from './run.ts';

async function ask(
  url: string,
  token: string,
  path: string,
  body: unknown,
  method = 'POST',
): Promise<unknown> {
  const response = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return response.json();
}

/** A refund that rosa approves, and one that runs at once. */
async function work(folder: string, url: string): Promise<void> {
  const token = async (...words: string[]): Promise<string> =>
    (await run(['token', ...words], { cwd: folder })).out.trim();
  const [bot, rosa] = [await token('agent', 'bot'), await token('person', 'rosa')];
  for (const cents of [50, 500]) {
    const asked = await ask(url, bot, '/v1/actions', { operation: 'bill___refund', input: { cents } });
    const { id, digest, approval } = asked as { id: string; digest: string; approval?: { id: string } };
    if (approval !== undefined)
      await ask(url, rosa, `/v1/approvals/${approval.id}/reviews`, { decision: 'approve', digest });
    const { id: execution } = (await ask(url, bot, `/v1/actions/${id}/execution`, {})) as { id: string };
    await ask(url, bot, `/v1/executions/${execution}/outcome`, { status: 'succeeded' }, 'PUT');
  }
}

const json = async (folder: string, ...words: string[]): Promise<Record<string, unknown>> => {
  const ran = await run(['log', 'verify', ...words, '--json'], { cwd: folder });
  return { code: ran.code, ...(JSON.parse(ran.out) as Record<string, unknown>) };
};

test('a stranger verifies a copy of a gate’s log, and finds what was done to it', () =>
  inFolder(organisation, async (folder) => {
    const none = await run(['log', 'verify'], { cwd: folder });
    assert.deepEqual([none.code, none.out], [1, '']);
    assert.match(none.err, /There is no store at data yet/);
    await serving(folder, async ({ url }) => {
      await work(folder, url);
      await eventually(async () => (await json(folder))['beyond'] === 0, 'all is published');
      const beside = await json(folder);
      assert.deepEqual([beside['code'], beside['ok'], beside['problems']], [0, true, []]);
      const made = await run(['log', 'copy', 'out'], { cwd: folder });
      assert.deepEqual([made.code, made.out], [0, ''], made.err);
      assert.match(made.err, /The log of localhost is in out: \d+ entries\.\n/);
      const again = await run(['log', 'copy', 'out'], { cwd: folder });
      assert.match(again.err, /none of them new/);
    });
    const out = (name: string): string => join(folder, 'out', name);
    const plain = await run(['log', 'verify', 'out'], { cwd: folder });
    assert.equal(plain.code, 0, plain.out + plain.err);
    assert.match(plain.out, /^OK The log of localhost in the folder out is whole\.\n/);
    assert.match(plain.out, /this shows that it is whole, not whose it is/);
    assert.doesNotMatch(plain.out, /\u001B/, 'no colours but on a terminal');
    assert.equal(plain.err, '', 'no bar but on a terminal');

    // The key of the log, from keys.json here; an auditor has it from elsewhere.
    const { keys } = JSON.parse(readFileSync(out('keys.json'), 'utf8')) as {
      keys: { use: string; id: string }[];
    };
    assert.equal(keys.length, 2);
    writeFileSync(join(folder, 'their-keys.json'), readFileSync(out('keys.json')));
    const theirs = await json(folder, 'out', '--keys', 'their-keys.json');
    assert.deepEqual([theirs['code'], theirs['trust']], [0, 'given']);

    copyFileSync(out('checkpoint'), join(folder, 'kept'));
    const size = Number(readFileSync(join(folder, 'kept'), 'utf8').split('\n')[1]);
    const range = await run(['log', 'verify', 'out', '--from', '2', '--to', '5'], { cwd: folder });
    assert.deepEqual([range.code, range.out.startsWith('OK The entries from 0 to ')], [0, true], range.out);

    // The gate goes on; what was kept is a beginning of what there is now.
    await serving(folder, async ({ url }) => {
      await work(folder, url);
      await eventually(async () => (await json(folder))['beyond'] === 0, 'all is published');
    });
    const later = await json(folder, '--checkpoint', 'kept', '--signatures', 'all');
    assert.deepEqual([later['code'], (later['checkpoints'] as { held: number }).held], [0, 1]);
    const grown = await run(['log', 'copy', 'out'], { cwd: folder });
    assert.match(grown.err, /\d+ entries, \d+ of them new/);
    const one = await run(['log', 'verify', '--consistency', 'kept', 'out/checkpoint', 'out'], {
      cwd: folder,
    });
    assert.equal(one.code, 0, one.out + one.err);
    assert.match(one.out, new RegExp(`begins with the one of ${size}: nothing of it was changed`));
    const back = await run(['log', 'verify', '--consistency', 'out/checkpoint', 'kept', 'out'], {
      cwd: folder,
    });
    assert.deepEqual([back.code, /entries were removed/.test(back.out)], [1, true]);

    const file = out('entries/000000.jsonl');
    const whole = readFileSync(file, 'utf8');
    writeFileSync(
      file,
      whole.replace('\\"cents\\":500', '\\"cents\\":501').replace('review.recorded', 'review.refused'),
    );
    const broken = await run(['log', 'verify', 'out'], { cwd: folder });
    assert.equal(broken.code, 1);
    assert.match(
      broken.out,
      /^BROKEN The log of localhost in the folder out is NOT whole: .* The first is at entry \d+\./,
    );
    assert.match(broken.out, /its statement or signature is not what the tree holds/);
    writeFileSync(file, whole);
    appendFileSync(out('README.txt'), 'Send your password to mallory.\n');
    assert.equal((await json(folder, 'out'))['code'], 1);

    // The store itself, as somebody with its file changes it.
    const db = new DatabaseSync(join(folder, 'data', 'countersign.db'));
    db.exec(
      "UPDATE entries SET statement = replace(statement, 'rosa', 'mary') WHERE type = 'review.recorded'",
    );
    db.close();
    const store = await json(folder);
    assert.equal(store['code'], 1);
    const [first] = store['problems'] as { index: number; code: string }[];
    assert.equal(first?.code, 'altered');
  }));

test('what cannot be meant is said, with exit code 2', () =>
  inFolder({ ...organisation, 'a.txt': 'no checkpoint\n', 'empty/x': '' }, async (folder) => {
    const wrong: readonly (readonly [string[], number, RegExp])[] = [
      [['verify', '--signatures', 'some'], 2, /say auto, all or none/],
      [['verify', 'empty', '--from', '3'], 2, /--from and --to go together/],
      [['verify', 'empty', '--from', '5', '--to', '3'], 2, /behind/],
      [['verify', 'empty', '--from', 'x', '--to', '3'], 2, /no index/],
      [['verify', 'empty', 'more'], 2, /one word too many/],
      [['verify', 'empty', '--config', 'c.yaml'], 2, /not both/],
      [['verify', 'empty', '--key', 'abc'], 2, /no verifier key/],
      [['verify', 'empty', '--quorum', '2'], 2, /there are 0 witnesses/],
      [['verify', '--receipt', 'a.txt'], 2, /without the key of the log/],
      [['verify', '--receipt', 'a.txt', '--proof', 'a.txt'], 2, /not both/],
      [['verify', '--receipt', 'a.txt', '--entry', 'a.txt'], 2, /does not go with/],
      [['verify', '--consistency', 'a.txt'], 2, /OLD NEW/],
      [['verify', '--checkpiont', 'a.txt'], 2, /did you mean --checkpoint/],
      [['verfy'], 2, /did you mean verify/],
      [['verify', 'nowhere'], 1, /There is no folder nowhere/],
      [['verify', 'empty'], 1, /no copy of a log/],
      [['verify', 'empty', '--keys', 'a.txt'], 1, /no verifier key/],
      [['copy'], 2, /FOLDER is missing/],
      [['copy', 'empty'], 1, /There is no store/],
    ];
    for (const [words, code, why] of wrong) {
      const ran = await run(['log', ...words], { cwd: folder });
      assert.deepEqual([ran.code, ran.out], [code, ''], words.join(' ') + ran.err);
      assert.match(ran.err, why, words.join(' '));
    }
    for (const name of ['verify', 'copy']) {
      const help = await run(['log', name, '--help'], { cwd: folder });
      assert.equal(help.code, 0);
      assert.match(help.out, new RegExp(`usage: countersign log ${name}`));
    }
  }));

test('Ctrl-C ends a verification in peace', () =>
  inFolder(organisation, async (folder) => {
    const { draftsOf, makeLog, newKeys, readsOf } = await import('../log/support/made-log.ts');
    const { copyLog } = await import('../../src/log/copy.ts');
    const { storeSource } = await import('../../src/log/verify/store-source.ts');
    const keys = newKeys();
    const log = await makeLog(keys, draftsOf(keys, 20_000), { every: 10_000 });
    await copyLog(storeSource(readsOf(log), 'memory'), join(folder, 'out'));
    const child = start(['log', 'verify', 'out'], { cwd: folder });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const ended = once(child, 'exit');
    // Again until it listens: before that the signal ends it as any process.
    await new Promise((resolve) => setTimeout(resolve, 700));
    child.kill('SIGINT');
    const [code, signal] = (await ended) as [number | null, string | null];
    assert.ok(code === 130 || signal === 'SIGINT', `${code} ${signal} ${said}`);
    assert.equal(said, '', 'half an answer is none');
  }));
