// Makes the README's pictures from the running demo: node bin/node.mjs scripts/screenshots.mjs
// Needs Debian's Chromium (or CHROMIUM=/path). Each sign-in link works once, so each picture is another person's view.

import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const WAIT_MS = 60_000;

const free = await new Promise((resolve) => {
  const probe = createServer().listen(0, '127.0.0.1', () => {
    const { port } = probe.address();
    probe.close(() => resolve(port));
  });
});

const demo = spawn(process.execPath, ['src/cli.ts', 'demo', '--port', String(free)], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
let told = '';
demo.stdout.on('data', (chunk) => (told += chunk));

async function until(holds, what) {
  for (const end = Date.now() + WAIT_MS; !holds();) {
    if (Date.now() > end || demo.exitCode !== null) throw new Error(`the demo never said ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function picture(link, what, out, ...options) {
  const run = spawnSync(process.execPath, ['scripts/screenshot.ts', link, what, out, ...options], {
    stdio: 'inherit',
  });
  if (run.status !== 0) throw new Error(`no picture ${out}`);
}

try {
  await until(() => /held: Export/.test(told) && /held: Grant/.test(told), 'what it holds');
  const links = [...told.matchAll(/http:\/\/\S+\/sign-in#\S+/g)].map((match) => match[0]);
  picture(links[0], 'Export', 'docs/screenshots/approval.png', '--whole');
  picture(links[1], 'Grant', 'docs/screenshots/approval-phone.png', '--phone', '--dark');
} finally {
  demo.kill('SIGINT');
  await new Promise((resolve) => demo.once('exit', resolve));
}
