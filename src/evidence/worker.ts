/** The thread that renders a package: a hundred thousand rows take half a minute of it, and the gate goes on meanwhile. */
import { parentPort } from 'node:worker_threads';
import { renderFiles } from './render.ts';
import type { FromRenderer, ToRenderer } from './thread.ts';
import type { CellValue } from './workbook.ts';

const cells: (readonly CellValue[])[] = [];

parentPort?.on('message', (message: ToRenderer) => {
  if (message.kind === 'rows') {
    for (const row of message.cells) cells.push(row);
    return;
  }
  const answer = (from: FromRenderer): void => parentPort?.postMessage(from);
  renderFiles({ ...message.parts, cells }).then(
    (files) => answer({ kind: 'files', files }),
    (error: unknown) =>
      answer({ kind: 'failed', detail: error instanceof Error ? (error.stack ?? error.message) : 'unknown' }),
  );
});
