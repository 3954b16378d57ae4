/** `evidence`, as a process of its own: beside a running gate and against its store, and asking a gate from elsewhere. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { unzipSync, zipSync } from 'fflate';
import { sha256Hex } from '../../src/core/sha256.ts';
import { pdfText, readSheet } from '../evidence/support/tools.ts';
import { inFolder, organisation, run, serving, type Ran } from './run.ts';

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const period = ['--from', day(Date.now() - 86_400_000), '--to', day(Date.now() + 2 * 86_400_000)];

/** Each asks and is over; the last of them is the newest entry of the log when this returns. */
async function refunds(url: string, agent: string, cents: readonly number[]): Promise<void> {
  for (const one of cents) {
    const asked = await fetch(`${url}/v1/actions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${agent}`, 'content-type': 'application/json' },
      body: JSON.stringify({ operation: 'bill___refund', input: { cents: one } }),
    });
    assert.ok(asked.status < 300);
  }
}

const manifestIn = (path: string) => JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8'));
const manifestOf = (zip: string) =>
  JSON.parse(new TextDecoder().decode(unzipSync(readFileSync(zip))['manifest.json']));
/** The words of a command that a document names, as a shell without quotes would split them. */
const wordsOf = (command: string): readonly string[] => {
  assert.match(command, /^countersign [\w.,: -]+(?: --url \S+)?$/);
  return command.split(' ').slice(1);
};
const failsWith = (ran: Ran, code: number, says: RegExp): void => {
  assert.equal(ran.code, code, ran.err);
  assert.match(ran.err, says);
};

test('evidence: a folder or a zip beside a running gate, samples, the same again, and what is not understood', () =>
  inFolder(organisation, async (folder) => {
    const at = { cwd: folder };
    failsWith(await run(['evidence', ...period], at), 1, /There is no store at data yet/);
    for (const [words, says] of [
      [['--by', 'sam'], /“from” is missing/],
      [[...period, '--out', 'a', '--zip', 'b'], /Say --out or --zip, not both/],
      [[...period, '--samples', '1', '--number', '7'], /not both/],
      [[...period, '--sample-count', '5'], /the auditor’s number/],
      [[...period, '--by', ' '], /--by is a name/],
      [[...period, '--by', 'sam', '--url', 'http://localhost:1'], /your token says who you are/],
      [[...period, '--config', 'countersign.yaml', '--url', 'http://localhost:1'], /not both/],
    ] as const)
      failsWith(await run(['evidence', ...words], at), 2, says);
    const agent = (await run(['token', 'agent', 'bot'], at)).out.trim();
    await serving(folder, async ({ url }) => {
      await refunds(url, agent, [50, 60]);
      const made = await run(['evidence', ...period, '--samples', '1', '--out', 'package'], at);
      assert.equal(made.code, 0, made.err);
      assert.equal(made.out.trim(), 'package');
      assert.match(made.err, /2 actions, entries \d+ to \d+ of the log/);
      const path = join(folder, 'package');
      const manifest = manifestIn(path);
      for (const one of manifest.files)
        assert.equal(sha256Hex(readFileSync(join(path, one.name))), one.sha256, one.name);
      assert.equal(readSheet(readFileSync(join(path, 'Population.xlsx')), 'Population').rows.length, 3);
      assert.equal(statSync(join(path, '00-Report.pdf')).mode & 0o777, 0o600);
      assert.ok(
        !readdirSync(folder).some((name) => name.startsWith('package.')),
        'nothing half made is left',
      );
      // Made right after the last entry: it waited until that was in the tree.
      assert.equal(manifest.log.tier, 'tamper-detecting');
      assert.ok(manifest.log.end.size > manifest.log.to);
      assert.doesNotMatch(made.err, /No checkpoint covers/);
      assert.deepEqual(manifest.madeBy, { kind: 'operator', stated: null });
      assert.match(
        pdfText(readFileSync(join(path, '00-Report.pdf'))),
        /by an operator at the gate’s machine/,
      );

      // The lines of VERIFY.txt, as they stand there.
      const verify = readFileSync(join(path, 'VERIFY.txt'), 'utf8');
      const lines = [...verify.matchAll(/^ {2}countersign (log verify .+)$/gm)].map(
        (match) => match[1] ?? '',
      );
      assert.ok(
        lines.some((line) => line.includes('--receipt')),
        verify,
      );
      for (const line of lines) {
        const checked = await run(line.split(' '), { cwd: path });
        assert.equal(checked.code, 0, `${line}\n${checked.err}${checked.out}`);
      }

      failsWith(await run(['evidence', ...period, '--out', 'package'], at), 1, /exists already/);

      // The command that report, workbook and package name runs as it stands, and makes the same.
      const { command } = manifest.query;
      assert.ok(readFileSync(join(path, 'README.txt'), 'utf8').includes(`\n  ${command}\n`));
      assert.ok(pdfText(readFileSync(join(path, '00-Report.pdf'))).includes('--as-of'));
      const about = readSheet(readFileSync(join(path, 'Population.xlsx')), 'About').rows;
      assert.ok(about.some((row) => [...row.values()].some((cell) => cell.value === command)));
      const again = await run(wordsOf(command), at);
      assert.equal(again.code, 0, again.err);
      const second = manifestIn(join(folder, again.out.trim()));
      assert.deepEqual(
        [second.rows, second.query, second.log],
        [manifest.rows, manifest.query, manifest.log],
      );
    });
  }));

