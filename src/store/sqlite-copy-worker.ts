/** The thread that makes a backup: copying and checking take as long as the store is large, and nobody waits for them. */
import { parentPort, workerData } from 'node:worker_threads';
import { detailOf } from './driver.ts';
import { copyDatabase } from './sqlite-copy.ts';
import type { CopyAnswer, CopyOptions } from './sqlite-protocol.ts';

if (parentPort !== null) {
  const port = parentPort;
  // sqlite.ts starts this file with CopyOptions.
  const { from, to } = workerData as CopyOptions;
  copyDatabase(from, to).then(
    () => port.postMessage({ fault: null } satisfies CopyAnswer),
    (error: unknown) => port.postMessage({ fault: detailOf(error) } satisfies CopyAnswer),
  );
}
