/**
 * From the decision to the agent: the time between the reviewer's POST and the arrival of the held call's result. One process
 * holds the reviewer and the agent, so one clock reads both ends. In it: the review's commit, waking up, the claim's commit,
 * the upstream's run, the outcome's commit, and two trips over HTTP.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Caller, freshInput } from './agent.ts';
import type { Gate } from './gate.ts';
import type { Effort, Measurement, Table } from './measurement.ts';
import { compare, Series, summary } from './stats.ts';

const goalMs = 5;
/** How long an approval is looked for. */
const lookMsMax = 5000;
/** Before the decision, so that nothing of the asking is still going on. */
const settleMs = 30;

interface Pending {
  readonly id: string;
  readonly digest: string;
}

export async function resume(gate: Gate, effort: Effort): Promise<Measurement> {
  const agent = await Caller.http(gate.web, gate.agentToken);
  const fromPost = new Series('from the POST being sent');
  const fromAnswer = new Series('from its 201 having arrived');
  const allowed = new Series('an allowed call through the gate');
  const once = async (): Promise<{ readonly post: number; readonly answer: number }> => {
    const fresh = freshInput();
    const result = agent.call('export_rows', fresh).then(() => performance.now());
    // Awaited below; a failure before that must not end the process.
    result.catch(() => undefined);
    const held = await pendingOf(gate, fresh.serial);
    await pause(settleMs);
    const sentAt = performance.now();
    await approve(gate, held);
    const answeredAt = performance.now();
    const resumedAt = await result;
    return { post: resumedAt - sentAt, answer: resumedAt - answeredAt };
  };
  const slice = async (count: number): Promise<void> => {
    const samples: { readonly post: number; readonly answer: number }[] = [];
    for (let at = 0; at < count; at += 1) samples.push(await once());
    fromPost.slice(samples.map((one) => one.post));
    fromAnswer.slice(samples.map((one) => one.answer));
    const plain: number[] = [];
    for (let at = 0; at < count; at += 1) {
      await pause(settleMs);
      const from = performance.now();
      await agent.call('read_rows');
      plain.push(performance.now() - from);
    }
    allowed.slice(plain);
  };
  await slice(5);
  for (const series of [fromPost, fromAnswer, allowed]) series.slices.length = 0;
  return {
    name: 'resume',
    round: () => slice(effort.approvals),
    tables: (): readonly Table[] => {
      const { p50 } = summary(fromPost);
      return [
        {
          title: 'From the reviewer’s POST to the agent’s result',
          method:
            'One held tools/call at a time, approved by one person through the API. Beside it, for scale, an allowed call of the same agent after the same pause: it makes two commits, a held one makes three from the POST on.',
          unit: 'ms',
          variants: [fromPost, fromAnswer, allowed].map(summary),
          comparisons: [compare(fromPost, allowed), compare(fromAnswer, allowed)],
          goals: [
            {
              text: `decision to resumed agent p50 ≤ ${goalMs} ms: ${p50.toFixed(2)} ms`,
              met: p50 <= goalMs,
            },
          ],
          notes: ['negative from the 201: the agent had its result before the reviewer had the answer'],
        },
      ];
    },
    close: () => agent.close(),
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

async function approve(gate: Gate, held: Pending): Promise<void> {
  const response = await fetch(`${gate.origin}/v1/approvals/${held.id}/reviews`, {
    method: 'POST',
    headers: { ...auth(gate), 'content-type': 'application/json' },
    body: JSON.stringify({ decision: 'approve', digest: held.digest, reason: 'as agreed with support' }),
  });
  const text = await response.text();
  if (response.status !== 201) throw new Error(`The review was answered ${response.status}: ${text}`);
}

const auth = (gate: Gate): Record<string, string> => ({ authorization: `Bearer ${gate.personToken}` });
