/**
 * The action that `policy explain` is asked about: recorded, as the API or `approvals show --json` prints it, or written by hand.
 * Read strictly, like an agent's: what the gate would refuse is refused here.
 */
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { resourceOf } from '../app/authorize.ts';
import { profileIn } from '../app/policy-world.ts';
import type { Settings } from '../config.ts';
import { codeOf } from '../config/secrets.ts';
import type { Action, Resource } from '../core/action.ts';
import { grantedAtMs, type Case } from '../core/case.ts';
import type { Directory } from '../core/directory.ts';
import { asActionId, asAgentId, asApprovalId, asPersonId, asSha256Hex } from '../core/ids.ts';
import { isJsonObject, jsonLimits, type JsonObject, type JsonValue } from '../core/json.ts';
import type { Profile } from '../core/profile.ts';
import { readJson } from '../core/read-json.ts';
import { amountOf, recentOf, type Recent } from '../core/recent.ts';
import type { Verdict } from '../core/verdict.ts';
import type { Store } from '../ports/store.ts';
import { Failure } from './command.ts';
import { mustBeIn } from './files.ts';
import type { Io } from './io.ts';

/** What is judged. */
export interface Subject {
  readonly action: Action;
  readonly profile: Profile | null;
  /** What the gate said when it was asked; null where nobody recorded it. */
  readonly recorded: Verdict['effect'] | null;
  /** When its own grant was counted; null where it was not. */
  readonly countedAtMs: number | null;
  /** Counts that were written by hand. */
  readonly recent: Recent | null;
}

const handWritten =
  'Write {"agent": "…", "operation": "target___name", "input": {…}}, with "resource": {"type", "id"} where it is not the server.';

/** The action that a word names: an id of the store, a file, or `-` for stdin. */
export async function subjectOf(
  word: string,
  settings: Settings,
  { store, io }: { readonly store: Store | null; readonly io: Io },
): Promise<Subject> {
  if (/^(?:act|apr)_[0-9a-z]+$/.test(word)) return recorded(await caseOf(word, store, settings, io));
  const bytes = await bytesOf(word, io);
  if (bytes.length > jsonLimits.bytesMax)
    throw new Failure(`${word} is larger than ${jsonLimits.bytesMax} bytes; that is no action.`);
  const read = readJson(bytes);
  if (!read.ok) throw new Failure(`${word} is not JSON that the gate takes: ${read.error.detail}`);
  return written(read.value, word, settings, io);
}

async function caseOf(id: string, store: Store | null, settings: Settings, io: Io): Promise<Case> {
  if (store === null)
    throw new Failure(`${id} cannot be looked up: there is no store. Give a file instead. ${handWritten}`);
  const held = await store.caseBy(
    id.startsWith('act_') ? { action: asActionId(id) } : { approval: asApprovalId(id) },
  );
  if (held === undefined)
    throw new Failure(
      `The store of ${io.typed(settings.file)} has no ${id}. Is it of another gate? --config says which store is looked into.`,
    );
  return held;
}

const recorded = (held: Case): Subject => ({
  action: held.asked.action,
  profile: held.asked.profile,
  recorded: held.asked.verdict.effect,
  countedAtMs: grantedAtMs(held),
  recent: null,
});

async function bytesOf(word: string, io: Io): Promise<Uint8Array> {
  if (word === '-') return buffer(process.stdin);
  try {
    return await readFile(io.path(word));
  } catch (error) {
    throw new Failure(
      `${word} cannot be read (${codeOf(error)}). Give a file, an id that begins with act_ or apr_, or - for stdin. ${handWritten}`,
    );
  }
}

const textIn = (value: JsonValue | undefined): string | null => (typeof value === 'string' ? value : null);

