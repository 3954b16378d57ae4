/**
 * What the number of policies costs an allowed call: the judgement alone, in this process, with 10 to 10,000 policies; and the whole
 * call through a gate with 1,000, beside one with a handful and the call without a gate.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { createPolicyEngine } from '../src/policy/engine.ts';
import { prove } from '../src/policy/prove.ts';
import { asAgentId, asGroupId, asPersonId } from '../src/core/ids.ts';
import type { Judgeable, PolicyEngine, PolicyWorld } from '../src/ports/policy.ts';
import { Caller } from './agent.ts';
import type { Ends } from './calls.ts';
import type { Gate, GateOptions } from './gate.ts';
import { inOrder, timed, type Effort, type Measurement, type Table } from './measurement.ts';
import {
  allowedInput,
  forAll,
  inputSchema,
  operationOf,
  perOperation,
  policiesOf,
  spread,
} from './policy-texts.ts';
import { compare, Series, summary } from './stats.ts';

const counts = [10, 100, 1000, 10_000] as const;
/** The gate that whole calls go through. */
const gateCount = 1000;
const judgementGoalMicros = 250;
const addedGoalMs = 1;
/** Judgements in one sample: a single one is too short for the clock. */
const perSample = 10;
const samplesPerSlice = 40;
/** The gate gives a set 30 s (prove.ts); what takes longer is measured all the same, and said. */
const loadMsMax = 300_000;

/** One way of judging: a set, and the operations that are judged in turn. */
interface Judging {
  readonly series: Series;
  readonly engine: PolicyEngine;
  readonly operations: readonly string[];
  /** The same input each time, whose verdict the engine remembers. */
  readonly same: boolean;
}

/** Counts judgements of this run. */
let serial = 0;

function worldOf(operations: readonly string[]): PolicyWorld {
  return {
    directory: {
      people: ['sam', 'rosa', 'mia'].map((id) => ({
        id: asPersonId(id),
        name: id,
        groups: [asGroupId('data-owners')],
      })),
      agents: [
        { id: asAgentId('crm-bot'), owners: [asPersonId('sam')], groups: [asGroupId('support-agents')] },
      ],
      roles: { operators: asGroupId('platform'), auditors: asGroupId('audit') },
    },
    servers: [],
    tools: [],
    resourceTypes: {},
    operations: operations.map((operation) => ({ operation, input: inputSchema, resourceType: null })),
    versions: { policySet: 1, directory: 1, tools: 1 },
  };
}

/** An engine with a set; answers too how long proving and loading took. */
async function loaded(
  text: string,
  operations: readonly string[],
): Promise<{ readonly engine: PolicyEngine; readonly seconds: number }> {
  const engine = createPolicyEngine({ prove: (candidate) => prove(candidate, loadMsMax) });
  const from = performance.now();
  const texts = { policies: [{ file: 'bench.cedar', text }], schemas: [], entities: [] };
  const done = await engine.load(texts, worldOf(operations), null);
  if (!done.ok) throw new Error(`The policies do not load: ${done.error[0]?.message ?? ''}`);
  return { engine, seconds: (performance.now() - from) / 1000 };
}

const names = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => operationOf(at));

/** What the gate with {@link gateCount} policies is made of: ten of them are of the tool that is called. */
export const largeGate: GateOptions = {
  name: 'gate-policies',
  more: `${policiesOf('web___read_rows', perOperation - 1, false)}\n${spread(gateCount - perOperation)}`,
  operations: names(gateCount / perOperation),
};

export async function policies(ends: Ends, large: Gate, effort: Effort): Promise<Measurement> {
  const notes: string[] = [];
  const judgings: Judging[] = [];
  const add = async (title: string, text: string, operations: readonly string[]): Promise<PolicyEngine> => {
    const { engine, seconds } = await loaded(text, operations);
    judgings.push({ series: new Series(title), engine, operations: operations.slice(0, 1), same: false });
    notes.push(`${title}: proven and loaded in ${seconds.toFixed(2)} s`);
    return engine;
  };
  for (const count of counts) {
    const operations = names(count / perOperation);
    const engine = await add(`${count} policies, ten an operation`, spread(count), operations);
    if (operations.length < 2) continue;
    const series = new Series(`${count} policies, each operation in turn`);
    judgings.push({ series, engine, operations, same: false });
    if (count !== gateCount) continue;
    const again = new Series(`${count} policies, the same action again`);
    judgings.push({ series: again, engine, operations: operations.slice(0, 1), same: true });
  }
  for (const count of counts) await add(`${count} policies for every operation`, forAll(count), names(1));
  const whole = await wholeCalls(ends, large, effort);
  for (const one of judgings) {
    judge(one);
    one.series.slices.length = 0;
  }
  return {
    name: 'policies',
    round: async (backwards) => {
      await inOrder(
        judgings.map((one) => async () => judge(one)),
        backwards,
      );
      // Judging has kept this thread busy: what the servers closed meanwhile is noticed only now.
      await pause(50);
      await whole.round(backwards);
    },
    tables: () => [tableOf(judgings, notes), ...whole.tables()],
    close: () => whole.close(),
  };
}

