/** The files that `init` proposes: a configuration that starts as it is, and policies that say what they mean. */
import { stringify } from 'yaml';
import type { Upstream } from '../ports/settings.ts';
import { visibleLine } from '../core/visible.ts';
import { heldBesides, packPolicies, type PackUse } from './init-pack-policies.ts';
import type { ProposedTool } from './init-profile.ts';

export interface ProposedPerson {
  readonly id: string;
  readonly name: string;
}

export interface Proposal {
  readonly server: string;
  readonly upstream: Upstream;
  /** Environment variables whose values stay there: of `env` by name, of headers by header. */
  readonly fromEnv: Readonly<Record<string, string>>;
  readonly tools: readonly ProposedTool[];
  /** Names of tools that may run without asking anybody; of no account where a pack says which. */
  readonly free: ReadonlySet<string>;
  readonly pack: PackUse | null;
  /** Everything passes, and what would have been asked or denied is recorded. */
  readonly observe: boolean;
  readonly agent: string;
  readonly owner: ProposedPerson;
  /** At least one; two where policies want two. */
  readonly reviewers: readonly ProposedPerson[];
}

const groups = { agents: 'agents', reviewers: 'reviewers', operators: 'operators' } as const;

/** countersign.yaml. */
export function configText(proposal: Proposal): string {
  const { owner, reviewers, agent } = proposal;
  return `# Countersign's configuration. Every key is in config.schema.json (docs/ of a checkout, dist/ of the package), which editors can check with.
listen: 127.0.0.1:7788
data: ./data # everything that the gate knows; back it up with \`countersign backup FILE\`
policies: ./policies

# Operators accept changed tools, settle unknown outcomes, and let a stopped agent go on unless it is their own: so the owner
# cannot be the only one. Whoever accepts a changed tool approves no calls of it for 7 days. Auditors read the log.
roles: { operators: ${groups.operators}, auditors: ${groups.operators}, admins: ${groups.operators} }

# What tightens is in force as soon as a file is saved. What loosens who may do what waits for admins: for two, or for one other
# than whoever says \`countersign config propose\`. When nobody else is left, \`countersign config accept\` at this machine does.
changes: { people: 2 }

# Nobody approves what an agent of their own does, so a gate needs ${reviewers.length === 1 ? "two people: the agent's owner, and somebody who reviews" : "three people: the agent's owner, and two who review"}.
people:
${item({ ...owner, groups: [groups.operators] })}
${reviewers.map((one) => item({ ...one, groups: [groups.reviewers, groups.operators] })).join('\n')}

agents:
${item({ id: agent, owners: [owner.id], groups: [groups.agents] })}

# ${proposal.pack === null ? "Profiles are proposals from the tools' names." : `Profiles are those of the pack ${proposal.pack.pack.name}; of other tools, proposals from their names.`} Read them: reviewers see what they say.
servers:
  ${proposal.server}:
${serverRows(proposal).join('\n')}
    tools:
${proposal.tools.flatMap((one) => toolRows(one)).join('\n')}
`;
}

const flow = (value: unknown): string =>
  stringify(value, { collectionStyle: 'flow', lineWidth: 0, aliasDuplicateObjects: false }).trim();

const item = (value: object): string => `  - ${flow(value)}`;

function serverRows({ upstream, fromEnv, observe }: Proposal): readonly string[] {
  const secrets = Object.fromEntries(
    Object.entries(fromEnv).map(([name, variable]) => [name, { fromEnv: variable }]),
  );
  const rows =
    upstream.kind === 'command'
      ? [`    command: ${flow(upstream.argv)}`]
      : [`    url: ${flow(upstream.url)}`];
  if (Object.keys(secrets).length > 0)
    rows.push(`    ${upstream.kind === 'command' ? 'env' : 'headers'}: ${flow(secrets)}`);
  if (observe)
    rows.push(
      '    mode: observe # nothing is held or denied, only recorded; enforce: what the policies say happens',
    );
  return rows;
}

/** A short profile is one row; a long one a row a key. */
const rowCharsMax = 120;

function toolRows({ name, profile }: ProposedTool): readonly string[] {
  const key = flow(name);
  const row = `      ${key}: ${flow(profile)}`;
  if (row.length <= rowCharsMax) return [row];
  return [
    `      ${key}:`,
    ...Object.entries(profile).map(([field, value]) => `        ${field}: ${flow(value)}`),
  ];
}

