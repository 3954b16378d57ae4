/** The files that `init` proposes: a configuration that starts as it is, and policies that say what they mean. */
import { stringify } from 'yaml';
import type { Upstream } from '../ports/settings.ts';
import { visibleLine } from '../core/visible.ts';
import type { ProposedTool } from './init-profile.ts';

export interface Proposal {
  readonly server: string;
  readonly upstream: Upstream;
  /** Environment variables whose values stay there: of `env` by name, of headers by header. */
  readonly fromEnv: Readonly<Record<string, string>>;
  readonly tools: readonly ProposedTool[];
  /** Names of tools that may run without asking anybody. */
  readonly free: ReadonlySet<string>;
  readonly agent: string;
  readonly owner: { readonly id: string; readonly name: string };
  readonly reviewer: { readonly id: string; readonly name: string };
}

const groups = { agents: 'agents', reviewers: 'reviewers', operators: 'operators' } as const;

/** countersign.yaml. */
export function configText(proposal: Proposal): string {
  const { owner, reviewer, agent } = proposal;
  return `# Countersign's configuration. Every key is in config.schema.json (docs/ of a checkout, dist/ of the package), which editors can check with.
listen: 127.0.0.1:7788
data: ./data # everything that the gate knows; back it up with \`countersign backup FILE\`
policies: ./policies

# Operators accept changed tools and settle unknown outcomes; auditors read the log.
roles: { operators: ${groups.operators}, auditors: ${groups.operators} }

# Nobody approves what an agent of their own does, so a gate needs two people: the agent's owner, and somebody who reviews.
people:
${item({ ...owner, groups: [groups.operators] })}
${item({ ...reviewer, groups: [groups.reviewers] })}

agents:
${item({ id: agent, owners: [owner.id], groups: [groups.agents] })}

# Profiles are proposals from the tools' names. Read them: reviewers see what they say.
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

function serverRows({ upstream, fromEnv }: Proposal): readonly string[] {
  const secrets = Object.fromEntries(
    Object.entries(fromEnv).map(([name, variable]) => [name, { fromEnv: variable }]),
  );
  const rows =
    upstream.kind === 'command'
      ? [`    command: ${flow(upstream.argv)}`]
      : [`    url: ${flow(upstream.url)}`];
  if (Object.keys(secrets).length > 0)
    rows.push(`    ${upstream.kind === 'command' ? 'env' : 'headers'}: ${flow(secrets)}`);
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
export function policyText(proposal: Proposal): string {
  const { server } = proposal;
  const name = visibleLine(server);
  const free = proposal.tools.filter((one) => proposal.free.has(one.name));
  const held = proposal.tools.filter((one) => !proposal.free.has(one.name));
  const permit = `permit (\n  principal in Group::"${groups.agents}",`;
  return [
    `// Policies for the MCP server ${name}, proposed by \`countersign init\`. Change them: a saved file is in force within two`,
    '// seconds, or, if something in it is wrong, everything is denied and the gate says where.',
    '//',
    '// Nothing is permitted unless a permit says so, and one forbid outweighs every permit. A forbid with @approvers waits for',
    '// people: they lift it for one action, once. A tool that the server adds later is in no list here, and so is denied.',
    '',
    free.length === 0
      ? `// No tool of ${name} may run without asking. To let one, move its name from the lists below to a permit of its own:\n//   permit (principal in Group::"${groups.agents}", action == Action::"${server}___TOOL", resource);`
      : policy(server, free, { id: 'reads', title: `Agents may read ${name}`, head: permit }),
    '',
    ...(held.length === 0
      ? []
      : [
          '// What agents may do at all …',
          policy(server, held, { id: 'changes', title: `Agents may use ${name}`, head: permit }),
          '',
          '// … and that each such call waits until one of the reviewers has approved exactly that call.',
          policy(server, held, {
            id: 'review',
            title: `Calls to ${name} need a reviewer`,
            annotations: [`@approvers("${groups.reviewers}")`, '@ttl("PT4H")'],
            head: 'forbid (\n  principal,',
          }),
        ]),
    '',
  ].join('\n');
}

/** One policy on a list of tools. */
function policy(
  server: string,
  tools: readonly ProposedTool[],
  said: {
    readonly id: string;
    readonly title: string;
    readonly annotations?: readonly string[];
    readonly head: string;
  },
): string {
  const actions = tools.map((one) => `    Action::${quoted(`${server}___${one.name}`)}`).join(',\n');
  return [
    `@id(${quoted(`${server}.${said.id}`)})`,
    `@title(${quoted(said.title)})`,
    ...(said.annotations ?? []),
    said.head,
    `  action in [\n${actions}\n  ],`,
    '  resource\n);',
  ].join('\n');
}

/** A Cedar string. Names are printable ASCII by the configuration's own rule. */
const quoted = (text: string): string => `"${text.replace(/[\\"]/g, '\\$&')}"`;
