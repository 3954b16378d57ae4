/** What agents do: they ask by HTTP and run by themselves, or call tools through the gate; wait, give up, come back, withdraw. */
import { claim, delivered, reportOutcome, settled } from '../../../src/app/execute.ts';
import { authorize } from '../../../src/app/authorize.ts';
import { cancel } from '../../../src/app/review.ts';
import { stateOf, type Case } from '../../../src/core/case.ts';
import type { Idempotency } from '../../../src/core/command.ts';
import type { ActionId, AgentId, ExecutionId } from '../../../src/core/ids.ts';
import { asActionId } from '../../../src/core/ids.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import { sha256Hex } from '../../../src/core/sha256.ts';
import { callTool } from '../../../src/enforce/mcp/call.ts';
import { createInputChecks, type InputChecks } from '../../../src/enforce/mcp/schema.ts';
import type { ToolLink } from '../../../src/enforce/mcp/tool-link.ts';
import { attemptOf } from '../../../src/http/api/ask.ts';
import type { SimGate } from './gate.ts';
import { notes, secretOf, type Life } from './life.ts';
import { agents, operation } from './organisation.ts';
import { linkOf } from './outside.ts';

/** What an agent's own process remembers, whatever becomes of gates. */
export interface Asker {
  readonly id: AgentId;
  readonly inputs: JsonObject[];
  readonly calls: JsonObject[];
  readonly actions: ActionId[];
  /** Executions that it has carried out: an answer that comes twice is one execution. */
  readonly ran: Set<ExecutionId>;
}

export const askers = (): readonly Asker[] =>
  agents.map((id) => ({ id, inputs: [], calls: [], actions: [], ran: new Set() }));

const keyed = ({ id }: Asker, key: string): Idempotency => ({
  principal: `agent:${id}`,
  key,
  fingerprint: sha256Hex(key),
});

const remembered = 8;
const remember = <T>(list: T[], one: T): void => {
  list.push(one);
  if (list.length > remembered) list.shift();
};

/** Asks through the HTTP API, waits a while, runs what may run, and says how it ended. */
export async function asksByHttp(life: Life, gate: SimGate, asker: Asker): Promise<void> {
  const { random } = life;
  const { parts } = gate;
  const again = asker.inputs.length > 0 && random.chance(0.4);
  const input = again
    ? random.pick(asker.inputs)
    : { cents: random.pick([1, 2, 3, 9]), note: secretOf(life) };
  const run = random.chance(0.15) ? secretOf(life) : null;
  const idempotency = random.chance(0.5) ? keyed(asker, `ask ${JSON.stringify([input, run])}`) : undefined;
  const reason = random.chance(0.5) ? secretOf(life) : null;
  const wanted = {
    operation: operation.refund,
    resource: null,
    input,
    reason,
    session: null,
    callback: null,
  };
  const attempt = attemptOf(parts, { id: asker.id }, wanted, run);
  if (!attempt.ok) return;
  const waitMs = random.below(90_000);
  const asked = await authorize(parts, attempt.value, idempotency);
  if (!asked.ok) return;
  let { held } = asked.value;
  const { id } = held.asked;
  life.acks.push({ kind: 'asked', action: id });
  if (!again) remember(asker.inputs, input);
  remember(asker.actions, id);
  if (waitMs > 20_000) held = (await settled(parts, id, parts.clock.nowMs() + waitMs)) ?? held;
  // Some take their time, until the grant is over.
  if (random.chance(0.3)) return;
  await goesOn(life, gate, asker, held);
}

/** Comes back to something that it asked for. */
export async function comesBack(life: Life, gate: SimGate, asker: Asker): Promise<void> {
  if (asker.actions.length === 0) return;
  const held = await gate.parts.store.caseBy({ action: life.random.pick(asker.actions) });
  if (held !== undefined) await goesOn(life, gate, asker, held);
}

