/** What a restore brought back that had been erased before, and that waits for the tree: nothing is signed without its payload. */
import type { Range } from '../core/erased.ts';
import { text } from './columns.ts';
import type { Driver, Queries } from './driver.ts';

const key = 'erase_later';

export async function readEraseLater(from: Queries): Promise<readonly Range[]> {
  const [row] = await from.query(`SELECT value FROM meta WHERE key = '${key}'`);
  // Written from Ranges only.
  return row === undefined ? [] : (JSON.parse(text(row, 'value')) as readonly Range[]);
}

export async function writeEraseLater(driver: Driver, indexes: readonly Range[]): Promise<void> {
  if (indexes.length === 0) {
    await driver.run(`DELETE FROM meta WHERE key = '${key}'`);
    return;
  }
  await driver.run(
    `INSERT INTO meta (key, value) VALUES ('${key}', $1) ON CONFLICT (key) DO UPDATE SET value = $1`,
    [JSON.stringify(indexes)],
  );
}
