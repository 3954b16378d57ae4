/** Which pack a server gets, if any, and what the operator is told of how the two differ. */
import { visibleLine } from '../core/visible.ts';
import type { JsonObject } from '../core/json.ts';
import { Failure } from './command.ts';
import { agrees } from './init-ask.ts';
import type { PackUse } from './init-pack-policies.ts';
import { compare, packNames, readPack, recognise, type Compared, type Pack } from './init-packs.ts';
import type { Io } from './io.ts';

/** Names of one kind that are told; more are counted. */
const namesMax = 30;

export interface Choice {
  /** The pack of --pack. */
  readonly named: Pack | undefined;
  /** --yes: nothing is asked. */
  readonly yes: boolean;
  readonly offered: readonly JsonObject[];
}

/** The pack to use: the one that was named; else, of a server that is recognised, the one that the operator agrees to. */
export async function choosePack({ named, yes, offered }: Choice, io: Io): Promise<PackUse | null> {
  if (named !== undefined) {
    const use = useOf(named, offered, true);
    if (use.compared.same.length + use.compared.changed.length === 0)
      throw new Failure(
        `This server offers none of the tools of the pack ${named.name}, which is for ${named.package}.`,
      );
    tellDifferences(use, io);
    return use;
  }
  const pack = recognise(offered);
  if (pack === undefined) return null;
  const use = useOf(pack, offered, !yes);
  const known = use.compared.same.length + use.compared.changed.length;
  io.say(
    `\nThese are the tools of ${pack.package} (${known} of ${offered.length} names), for which there is the pack ${pack.name}.`,
  );
  if (yes) {
    io.say(
      `Its profiles and its refusals are used, and what it would let run without asking is held. To have it whole, add --pack ${pack.name}.`,
    );
    tellDifferences(use, io);
    return use;
  }
  if (!(await agrees('Use its profiles and policies?', io))) return null;
  tellDifferences(use, io);
  return use;
}

const useOf = (pack: Pack, offered: readonly JsonObject[], chosen: boolean): PackUse => ({
  pack,
  compared: compare(pack, offered),
  chosen,
  denied: new Set(),
});

/** One line a pack, for --list-packs. */
export function packLines(): readonly string[] {
  const packs = packNames().map((name) => readPack(name));
  const width = Math.max(...packs.map((pack) => pack.name.length));
  return packs.map(
    (pack) =>
      `${pack.name.padEnd(width)}  ${pack.package} ${pack.version}, ${pack.tools.length === 1 ? 'one tool' : `${pack.tools.length} tools`}`,
  );
}

function tellDifferences({ pack, compared }: PackUse, io: Io): void {
  const { added, missing, changed } = compared;
  const of = `the pack ${pack.name} (${pack.package} ${pack.version}, listed ${pack.listed})`;
  if (added.length + missing.length + changed.length === 0)
    return io.say(`The server offers exactly the tools of ${of}.`);
  io.say(`The server differs from ${of}:`);
  for (const line of differences(compared)) io.say(`  ${line}`);
}

/** A line for each kind of difference that there is. */
function differences({ added, missing, changed }: Compared): readonly string[] {
  return [
    ...(added.length === 0 ? [] : [`new, and so held for a reviewer: ${listed(added)}`]),
    ...(changed.length === 0
      ? []
      : [
          `not as the pack knows them, and so held for a reviewer: ${listed(
            changed.map((one) =>
              one.arguments.length === 0 ? one.name : `${one.name} (${one.arguments.join(', ')})`,
            ),
          )}`,
        ]),
    ...(missing.length === 0 ? [] : [`not offered, and so left out: ${listed(missing)}`]),
  ];
}

/** Names as a person can read them: they are the server's words. */
export const listed = (names: readonly string[]): string =>
  names
    .slice(0, namesMax)
    .map((name) => visibleLine(name).slice(0, 200))
    .join(', ') + (names.length > namesMax ? ` and ${names.length - namesMax} more` : '');
