/** Where `receipt` has receipts from: a running gate, as far as one's token goes; or the store, at the machine, without a mask. */
import { asActionId, asApprovalId } from '../core/ids.ts';
import { isJsonArray, isJsonObject, type JsonValue } from '../core/json.ts';
import { isWorthReceipt } from '../core/receipts.ts';
import { receiptOf } from '../log/receipt.ts';
import { nodesOf } from '../log/tiles.ts';
import { trustedRootOf } from '../log/trusted-root.ts';
import type { Store } from '../ports/store.ts';
import type { Receipt } from '../ports/transparency.ts';
import { openStore } from '../main.ts';
import type { Api } from './api.ts';
import { Failure, type Args } from './command.ts';
import { exists, settingsOf } from './files.ts';
import type { Io } from './io.ts';

export type Wanted =
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'action' | 'approval'; readonly id: string };

/** One entry's receipt, as far as it is to be had. */
export interface Found extends Omit<Receipt, 'bundle'> {
  readonly bundle: string | null;
  /** What is not to be had of it, in words. */
  readonly missing: readonly string[];
}

export interface Receipts {
  /** In the order of the log; none where nothing is decided yet. Rejects with a Failure where one cannot be had. */
  find(wanted: Wanted): Promise<readonly Found[]>;
  /** JSON. */
  trustedRoot(): Promise<string>;
  close(): Promise<void>;
}

export function receiptsOfGate(api: Api): Receipts {
  const one = async (index: number, formats: readonly string[] | null): Promise<Found> => {
    const at = (format: string): Promise<string> =>
      api.file(`/v1/log/${index}/receipt?format=${format}`).then(String);
    const has = (format: string): boolean => formats?.includes(format) === true;
    // Of a bare index nobody has said what is to be had.
    const orNull = (format: string): Promise<string | null> =>
      formats === null ? at(format).catch(nullIfFailure) : has(format) ? at(format) : Promise.resolve(null);
    const proof = await at('proof');
    const [bundle, action, key] = [await orNull('bundle'), await orNull('action'), await at('key')];
    const missing = [...(bundle === null ? ['bundle'] : []), ...(action === null ? ['action.json'] : [])];
    return { index, bundle, proof, action, key, missing };
  };
  return {
    async find(wanted) {
      if (wanted.kind === 'index') return [await one(wanted.index, null)];
      const action =
        wanted.kind === 'action' ? wanted.id : actionIn(await api.get(`/v1/approvals/${wanted.id}`));
      const { items } = await api.get(`/v1/actions/${action}/receipts`);
      const found: Found[] = [];
      for (const item of isJsonArray(items) ? items : []) {
        if (!isJsonObject(item) || typeof item['index'] !== 'number') continue;
        found.push(await one(item['index'], Object.keys(isJsonObject(item['links']) ? item['links'] : {})));
      }
      return found;
    },
    trustedRoot: async () => JSON.stringify(await api.get('/v1/trusted-root')),
    close: () => Promise.resolve(),
  };
}

function nullIfFailure(error: unknown): null {
  if (error instanceof Failure) return null;
  throw error;
}

function actionIn(approval: JsonValue): string {
  const action = isJsonObject(approval) ? approval['action'] : undefined;
  const id = isJsonObject(action) ? action['id'] : undefined;
  if (typeof id !== 'string') throw new Failure('What answers there is no gate.');
  return id;
}

export async function receiptsOfStore(args: Args, io: Io): Promise<Receipts> {
  const settings = await settingsOf(args, io, 'ignored');
  if (settings.store.kind === 'sqlite' && !(await exists(settings.store.directory)))
    throw new Failure(
      `There is no store at ${io.typed(settings.store.directory)} yet; a gate makes it when it first runs.`,
    );
  const store = await openStore(settings, { exclusive: false });
  const nodeAt = nodesOf((level, n) => store.tile(level, n));
  const one = async (index: number): Promise<Found> => {
    const found = await receiptOf({ store, nodeAt, quorum: settings.log.quorum }, index);
    if (found.ok) return { ...found.value, missing: [] };
    switch (found.error.kind) {
      case 'not_found':
        throw new Failure(`The log has no entry ${index}.`);
      case 'not_yet':
        throw new Failure(
          `Entry ${index} is in no checkpoint yet (${found.error.published} entries are); a running gate publishes within seconds.`,
        );
      case 'erased':
        throw new Failure(`The payload of entry ${index} was erased.`);
      case 'fault':
        throw new Failure(found.error.detail);
    }
  };
  return {
    async find(wanted) {
      const found: Found[] = [];
      for (const index of await indexesOf(store, wanted)) found.push(await one(index));
      return found;
    },
    trustedRoot: async () => JSON.stringify(trustedRootOf(await store.logKeys())),
    close: () => store.close(),
  };
}

async function indexesOf(store: Store, wanted: Wanted): Promise<readonly number[]> {
  if (wanted.kind === 'index') return [wanted.index];
  const held = await store.caseBy(
    wanted.kind === 'action' ? { action: asActionId(wanted.id) } : { approval: asApprovalId(wanted.id) },
  );
  if (held === undefined) throw new Failure(`There is no ${wanted.kind} ${wanted.id}.`);
  const entries = await store.entriesAbout(held.asked.id);
  return entries.filter(({ entry }) => isWorthReceipt(entry)).map(({ entry }) => entry.index);
}
