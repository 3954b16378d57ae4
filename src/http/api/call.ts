/** One call of the API: who asks what, and what is answered. Handlers are functions of a call. */
import type { CallbackRules } from '../../core/callback.ts';
import type { AgentPrincipal, Principal } from '../../core/directory.ts';
import type { AgentId, PersonId } from '../../core/ids.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Parts } from '../../app/parts.ts';
import type { download } from '../download.ts';

export interface Call {
  readonly parts: Parts;
  readonly request: Request;
  readonly url: URL;
  readonly by: Principal;
  /** The variable steps of the path, decoded. */
  readonly path: Readonly<Record<string, string>>;
  /** Aborts when the caller has gone or the gate is closing: whoever waits answers what is now. */
  readonly ends: () => AbortSignal;
  /** Where agents may have themselves called back; null: nowhere. */
  readonly callbacks: CallbackRules | null;
  /** IANA name: where days begin in reports. */
  readonly timezone: string;
}

export interface Reply {
  readonly status: number;
  /** Plain data; its fields are written in their order. */
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of the body: a file to keep, under this name. */
  readonly file?: {
    readonly name: string;
    readonly type: string;
    readonly text: string | Uint8Array<ArrayBuffer>;
  };
  /** Instead of the body: a file that is made while it is taken. */
  readonly download?: Parameters<typeof download>[0];
}

export type Handler = (call: Call) => Promise<Result<Reply, Refusal>>;

/** The agent that calls; people have no actions of their own. */
export function agentOf(call: Call): Result<AgentId, Refusal> {
  const asker = askerOf(call);
  return asker.ok ? ok(asker.value.id) : asker;
}

/** The same, with whom it acts for. */
export const askerOf = ({ by }: Call): Result<AgentPrincipal, Refusal> =>
  by.kind === 'agent'
    ? ok(by)
    : err(refuse('not_an_agent', 'Only an agent asks for actions and runs them; a person reviews them.'));

/** The person that calls, for what agents have no part in. */
export const personOf = (call: Call): Result<PersonId, Refusal> =>
  call.by.kind === 'person'
    ? ok(call.by.id)
    : err(refuse('not_permitted', 'This is for people; an agent’s token does not open it.'));

/** Largest `?wait=`, in seconds. */
export const waitSecondsMax = 300;
/** Items of a list where nothing is said, and at most. */
export const limitDefault = 100;
export const limitMax = 1000;

/** A whole number in the query, `otherwise` where it is absent. */
function wholeIn(
  call: Call,
  name: string,
  range: { readonly min: number; readonly max: number; readonly otherwise: number },
): Result<number, Refusal> {
  const text = call.url.searchParams.get(name);
  if (text === null) return ok(range.otherwise);
  const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  return value >= range.min && value <= range.max
    ? ok(value)
    : err(
        refuse('input_invalid', `"${name}" must be a whole number from ${range.min} to ${range.max}.`, {
          parameter: name,
        }),
      );
}

/** `?wait=SECONDS` in milliseconds. */
export function waitMsOf(call: Call): Result<number, Refusal> {
  const seconds = wholeIn(call, 'wait', { min: 0, max: waitSecondsMax, otherwise: 0 });
  return seconds.ok ? ok(seconds.value * 1000) : seconds;
}

/** `?limit=N`. */
export const limitOf = (call: Call): Result<number, Refusal> =>
  wholeIn(call, 'limit', { min: 1, max: limitMax, otherwise: limitDefault });

/** `?after=N` of the log: an index, exclusive; −1 is before the first. */
export const afterIndexOf = (call: Call): Result<number, Refusal> =>
  wholeIn(call, 'after', { min: -1, max: Number.MAX_SAFE_INTEGER, otherwise: -1 });

/** Ids of our making; anything else names nothing. */
const idForm = /^(act|apr|exe)_[0-9a-z]{26}$/;

/** Whether a text is an id of that kind. */
export const isId = (text: string, prefix: 'act' | 'apr' | 'exe'): boolean =>
  idForm.exec(text)?.[1] === prefix;

/** The step of the path that names an action, approval or execution. */
export function idIn(call: Call, step: string, prefix: 'act' | 'apr' | 'exe'): Result<string, Refusal> {
  const id = call.path[step] ?? '';
  return isId(id, prefix) ? ok(id) : err(refuse('not_found', 'There is nothing of that name.'));
}
