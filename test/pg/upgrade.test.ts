/**
 * A rolling upgrade, with two versions of the program side by side on one database: the sources of this one, and a copy of them with
 * one more version of the tables. Traffic goes on at both while the old gates are drained.
 */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { schemaVersion } from '../../src/store/schema.ts';
import { root } from '../support/source.ts';
import { eventually, type TestGate } from '../support/gate.ts';
import { childGate, spawnGate, type ChildGate } from './support/child-gate.ts';
import { onDatabase } from './support/gates.ts';

const next = schemaVersion + 1;

/** The program of the next release: a column and a table more, which it writes. */
async function nextRelease(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-next-'));
  for (const one of ['src', 'package.json', 'packs'])
    await cp(join(root, one), join(folder, one), { recursive: true });
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  const schema = join(folder, 'src', 'store', 'schema.ts');
  const text = await readFile(schema, 'utf8');
  const changed = text
    .replace(/(const migrations: readonly Migration\[\] = \[)([^\]]*)(\];)/, `$1$2, added$3`)
    .replace(
      /(\/\*\* In their order\.)/,
      `const added: Migration = {
  version: ${next},
  statements: () => ['ALTER TABLE gates ADD COLUMN later TEXT', 'CREATE TABLE laters (one TEXT)'],
  tables: ['laters'],
};
$1`,
    );
  assert.notEqual(changed, text);
  assert.ok(changed.includes(', added];'), 'the list has it');
  await writeFile(schema, changed);
  return folder;
}

interface Caller {
  readonly done: readonly { readonly id: string; readonly index: number }[];
  readonly failed: readonly string[];
  stop(): Promise<void>;
}

/** Asks for allowed actions, one after another, at gates in turn; a gate that is not there is left for the next one. */
function caller(token: string, urls: () => readonly string[], name: string): Caller {
  const done: { id: string; index: number }[] = [];
  const failed: string[] = [];
  const stopping = new AbortController();
  const one = async (url: string, n: number): Promise<boolean> => {
    const response = await fetch(`${url}/v1/actions`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'idempotency-key': `${name}-${n}`,
      },
      body: JSON.stringify({ operation: 'shop___refund', input: { cents: n % 90 } }),
    }).catch(() => null);
    // It is starting, or stopping: what a load balancer does.
    if (response === null || response.status === 503) return false;
    const body: unknown = await response.json();
    const { id } = body as { id?: string };
    if (response.status === 200 && id !== undefined) done.push({ id, index: n });
    else failed.push(`${response.status} ${JSON.stringify(body)}`);
    return true;
  };
  const running = (async () => {
    for (let n = 0; !stopping.signal.aborted; n += 1) {
      for (let tries = 0; !stopping.signal.aborted; tries += 1) {
        const all = urls();
        const url = all[(n + tries) % all.length];
        if (url !== undefined && (await one(url, n))) break;
        if (tries > 200) failed.push(`nobody serves ${n}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
  })();
  return {
    done,
    failed,
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

test('old and new gates serve side by side while the old ones are drained', async () => {
  const folder = await nextRelease();
  const children: ChildGate[] = [];
  try {
    await onDatabase(async (gates) => {
      const [a, b] = [await gates.start(), await gates.start()];
      const config = join(a.folder, 'countersign.yaml');
      const token = await a.token('agent', 'crm-bot');
      const old = (): TestGate[] => [a, b];
      const urls = new Set(old().map((gate) => gate.gate().url));
      const callers = [0, 1, 2].map((n) => caller(token, () => [...urls], `c${n}`));
      const countOf = (): number => callers.reduce((sum, one) => sum + one.done.length, 0);
      const further = async (what: string): Promise<void> => {
        const before = countOf();
        await eventually(() => countOf() >= before + 30, what, 60_000);
      };
      await further('the old gates serve');
      for (let n = 0; n < 2; n += 1) {
        const child = await childGate(config, join(folder, 'src'));
        children.push(child);
        urls.add(child.url);
        await further('old and new serve');
      }
      const schemaNow = async (): Promise<unknown> =>
        (await gates.raw("SELECT value FROM meta WHERE key = 'schema_version'"))[0]?.['value'];
      assert.equal(await schemaNow(), String(next), 'the new ones have changed the tables');
      const versions = (await b.gate().parts.store.gates()).map((one) => one.body.schema);
      assert.deepEqual(
        versions.toSorted((one, other) => one - other),
        [schemaVersion, schemaVersion, next, next],
      );
      // An old one that is started again meanwhile serves too.
      urls.delete(a.gate().url);
      await a.restart();
      urls.add(a.gate().url);
      await further('an old one that was started again serves');
      for (const gate of old()) {
        urls.delete(gate.gate().url);
        await gate.gate().close();
        await further('the others go on');
      }
      await Promise.all(callers.map((one) => one.stop()));
      assert.deepEqual(
        callers.flatMap((one) => one.failed),
        [],
        'nobody was turned away',
      );
      const ids = callers.flatMap((one) => one.done.map(({ id }) => id));
      assert.equal(new Set(ids).size, ids.length, 'each is an action of its own');
      const stored = await gates.raw('SELECT id FROM actions');
      const there = new Set(stored.map((row) => row['id']));
      assert.deepEqual(
        ids.filter((id) => !there.has(id)),
        [],
        'what was answered is there',
      );
      assert.equal(stored.length, ids.length, 'and nothing twice');
      await gates.raw(`UPDATE log_head SET writers = ${next} WHERE one = 1`);
      const { child, said } = spawnGate(config);
      await new Promise((resolve) => child.once('exit', resolve));
      assert.notEqual(child.exitCode, 0);
      assert.match(said.join('\n'), /newer Countersign/, 'a later release may end that');
      for (const one of children) assert.equal(await one.stop(), 0, one.said.join('\n'));
    });
  } finally {
    await Promise.all(children.map((one) => one.kill()));
    await rm(folder, { recursive: true, force: true });
  }
});
