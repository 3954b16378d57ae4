/** Makers of small configurations, for tests of what changes of who may do what come to. */
import type {
  AcceptedOperation,
  AcceptedServer,
  AcceptedServers,
  Itemised,
  PolicyItem,
} from '../../src/core/config-change.ts';
import type { Agent, Directory, Person } from '../../src/core/directory.ts';
import { asAgentId, asGroupId, asPersonId } from '../../src/core/ids.ts';
import type { Profile } from '../../src/core/profile.ts';
import { requirement } from './world.ts';

export const person = (id: string, ...groups: string[]): Person => ({
  id: asPersonId(id),
  name: id,
  groups: groups.map(asGroupId),
});
export const agent = (id: string, ...owners: string[]): Agent => ({
  id: asAgentId(id),
  owners: owners.map(asPersonId),
  groups: [],
});
export const directory = (people: readonly Person[], agents: readonly Agent[] = []): Directory => ({
  people,
  agents,
  roles: { operators: null, auditors: null },
});

export const server = (name: string, more: Partial<AcceptedServer> = {}): AcceptedServer => ({
  name,
  upstream: { kind: 'url', url: `https://${name}.example/mcp`, headers: {} },
  pin: 'first-sight',
  mode: 'enforce',
  modes: {},
  tools: {},
  ...more,
});
export const operation = (name: string, more: Partial<AcceptedOperation> = {}): AcceptedOperation => ({
  operation: name,
  input: { type: 'object' },
  profile: null,
  mode: 'enforce',
  ...more,
});

/** An item as the parser would make it. */
export function item(id: string, effect: 'permit' | 'forbid', more: Partial<PolicyItem> = {}): PolicyItem {
  const body = more.body ?? `${effect} ( principal , action , resource )`;
  return {
    id,
    file: 'a.cedar',
    text: `@id("${id}") ${body}`,
    effect,
    requirement: null,
    body,
    annotations: { id },
    actions: null,
    groups: [],
    withdrawn: false,
    ...more,
  };
}
export const ask = (
  id: string,
  more: Parameters<typeof requirement>[2] = {},
  annotations: Record<string, string> = {},
): PolicyItem =>
  item(id, 'forbid', {
    requirement: requirement(id, more.approvers ?? 'data-owners', more),
    annotations: { id, approvers: more.approvers ?? 'data-owners', ...annotations },
  });

export const itemised = (more: {
  readonly items?: readonly PolicyItem[];
  readonly directory?: Directory;
  readonly servers?: Partial<AcceptedServers>;
  readonly schemas?: readonly { readonly file: string; readonly text: string }[];
  readonly entities?: Itemised['servers'] | null | readonly unknown[];
}): Itemised => ({
  policies: {
    policies: [],
    schemas: more.schemas ?? [],
    // Given by tests as JSON.
    entities: (more.entities ?? null) as never,
  },
  items: more.items ?? [],
  directory: more.directory ?? directory([]),
  servers: { servers: [], operations: [], ...more.servers },
});

export const profile: Profile = { verb: 'Export', effect: 'export' };

/** Nothing is done to the policies. */
export const keep = { withdraw: [], replace: [], add: [] };
