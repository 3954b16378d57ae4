/** What policies are judged against, out of what the files say and what the store has accepted. */
import { operationOf } from '../core/action.ts';
import type { Profile } from '../core/profile.ts';
import type { OperationSettings, ServerSettings } from '../ports/settings.ts';
import type { PolicyWorld } from '../ports/policy.ts';

/** What a configuration says of servers and operations, as far as policies are concerned. */
interface Declared {
  readonly servers: readonly Pick<ServerSettings, 'name' | 'tools'>[];
  readonly operations: readonly Pick<OperationSettings, 'operation' | 'input' | 'profile'>[];
}

/** The world of a policy set. `accepted`: people, pinned tools and versions, all read at one moment. */
export function policyWorldOf(
  proposal: Declared,
  accepted: Pick<PolicyWorld, 'directory' | 'tools' | 'versions'>,
): PolicyWorld {
  const profiles = profilesOf(proposal);
  return {
    directory: accepted.directory,
    versions: accepted.versions,
    tools: accepted.tools,
    servers: proposal.servers.map((server) => server.name),
    resourceTypes: Object.fromEntries(
      [...profiles].flatMap(([name, { resource }]) =>
        resource === undefined ? [] : [[name, resource.type]],
      ),
    ),
    operations: proposal.operations.map(({ operation, input, profile }) => ({
      operation,
      input,
      resourceType: profile?.resource?.type ?? null,
    })),
    profiles: Object.fromEntries(
      [...profiles].map(([name, { sum, resource }]) => [
        name,
        { ...(sum === undefined ? {} : { sum }), ...(resource === undefined ? {} : { resource }) },
      ]),
    ),
  };
}

/** The profile of a configured tool or operation, as the files say it; null where they say none. */
export const profileIn = (proposal: Declared, operation: string): Profile | null =>
  profilesOf(proposal).get(operation) ?? null;

/** By operation; tools first. */
function profilesOf({ servers, operations }: Declared): ReadonlyMap<string, Profile> {
  return new Map([
    ...operations.flatMap(({ operation, profile }) =>
      profile === null ? [] : [[operation, profile] as const],
    ),
    ...servers.flatMap(({ name, tools }) =>
      Object.entries(tools).map(([tool, profile]) => [operationOf(name, tool), profile] as const),
    ),
  ]);
}
