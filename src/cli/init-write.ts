/**
 * Writes what `init` proposes. Promise: what is written is what the gate accepts, tried against the tools as the server told
 * them, and no file that exists is touched.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseSettings } from '../config.ts';
import { problemText } from '../config/document.ts';
import type { Directory } from '../core/directory.ts';
import { asSha256Hex } from '../core/ids.ts';
import type { JsonObject } from '../core/json.ts';
import { createPolicyEngine } from '../policy/engine.ts';
import type { PolicyProblem } from '../ports/policy.ts';
import { configText, policyText, type Proposal } from './init-files.ts';
import { listed } from './init-choose.ts';
import type { Io } from './io.ts';

export interface Files {
  /** Absolute. */
  readonly config: string;
  readonly policies: string;
}

/** Writes both files; answers what was written in the end, which may be stricter than what was proposed. */
export async function writeFiles(
  proposal: Proposal,
  definitions: readonly JsonObject[],
  files: Files,
  io: Io,
): Promise<Proposal> {
  const text = configText(proposal);
  const check = parseSettings(text, files.config, { secrets: 'ignored' });
  if (!check.ok)
    throw new Error(
      `init made a configuration that is not valid: ${check.error.map(problemText).join('; ')}`,
    );
  const settled = await readable(proposal, definitions, check.value.proposal.directory, io);
  await mkdir(dirname(files.policies), { recursive: true });
  await writeFile(files.policies, policyText(settled), { flag: 'wx' });
  await writeFile(files.config, text, { flag: 'wx' });
  return settled;
}

/** The proposal with policies that can be read of these tools: where a pack's cannot, the changed tools are in none. */
async function readable(
  proposal: Proposal,
  definitions: readonly JsonObject[],
  directory: Directory,
  io: Io,
): Promise<Proposal> {
  const problems = await errorsOf(proposal, definitions, directory);
  if (problems.length === 0) return proposal;
  const { pack } = proposal;
  const changed = pack?.compared.changed.map((one) => one.name) ?? [];
  const stricter =
    pack === null || changed.length === 0 || pack.denied.size > 0
      ? null
      : { ...proposal, pack: { ...pack, denied: new Set(changed) } };
  const left = stricter === null ? problems : await errorsOf(stricter, definitions, directory);
  if (stricter === null || left.length > 0)
    throw new Error(
      `init made policies that are not valid: ${left.map((one) => `line ${one.line}: ${one.message}`).join('; ')}`,
    );
  io.say(
    `The pack’s policies cannot be read of the tools that differ, so no policy permits them, and they are denied: ${listed(changed)}`,
  );
  return stricter;
}

async function errorsOf(
  proposal: Proposal,
  definitions: readonly JsonObject[],
  directory: Directory,
): Promise<readonly PolicyProblem[]> {
  const { server, tools } = proposal;
  const names = new Set(tools.map((one) => one.name));
  const { problems } = await createPolicyEngine().check(
    { policies: [{ file: `${server}.cedar`, text: policyText(proposal) }], schemas: [], entities: null },
    {
      directory,
      servers: [server],
      tools: definitions.flatMap((definition) => {
        const tool = definition['name'];
        if (typeof tool !== 'string' || !names.has(tool)) return [];
        const pin = { server, tool, status: 'enabled', definition, hash: noHash } as const;
        return [{ ...pin, seen: null, seenHash: null, atMs: 0 }];
      }),
      resourceTypes: Object.fromEntries(
        tools.flatMap(({ name, profile: { resource } }) =>
          resource === undefined ? [] : [[`${server}___${name}`, resource.type]],
        ),
      ),
      operations: [],
      versions: { policySet: 0, directory: 0, tools: 0 },
    },
  );
  return problems.filter((one) => one.severity === 'error');
}

/** Nothing is pinned here, only tried. */
const noHash = asSha256Hex('0'.repeat(64));
