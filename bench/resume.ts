/**
 * From the decision to the agent: the time between the reviewer's POST and the arrival of the held call's result. One process
 * holds the reviewer and the agent, so one clock reads both ends. In it: the review's commit, waking up, the upstream's list of
 * tools, the claim's commit, the upstream's run, the outcome's commit, and two trips over HTTP.
 *
 * Measured at once after the approval has opened, and after a pause: people take their time, and a machine that has been idle
 * for a while is slow at first, whatever runs on it. A direct call of the same upstream after the same pause shows how slow.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Caller, freshInput } from './agent.ts';
import type { Gate } from './gate.ts';
import type { Effort, Measurement, Table } from './measurement.ts';
import { compare, Series, summary } from './stats.ts';

const goalMs = 5;
/** How long an approval is looked for. */
const lookMsMax = 5000;
const pausesMs = [0, 50] as const;
/** Held calls before the clock runs, as a part of the warm-up's plain ones. */
const warmUpPart = 0.05;

export interface Pending {
  readonly id: string;
  readonly digest: string;
}

interface Group {
  readonly pauseMs: number;
  readonly fromPost: Series;
  readonly fromAnswer: Series;
  readonly allowed: Series;
  readonly direct: Series;
}

const seriesOf = ({ fromPost, fromAnswer, allowed, direct }: Group): readonly Series[] => [
  fromPost,
  fromAnswer,
  allowed,
  direct,
];

export async function resume(gate: Gate, upstream: string, effort: Effort): Promise<Measurement> {
  const agent = await Caller.http(gate.web, gate.agentToken);
  const alone = await Caller.http(upstream);
  const groups = pausesMs.map((pauseMs): Group => ({
    pauseMs,
    fromPost: new Series('from the POST being sent'),
    fromAnswer: new Series('from its 201 having arrived'),
    allowed: new Series('an allowed call through the gate'),
    direct: new Series('the same call without the gate'),
  }));
  const slice = async (group: Group, count: number): Promise<void> => {
    const decided: Decided[] = [];
    for (let at = 0; at < count; at += 1) decided.push(await decideOne(gate, agent, group.pauseMs));
    group.fromPost.slice(decided.map((one) => one.fromPostMs));
    group.fromAnswer.slice(decided.map((one) => one.fromAnswerMs));
    group.allowed.slice(await callsOf(agent, count, group.pauseMs));
    group.direct.slice(await callsOf(alone, count, group.pauseMs));
  };
  for (const group of groups) await slice(group, Math.ceil(effort.warmUp * warmUpPart));
  for (const series of groups.flatMap(seriesOf)) series.slices.length = 0;
  return {
    name: 'resume',
    async round() {
      for (const group of groups) await slice(group, Math.ceil(effort.approvals / groups.length));
    },
    tables: () => groups.map(tableOf),
    async close() {
      await agent.close();
      await alone.close();
    },
  };
}

export interface Decided {
  readonly fromPostMs: number;
  readonly fromAnswerMs: number;
}

/** One held call: opened, found by the reviewer (whose gate may be another), approved after a pause, and waited for. */
export async function decideOne(gate: Gate, agent: Caller, pauseMs: number): Promise<Decided> {
  const fresh = freshInput();
  const result = agent.call('export_rows', fresh).then(() => performance.now());
  // Awaited below; a failure before that must not end the process.
  result.catch(() => undefined);
  const held = await pendingOf(gate, fresh.serial);
  if (pauseMs > 0) await pause(pauseMs);
  const sentAt = performance.now();
  await approve(gate, held);
  const answeredAt = performance.now();
  const resumedAt = await result;
  return { fromPostMs: resumedAt - sentAt, fromAnswerMs: resumedAt - answeredAt };
}

async function callsOf(caller: Caller, count: number, pauseMs: number): Promise<readonly number[]> {
  const samples: number[] = [];
  for (let at = 0; at < count; at += 1) {
    if (pauseMs > 0) await pause(pauseMs);
    const from = performance.now();
    await caller.call('read_rows');
    samples.push(performance.now() - from);
  }
  return samples;
}

function tableOf(group: Group): Table {
  const { pauseMs, fromPost, fromAnswer, allowed, direct } = group;
  const { p50 } = summary(fromPost);
  const when = pauseMs === 0 ? 'at once' : `after ${pauseMs} ms of nothing`;
  return {
    title: `From the reviewer’s POST to the agent’s result, decided ${when}`,
    method:
      'One held tools/call at a time, approved by one person through the API: three commits and two questions to the upstream from the POST on. Beside it, after the same pause, an allowed call of the same agent (two commits, one question), and a call without the gate.',
    unit: 'ms',
    variants: seriesOf(group).map(summary),
    comparisons: [
      compare(fromPost, allowed),
      compare(fromPost, direct),
      compare(fromAnswer, direct),
      compare(allowed, direct),
    ],
    goals: [
      {
        text: `decision to resumed agent p50 ≤ ${goalMs} ms: ${p50.toFixed(2)} ms`,
        met: p50 <= goalMs,
      },
    ],
    notes: ['negative from the 201: the agent had its result before the reviewer had the answer'],
  };
}

/** The approval that waits for a call of ours, as its reviewer sees it. */
async function pendingOf(gate: Gate, serial: number): Promise<Pending> {
  const end = performance.now() + lookMsMax;
  while (performance.now() < end) {
    const response = await fetch(`${gate.origin}/v1/approvals?status=pending`, { headers: auth(gate) });
    // The API's own shape (design §8); what does not fit is simply not found.
    const { items } = (await response.json()) as {
      readonly items?: readonly (Pending & {
        readonly action?: { readonly input?: { readonly serial?: number } };
      })[];
    };
    const found = items?.find((one) => one.action?.input?.serial === serial);
    if (found !== undefined) return found;
    await pause(5);
  }
  throw new Error('The held call was not found among the pending approvals.');
}

export async function approve(gate: Gate, held: Pending): Promise<void> {
  const response = await fetch(`${gate.origin}/v1/approvals/${held.id}/reviews`, {
    method: 'POST',
    headers: { ...auth(gate), 'content-type': 'application/json' },
    body: JSON.stringify({ decision: 'approve', digest: held.digest, reason: 'as agreed with support' }),
  });
  const text = await response.text();
  if (response.status !== 201) throw new Error(`The review was answered ${response.status}: ${text}`);
}

const auth = (gate: Gate): Record<string, string> => ({ authorization: `Bearer ${gate.personToken}` });
