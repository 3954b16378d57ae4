/** Writes of steps about the log itself: keys, erasures, holds, what targets recorded. */
import type { LogKey } from '../core/log-key.ts';
import type { Write } from '../core/loaded.ts';
import type { Driver } from './driver.ts';
import { writeEraseLater } from './erase-later.ts';
import { writeErased } from './erase-writes.ts';
import { writeHold } from './hold-rows.ts';
import { writeReconciliation } from './reconcile-writes.ts';

const rows = ['logKey', 'erased', 'eraseLater', 'hold', 'reconciliation'] as const;

export type LogWrite = Extract<Write, { readonly row: (typeof rows)[number] }>;

export const isLogWrite = (write: Write): write is LogWrite => rows.some((row) => row === write.row);

/** None of them changes the world that actions are judged in. */
export async function writeLog(driver: Driver, write: LogWrite, nowMs: number): Promise<false> {
  switch (write.row) {
    case 'logKey':
      await writeLogKey(driver, write.key);
      return false;
    case 'erased':
      await writeErased(driver, write, nowMs);
      return false;
    case 'eraseLater':
      await writeEraseLater(driver, write.indexes);
      return false;
    case 'hold':
      await writeHold(driver, write.hold);
      return false;
    case 'reconciliation':
      await writeReconciliation(driver, write.kept);
      return false;
  }
}

async function writeLogKey(driver: Driver, key: LogKey): Promise<void> {
  await driver.run(
    `INSERT INTO log_keys (id, use, begun_at_ms, ended_at_ms, body) VALUES ($1, $2, $3, $4, $5)
      ON CONFLICT (id) DO UPDATE SET ended_at_ms = $4, body = $5`,
    [key.id, key.use, key.begunAtMs, key.endedAtMs, JSON.stringify(key)],
  );
}
