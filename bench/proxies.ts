/**
 * The gate beside other MCP proxies, which check nothing and record nothing: the same client, the same upstream, the same calls, in
 * neighbouring slices of one run. HTTP to HTTP with one caller and with sixteen; HTTP to stdio, where each session has a process of
 * its own behind it, with one and with four. For each, how long a call takes and how many a second go through.
 */
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { Caller } from './agent.ts';
import type { Ends } from './calls.ts';
import { inOrder, timed, type Effort, type Measurement, type Table } from './measurement.ts';
import { fileOf, serving, type Serving } from './process.ts';
import { installRivals, startPassthrough, startSupergateway } from './rivals.ts';
import { compare, Series, summary } from './stats.ts';

/** One way from the client to the upstream. */
interface Way {
  readonly ms: Series;
  /** Calls a second: one number a slice. */
  readonly rate: Series;
  readonly callers: readonly Caller[];
}

interface Group {
  readonly title: string;
  readonly direct: Way;
  readonly gated: Way;
  readonly rival: Way;
  /** The least that has each call on disk before it runs (floor.ts); with one caller. */
  readonly floor: Way | null;
}

async function way(name: string, count: number, open: () => Promise<Caller>): Promise<Way> {
  const callers = await Promise.all(Array.from({ length: count }, open));
  return { ms: new Series(name), rate: new Series(name), callers };
}

const waysOf = ({ direct, gated, rival, floor }: Group): readonly Way[] => [
  direct,
  rival,
  ...(floor === null ? [] : [floor]),
  gated,
];

/** `kept`: ends what is started with the run, whatever happens. */
export async function proxies(
  { gate, upstream }: Ends,
  kept: (started: Promise<Serving>) => Promise<Serving>,
  effort: Effort,
  folder: string,
): Promise<Measurement> {
  const versions = await installRivals();
  const passthrough = await kept(startPassthrough(upstream));
  const supergateway = await kept(startSupergateway());
  const floorOf = async (name: string, ...to: readonly string[]): Promise<Way> => {
    const dir = await mkdtemp(join(folder, 'floor-'));
    const floor = await kept(serving('floor.ts', [dir, ...to]));
    return way(name, 1, () => Caller.http(floor.url));
  };
  const groups: Group[] = [];
  for (const count of [1, 16]) {
    groups.push({
      title: `HTTP to HTTP, ${named(count)}`,
      direct: await way('direct', count, () => Caller.http(upstream)),
      gated: await way('through the gate', count, () => Caller.http(gate.web, gate.agentToken)),
      rival: await way('through @civic/passthrough-mcp-server', count, () => Caller.http(passthrough.url)),
      floor: count > 1 ? null : await floorOf('the least with a durable start', upstream),
    });
  }
  for (const count of [1, 4]) {
    groups.push({
      title: `HTTP to stdio, ${named(count)}`,
      direct: await way('direct, stdio', count, () => Caller.stdio()),
      gated: await way('through the gate', count, () => Caller.http(gate.pipe, gate.agentToken)),
      rival: await way('through supergateway', count, () => Caller.http(supergateway.url)),
      floor:
        count > 1
          ? null
          : await floorOf('the least with a durable start', process.execPath, fileOf('upstream.ts'), 'stdio'),
    });
  }
  const all = groups.flatMap(waysOf);
  for (const one of all) await slice(one, effort.warmUp);
  for (const { ms, rate } of all) ms.slices.length = rate.slices.length = 0;
  return {
    name: 'proxies',
    round: (backwards) =>
      inOrder(
        groups.map((group) => () => roundOf(group, effort, backwards)),
        backwards,
      ),
    tables: () => groups.flatMap((group) => [timeOf(group, versions), rateOf(group)]),
    async close() {
      await Promise.all(all.flatMap(({ callers }) => callers.map((caller) => caller.close())));
    },
  };
}

const named = (count: number): string => `${count} caller${count === 1 ? '' : 's'}`;

/** There and back through the same ways, so that neighbours see the same machine. */
async function roundOf(group: Group, effort: Effort, backwards: boolean): Promise<void> {
  const count = (effort.calls / 2) * (group.direct.callers.length > 1 ? 2 : 1);
  const ways = waysOf(group).map((one) => () => slice(one, Math.round(count)));
  await inOrder(ways, backwards);
  await inOrder(ways, !backwards);
}

async function slice({ ms, rate, callers }: Way, count: number): Promise<void> {
  const { samplesMs, tookMs } = await timed(callers.length, count, async (_job, at) => {
    await callers[at]?.call('read_rows');
  });
  ms.slice(samplesMs);
  rate.slice([(samplesMs.length / tookMs) * 1000]);
}

function timeOf(group: Group, versions: readonly string[]): Table {
  const { direct, gated, rival, floor } = group;
  const against = compare(gated.ms, rival.ms);
  return {
    title: `An allowed tools/call, ${group.title}`,
    method:
      'The official SDK’s client (2025-11-25) and the same upstream for all. The other proxy passes messages on; the gate authenticates, judges, and has the start on disk before the call runs.',
    unit: 'ms',
    variants: waysOf(group).map((one) => summary(one.ms)),
    comparisons: [
      against,
      compare(gated.ms, direct.ms),
      compare(rival.ms, direct.ms),
      ...(floor === null ? [] : [compare(floor.ms, rival.ms), compare(gated.ms, floor.ms)]),
    ],
    goals: [
      {
        text: `an allowed call is faster than ${rival.ms.name} at p50: ratio ${against.ratio.toFixed(2)}`,
        met: against.ratio < 1,
      },
    ],
    notes: [`versions: ${versions.join(', ')}, each with its defaults`],
  };
}

function rateOf(group: Group): Table {
  const { direct, gated, rival } = group;
  return {
    title: `Calls a second, ${group.title}`,
    method: 'The same slices: calls of a slice by the time that it took.',
    unit: '/s',
    variants: waysOf(group).map((one) => summary(one.rate)),
    comparisons: [
      compare(gated.rate, rival.rate),
      compare(gated.rate, direct.rate),
      compare(rival.rate, direct.rate),
    ],
    goals: [],
    notes: [],
  };
}
