/** Agents by HTTP: they ask, wait at any gate, take the grant once, act, and say how it went. */
import { answered, Unanswered, type Field } from './client.ts';
import type { Fact } from './ledger.ts';
import type { Plan } from './plan.ts';
import { pause } from './random.ts';
import type { Effects } from './upstream.ts';

const waitS = 4;

interface Life {
  readonly field: Field;
  readonly plan: Plan;
  readonly effects: Effects;
  readonly token: string;
}

/** Lives through the whole of one action. */
export async function liveByHttp(field: Field, plan: Plan, seed: number, effects: Effects): Promise<void> {
  const { chance, n, operation, agent } = plan;
  const token = field.tokens[agent] ?? '';
  const life: Life = { field, plan, effects, token };
  const key = `ask-${seed}-${n}`;
  const wait = chance.chance(0.5) ? `?wait=${waitS}` : '';
  const asked = await answered(field, chance, {
    method: 'POST',
    path: `/v1/actions${wait}`,
    token,
    key,
    body: { operation: `ops___${operation}`, input: { n } },
    timeoutMs: 10_000,
  });
  const { id, approval } = asked.body;
  if (typeof id !== 'string') {
    // While nothing can be written a denial is still one; it is recorded later, and has no name yet.
    if (operation === 'never' && asked.body.code === 'forbidden') return;
    field.ledger.surprise(`asking for ${n} was answered ${asked.status} ${JSON.stringify(asked.body)}`);
    return;
  }
  noteState(life, asked.body, key);
  const withdrawn = plan.withdraws && approval?.status === 'pending' ? withdraw(life, approval.id) : null;
  // The API's own form.
  let state = asked.body.state as string;
  const sinceMs = Date.now();
  for (;;) {
    state = plan.eager ? state : await settledState(life, id, state);
    if (state !== 'ready' && !plan.eager) break;
    if ((await take(life, id)) === 'over') break;
    if (field.isLate(sinceMs)) throw new Unanswered(`${id} waits although everybody decides`);
    // Too early; or it was ready on a primary that is gone, and waits for people again.
    state = 'pending';
    await pause(chance.between(0, 30));
  }
  await withdrawn;
}

/** What came of a wait was looked at, and not done by this call: where that is no promise, only that it was asked is noted. */
function noteState(
  { field }: Life,
  body: { readonly id: string; readonly state: string; readonly approval?: object },
  ask: string | null,
): void {
  const { id, approval } = body;
  const state = field.readsAhead && approval !== undefined ? 'pending' : body.state;
  field.ledger.note({ kind: 'state', action: id, state, ask });
}

/** Waits until people have decided, now at this gate, now at that one. */
async function settledState(life: Life, id: string, first: string): Promise<string> {
  const { field, plan, token } = life;
  const sinceMs = Date.now();
  let state = first;
  while (state === 'pending') {
    if (field.isLate(sinceMs)) throw new Unanswered(`${id} waits although everybody decides`);
    const path = `/v1/actions/${id}?wait=${waitS}`;
    const looked = await answered(field, plan.chance, { method: 'GET', path, token, timeoutMs: 10_000 });
    if (looked.status !== 200) return missing(life, id, looked);
    ({ state } = looked.body);
    noteState(life, looked.body, null);
    if (state === 'ready') field.ledger.heard(id);
  }
  return state;
}

/** An answer that says that an acknowledged action is not there. */
function missing(
  { field }: Life,
  id: string,
  { status, body }: { readonly status: number; readonly body: unknown },
): 'missing' {
  field.ledger.surprise(`${id} was acknowledged, and then ${status} ${JSON.stringify(body)}`);
  return 'missing';
}

async function withdraw({ field, plan, token }: Life, approval: string): Promise<void> {
  await pause(plan.chance.between(0, 300));
  const path = `/v1/approvals/${approval}/cancel`;
  const said = await answered(field, plan.chance, {
    method: 'POST',
    path,
    token,
    key: `cancel-${approval}`,
    body: {},
  });
  if (said.status === 200) field.ledger.note({ kind: 'cancelled', approval });
}

/** Takes the grant, perhaps by two processes at one moment, each with a key of its own; whoever is told that it may, acts. */
async function take(life: Life, id: string): Promise<'over' | 'pending'> {
  const { plan } = life;
  const twins = plan.twins ? ['a', 'b'] : ['a'];
  const first = plan.chance.below(life.field.gates.length);
  const came = await Promise.all(
    twins.map(async (twin, at) => {
      const said = await claim(life, id, { twin, first: first + at });
      if (said.execution !== undefined) await act(life, id, said.execution);
      return said;
    }),
  );
  return came.every((one) => one.pending) ? 'pending' : 'over';
}

async function claim(
  life: Life,
  id: string,
  { twin, first }: { readonly twin: string; readonly first: number },
): Promise<{ readonly execution?: string; readonly pending: boolean }> {
  const { field, plan, token } = life;
  const path = `/v1/actions/${id}/execution`;
  const said = await answered(field, plan.chance, {
    method: 'POST',
    path,
    token,
    key: `claim-${id}-${twin}`,
    body: {},
    first,
  });
  if (said.status === 201) {
    // The API's own form.
    const execution = said.body.id as string;
    field.ledger.note({ kind: 'started', action: id, execution });
    return { execution, pending: false };
  }
  const pending = (plan.eager || field.readsAhead) && said.body?.code === 'approval_pending';
  if (said.status === 404) missing(life, id, said);
  // Its grant was taken by the twin, or it is over.
  else if (!pending && said.body?.code === 'approval_pending')
    field.ledger.surprise(`${id} was ready, and then ${JSON.stringify(said.body)}`);
  else if (said.status !== 409 && said.status !== 403)
    field.ledger.surprise(
      `taking the grant of ${id} was answered ${said.status} ${JSON.stringify(said.body)}`,
    );
  return { pending };
}

async function act(life: Life, id: string, execution: string): Promise<void> {
  const { field, plan, token, effects } = life;
  effects.happen({ action: id, execution, by: 'agent' });
  const status = plan.chance.chance(0.9) ? 'succeeded' : 'failed';
  const path = `/v1/executions/${execution}/outcome`;
  const said = await answered(field, plan.chance, { method: 'PUT', path, token, body: { status } });
  const fact: Fact = { kind: 'outcome', action: id, execution, status };
  if (said.status === 200) field.ledger.note(fact);
  else if (said.status === 404) missing(life, execution, said);
  else
    field.ledger.surprise(
      `the outcome of ${execution} was answered ${said.status} ${JSON.stringify(said.body)}`,
    );
}
