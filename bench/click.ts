/**
 * From a click in Slack to the agent: the time between the platform's POST of a press on "Approve" and the agent's being told
 * that it may run (API), or its tool's result (MCP). In it: the signature, the press made durable, the question who the member is,
 * the review's commit, waking up; for MCP the run as well. The platform answers at once here; its own call that lies on the way
 * (users.info) is measured beside, and taken off.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Caller, freshInput } from './agent.ts';
import { startGate, type Gate, type GateOptions } from './gate.ts';
import type { Effort, Measurement, Table } from './measurement.ts';
import { appId, channel, press, signingSecret, Slack, team, type Posted } from './slack.ts';
import { compare, Series, summary } from './stats.ts';

const goalMs = 10;
/** How long a card is looked for. */
const lookMsMax = 5000;
/** From a card's being there to the press. */
const readMs = 50;
/** Clicks before the clock runs, as a part of the warm-up's plain calls. */
const warmUpPart = 0.05;

const operation = 'shop___export';

/** Who presses, in turn: an account may press only so often within a minute. */
const pressers = ['rosa', 'mia', 'ana', 'ben', 'cleo', 'dan'];
const userOf = (person: string): string => `U0${person.toUpperCase()}`;

/** A gate that asks in Slack, with a press's way to it over HTTP. */
const slackGate = (slack: Slack): GateOptions => ({
  name: 'slack-gate',
  operations: [operation],
  owners: pressers.slice(2),
  more: `
@id("bench.shop") @title("Support may ask") permit (principal in Group::"support-agents", action == Action::"${operation}", resource);
@id("bench.shop.export") @title("An export needs a data owner") @approvers("data-owners")
forbid (principal, action == Action::"${operation}", resource);
`,
  channels: {
    slack: { appId, team, botToken: 'xoxb-bench', signingSecret, channel },
  },
  program: {
    script: 'chat-gate.ts',
    args: [slack.url, team, ...pressers.map((one) => `${one}=${userOf(one)}`)],
  },
});

interface Ways {
  readonly api: Series;
  readonly mcp: Series;
  readonly platform: Series;
  readonly allowed: Series;
}

export async function click(
  kept: <T extends { stop(): Promise<void> }>(started: Promise<T>) => Promise<T>,
  {
    folder,
    upstream,
    effort,
  }: { readonly folder: string; readonly upstream: string; readonly effort: Effort },
): Promise<Measurement> {
  const slack = await Slack.start();
  const gate = await kept(startGate(folder, upstream, slackGate(slack)));
  const agent = await Caller.http(gate.web, gate.agentToken);
  const ways: Ways = {
    api: new Series('an agent that waits in the API, told that it may run'),
    mcp: new Series('a held tools/call, with the result of its run'),
    platform: new Series('the platform’s own call on the way (users.info)'),
    allowed: new Series('an allowed tools/call of the same agent'),
  };
  const all = [ways.api, ways.mcp, ways.platform, ways.allowed];
  const slice = async (count: number): Promise<void> => {
    const times = async (work: () => Promise<number>): Promise<readonly number[]> => {
      const samples: number[] = [];
      for (let at = 0; at < count; at += 1) samples.push(await work());
      return samples;
    };
    ways.api.slice(await times(() => throughApi(gate, slack)));
    ways.platform.slice(await times(() => membership(slack)));
    ways.mcp.slice(await times(() => throughMcp(gate, slack, agent)));
    ways.allowed.slice(
      await times(async () => {
        const from = performance.now();
        await agent.call('read_rows');
        return performance.now() - from;
      }),
    );
  };
  await slice(Math.ceil(effort.warmUp * warmUpPart));
  for (const series of all) series.slices.length = 0;
  return {
    name: 'click',
    round: () => slice(Math.ceil(effort.approvals / 4)),
    tables: () => [tableOf(ways)],
    async close() {
      await agent.close();
      await slack.close();
    },
  };
}

