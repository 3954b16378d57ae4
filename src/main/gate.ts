/** What a gate says of itself to the others on its store, and on the status page. */
import { hostname } from 'node:os';
import type { Alive } from '../app/alive.ts';
import { gateLimits } from '../core/runner.ts';
import type { GateBody } from '../ports/gates.ts';
import { schemaVersion } from '../store/schema.ts';
import { programVersion } from './version.ts';

/** The configuration that its files say (config/propose.ts). */
export type GateReading = Pick<GateBody, 'config' | 'current'>;

/** How many other gates ran when it started, for the log; nothing where there can be none. */
export const othersOf = (alive: Alive, gate: string): { readonly others?: number } =>
  alive.shared
    ? { others: alive.gates().filter((one) => one.id !== gate && one.silentMs < gateLimits.gapMsMax).length }
    : {};

/** @param url where it listens. @param reading as it is when it is asked. */
export function bodyOf(url: string, reading: () => GateReading): () => GateBody {
  const fixed = {
    host: hostname(),
    pid: process.pid,
    url,
    version: programVersion(),
    schema: schemaVersion,
  };
  return () => ({ ...fixed, ...reading() });
}
