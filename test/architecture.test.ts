/**
 * Holds the layout: which folder may import which, who alone may touch a vendor, what `core` never does, and the
 * few forms that no file of `src` uses. The table is docs/architecture.md's; a wrong arrow fails here and names the file.
 */

import assert from 'node:assert/strict';
import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { read, root, textsBelow } from './support/source.ts';
import type { Import } from './support/source.ts';

/** Folder of src → the folders that it may import, besides itself. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  ports: ['core'],
  app: ['core', 'ports'],
  policy: ['core', 'ports'],
  store: ['core', 'ports'],
  log: ['core', 'ports'],
  evidence: ['core', 'ports', 'log'],
  identity: ['core', 'ports'],
  channels: ['core', 'ports'],
  telemetry: ['core', 'ports'],
  enforce: ['core', 'ports', 'app'],
  http: ['core', 'ports', 'app'],
};

/** These build and start the parts, so they may import every folder. `cli/`, `config/`, `demo/` and `main/` are such files, split up. */
const TOP = /^(?:cli\.ts|main\.ts|config\.ts|(?:cli|config|demo|main)\/.+)$/;

/** Vendor → the only files that may import it, whatever their folder. */
const OWNERS: readonly (readonly [vendor: string, files: RegExp])[] = [
  ['@cedar-policy/cedar-wasm', /^policy\//],
  ['node:sqlite', /^store\/sqlite[^/]*\.ts$/],
  ['pg', /^store\/postgres[^/]*\.ts$/],
  ['jose', /^(?:identity\/|channels\/teams\/token\.ts$)/],
  ['nodemailer', /^channels\/email\.ts$/],
  ['fflate', /^(?:cli|evidence)\//],
  ['pdfkit', /^evidence\/paper\.ts$/],
  ['write-excel-file', /^evidence\/workbook\.ts$/],
  ['@slack/bolt', /^channels\/slack\/bolt\.ts$/],
  ['openid-client', /^identity\/oidc\.ts$/],
  ['prom-client', /^(?:http\/metrics(?:-standing)?|telemetry\/(?:process-)?meters)\.ts$/],
  ['@opentelemetry/api', /^telemetry\/traces\.ts$/],
  ['@opentelemetry/resources', /^telemetry\/traces\.ts$/],
  ['@opentelemetry/sdk-trace', /^telemetry\/(?:traces|export)\.ts$/],
  ['@opentelemetry/otlp-transformer', /^telemetry\/export\.ts$/],
  ['pino', /^telemetry\/lines\.ts$/],
  ['pkijs', /^log\/stamp\.ts$/],
  ['asn1js', /^log\/stamp\.ts$/],
  ['standardwebhooks', /^channels\/standard-webhooks\.ts$/],
  ['@simplewebauthn/server', /^identity\/passkeys\.ts$/],
  ['@modelcontextprotocol/sdk', /^(?:enforce\/mcp|cli|demo)\//],
];

/** Loads the vendor that it owns a second time, by a name in a constant, after hostile input has killed the first instance. */
const COMPUTES = 'policy/cedar.ts';

/** Folders where the outside world does not exist: not one package, not one of Node's modules, but for these. */
const CLOSED: Readonly<Record<string, readonly (readonly [file: string, module: string])[]>> = {
  core: [['core/sha256.ts', 'node:crypto']],
  ports: [],
};

/** What a pure file does not do. `classify.ts` of an enforcement point is pure as well. */
const PURE = /^(?:core\/.+|enforce\/.+\/classify\.ts)$/;
const IMPURE: readonly (readonly [name: string, pattern: RegExp, but?: string])[] = [
  ['Date.now', /\bDate\s*\.\s*now\b/],
  ['new Date()', /\bnew\s+Date\b(?!\s*\(\s*[^\s)])|(?<!\bnew\s+)\bDate\s*\(/],
  // With an argument it only writes a given time, and one file does that.
  ['new Date(', /\bnew\s+Date\s*\(\s*[^\s)]/, 'core/time.ts'],
  ['Math.random', /\bMath\s*\.\s*random\b/],
  ['process.', /\bprocess\s*[.[]/],
  ['performance.', /\bperformance\s*\./],
  ['setTimeout', /\bset(?:Timeout|Interval|Immediate)\b|\bqueueMicrotask\b/],
  ['fetch', /(?<![.\w])fetch\s*\(/],
  ['console.', /\bconsole\s*\./],
  ['randomUUID', /\brandom(?:UUID|Bytes)\b|\bgetRandomValues\b/],
  ['globalThis', /\bglobalThis\b/],
  ['await', /\bawait\b|\basync\b/],
];

/** What no file of src contains. */
const BANNED: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['enum', /^\s*(?:export\s+)?(?:declare\s+)?(?:const\s+)?enum\s+\w/m],
  ['export default', /\bexport\s+default\b|\bas\s+default\b/],
  ['decorator', /^\s*(?:export\s+)?@[A-Za-z_]/m],
  ['export *', /\bexport\s*\*/],
];

const { dependencies } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>;
};

/** The name to install: `a` of `a/b`, `@a/b` of `@a/b/c`. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** What is wrong with a vendor's or one of Node's modules in this file. */
function wrongModule(file: string, specifier: string): string | undefined {
  const folder = file.split('/')[0] ?? '';
  const name = specifier.startsWith('node:') ? specifier : packageOf(specifier);
  const owner = OWNERS.find(([vendor]) => vendor === name);
  if (owner !== undefined && !owner[1].test(file))
    return `imports ${name}, which only ${owner[1].source} may`;
  if (
    CLOSED[folder] !== undefined &&
    !CLOSED[folder].some(([only, module]) => file === only && module === name)
  )
    return `${folder} imports ${name}`;
  if (specifier.startsWith('node:')) return undefined;
  if (builtinModules.includes(name)) return `imports ${name} without node:`;
  if (folder === 'app') return `app imports ${name}: vendors stay at the edges`;
  return name in dependencies
    ? undefined
    : `imports ${name}, which is not among the dependencies of the package`;
}

/** What is wrong with a path to another file. */
function wrongPath(
  file: string,
  { specifier, address }: Import & { readonly specifier: string },
): string | undefined {
  const target = posix.join(posix.dirname(file), specifier);
  if (target.startsWith('..')) return address ? undefined : `imports ${specifier}, outside src`;
  if (!address && !target.endsWith('.ts')) return `imports ${specifier} without its .ts`;
  if (TOP.test(file)) return undefined;
  const [from = '', to = ''] = [file.split('/')[0], target.split('/')[0]];
  return from === to || ARROWS[from]?.includes(to) === true
    ? undefined
    : `${from} imports ${to} (${specifier})`;
}

function wrongImport(file: string, { specifier, address }: Import): string | undefined {
  if (specifier === null) return file === COMPUTES ? undefined : 'imports what only running it can tell';
  if (specifier.startsWith('.')) return wrongPath(file, { specifier, address });
  return address ? undefined : wrongModule(file, specifier);
}

/** All that is wrong with one file; `file` is its path below src. */
function violations(file: string, text: string): readonly string[] {
  const { code, imports } = read(text);
  const folder = file.includes('/') ? (file.split('/')[0] ?? '') : '';
  const found: string[] = [];
  if (!TOP.test(file) && ARROWS[folder] === undefined) found.push('is in no folder of the layout');
  if (posix.basename(file) === 'index.ts') found.push('is a barrel');
  for (const one of imports) found.push(wrongImport(file, one) ?? '');
  for (const [name, pattern] of BANNED) if (pattern.test(code)) found.push(`contains: ${name}`);
  if (PURE.test(file)) {
    for (const [name, pattern, but] of IMPURE)
      if (file !== but && pattern.test(code)) found.push(`is pure, but uses ${name}`);
  }
  return found.filter((line) => line !== '').map((line) => `src/${file} ${line}`);
}

test('every file of src keeps the layout', () => {
  const files = textsBelow('src', '.ts');
  assert.ok(files.size > 0, 'no file of src was seen');
  assert.deepEqual(
    [...files].flatMap(([file, text]) => violations(file, text)),
    [],
  );
});

test('CONTRIBUTING.md says why each runtime dependency is here', () => {
  const text = readFileSync(`${root}/CONTRIBUTING.md`, 'utf8');
  const named = [...text.matchAll(/^\| `([^`]+)` \| .+ \| .+ \|$/gm)].map((match) => match[1] ?? '');
  const rows = named.filter((name) => !name.startsWith('npm '));
  assert.deepEqual(rows.toSorted(), Object.keys(dependencies).toSorted());
});

const BAD: readonly (readonly [file: string, text: string, says: string])[] = [
  ['core/a.ts', "import { x } from '../app/x.ts';", 'core imports app'],
  ['core/a.ts', "import type { X } from '../ports/x.ts';", 'core imports ports'],
  ['core/a.ts', "import {\n  x,\n} from 'yaml';", 'core imports yaml'],
  ['core/a.ts', "import { createHash } from 'node:crypto';", 'core imports node:crypto'],
  ['core/sha256.ts', "import { readFile } from 'node:fs';", 'core imports node:fs'],
  ['ports/a.ts', "import { x } from '../store/x.ts';", 'ports imports store'],
  ['ports/a.ts', "import { EventEmitter } from 'node:events';", 'ports imports node:events'],
  ['app/a.ts', "import { x } from '../store/x.ts';", 'app imports store'],
  ['app/a.ts', "import { Hono } from 'hono';", 'app imports hono'],
  ['policy/a.ts', "export { x } from '../app/x.ts';", 'policy imports app'],
  ['store/a.ts', "const x = await import('../policy/x.ts');", 'store imports policy'],
  ['store/a.ts', "new Worker(new URL('../policy/worker.ts', import.meta.url));", 'store imports policy'],
  ['log/a.ts', "import '../store/x.ts';", 'log imports store'],
  ['identity/a.ts', "import { x } from '../http/x.ts';", 'identity imports http'],
  ['channels/a.ts', "import { x } from '../identity/x.ts';", 'channels imports identity'],
  ['enforce/mcp/a.ts', "import { x } from '../../http/x.ts';", 'enforce imports http'],
  ['http/a.ts', "import { x } from '../store/x.ts';", 'http imports store'],
  ['http/a.ts', "import { x } from '../main.ts';", 'http imports main.ts'],
  ['http/a.ts', "import { x } from './b.js';", 'without its .ts'],
  ['http/a.ts', "import { x } from '../../test/x.ts';", 'outside src'],
  ['http/a.ts', 'const x = await import(name);', 'only running it'],
  ['http/a.ts', 'const x = await import(`./${name}.ts`);', 'only running it'],
  [
    'store/a.ts',
    'new Worker(new URL(`../policy/worker${ending}`, import.meta.url));',
    'store imports policy',
  ],
  [
    'http/a.ts',
    "import * as cedar from '@cedar-policy/cedar-wasm/nodejs';",
    'imports @cedar-policy/cedar-wasm',
  ],
  [
    'main.ts',
    "import * as cedar from '@cedar-policy/cedar-wasm/nodejs';",
    'imports @cedar-policy/cedar-wasm',
  ],
  ['store/change.ts', "import { DatabaseSync } from 'node:sqlite';", 'imports node:sqlite'],
  ['cli/backup.ts', "import { backup } from 'node:sqlite';", 'imports node:sqlite'],
  ['store/sqlite.ts', "import pg from 'pg';", 'imports pg'],
  [
    'http/a.ts',
    "import { Client } from '@modelcontextprotocol/sdk/client/index.js';",
    '@modelcontextprotocol/sdk',
  ],
  ['http/a.ts', "import fc from 'fast-check';", 'not among the dependencies'],
  ['http/a.ts', "import { readFile } from 'fs';", 'without node:'],
  ['util/a.ts', '', 'no folder of the layout'],
  ['helper.ts', '', 'no folder of the layout'],
  ['core/index.ts', '', 'is a barrel'],
  ['core/a.ts', "export * from './b.ts';", 'export *'],
  ['core/a.ts', 'export const enum E { A }', 'enum'],
  ['core/a.ts', 'export default 1;', 'export default'],
  ['core/a.ts', '@sealed\nexport class A {}', 'decorator'],
  ['core/a.ts', 'const x = Date.now();', 'Date.now'],
  ['core/a.ts', 'const x = new Date(0);', 'new Date('],
  ['core/time.ts', 'const x = new Date( );', 'new Date()'],
  ['core/time.ts', 'const x = new Date;', 'new Date()'],
  ['core/time.ts', 'const x = Date();', 'new Date()'],
  ['core/a.ts', 'const x = Math.random();', 'Math.random'],
  ['core/a.ts', "const x = process.env['X'];", 'process.'],
  ['core/a.ts', 'const x = performance.now();', 'performance.'],
  ['core/a.ts', 'setTimeout(f, 1);', 'setTimeout'],
  ['core/a.ts', 'void fetch(url);', 'fetch'],
  ['core/a.ts', 'console.log(1);', 'console.'],
  ['core/a.ts', 'const x = crypto.randomUUID();', 'randomUUID'],
  ['core/a.ts', 'const x = globalThis;', 'globalThis'],
  ['core/a.ts', 'const x = `${Date.now()}`;', 'Date.now'],
  ['core/a.ts', "const x = /['\"]/; const y = Date.now(); // '", 'Date.now'],
  ['core/a.ts', 'export async function f() {}', 'await'],
  ['enforce/sql/classify.ts', 'const x = Date.now();', 'Date.now'],
];

const GOOD: readonly (readonly [file: string, text: string])[] = [
  ['core/a.ts', "import type { X } from './b.ts';\nexport { X } from './c.ts';"],
  ['core/sha256.ts', "import { createHash } from 'node:crypto';"],
  [
    'core/a.ts',
    "/** Date.now() is not ours.\n * @example enum A */\n// await fetch(x)\nconst x = 'process.env';",
  ],
  ['core/a.ts', 'const x = `from "yaml" ${1 + 1} import("x")`; const y = a / b / c;'],
  ['core/a.ts', 'const x = { fetch: 1, enumerated: 2 }; const y = /new Date\\(/;'],
  ['core/time.ts', 'const x = (ms: number): string => new Date(ms).toISOString();'],
  ['ports/a.ts', "import type { X } from '../core/x.ts';"],
  ['app/a.ts', "import { x } from '../core/x.ts';\nimport type { Y } from '../ports/y.ts';"],
  ['store/sqlite-worker.ts', "import { DatabaseSync } from 'node:sqlite';"],
  ['store/sqlite.ts', 'new Worker(new URL(`./sqlite-worker${ending}`, import.meta.url));'],
  ['store/sqlite.ts', "new Worker(new URL('./sqlite-worker.ts', import.meta.url));"],
  ['store/postgres.ts', "import pg from 'pg';"],
  ['policy/worker.ts', "import * as cedar from '@cedar-policy/cedar-wasm/nodejs';"],
  ['enforce/mcp/a.ts', "import { Client } from '@modelcontextprotocol/sdk/client/index.js';"],
  [
    'http/pages/a.ts',
    "import { html } from 'hono/html';\nimport { authorize } from '../../app/authorize.ts';",
  ],
  ['main.ts', "import { x } from './store/x.ts';\nimport { y } from './http/y.ts';"],
  [
    'cli/serve.ts',
    "import { main } from '../main.ts';\nconst { version } = readFileSync(new URL('../../package.json', import.meta.url));",
  ],
];

for (const [file, text, says] of BAD) {
  test(`a wrong file is found: ${says} (${text.replaceAll('\n', ' ')})`, () => {
    const found = violations(file, text);
    assert.ok(
      found.some((line) => line.includes(says)),
      `said: ${JSON.stringify(found)}`,
    );
  });
}

test('right files are let pass', () => {
  for (const [file, text] of GOOD) assert.deepEqual(violations(file, text), [], text);
});
