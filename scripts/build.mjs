// Makes dist/, the published form: JavaScript of src and of the demo's MCP server, and beside it the files that they read.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

function tsc(project) {
  const run = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', project], {
    stdio: 'inherit',
  });
  if (run.status !== 0) process.exit(run.status ?? 1);
}

/** Styles, client scripts, SQL, schemas: what is read at run time keeps its place next to its reader. */
function copyRest(from, to) {
  for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.endsWith('.ts') || entry.name.endsWith('.md')) continue;
    const file = join(entry.parentPath, entry.name);
    cpSync(file, join(to, file.slice(from.length + 1)));
  }
}

rmSync('dist', { recursive: true, force: true });
tsc('tsconfig.build.json');
copyRest('src', 'dist');
if (existsSync('examples/ops-server')) {
  tsc('tsconfig.build-examples.json');
  copyRest('examples/ops-server', 'dist/examples/ops-server');
}
// The demo's policies, which it copies to its scratch folder (src/demo/scratch.ts).
copyRest('examples/demo', 'dist/examples/demo');
// For editors: `# yaml-language-server: $schema=…/dist/config.schema.json`.
cpSync('docs/config.schema.json', 'dist/config.schema.json');