async function goesOn(life: Life, { parts }: SimGate, asker: Asker, held: Case): Promise<void> {
  const { id, action } = held.asked;
  if (action.enforcement !== 'cooperative') return;
  const state = stateOf(held, parts.clock.nowMs());
  switch (state) {
    case 'pending':
      if (life.random.chance(0.1)) await withdraws(life, parts, asker, held);
      return;
    case 'ready':
    case 'started':
      await runs(life, parts, asker, id);
      return;
    case 'succeeded':
    case 'failed':
    case 'unknown':
      // It has said how it ended, and now says it again, or something else.
      if (held.execution !== null && life.random.chance(0.4))
        await reports(life, parts, asker, held.execution.id);
      if (held.approval !== null) await delivered(parts, id);
      return;
    case 'denied':
    case 'expired':
    case 'cancelled':
      if (held.approval !== null) await delivered(parts, id);
  }
}

async function withdraws(life: Life, parts: SimGate['parts'], asker: Asker, held: Case): Promise<void> {
  if (held.approval === null) return;
  const { id } = held.approval;
  const reason = life.random.chance(0.5) ? secretOf(life) : null;
  notes(life, reason, held.asked.id);
  const done = await cancel(parts, { kind: 'agent', id: asker.id }, id, { reason });
  if (done.ok) life.acks.push({ kind: 'cancelled', approval: id });
}

/** Takes the grant; where the answer was lost it asks again under the same key, and mostly has one. */
async function runs(life: Life, parts: SimGate['parts'], asker: Asker, action: ActionId): Promise<void> {
  const { random } = life;
  const how = random.chance(0.7) ? { idempotency: keyed(asker, `run ${action}`) } : {};
  const taken = await claim(parts, asker.id, action, how);
  if (!taken.ok) return;
  const { execution } = taken.value;
  life.acks.push({ kind: 'claimed', action, execution: execution.id });
  if (!asker.ran.has(execution.id)) {
    const stored = await life.stage.outside('look', () => life.watcher.caseBy({ action }));
    if (stored?.execution?.id !== execution.id) life.wrongs.push(`${action} ran before its start was stored`);
    asker.ran.add(execution.id);
    life.dones.push({ action, execution: execution.id, how: 'cooperative' });
  }
  if (random.chance(0.1)) return;
  await reports(life, parts, asker, execution.id, action);
}

async function reports(
  life: Life,
  parts: SimGate['parts'],
  asker: Asker,
  execution: ExecutionId,
  action?: ActionId,
): Promise<void> {
  const { random } = life;
  const status = random.chance(0.8) ? 'succeeded' : 'failed';
  const detail = action !== undefined && random.chance(0.5) ? secretOf(life) : null;
  if (action !== undefined) notes(life, detail, action);
  const reported = await reportOutcome(parts, asker.id, execution, { status, detail });
  if (reported.ok) life.acks.push({ kind: 'reported', execution, status });
}

const checks: InputChecks = createInputChecks();
const links = new WeakMap<SimGate, ToolLink>();

/** Calls a tool behind the gate. */
export async function callsTool(life: Life, gate: SimGate, asker: Asker): Promise<void> {
  const { random } = life;
  const { parts, owner } = gate;
  const link = links.get(gate) ?? linkOf(life, owner, parts);
  links.set(gate, link);
  const again = asker.calls.length > 0 && random.chance(0.4);
  const input = again ? random.pick(asker.calls) : { note: secretOf(life) };
  if (!again) remember(asker.calls, input);
  const gone = new AbortController();
  const cancelled = new AbortController();
  const leavesMs = random.below(200_000);
  const timer = setTimeout(() => (leavesMs % 3 === 0 ? cancelled : gone).abort(), leavesMs);
  cancelled.signal.addEventListener('abort', () => gone.abort());
  const said = await callTool({
    parts,
    checks,
    server: 'files',
    agent: asker.id,
    link,
    id: random.below(1_000_000),
    call: {
      name: random.chance(0.7) ? 'wipe' : 'read',
      input,
      reason: null,
      session: null,
      run: random.chance(0.1) ? secretOf(life) : null,
      progressToken: random.chance(0.5) ? 'p' : null,
      meta: undefined,
    },
    gone: gone.signal,
    cancelled: cancelled.signal,
    tell: () => undefined,
    running: () => undefined,
    answer: () => (random.chance(0.5) ? true : undefined),
  });
  clearTimeout(timer);
  if (said.told !== null && random.chance(0.8)) await delivered(parts, asActionId(said.told));
}
