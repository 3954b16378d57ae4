/** What a gate says of itself to the others on its store, and on the status page. */
import { hostname } from 'node:os';
import type { GateBody } from '../ports/gates.ts';
import { schemaVersion } from '../store/schema.ts';
import { programVersion } from './version.ts';

/** The configuration that its files say (config/propose.ts). */
export type GateReading = Pick<GateBody, 'config' | 'current'>;

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
