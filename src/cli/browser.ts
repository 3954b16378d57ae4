/** Opens a page of the gate in the person's browser: what a terminal cannot do (a passkey) is done there. */
import { spawn } from 'node:child_process';
import type { Io } from './io.ts';

/** The program that opens an address on this system; undefined where nobody sits before a screen. */
function opener(env: Io['env']): readonly [string, ...string[]] | undefined {
  if (process.platform === 'darwin') return ['open'];
  // Not `start`: it is the shell's, which would read the address.
  if (process.platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler'];
  return (env['DISPLAY'] ?? env['WAYLAND_DISPLAY'] ?? '') === '' ? undefined : ['xdg-open'];
}

/** Opens an http or https address; quietly does nothing where that is not possible. No shell reads it. */
export function openPage(address: string, io: Pick<Io, 'env' | 'interactive'>): void {
  const url = URL.parse(address);
  const program = opener(io.env);
  if (!io.interactive || url === null || !/^https?:$/.test(url.protocol) || program === undefined) return;
  const [file, ...args] = program;
  const child = spawn(file, [...args, url.href], { stdio: 'ignore', detached: true });
  // It is a courtesy: the address was printed.
  child.on('error', () => undefined);
  child.unref();
}
