/** Attempts that were refused before they were an action: nothing is left of them but one entry, while they are no flood. */
import type { AgentId } from '../../core/ids.ts';
import type { Refusal } from '../../core/refusal.ts';
import { maskText } from '../../core/secrets.ts';
import type { Parts } from '../../app/parts.ts';
import { recordRefusal } from '../../app/told.ts';

/** Longest operation name that goes into an entry. */
const operationCharsMax = 200;

/** Records the attempt. Where the log cannot be written the attempt is refused all the same, and nothing ran. */
export async function recordRefused(
  parts: Parts,
  agent: AgentId,
  refusal: Refusal,
  operation: string | null,
): Promise<void> {
  await recordRefusal(parts, agent, {
    via: 'api',
    operation: operation === null ? null : operation.slice(0, operationCharsMax),
    code: refusal.code,
    detail: maskText(refusal.detail),
  });
}
