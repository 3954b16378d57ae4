/** Keys that begin and end to sign: both are entries, so that the log itself says which key signed what. */
import type { BeginKeyCommand, EndKeyCommand } from '../command-log.ts';
import { aboutNothing, type EntryDraft } from '../entry.ts';
import type { Loaded, Step } from '../loaded.ts';
import type { LogKey } from '../log-key.ts';
import { data, done } from './common.ts';

export function beginKey({ key }: BeginKeyCommand, loaded: Loaded): Step {
  if ((loaded.logKeys ?? []).some((one) => one.id === key.id && one.endedAtMs === null)) return done;
  const begun: LogKey = { ...key, begunAtMs: loaded.nowMs, endedAtMs: null };
  return { ...done, writes: [{ row: 'logKey', key: begun }], entries: [entryOfKey('key.begun', begun)] };
}

export function endKey({ key }: EndKeyCommand, loaded: Loaded): Step {
  const known = (loaded.logKeys ?? []).find((one) => one.id === key);
  if (known?.endedAtMs !== null) return done;
  const over: LogKey = { ...known, endedAtMs: loaded.nowMs };
  return { ...done, writes: [{ row: 'logKey', key: over }], entries: [entryOfKey('key.ended', over)] };
}

const entryOfKey = (type: 'key.begun' | 'key.ended', key: LogKey): EntryDraft => ({
  type,
  by: { kind: 'gate' },
  about: aboutNothing,
  subject: null,
  data: data({ id: key.id, use: key.use, origin: key.origin, spki: key.spki, size: key.begunAt }),
});