function judge(one: Judging): void {
  const micros: number[] = [];
  for (let at = 0; at < samplesPerSlice; at += 1) {
    const from = performance.now();
    for (let call = 0; call < perSample; call += 1) {
      serial += 1;
      const operation = one.operations[serial % one.operations.length] ?? '';
      const action: Judgeable = {
        agent: asAgentId('crm-bot'),
        operation,
        input: allowedInput(one.same ? 0 : serial),
        resource: { type: 'Server', id: 'shop' },
      };
      const { effect, explanation } = one.engine.judge(action, Date.now(), null);
      if (effect !== 'allow') throw new Error(`${operation}: ${explanation.text}`);
    }
    micros.push(((performance.now() - from) * 1000) / perSample);
  }
  one.series.slice(micros);
}

function tableOf(judgings: readonly Judging[], notes: readonly string[]): Table {
  const summaries = judgings.map(({ series }) => summary(series));
  const [first, ...others] = judgings;
  const title = `${gateCount} policies, ten an operation`;
  const judged = summaries.find(({ name }) => name === title)?.p50 ?? Number.NaN;
  return {
    title: 'Policy: one judgement of an allowed call, by the number of policies',
    method:
      'Verdict with its explanation, in this process. Only the policies whose scope can match are asked: ten of an operation, whatever there is besides; “for every operation” is the worst that an operator can write. “In turn” judges another operation each time: more of them than are kept parsed (256) are parsed again. Each input differs in what policies read, but where it says “again”.',
    unit: 'µs',
    variants: summaries,
    comparisons: first === undefined ? [] : others.map(({ series }) => compare(series, first.series)),
    goals: [
      {
        text: `a judgement takes ≤ ${judgementGoalMicros} µs at p50 with ${gateCount} policies: ${judged.toFixed(0)} µs`,
        met: judged <= judgementGoalMicros,
      },
    ],
    notes: [`one sample is the mean of ${perSample} judgements`, ...notes],
  };
}

/** Through the gate with {@link gateCount} policies, through the other gate, and direct. */
async function wholeCalls({ gate, upstream }: Ends, large: Gate, effort: Effort): Promise<Measurement> {
  const ways = [
    { series: new Series('direct'), caller: await Caller.http(upstream) },
    { series: new Series('gate, 3 policies'), caller: await Caller.http(gate.web, gate.agentToken) },
    {
      series: new Series(`gate, ${gateCount} policies`),
      caller: await Caller.http(large.web, large.agentToken),
    },
  ] as const;
  const slice = async ({ series, caller }: (typeof ways)[number], calls: number): Promise<void> => {
    series.slice((await timed(1, calls, () => caller.call('read_rows'))).samplesMs);
  };
  for (const way of ways) {
    await slice(way, effort.warmUp);
    way.series.slices.length = 0;
  }
  const [direct, few, many] = ways;
  return {
    name: 'policies, whole calls',
    round: (backwards) =>
      inOrder(
        ways.map((way) => () => slice(way, effort.calls)),
        backwards,
      ),
    tables: () => {
      const through = compare(many.series, direct.series);
      return [
        {
          title: `An allowed tools/call with ${gateCount} policies, 1 caller`,
          method: 'The official SDK’s client over HTTP; the same upstream for all.',
          unit: 'ms',
          variants: ways.map(({ series }) => summary(series)),
          comparisons: [through, compare(few.series, direct.series), compare(many.series, few.series)],
          goals: [
            {
              text: `with ${gateCount} policies an allowed call costs ≤ ${addedGoalMs} ms more at p50: ${through.added.toFixed(2)} ms`,
              met: through.added <= addedGoalMs,
            },
          ],
          notes: [],
        },
      ];
    },
    close: async () => {
      for (const { caller } of ways) await caller.close();
    },
  };
}
