/** Whose account speaks in a payload that was admitted. */
import { refuse } from '../../core/refusal.ts';
import type { SlackSettings } from '../../ports/channel-settings.ts';
import type { ChatAccount } from '../../ports/chat.ts';
import { judgeOrigin, strangerSays } from './origin.ts';
import type { Sender } from './payload.ts';

/** Nothing is known of this here, so Slack must not show that it arrived. */
export class NotRecorded extends Error {}

/** Why somebody of another organisation is turned away. */
export const stranger = refuse('not_permitted', strangerSays);

/** @returns with whether they are of another organisation. Throws for a payload that ought not to have been admitted. */
export function accountOf(
  sender: Sender,
  settings: SlackSettings,
): ChatAccount & { readonly stranger: boolean } {
  const origin = judgeOrigin(sender, settings);
  if (origin.kind === 'foreign') throw new NotRecorded(origin.detail);
  return {
    kind: 'slack',
    issuer: origin.issuer,
    subject: sender.user,
    display: sender.name,
    stranger: origin.kind === 'stranger',
  };
}
