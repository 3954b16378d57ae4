/** The version of this program, as it was published. */
import { readFileSync } from 'node:fs';

/** Of package.json, which is two folders up, from src/main/ and from dist/main/ alike; `unknown` where it names none. */
export function programVersion(): string {
  const read: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return typeof read === 'object' && read !== null && 'version' in read ? String(read.version) : 'unknown';
}