test('evidence at the machine: by an operator in the log; a name is what was stated, and no person', () =>
  inFolder(organisation, async (folder) => {
    const at = { cwd: folder };
    // At rest: what was recorded is in the tree, and nothing is added to the log but that it was made.
    await serving(folder, () => Promise.resolve());
    const log = async () => (await run(['log', 'export', '--format', 'jsonl'], at)).out.trim().split('\n');
    await log();
    const before = await log();
    const rest = await run(['evidence', ...period, '--by', 'rosa', '--zip', 'e.zip'], at);
    assert.equal(rest.code, 0, rest.err);
    const types = (await log()).slice(before.length).map((line) => JSON.parse(line).type);
    assert.deepEqual(types, ['log.exported', 'evidence.made']);
    // The export before it is in no tree: no gate runs. It waited, went on, and says so.
    assert.equal(manifestOf(join(folder, 'e.zip')).log.tier, 'unpublished');
    assert.match(rest.err, /No checkpoint covers the last entries yet/);
    assert.deepEqual(manifestOf(join(folder, 'e.zip')).madeBy, { kind: 'operator', stated: 'rosa' });
    const report = unzipSync(readFileSync(join(folder, 'e.zip')))['00-Report.pdf'];
    assert.ok(report !== undefined);
    assert.match(
      pdfText(report),
      /an operator at the gate’s machine, by the name of “rosa” \(stated, not checked\)/,
    );
    const exported = await run(['log', 'export', '--format', 'jsonl', '--type', 'evidence.made'], at);
    const [entry, ...more] = exported.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.equal(more.length, 0);
    assert.deepEqual([entry.by.kind, entry.by.id], ['operator', null]);
    assert.equal(entry.data.stated, 'rosa (stated, not checked)');
    assert.match(entry.sentence, /^An operator at .+, by the name of rosa \(stated, not checked\), made/);
    const named = await run(
      ['log', 'export', '--format', 'jsonl', '--type', 'evidence.made', '--person', 'rosa'],
      at,
    );
    assert.equal(named.out.trim(), '', 'no entry names the person rosa');
  }));

