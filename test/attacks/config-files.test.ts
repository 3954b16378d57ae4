/** Whoever can write the files puts something else than a file there, so that the gate stops, or reads no change any more. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';

const base = mkdtempSync(join(tmpdir(), 'countersign-files-'));
after(() => rmSync(base, { recursive: true }));
const policies = join(base, 'policies');
mkdirSync(policies);
execFileSync('mkfifo', [join(base, 'pipe')]);
const config = 'people:\n  - { id: sam, name: Sam Lee, groups: [] }\n';

const root = join(import.meta.dirname, '..', '..');
const moduleOf = (file: string): string => JSON.stringify(pathToFileURL(join(root, 'src', file)).href);

/** In a process of its own: one that waits for a pipe can only be killed. */
function said(code: string): string {
  const script = join(base, 'run.mjs');
  writeFileSync(script, code);
  const run = spawnSync(process.execPath, [...process.execArgv, join(root, 'bin', 'node.mjs'), script], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  assert.equal(run.signal, null, 'it waits for ever');
  return run.stdout;
}

const readPolicies = (): string =>
  said(`import { readPolicies } from ${moduleOf('config/policies.ts')};
    console.log(JSON.stringify(await readPolicies(${JSON.stringify(policies)})));`);

const readSettings = (file: string): string =>
  said(`import { readSettings } from ${moduleOf('config.ts')};
    console.log(JSON.stringify(await readSettings(${JSON.stringify(file)})));`);

for (const [name, target] of [
  ['a pipe', join(base, 'pipe')],
  ['a device without an end', '/dev/zero'],
] as const) {
  test(`${name} among the policies makes them unusable, and stops nothing`, () => {
    symlinkSync(target, join(policies, 'a.cedar'));
    const text = readPolicies();
    rmSync(join(policies, 'a.cedar'));
    assert.match(text, /"unusable".*a\.cedar:0: cannot be read \(not a file\)/);
  });

  test(`${name} as the configuration is no configuration`, () => {
    const file = join(base, 'linked.yaml');
    symlinkSync(target, file);
    const text = readSettings(file);
    rmSync(file);
    assert.match(text, /"ok":false.*cannot be read \(not a file\)/);
  });

  test(`${name} as the file of a secret is no secret`, () => {
    const file = join(base, 'countersign.yaml');
    const channel = `channels: { webhook: { url: 'https://hook.example/', secret: { fromFile: ${JSON.stringify(target)} } } }\n`;
    writeFileSync(file, config + channel);
    assert.match(readSettings(file), /"ok":false.*cannot be read \(not a file\)/);
  });
}
