/**
 * The company that simulated lives are about, and what its files say in the course of a life: who is in which group, and which
 * policies hold. What somebody changes of them is proposed, accepted or asked about as by any other operator.
 */
import type { Directory } from '../../../src/core/directory.ts';
import {
  asAgentId,
  asGroupId,
  asPersonId,
  asSha256Hex,
  type AgentId,
  type PersonId,
} from '../../../src/core/ids.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import type { PolicyTexts, PolicyWorld } from '../../../src/ports/policy.ts';
import type { Proposal, ServerSettings } from '../../../src/ports/settings.ts';
import { createPolicyEngine } from '../../../src/policy/engine.ts';
import { prove } from '../../../src/policy/prove.ts';
import type { PolicyEngine } from '../../../src/ports/policy.ts';
import type { Generator } from './random.ts';

export const people = ['ann', 'bob', 'cat', 'dan', 'eve', 'fay', 'gus'].map(asPersonId);
export const agents = ['bot-a', 'bot-b', 'bot-c'].map(asAgentId);

/** Never changes in a life, so that who may not approve can be said without asking the gate. */
export const accountable: ReadonlyMap<AgentId, PersonId> = new Map([
  [asAgentId('bot-a'), asPersonId('ann')],
  [asAgentId('bot-b'), asPersonId('bob')],
  [asAgentId('bot-c'), asPersonId('cat')],
]);

export const operation = { refund: 'shop___refund', wipe: 'files___wipe', read: 'files___read' } as const;

/** Groups that somebody is always in, and those that come and go. */
const always: Readonly<Record<string, readonly string[]>> = {
  ann: ['everybody', 'admins'],
  bob: ['everybody', 'admins', 'platform'],
  cat: ['everybody', 'leads'],
  dan: ['everybody', 'admins', 'platform', 'owners'],
  eve: ['everybody', 'leads', 'owners', 'admins'],
  fay: ['everybody', 'audit', 'owners'],
  gus: ['everybody', 'platform'],
};

const rosters: readonly Readonly<Record<string, readonly string[]>>[] = [
  {},
  { ann: ['owners'], bob: ['owners'], cat: ['owners'] },
  { cat: ['owners'], gus: ['owners', 'leads'] },
];

const directoryOf = (roster: Readonly<Record<string, readonly string[]>>): Directory => ({
  people: people.map((id) => ({
    id,
    name: id,
    groups: [...(always[id] ?? []), ...(roster[id] ?? [])].map(asGroupId),
  })),
  agents: agents.map((id) => ({
    id,
    owners: [accountable.get(id) ?? asPersonId('ann'), ...(id === 'bot-c' ? [asPersonId('gus')] : [])],
    groups: [],
  })),
  roles: {
    operators: asGroupId('platform'),
    auditors: asGroupId('audit'),
    admins: asGroupId('admins'),
    adminsQuorum: 2,
  },
});

const permit = '@id("all") @title("Agents may act") permit (principal, action, resource);';
const held = (id: string, action: string, more: string, when = ''): string =>
  `@id("${id}") @title("${id} waits for people") @approvers("owners") ${more}
forbid (principal, action == Action::"${action}", resource)${when};`;
const refunds = (more: string): string =>
  held('refunds', operation.refund, more, ' when { context.input.cents > 1 }');
const wipes = (more: string): string => held('wipes', operation.wipe, more);

const sets: readonly (readonly string[])[] = [
  [permit, refunds('@quorum("1")'), wipes('@quorum("2") @ttl("PT30M") @escalate("PT2M leads")')],
  [permit, refunds('@quorum("2") @ttl("PT10M") @grant("PT2M")'), wipes('@quorum("2") @reason("required")')],
  [permit, refunds('@quorum("1") @step_up("passkey")'), wipes('@quorum("1") @ttl("PT5M")')],
  [
    permit,
    refunds('@quorum("2") @escalate("PT1M leads")'),
    wipes('@quorum("1")'),
    `@id("too-much") @title("Too much") forbid (principal, action == Action::"${operation.refund}", resource) when { context.input.cents > 5 };`,
  ],
];

/** What cannot be used: everything is denied until it is mended. */
const broken = ['@id("broken") permit (principal, action'];

const files: ServerSettings = {
  name: 'files',
  upstream: { kind: 'url', url: 'http://upstream.test/mcp', headers: {} },
  pin: 'first-sight',
  mode: 'enforce',
  modes: {},
  tools: {},
};

export interface Files {
  readonly proposal: Proposal;
  readonly texts: PolicyTexts;
}

const filesOf = (roster: number, set: readonly string[]): Files => ({
  proposal: {
    directory: directoryOf(rosters[roster] ?? {}),
    servers: [files],
    operations: [
      {
        operation: operation.refund,
        input: {
          type: 'object',
          properties: { cents: { type: 'integer' }, note: { type: 'string' } },
          required: ['cents'],
        },
        profile: null,
        mode: 'enforce',
      },
    ],
  },
  texts: { policies: [{ file: 'sim.cedar', text: set.join('\n') }], schemas: [], entities: null },
});

export const firstFiles = (random: Generator): Files => filesOf(random.below(2), random.pick(sets));
export const otherFiles = (random: Generator): Files =>
  filesOf(random.below(rosters.length), random.chance(0.1) ? broken : random.pick(sets));

/** What the upstream says of its tools; one of them changes its mind now and then. */
export const toolsNow = (changedMind: boolean): readonly JsonObject[] => [
  {
    name: 'read',
    description: 'Reads a file.',
    inputSchema: { type: 'object', properties: { note: { type: 'string' } } },
  },
  {
    name: 'wipe',
    description: changedMind ? 'Wipes all files.' : 'Wipes a file.',
    inputSchema: { type: 'object', properties: { note: { type: 'string' } } },
  },
];

/** Proving takes a worker each; the same candidate comes back in every life. */
const proven = new Map<string, ReturnType<typeof prove>>();

const keyOf = (texts: PolicyTexts, contain: boolean, world: PolicyWorld): string =>
  JSON.stringify([
    texts,
    contain,
    {
      ...world,
      versions: null,
      tools: world.tools.map(({ tool, status, hash, seenHash }) => [tool, status, hash, seenHash]),
    },
  ]);

/** A gate's engine. What it has proven in one life it need not prove in the next. */
export const simEngine = (): PolicyEngine =>
  createPolicyEngine({
    // Words for people only, by a search that the machine's speed bounds: the same seed would not say the same.
    explainMsMax: 0,
    prove: (candidate) => {
      const key = keyOf(candidate.texts, candidate.contain, candidate.world);
      const known = proven.get(key) ?? prove(candidate);
      proven.set(key, known);
      return known;
    },
  });

/** The server key of every simulated store, so that digests are the same in every life of a seed. */
export const joinKey = asSha256Hex('5e'.repeat(32));
