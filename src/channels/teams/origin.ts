/**
 * Whether an activity is for this gate: from Teams, to our bot, of our directory, by way of a connector that we know. The token
 * (token.ts) proves that Microsoft's connector sent something to our bot, and nothing of what is in the body. Pure.
 */
import type { JsonObject } from '../../core/json.ts';
import type { TeamsSettings } from '../../ports/channel-settings.ts';
import { textAt } from './activity.ts';

/** Why nothing that was sent is listened to. For operators; whoever sent it is told nothing. */
export type Foreign =
  | 'it names another address to answer at than its token'
  | 'it names an address that is none of the configured cloud'
  | 'it is not from Teams'
  | 'it is of another directory (tenant)'
  | 'it is for another bot';

/**
 * Why a body is not for us; null where it is.
 * @param claimed `serviceurl` of its token: the connector that sent it.
 */
export function judgeOrigin(body: JsonObject, claimed: unknown, settings: TeamsSettings): Foreign | null {
  const serviceUrl = textAt(body, 'serviceUrl') ?? '';
  if (typeof claimed !== 'string' || claimed === '' || bare(claimed) !== bare(serviceUrl))
    return 'it names another address to answer at than its token';
  if (!isOfCloud(serviceUrl, settings.cloud.serviceOrigins))
    return 'it names an address that is none of the configured cloud';
  if (textAt(body, 'channelId') !== 'msteams') return 'it is not from Teams';
  if (!isOfTenant(body, settings.tenant)) return 'it is of another directory (tenant)';
  // Teams calls a bot by its registration's id after `28:`, its prefix for bots.
  if (textAt(body, 'recipient', 'id')?.toLowerCase() !== `28:${settings.clientId}`)
    return 'it is for another bot';
  return null;
}

/** Connectors write their address with and without the slash at its end. */
const bare = (url: string): string => url.replace(/\/$/, '');

function isOfCloud(serviceUrl: string, origins: readonly string[]): boolean {
  const url = URL.parse(serviceUrl);
  return url !== null && origins.includes(url.origin) && url.username === '' && url.password === '';
}

/** `channelData.tenant.id` is always there; other places that name a tenant may be missing and must not name another one. */
function isOfTenant(body: JsonObject, tenant: string): boolean {
  const others = [
    textAt(body, 'conversation', 'tenantId'),
    textAt(body, 'from', 'tenantId'),
    textAt(body, 'recipient', 'tenantId'),
  ];
  return (
    textAt(body, 'channelData', 'tenant', 'id')?.toLowerCase() === tenant &&
    others.every((one) => one === null || one.toLowerCase() === tenant)
  );
}