/** A card that was not there before `known`. */
async function cardAfter(slack: Slack, known: ReadonlySet<string>): Promise<Posted> {
  const end = performance.now() + lookMsMax;
  while (performance.now() < end) {
    const found = slack.posted.findLast((one) => !known.has(one.ts) && approveOf(one) !== undefined);
    if (found !== undefined) {
      // Nobody reads it sooner: by then the gate has noted where it is.
      await pause(readMs);
      return found;
    }
    await pause(2);
  }
  throw new Error('No card was posted.');
}

const approveOf = (message: Posted) =>
  message.blocks
    .flatMap((block) => (block.type === 'actions' ? (block.elements ?? []) : []))
    .find((element) => element.action_id === 'countersign.approve');

const known = (slack: Slack): ReadonlySet<string> => new Set(slack.posted.map((one) => one.ts));

let presses = 0;

async function pressed(gate: Gate, message: Posted): Promise<void> {
  const button = approveOf(message);
  if (button === undefined) throw new Error('The card has no button.');
  presses += 1;
  const response = await fetch(
    `${gate.origin}/channels/slack/events`,
    press(userOf(pressers[presses % pressers.length] ?? ''), message, button),
  );
  await response.text();
  if (response.status !== 200) throw new Error(`The press was answered ${response.status}.`);
}

async function throughApi(gate: Gate, slack: Slack): Promise<number> {
  const before = known(slack);
  const headers = { authorization: `Bearer ${gate.agentToken}`, 'content-type': 'application/json' };
  const asked = await fetch(`${gate.origin}/v1/actions`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ operation, input: freshInput().input }),
  });
  // The API's own shape (design §8).
  const { approval, state } = (await asked.json()) as {
    readonly approval?: { readonly id: string };
    readonly state: string;
  };
  if (approval === undefined || state !== 'pending') throw new Error(`It was not held: ${state}.`);
  const card = await cardAfter(slack, before);
  const waiting = resumed(gate, approval.id, headers);
  // Awaited below; a failure before that must not end the process.
  waiting.catch(() => undefined);
  await pause(5); // so that the wait has begun
  const from = performance.now();
  const answered = pressed(gate, card);
  const at = await waiting;
  await answered;
  return at - from;
}

/** When the agent that waits is told that it may run. */
async function resumed(gate: Gate, approval: string, headers: Record<string, string>): Promise<number> {
  const waited = await fetch(`${gate.origin}/v1/approvals/${approval}?wait=10`, { headers });
  const { status } = (await waited.json()) as { readonly status: string };
  const at = performance.now();
  if (status !== 'approved') throw new Error(`It is ${status}.`);
  return at;
}

async function throughMcp(gate: Gate, slack: Slack, agent: Caller): Promise<number> {
  const before = known(slack);
  const result = agent.call('export_rows').then(() => performance.now());
  result.catch(() => undefined);
  const card = await cardAfter(slack, before);
  const from = performance.now();
  const answered = pressed(gate, card);
  const at = await result;
  await answered;
  return at - from;
}

async function membership(slack: Slack): Promise<number> {
  const from = performance.now();
  const response = await fetch(`${slack.url}users.info`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ user: userOf('rosa') }).toString(),
  });
  await response.text();
  return performance.now() - from;
}

function tableOf({ api, mcp, platform, allowed }: Ways): Table {
  const onTop = compare(api, platform).added;
  return {
    title: 'From a click in Slack to the agent',
    method:
      'One approval at a time, pressed on its card over HTTP, signed as Slack signs. Slack’s API is a stand-in on loopback that answers at once; the one call of it on the way is measured beside and taken off.',
    unit: 'ms',
    variants: [api, mcp, platform, allowed].map(summary),
    comparisons: [compare(api, platform), compare(mcp, platform), compare(mcp, allowed)],
    goals: [
      {
        text: `click to resumed agent p50 ≤ ${goalMs} ms on top of the platform: ${onTop.toFixed(2)} ms`,
        met: onTop <= goalMs,
      },
    ],
    notes: [],
  };
}
