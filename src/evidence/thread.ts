/** Rendering on a thread of its own. Promises: it ends, in time or with a failure; nothing of it stays when it has. */
import { Worker } from 'node:worker_threads';
import type { PackageFile } from './manifest.ts';
import type { RenderParts } from './render.ts';
import type { CellValue } from './workbook.ts';

export type ToRenderer =
  | { readonly kind: 'rows'; readonly cells: readonly (readonly CellValue[])[] }
  | { readonly kind: 'end'; readonly parts: Omit<RenderParts, 'cells'> };
export type FromRenderer =
  | { readonly kind: 'files'; readonly files: readonly PackageFile[] }
  | { readonly kind: 'failed'; readonly detail: string };

/** How long rendering may take. */
export const renderMsMax = 15 * 60_000;
const resourceLimits = { maxOldGenerationSizeMb: 6144 };

/** The worker is a .ts file in a checkout and a .js file in the published package, as this file is. */
const ending = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

export interface Renderer {
  add(cells: readonly (readonly CellValue[])[]): void;
  /** The files; rejects where it failed, took too long or was stopped. */
  files(parts: Omit<RenderParts, 'cells'>, ends?: AbortSignal): Promise<readonly PackageFile[]>;
  /** Ends the thread, whatever it does. */
  end(): Promise<void>;
}

export function renderer(): Renderer {
  const worker = new Worker(new URL(`./worker${ending}`, import.meta.url), {
    resourceLimits,
    env: {},
    stdin: false,
    name: 'evidence',
  });
  const { promise, resolve, reject } = Promise.withResolvers<readonly PackageFile[]>();
  // Whoever awaits it hears of it; a thread that died before is no unhandled rejection.
  promise.catch(() => undefined);
  worker.on('message', (message: FromRenderer) => {
    if (message.kind === 'files') resolve(message.files);
    else reject(new Error(`rendering failed: ${message.detail}`));
  });
  worker.on('error', reject);
  worker.on('exit', (code) => reject(new Error(`the renderer ended (${code})`)));
  const send = (message: ToRenderer): void => worker.postMessage(message);
  return {
    add: (cells) => send({ kind: 'rows', cells }),
    files: (parts, ends) => {
      const late = setTimeout(
        () => reject(new Error(`rendering took more than ${renderMsMax / 1000} s`)),
        renderMsMax,
      );
      const stop = (): void => reject(new Error('stopped'));
      ends?.addEventListener('abort', stop, { once: true });
      if (ends?.aborted === true) stop();
      send({ kind: 'end', parts });
      return promise.finally(() => {
        clearTimeout(late);
        ends?.removeEventListener('abort', stop);
      });
    },
    end: async () => {
      await worker.terminate();
    },
  };
}
