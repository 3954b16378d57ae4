/**
 * The Microsoft clouds that Teams is in, and where their parts are. Promise: nothing here is derived from what somebody sends;
 * a cloud whose addresses Microsoft does not publish is not in the list (21Vianet in China: its connector's address is not).
 *
 * Sources: Microsoft's Teams SDK (issuers, keys, sign-in) and Microsoft 365 Agents SDK (connectors, `TeamsServiceEndpoints`).
 */
import type { TeamsCloud } from '../ports/channel-settings.ts';

/** As a configuration names them. GCC signs in at the public cloud, and has a connector of its own. */
export type CloudName = 'public' | 'gcc' | 'gcch' | 'dod';

const world = {
  issuer: 'https://api.botframework.com',
  jwksUrl: 'https://login.botframework.com/v1/.well-known/keys',
  loginUrl: 'https://login.microsoftonline.com',
} as const;

const government = {
  issuer: 'https://api.botframework.us',
  jwksUrl: 'https://login.botframework.azure.us/v1/.well-known/keys',
  loginUrl: 'https://login.microsoftonline.us',
} as const;

const at = (origin: string): Pick<TeamsCloud, 'serviceOrigins' | 'serviceUrl'> => ({
  serviceOrigins: [origin],
  serviceUrl: `${origin}/teams`,
});

/** Each with the connector of no region in particular. */
export const clouds: Readonly<Record<CloudName, TeamsCloud>> = {
  public: { ...world, ...at('https://smba.trafficmanager.net') },
  gcc: { ...world, ...at('https://smba.infra.gcc.teams.microsoft.com') },
  gcch: { ...government, ...at('https://smba.infra.gov.teams.microsoft.us') },
  dod: { ...government, ...at('https://smba.infra.dod.teams.microsoft.us') },
};
