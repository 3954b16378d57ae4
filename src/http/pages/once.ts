/**
 * What makes the second sending of a form the first one's repeat: whoever was told that nobody knows whether it arrived may send it
 * again. Each form that is shown has a word of its own; the same fields under the same word are done once, for as long as
 * idempotency keys are kept.
 */
import { randomUUID } from 'node:crypto';
import type { Idempotency } from '../../core/command.ts';
import type { PersonId } from '../../core/ids.ts';
import { sha256Hex } from '../../core/sha256.ts';

/** The name of the hidden field. */
export const onceField = 'once';

export const newOnce = (): string => randomUUID();

/** @param path of the form's action. Undefined where the form has no word: what it asks is done as often as it is sent. */
export function onceOf(
  person: PersonId,
  path: string,
  fields: ReadonlyMap<string, string>,
): Idempotency | undefined {
  const once = fields.get(onceField) ?? '';
  if (!/^[\w-]{1,64}$/.test(once)) return undefined;
  const said = [...fields].filter(([name]) => name !== onceField && name !== 'csrf');
  const fingerprint = sha256Hex(JSON.stringify([path, said]));
  // Who goes back in the browser and says something else means something else: that is no repeat, and no conflict.
  return { principal: `person:${person}`, key: `form:${once}:${fingerprint}`, fingerprint };
}