function written(value: JsonValue, word: string, settings: Settings, io: Io): Subject {
  // An approval holds its action; an action is itself.
  const inner = isJsonObject(value) && isJsonObject(value['action']) ? value['action'] : value;
  const wrong = (what: string): Failure => new Failure(`${word}: ${what} ${handWritten}`);
  if (!isJsonObject(inner)) throw wrong('it is no object.');
  const { input } = inner;
  const [agent, operation] = [textIn(inner['agent']), textIn(inner['operation'])];
  if (agent === null) throw wrong('"agent" is missing.');
  if (operation === null) throw wrong('"operation" is missing.');
  if (!isJsonObject(input)) throw wrong('"input" is no object.');
  const { directory } = settings.proposal;
  const agents = directory.agents.map((one) => one.id);
  mustBeIn(agent, agents, 'agent', io.typed(settings.file));
  const profile = profileIn(settings.proposal, operation);
  const resource = resourceIn(inner['resource'], wrong);
  if (JSON.stringify(input).includes('⟨masked: '))
    io.say(
      `${io.paintErr.wait('warning:')} values of this input are masked; what policies say of them is said of the mask. Give its id instead.`,
    );
  const verdict = isJsonObject(value) ? textIn(value['verdict']) : null;
  return {
    action: actionOf(inner, {
      agent,
      operation,
      input,
      resource: resource ?? resourceOf({ operation, resource: null, input, profile }),
    }),
    profile,
    recorded: verdict === 'allow' || verdict === 'review' || verdict === 'deny' ? verdict : null,
    countedAtMs: null,
    recent: recentIn(inner['recent'], wrong),
  };
}

function resourceIn(value: JsonValue | undefined, wrong: (what: string) => Failure): Resource | null {
  if (value === undefined || value === null) return null;
  const [type, id] = isJsonObject(value) ? [textIn(value['type']), textIn(value['id'])] : [null, null];
  if (type === null || id === null) throw wrong('"resource" is no {"type", "id"}.');
  return { type, id };
}

/** An action with what is judged of it; the rest is what a hand-written one does not say. */
function actionOf(
  from: JsonObject,
  said: {
    readonly agent: string;
    readonly operation: string;
    readonly input: JsonObject;
    readonly resource: Resource;
  },
): Action {
  const startedBy = textIn(from['startedBy']);
  const chain = from['delegation'];
  return {
    v: 1,
    ...said,
    agent: asAgentId(said.agent),
    session: textIn(from['session']),
    startedBy: startedBy === null ? null : asPersonId(startedBy),
    delegation: (Array.isArray(chain) ? (chain as readonly JsonValue[]) : []).flatMap((link) => {
      const [kind, id] = isJsonObject(link) ? [link['kind'], textIn(link['id'])] : [null, null];
      if (id === null) return [];
      return [
        kind === 'agent' ? { kind, id: asAgentId(id) } : ({ kind: 'person', id: asPersonId(id) } as const),
      ];
    }),
    target: { kind: 'http', profile: asSha256Hex(''), declaration: asSha256Hex('') },
    enforcement: 'cooperative',
    reason: textIn(from['reason']),
    salt: '',
  };
}

/** Counts that were written by hand, of the shape of core/recent.ts. */
function recentIn(value: JsonValue | undefined, wrong: (what: string) => Failure): Recent | null {
  if (value === undefined || value === null) return null;
  const bad = wrong(
    '"recent" is no {"agent", "owner", "operation"}, each with hour, day and ever: {"count", "sum"}.',
  );
  if (!isJsonObject(value)) throw bad;
  const window = (of: JsonValue | undefined) => {
    const [count, sum] = isJsonObject(of) ? [of['count'], of['sum'] ?? null] : [null, null];
    if (typeof count !== 'number' || (typeof sum !== 'number' && sum !== null)) throw bad;
    return { count, sum };
  };
  const scope = (of: JsonValue | undefined) => {
    if (!isJsonObject(of)) throw bad;
    return { hour: window(of['hour']), day: window(of['day']), ever: window(of['ever']) };
  };
  return { agent: scope(value['agent']), owner: scope(value['owner']), operation: scope(value['operation']) };
}

/** What was granted lately, this action counted: as written, else as the store has it, else as if it were the first. */
export async function countsOf(
  { action, profile, countedAtMs, recent }: Subject,
  store: Store | null,
  { directory, nowMs }: { readonly directory: Directory; readonly nowMs: number },
): Promise<Recent> {
  if (recent !== null) return recent;
  const rows = store === null ? [] : await store.recent(action.operation);
  const amount = amountOf(profile, action.input);
  return recentOf(rows, { agent: action.agent, amount, countedAtMs }, directory, nowMs);
}
