/**
 * A pack's policies for the server at hand: under its name, for the tools that it has, and stricter where it differs from
 * the list that the pack was made from. Pure. Promise: no tool that was not looked at runs without a reviewer.
 *
 * Packs are written for this: a blank line before and after each policy and none in it, its comment right above it, and each
 * list of actions with one action a line. test/cli/init-packs.test.ts holds every pack to that.
 */
import type { Profile } from '../core/profile.ts';
import type { Compared, Pack, PackVerdict } from './init-packs.ts';

/** How much of a pack is used. */
export interface PackUse {
  readonly pack: Pack;
  readonly compared: Compared;
  /** False: what the pack lets run unasked is held as well, because nobody has said that they want the pack. */
  readonly chosen: boolean;
  /** Changed tools whose arguments the pack's policies cannot read: in no policy, and so denied. */
  readonly denied: ReadonlySet<string>;
}

/** Of the tools that the server has, which of them wait for a reviewer besides what the pack says. */
export function heldBesides({ compared, chosen, denied }: PackUse): readonly string[] {
  const changed = compared.changed.map((one) => one.name);
  return [...(chosen ? [] : compared.same), ...changed, ...compared.added].filter(
    (name) => !denied.has(name),
  );
}

/** What becomes of a tool; `depends`: on its arguments. */
export function fateOf(use: PackUse, tool: string): PackVerdict | 'depends' {
  if (use.denied.has(tool)) return 'denied';
  const said = Object.hasOwn(use.pack.verdicts, tool) ? use.pack.verdicts[tool] : undefined;
  // Only the server has it.
  if (said === undefined) return 'held';
  const held = heldBesides(use).includes(tool);
  const fates = new Set(
    (typeof said === 'string' ? [said] : said.map((one) => one.verdict)).map((fate) =>
      fate === 'allow' && held ? 'held' : fate,
    ),
  );
  const [only] = fates;
  return only === undefined || fates.size > 1 ? 'depends' : only;
}

/**
 * The pack's profiles, for tools that are as it knows them. A look is left out where its tool is not: it runs unasked, and so
 * must be known.
 */
export function packProfiles({ pack, compared }: PackUse): Readonly<Record<string, Profile>> {
  const isSame = (tool: string | undefined): boolean => tool !== undefined && compared.same.includes(tool);
  return Object.fromEntries(
    Object.entries(pack.profiles).flatMap(([tool, { before, preview, ...facts }]) =>
      isSame(tool)
        ? [
            [
              tool,
              {
                ...facts,
                ...(before !== undefined && isSame(before.tool) ? { before } : {}),
                ...(preview !== undefined && isSame(preview.tool) ? { preview } : {}),
              },
            ],
          ]
        : [],
    ),
  );
}

/** Whether a policy of this use wants two people. */
export const wantsTwo = (use: PackUse, server: string): boolean =>
  /^@quorum\("2"\)$/m.test(packPolicies(use, server));

/** The pack's own policies, for the tools that the server has. */
export function packPolicies({ pack, compared, denied }: PackUse, server: string): string {
  const gone = new Set([...compared.missing, ...denied]);
  return pack.policies
    .trim()
    .split(/\n{2,}/)
    .flatMap((block) => withoutActions(block, pack.name, gone) ?? [])
    .map((block) => renamed(block, pack.name, server))
    .join('\n\n');
}

/** One comment or policy without these tools; undefined where nothing is left that it is about. */
function withoutActions(block: string, name: string, gone: ReadonlySet<string>): string | undefined {
  const action = new RegExp(`Action::"${name}___([^"]+)"`, 'g');
  const all = [...block.matchAll(action)].map(([, tool = '']) => tool);
  const left = all.filter((tool) => !gone.has(tool));
  if (left.length === all.length) return block;
  if (left.length === 0) return undefined;
  const list = left.map((tool) => `    Action::"${name}___${tool}"`).join(',\n');
  // A function: names of tools may hold `$`.
  return block.replace(/action in \[\n[^\]]*\n {2}\]/, () => `action in [\n${list}\n  ]`);
}

/** Ids of policies and names of operations begin with the server's name; comments name ids. Nothing else is touched. */
const renamed = (block: string, from: string, to: string): string =>
  block
    .replaceAll(`@id("${from}.`, () => `@id("${to}.`)
    .replaceAll(`Action::"${from}___`, () => `Action::"${to}___`)
    .replace(/^\/\/.*$/gm, (line) =>
      line.replace(new RegExp(`(?<![\\w/.-])${from}(?=\\.[a-z])`, 'g'), () => to),
    );
