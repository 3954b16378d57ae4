/**
 * What an allowed `tools/call` costs more through the gate: the official SDK's client against the same upstream, directly and
 * through the gate, with one caller and with sixteen. Between the two, for scale, a proxy that only passes on (relay.ts).
 * As an extra the same with an upstream on stdio, against the client that starts it itself.
 */
import { Caller } from './agent.ts';
import type { Gate } from './gate.ts';
import { inOrder, timed, type Effort, type Measurement, type Table } from './measurement.ts';
import { compare, Series, summary } from './stats.ts';

/** Design: at one caller. */
const goalMs = 1;

interface Way {
  readonly series: Series;
  readonly callers: readonly Caller[];
}

interface Group {
  readonly title: string;
  readonly direct: Way;
  readonly gated: Way;
  readonly relayed: Way | undefined;
  readonly goal: boolean;
}

export interface Ends {
  readonly gate: Gate;
  readonly upstream: string;
  readonly relay: string;
}

const opened = (count: number, open: () => Promise<Caller>): Promise<readonly Caller[]> =>
  Promise.all(Array.from({ length: count }, open));

export async function calls(ends: Ends, effort: Effort): Promise<Measurement> {
  const { gate, upstream, relay } = ends;
  const groups: Group[] = [];
  for (const count of [1, 16]) {
    groups.push({
      title: `An allowed tools/call over HTTP, ${count} caller${count === 1 ? '' : 's'}`,
      direct: { series: new Series('direct'), callers: await opened(count, () => Caller.http(upstream)) },
      gated: {
        series: new Series('through the gate'),
        callers: await opened(count, () => Caller.http(gate.web, gate.agentToken)),
      },
      relayed: {
        series: new Series('through a bare relay'),
        callers: await opened(count, () => Caller.http(relay)),
      },
      goal: count === 1,
    });
  }
  groups.push({
    title: 'An allowed tools/call, upstream on stdio, 1 caller (extra)',
    direct: { series: new Series('direct, stdio'), callers: await opened(1, () => Caller.stdio()) },
    gated: {
      series: new Series('through the gate, HTTP then stdio'),
      callers: await opened(1, () => Caller.http(gate.pipe, gate.agentToken)),
    },
    relayed: undefined,
    goal: false,
  });
  for (const group of groups) for (const way of waysOf(group)) await slice(way, effort.warmUp);
  for (const group of groups) for (const way of waysOf(group)) way.series.slices.length = 0;
  return {
    name: 'calls',
    round: (backwards) =>
      inOrder(
        groups.map((group) => () => roundOf(group, effort, backwards)),
        backwards,
      ),
    tables: () => groups.map(tableOf),
    async close() {
      await Promise.all(groups.flatMap(waysOf).flatMap((way) => way.callers.map((caller) => caller.close())));
    },
  };
}

const waysOf = (group: Group): readonly Way[] => [
  group.direct,
  ...(group.relayed === undefined ? [] : [group.relayed]),
  group.gated,
];

/** Twice through the same ways: short slices, so that neighbours see the same machine. */
async function roundOf(group: Group, effort: Effort, backwards: boolean): Promise<void> {
  // Sixteen callers make more calls in the same time.
  const count = (effort.calls / 2) * (group.direct.callers.length > 1 ? 4 : 1);
  const ways = waysOf(group).map((way) => () => slice(way, Math.round(count)));
  await inOrder(ways, backwards);
  await inOrder(ways, !backwards);
}

async function slice(way: Way, count: number): Promise<void> {
  const { samplesMs } = await timed(way.callers.length, count, async (_job, at) => {
    await way.callers[at]?.call('read_rows');
  });
  way.series.slice(samplesMs);
}

function tableOf(group: Group): Table {
  const { direct, gated, relayed, goal } = group;
  const through = compare(gated.series, direct.series);
  return {
    title: group.title,
    method:
      'The official SDK’s client with its defaults, one connection a caller, against the same upstream process. The call is judged by Cedar, and its start is durable before it runs, its outcome is written while the answer goes. A bare relay is the SDK’s server and client back to back: no judgement, no log.',
    unit: 'ms',
    variants: waysOf(group).map((way) => summary(way.series)),
    comparisons: [
      through,
      ...(relayed === undefined
        ? []
        : [compare(gated.series, relayed.series), compare(relayed.series, direct.series)]),
    ],
    goals: goal
      ? [
          {
            text: `an allowed call costs ≤ ${goalMs} ms more at p50: ${through.added.toFixed(2)} ms`,
            met: through.added <= goalMs,
          },
        ]
      : [],
    notes: [
      'about 500 bytes of arguments and 900 bytes of answer; each call is its own action with two commits',
    ],
  };
}
