/** How long a decision on one gate takes to an agent that waits on the other, beside one that waits on the same. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Caller } from './agent.ts';
import { inputOf } from './commands.ts';
import type { Gate } from './gate.ts';
import { inOrder, type Effort, type Table } from './measurement.ts';
import { pendingIn, send } from './replica.ts';
import { approve, decideOne } from './resume.ts';
import { compare, Series, summary } from './stats.ts';

/** From the decision on one gate to the agent on the other. */
const goalMs = 10;
/** Nobody decides at once. */
const pauseMs = 20;
/** What waits for people; the gates' policies say so. */
export const heldOperation = 'shop___held';

interface At {
  readonly gate: Gate;
  readonly agent: Caller;
}

export class Waits {
  readonly #api = {
    elsewhere: new Series('agent waits on the other gate'),
    same: new Series('agent waits on the same gate'),
  };
  readonly #mcp = {
    elsewhere: new Series('held call on the other gate'),
    same: new Series('held call on the same gate'),
  };
  #serial = 0;

  get series(): readonly Series[] {
    return [...Object.values(this.#api), ...Object.values(this.#mcp)];
  }

  /** People decide at the first. */
  async slice([a, b]: readonly [At, At], effort: Effort, backwards: boolean): Promise<void> {
    const each = Math.ceil(effort.approvals / 2);
    const some = async (series: Series, one: () => Promise<number>): Promise<void> => {
      const samples: number[] = [];
      for (let at = 0; at < each; at += 1) samples.push(await one());
      series.slice(samples);
    };
    await inOrder(
      [
        () => some(this.#api.elsewhere, () => this.#waitOne(a.gate, b.gate)),
        () => some(this.#api.same, () => this.#waitOne(a.gate, a.gate)),
        () => some(this.#mcp.elsewhere, async () => (await decideOne(a.gate, b.agent, pauseMs)).fromPostMs),
        () => some(this.#mcp.same, async () => (await decideOne(a.gate, a.agent, pauseMs)).fromPostMs),
      ],
      backwards,
    );
  }

  /** Milliseconds from the review being sent to one gate, to the agent that waits at the other being told. */
  async #waitOne(decides: Gate, waits: Gate): Promise<number> {
    this.#serial += 1;
    const input = inputOf(this.#serial);
    const asked = await send(waits.origin, waits.agentToken, 'POST', '/v1/actions', {
      operation: heldOperation,
      input,
    });
    const held = pendingIn(asked);
    const told = send(waits.origin, waits.agentToken, 'GET', `/v1/approvals/${held.id}?wait=30`).then(
      (said) => {
        if (!JSON.stringify(said).includes('"ready"'))
          throw new Error(`Waiting was answered ${JSON.stringify(said)}`);
        return performance.now();
      },
    );
    // Awaited below; a failure before that must not end the process.
    told.catch(() => undefined);
    await pause(pauseMs);
    const from = performance.now();
    await approve(decides, held);
    return (await told) - from;
  }

  tables(): readonly Table[] {
    const [api, mcp] = [this.#api, this.#mcp];
    const { p50, p95 } = summary(api.elsewhere);
    return [
      {
        title: 'From a decision on one gate to the agent that waits on the other',
        method: `The agent waits in the API (GET /v1/approvals/ID?wait=); a person’s POST …/reviews goes to the first gate after ${pauseMs} ms of nothing. Timed from that POST being sent, by one clock.`,
        unit: 'ms',
        variants: [api.elsewhere, api.same].map(summary),
        comparisons: [compare(api.elsewhere, api.same)],
        goals: [
          { text: `p50 ≤ ${goalMs} ms: ${p50.toFixed(2)} ms (p95 ${p95.toFixed(2)})`, met: p50 <= goalMs },
        ],
        notes: [],
      },
      {
        title: 'From a decision on one gate to the result of a call that is held on the other',
        method:
          'A held tools/call: after the review the gate that holds it asks the upstream for its tools, consumes the grant, calls, and records the outcome: two more commits.',
        unit: 'ms',
        variants: [mcp.elsewhere, mcp.same].map(summary),
        comparisons: [compare(mcp.elsewhere, mcp.same)],
        goals: [],
        notes: [],
      },
    ];
  }
}
