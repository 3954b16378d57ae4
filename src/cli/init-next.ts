/** What `init` says at its end: what was written, what becomes of each tool, and what to do next. */
import { existsSync } from 'node:fs';
import { configName, configWords } from './files.ts';
import { listed } from './init-choose.ts';
import type { Proposal } from './init-files.ts';
import { fateOf, type PackUse } from './init-pack-policies.ts';
import type { Files } from './init-write.ts';
import type { Io } from './io.ts';

type Step = (what: string, how: string) => void;

/** Says it on stdout. */
export function nextSteps(proposal: Proposal, files: Files, io: Io): void {
  const { server, agent, owner, reviewers } = proposal;
  const { strong, soft } = io.paint;
  const config = configWords(files.config, io);
  const step: Step = (what, how) => io.out(`  ${strong(what.padEnd(22))}  ${how}`);
  const written = `Wrote ${io.typed(files.config)} and ${io.typed(files.policies)}`;
  if (proposal.pack === null)
    io.out(
      `${written}: ${proposal.free.size} of ${proposal.tools.length} tools run without asking, the others wait for ${reviewers[0]?.id ?? ''}${proposal.observe ? ' once they are enforced' : ''}.`,
    );
  else fates(proposal, proposal.pack, { written, step }, io);
  io.out(`Read both${owner.id === 'owner' ? ', and put real people in' : ''}. Then:`);
  io.out('');
  step('run the gate', io.command(`serve${config}`));
  const others = [...reviewers.slice(1), owner].map((one) => one.id).join(' and ');
  step(
    'sign people in',
    `${io.command(`link person ${reviewers[0]?.id ?? ''}${config}`)}   ${soft(`and the same for ${others}`)}`,
  );
  step('give the agent a token', io.command(`token agent ${agent}${config}`));
  io.out('');
  io.out('And point the agent at the gate, not at the server:');
  io.out('');
  step(
    'Streamable HTTP',
    `http://localhost:7788/mcp/${server}   ${soft('with the header Authorization: Bearer TOKEN')}`,
  );
  step(
    'or stdio',
    `${io.program(`mcp ${server} --url http://localhost:7788`)}   ${soft('with COUNTERSIGN_TOKEN=TOKEN in its environment')}`,
  );
  if (config !== '' && existsSync(io.path(configName))) {
    io.out('');
    io.out(
      `Or, for one gate with the servers of ${configName}: move what is below servers: to the end of that file, and delete ${io.typed(files.config)}.`,
    );
  }
  if (proposal.observe) observing(config, step, io);
}

function fates(
  { tools }: Proposal,
  use: PackUse,
  { written, step }: { readonly written: string; readonly step: Step },
  io: Io,
): void {
  const of = (fate: string): readonly string[] =>
    tools.map((one) => one.name).filter((name) => fateOf(use, name) === fate);
  io.out(
    `${written}, from the pack ${use.pack.name}: ${of('allow').length} of ${tools.length} tools run without asking.`,
  );
  io.out('');
  const rows = [
    ['run without asking', of('allow')],
    ['wait for a reviewer', of('held')],
    ['wait for two', of('two')],
    ['depends on arguments', of('depends')],
    ['denied', of('denied')],
  ] as const;
  for (const [what, names] of rows) if (names.length > 0) step(what, listed(names));
  io.out('');
}

function observing(config: string, step: Step, io: Io): void {
  io.out('');
  io.out(
    'The server is observed: nothing is held or denied yet, every call passes. What would have been is recorded. Then:',
  );
  io.out('');
  step('let agents work', 'for some days, as they do today');
  step('see what it would cost', io.command(`report --last 7d${config}`));
  step('enforce', 'in the configuration, write mode: enforce, or take mode: observe out');
}
