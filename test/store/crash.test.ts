/** `kill -9` at any moment loses nothing that was acknowledged and duplicates nothing. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { asActionId } from '../../src/core/ids.ts';
import { isJsonObject } from '../../src/core/json.ts';
import type { Store } from '../../src/ports/store.ts';
import { assertLog } from './bench.ts';
import { sqliteBench } from './sqlite-bench.ts';

const kills = 12;
const child = fileURLToPath(new URL('./crash-child.ts', import.meta.url));

/** Runs a child until it has printed so many lines and a little longer, kills it, and answers every whole line. */
async function killed(directory: string, name: number, after: number): Promise<readonly string[]> {
  const run = spawn(process.execPath, [child, directory, String(name)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  let lines = 0;
  run.stdout.setEncoding('utf8').on('data', (text: string) => {
    const before = lines;
    out += text;
    lines += text.split('\n').length - 1;
    // Not in step with the child's own answers.
    if (before < after && lines >= after) setTimeout(() => run.kill('SIGKILL'), (after * 7) % 13);
  });
  const [code, signal] = (await once(run, 'close')) as [number | null, string | null];
  assert.deepEqual([code, signal], [null, 'SIGKILL'], 'it ended by itself');
  return out.split('\n').slice(0, -1);
}

async function everyEntry(store: Store) {
  const entries = [];
  for (let page = await store.entries(-1, 1000); page.length > 0;) {
    entries.push(...page.map((sealed) => sealed.entry));
    page = await store.entries(entries.length - 1, 1000);
  }
  return entries;
}

async function check(store: Store, lines: readonly string[]): Promise<void> {
  await assertLog(store);
  const entries = await everyEntry(store);
  const notes = entries.flatMap(({ type, data }) =>
    type === 'gate.started' && isJsonObject(data) ? [Number(data['n'])] : [],
  );
  assert.equal(new Set(notes).size, notes.length, 'no note twice');
  const starts = entries.flatMap(({ type, about }) => (type === 'execution.started' ? [about.action] : []));
  assert.equal(new Set(starts).size, starts.length, 'nothing ran twice');
  const asked = entries.filter(({ type }) => type === 'action.asked').length;
  const held = new Set(entries.map(({ about }) => about.action).filter((id) => id !== null));
  assert.equal(held.size, asked, 'each action was asked once');

  const known = new Set(notes);
  for (const line of lines) {
    const [what, id = '', execution] = line.split(' ');
    if (what === 'ready') continue;
    if (what === 'note') {
      const [, name = '', n = '', round = ''] = line.split(' ');
      assert.ok(known.has(Number(`${name}${n.padStart(2, '0')}${round.padStart(5, '0')}`)), line);
      continue;
    }
    const one = await store.caseBy({ action: asActionId(id) });
    assert.ok(one !== undefined, `lost: ${line}`);
    if (what === 'approved') assert.ok(one.grant !== null, `lost: ${line}`);
    if (what === 'started') assert.equal(one.execution?.id, execution, `lost: ${line}`);
  }
}

test(`a writer killed ${kills} times loses nothing that it acknowledged`, async () => {
  const bench = await sqliteBench();
  const lines: string[] = [];
  for (let kill = 1; kill <= kills; kill += 1) {
    lines.push(...(await killed(bench.directory, kill, 1 + ((kill * 97) % 400))));
    const store = await bench.open({});
    try {
      await check(store, lines);
    } finally {
      await store.close();
    }
  }
  assert.ok(lines.length > kills * 100, `only ${lines.length} changes were acknowledged`);
  await bench.remove();
});
