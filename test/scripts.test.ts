/** No test is forgotten: what `npm test` leaves out for its length has a script of its own, which CI calls and CONTRIBUTING.md names. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from './support/source.ts';

const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');
const { scripts } = JSON.parse(textOf('package.json')) as { readonly scripts: Record<string, string> };
const left = /test\/!\(([^)]+)\)/.exec(scripts['test'] ?? '')?.[1]?.split('|') ?? [];

test('each folder that npm test leaves out is run by a script that CI calls and CONTRIBUTING.md names', () => {
  assert.ok(left.includes('attacks'), 'the folders were found');
  const [ci, contributing] = [textOf('.ci/run'), textOf('CONTRIBUTING.md')];
  for (const folder of left) {
    const owner = Object.entries(scripts).find(
      ([name, line]) => name !== 'test' && line.includes(`test/${folder}/`),
    )?.[0];
    assert.ok(owner !== undefined, `test/${folder} is run by no script of package.json`);
    assert.match(ci, new RegExp(`^step.* ${owner}$`, 'm'), `.ci/run does not call ${owner}`);
    assert.ok(contributing.includes(`\`npm run ${owner}\``), `CONTRIBUTING.md does not name ${owner}`);
  }
});

test('npm test leaves out no folder that is gone', () => {
  const folders = readdirSync(join(root, 'test'));
  assert.deepEqual(
    left.filter((folder) => !folders.includes(folder)),
    [],
  );
});
