/**
 * `demo --auto`: people's part, played through the API with tokens of their own, for checks without anybody there. Sam tries
 * first and is refused, because the agent is his; then whoever may approves.
 */
import type { JsonValue } from '../core/json.ts';
import { isJsonArray } from '../core/json.ts';
import { asPersonId } from '../core/ids.ts';
import { approvalOf, type ApprovalView } from '../cli/approval-view.ts';
import { apiOf, type Api } from '../cli/api.ts';
import { newToken } from '../identity/tokens.ts';
import { systemRandom, type RunningGate } from '../main.ts';

/** Whose agent it is. */
const owner = 'sam';

/** Who decides for which group, in this order. Sam is in both, and in the conflict set of everything: the agent is his. */
const players: readonly (readonly [id: string, groups: readonly string[]])[] = [
  [owner, ['data-owners', 'security']],
  ['rosa', ['data-owners']],
  ['mia', ['security']],
  ['lee', ['security']],
];
const lookMs = 100;

/** What went otherwise than promised; empty at the end of a good run. */
export interface Auto {
  readonly surprises: readonly string[];
  stop(): Promise<void>;
}

/** Begins to decide whatever is pending. */
export async function decideBySelf(gate: RunningGate): Promise<Auto> {
  const apis: Player[] = [];
  const tried = new Set<string>();
  for (const [id, groups] of players) {
    const { token, hash } = newToken(systemRandom, 'person');
    const issued = await gate.parts.store.change({
      kind: 'token',
      principal: { kind: 'person', id: asPersonId(id) },
      hash,
    });
    if (!issued.ok) throw new Error('no token could be issued');
    apis.push({ id, groups, api: apiOf(gate.url, token), done: id === owner ? tried : new Set(), tried });
  }
  const surprises: string[] = [];
  const stopping = new AbortController();
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      for (const player of apis) await decideAll(player, surprises);
      await new Promise((resolve) => setTimeout(resolve, lookMs));
    }
  };
  const running = loop().catch((error: unknown) => void surprises.push(String(error)));
  return {
    surprises,
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

interface Player {
  readonly id: string;
  readonly groups: readonly string[];
  readonly api: Api;
  /** Approvals that this person has had a say on. */
  readonly done: Set<string>;
  /** Approvals that the agent's owner has tried: before that, the others wait, so that each run tells the same. */
  readonly tried: ReadonlySet<string>;
}

async function decideAll({ id, groups, api, done, tried }: Player, surprises: string[]): Promise<void> {
  const page = await api.get('/v1/approvals?status=pending');
  const items: readonly JsonValue[] = isJsonArray(page['items']) ? page['items'] : [];
  for (const view of items.map(approvalOf)) {
    const asked = view.requirements.some((one) => groups.includes(one.approvers));
    if (!asked || done.has(view.id) || (id !== owner && !tried.has(view.id))) continue;
    done.add(view.id);
    const said = await decide(api, view);
    const refused = said !== null;
    if (id === owner && said?.includes('no_self_approval') !== true)
      surprises.push(`Sam was not refused as the owner: ${said ?? 'approved'}`);
    if (id !== owner && refused) surprises.push(`${id} was refused: ${said}`);
  }
}

/** Null where it was recorded; the refusal otherwise. */
async function decide(api: Api, view: ApprovalView): Promise<string | null> {
  try {
    await api.post(`/v1/approvals/${view.id}/reviews`, {
      decision: 'approve',
      digest: view.digest,
      reason: 'As the ticket asks.',
    });
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