test('evidence --url: an auditor elsewhere, with a token, gets what the gate makes; the same again runs there too', () =>
  inFolder(organisation, async (folder) => {
    const at = { cwd: folder };
    const token = async (kind: string, id: string) => (await run(['token', kind, id], at)).out.trim();
    const [agent, sam, rosa] = [
      await token('agent', 'bot'),
      await token('person', 'sam'),
      await token('person', 'rosa'),
    ];
    await serving(folder, async ({ url }) => {
      await refunds(url, agent, [50, 60, 70]);
      // Another machine: no configuration, no store.
      const elsewhere = join(folder, 'elsewhere');
      mkdirSync(elsewhere);
      const away = (auth: string) => ({ cwd: elsewhere, env: { COUNTERSIGN_TOKEN: auth } });
      const words = ['evidence', ...period, '--url', url];
      failsWith(await run(words, { cwd: elsewhere }), 1, /COUNTERSIGN_TOKEN is not set/);
      failsWith(await run(words, away(rosa)), 1, /Only auditors and operators.*\(not_permitted\)/);
      failsWith(await run([...words, '--samples', '0'], away(sam)), 1, /\(input_invalid\)/);
      assert.deepEqual(readdirSync(elsewhere), []);
      const made = await run([...words, '--samples', '2,3'], away(sam));
      assert.equal(made.code, 0, made.err);
      const path = join(elsewhere, made.out.trim());
      const manifest = manifestIn(path);
      assert.deepEqual([manifest.rows, manifest.madeBy], [3, { kind: 'person', id: 'sam', name: 'Sam Lee' }]);
      assert.equal(manifest.log.tier, 'tamper-detecting');
      assert.match(made.err, /3 actions, entries \d+ to \d+ of the log, \d+ exceptions?\./);
      for (const one of manifest.files)
        assert.equal(sha256Hex(readFileSync(join(path, one.name))), one.sha256, one.name);
      // The other command of README.txt: the same, from elsewhere.
      const command = readFileSync(join(path, 'README.txt'), 'utf8')
        .split('\n')
        .find((line) => line.includes(' --url '));
      const again = await run([...wordsOf((command ?? '').trim()), '--zip', 'again.zip'], away(sam));
      assert.equal(again.code, 0, again.err);
      const second = manifestOf(join(elsewhere, 'again.zip'));
      assert.deepEqual([second.rows, second.query, second.log], [3, manifest.query, manifest.log]);
      // At the machine the same comes out, but for who made it when.
      const local = await run([...wordsOf(manifest.query.command), '--out', 'local'], at);
      assert.equal(local.code, 0, local.err);
      const said = (from: string) => {
        const { madeAtMs, madeBy, gate, ...rest } = JSON.parse(
          readFileSync(join(from, 'evidence.json'), 'utf8'),
        );
        assert.ok(madeAtMs > 0 && gate !== '' && madeBy.kind !== undefined);
        return rest;
      };
      assert.deepEqual(said(join(folder, 'local')), said(path));
    });
  }));

/** Something that answers like a gate, with this. */
async function imposter(t: TestContext, answer: Uint8Array): Promise<string> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/zip' }).end(answer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return `http://127.0.0.1:${address.port}`;
}

test('evidence --url: what is no package, is not what its manifest says, or leads out of its folder is not written', (t) =>
  inFolder({}, async (folder) => {
    const bytes = (text: string) => new TextEncoder().encode(text);
    const manifest = (files: readonly object[]) => bytes(JSON.stringify({ v: 1, files }));
    const listed = { name: 'a.txt', sha256: sha256Hex('a') };
    const cases: readonly (readonly [Uint8Array, RegExp])[] = [
      [bytes('no zip'), /is no zip/],
      [zipSync({ 'a.txt': bytes('a') }), /has no manifest/],
      [
        zipSync({ 'a.txt': bytes('b'), 'manifest.json': manifest([listed]) }),
        /not what its manifest says: a\.txt/,
      ],
      [zipSync({ 'manifest.json': manifest([listed]) }), /not what its manifest says/],
      [zipSync({ 'b.txt': bytes('b'), 'manifest.json': manifest([]) }), /holds what its manifest does not/],
      [
        zipSync({ '../out.txt': bytes('a'), 'manifest.json': manifest([{ ...listed, name: '../out.txt' }]) }),
        /strange name/,
      ],
      [zipSync({ 'a/../../out.txt': bytes('a'), 'manifest.json': manifest([]) }), /strange name/],
      [zipSync({ '/out.txt': bytes('a'), 'manifest.json': manifest([]) }), /strange name/],
    ];
    for (const [answer, says] of cases) {
      const inside = join(folder, 'inside');
      mkdirSync(inside, { recursive: true });
      const url = await imposter(t, answer);
      const ran = await run(['evidence', ...period, '--url', url, '--out', 'x'], {
        cwd: inside,
        env: { COUNTERSIGN_TOKEN: 'cs_person_x' },
      });
      failsWith(ran, 1, says);
      assert.deepEqual(readdirSync(inside), []);
      assert.ok(!existsSync(join(folder, 'out.txt')));
    }
  }));
