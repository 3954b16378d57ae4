/** Files of a package that would stand in each other's place: a policy of which nobody sees the text, and a manifest that lies. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { unzipSync } from 'fflate';
import { err } from '../../src/core/result.ts';
import { sha256Hex } from '../../src/core/sha256.ts';
import { packEvidence } from '../../src/evidence/package.ts';
import { signEnvelope } from '../../src/log/envelope.ts';
import type { Proving } from '../../src/ports/evidence-pack.ts';
import { evidenceOf } from '../evidence/support/model.ts';
import { rowsOf } from '../evidence/support/rows.ts';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const transparency: Proving = {
  covered: () => Promise.resolve(0),
  receipt: () => Promise.resolve(err({ kind: 'not_found' } as const)),
  trustedRoot: () => Promise.resolve({}),
  verifierKeys: () => Promise.resolve([]),
  consistency: () => Promise.resolve([]),
  sign: (type, body) => signEnvelope(type, body, privateKey),
};

test('policies whose files are named alike are each in the package, under names that no system takes for one', async () => {
  const rows = rowsOf(3);
  const evidence = evidenceOf(rows, []);
  const names = [
    'a b.cedar',
    'a-b.cedar',
    'A-B.cedar',
    '../../a-b.cedar',
    `${'x'.repeat(120)}.cedar`,
    `y${'x'.repeat(120)}.cedar`,
  ];
  const [first, ...others] = evidence.policies;
  assert.ok(first !== undefined);
  const texts = names.map((file, at) => ({ file, text: `// policy ${at}` }));
  const packed = await packEvidence({
    evidence: { ...evidence, policies: [{ ...first, texts }, ...others] },
    rows: (async function* () {
      yield await Promise.resolve(rows);
    })(),
    transparency,
  });
  assert.ok(packed.ok, JSON.stringify(packed));
  const files = unzipSync(packed.value.zip());
  const of = (name: string): string => new TextDecoder().decode(files[name]);
  const kept = Object.keys(files).filter((name) => name.startsWith(`policies/version-${first.version}/`));
  assert.deepEqual(
    kept.map(of).toSorted(),
    texts.map((one) => one.text),
  );
  assert.equal(new Set(kept.map((name) => name.toLowerCase())).size, names.length);
  for (const name of kept) assert.match(name, /^policies\/version-\d+\/(?!\.)[A-Za-z0-9._-]+$/);
  const manifest = JSON.parse(of('manifest.json'));
  for (const one of manifest.files) assert.equal(sha256Hex(files[one.name] ?? ''), one.sha256, one.name);
});