/** policies/SERVER.cedar. */
export const policyText = (proposal: Proposal): string =>
  [
    `// Policies for the MCP server ${visibleLine(proposal.server)}, proposed by \`countersign init\`. Change them: what only tightens is in force`,
    '// within two seconds, the rest once admins accepted it; if something in it is wrong, everything is denied and the gate says where.',
    '//',
    '// Nothing is permitted unless a permit says so, and one forbid outweighs every permit. A forbid with @approvers waits for',
    '// people: they lift it for one action, once. A tool that the server adds later is in no list here, and so is denied.',
    '',
    ...(proposal.pack === null ? cautious(proposal) : fromPack(proposal, proposal.pack)),
    '',
  ].join('\n');

const permitHead = `permit (\n  principal in Group::"${groups.agents}",`;
const reviewed = {
  annotations: [`@approvers("${groups.reviewers}")`, '@ttl("PT4H")'],
  head: 'forbid (\n  principal,',
} as const;

function cautious(proposal: Proposal): readonly string[] {
  const { server } = proposal;
  const name = visibleLine(server);
  const tools = proposal.tools.map((one) => one.name);
  const free = tools.filter((one) => proposal.free.has(one));
  const held = tools.filter((one) => !proposal.free.has(one));
  return [
    free.length === 0
      ? `// No tool of ${name} may run without asking. To let one, move its name from the lists below to a permit of its own:\n//   permit (principal in Group::"${groups.agents}", action == Action::"${server}___TOOL", resource);`
      : policy(server, free, { id: 'reads', title: `Agents may read ${name}`, head: permitHead }),
    ...(held.length === 0
      ? []
      : [
          '',
          '// What agents may do at all …',
          policy(server, held, { id: 'changes', title: `Agents may use ${name}`, head: permitHead }),
          '',
          '// … and that each such call waits until one of the reviewers has approved exactly that call.',
          policy(server, held, { id: 'review', title: `Calls to ${name} need a reviewer`, ...reviewed }),
        ]),
  ];
}

/** The pack's policies, and what makes them stricter for this server. */
function fromPack({ server, tools }: Proposal, use: PackUse): readonly string[] {
  const name = visibleLine(server);
  const here = new Set(tools.map((one) => one.name));
  const held = heldBesides(use).filter((tool) => here.has(tool));
  const added = use.compared.added.filter((tool) => here.has(tool));
  return [
    `// What follows is the pack ${use.pack.name}, made from the tools of ${use.pack.package} ${use.pack.version}.`,
    '',
    packPolicies(use, server),
    ...(added.length === 0
      ? []
      : [
          '',
          '// Tools that the pack does not know: what agents may do at all …',
          policy(server, added, {
            id: 'new-tools',
            title: `Agents may use new tools of ${name}`,
            head: permitHead,
          }),
        ]),
    ...(held.length === 0
      ? []
      : [
          '',
          use.chosen
            ? '// Tools that are new or not as the pack knows them: each call waits for a reviewer. Read what they do; then take them out.'
            : '// Until you say otherwise each call of these waits for a reviewer. Delete this policy to have what the pack says.',
          policy(server, held, {
            id: 'unread-tools',
            title: `Calls to ${name} need a reviewer`,
            ...reviewed,
          }),
        ]),
  ];
}

/** Characters of one policy's list of tools: a policy has a limit of 8 KiB, and some servers have hundreds of tools. */
const listCharsMax = 6000;

/** One policy on a list of tools; several, where the list is long. */
function policy(
  server: string,
  tools: readonly string[],
  said: {
    readonly id: string;
    readonly title: string;
    readonly annotations?: readonly string[];
    readonly head: string;
  },
): string {
  const lists: string[][] = [];
  let chars = Infinity;
  for (const tool of tools) {
    const action = `    Action::${quoted(`${server}___${tool}`)}`;
    chars += action.length + 2;
    if (chars > listCharsMax) {
      lists.push([]);
      chars = action.length;
    }
    lists.at(-1)?.push(action);
  }
  return lists
    .map((actions, index) =>
      [
        `@id(${quoted(`${server}.${said.id}${index === 0 ? '' : `-${index + 1}`}`)})`,
        `@title(${quoted(said.title)})`,
        ...(said.annotations ?? []),
        said.head,
        `  action in [\n${actions.join(',\n')}\n  ],`,
        '  resource\n);',
      ].join('\n'),
    )
    .join('\n\n');
}

/** A Cedar string. Names are printable ASCII by the configuration's own rule. */
const quoted = (text: string): string => `"${text.replace(/[\\"]/g, '\\$&')}"`;
