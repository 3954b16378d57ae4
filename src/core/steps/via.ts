/** How an agent was authenticated, in the steps: what the entry of an asked action says of it, and that it must hold still. */
import type { AskCommand } from '../command.ts';
import type { Credential } from '../directory.ts';
import type { Loaded, Needs, Step } from '../loaded.ts';
import { refuse, type Refusal } from '../refusal.ts';
import { tokenState } from '../tokens.ts';
import { data } from './common.ts';

/** What must be read to know whether a credential is still good. */
export const needsOfVia = (via: Credential | undefined): Pick<Needs, 'tokens'> =>
  via?.kind === 'token' ? { tokens: { id: via.id } } : {};

// RULE token-ends
/**
 * A call that waited for people was authenticated when it came: a token that ended or was revoked since runs nothing. A workload
 * token cannot be asked after, and is short-lived.
 */
export function refusesEnded(via: Credential | undefined, { tokens, nowMs }: Loaded): Refusal | undefined {
  if (via?.kind !== 'token') return undefined;
  const row = tokens.find((one) => one.id === via.id);
  const state = row === undefined ? 'revoked' : tokenState(row, nowMs);
  if (state === 'good') return undefined;
  const said = state === 'revoked' ? 'was revoked' : 'has expired';
  return refuse('unauthenticated', `The token that this was asked with ${said}; nothing ran.`, {
    token: state,
  });
}

/** The step of an ask with that in its first entry. A chain is in the action itself, and so in what people review. */
export function told(command: AskCommand, step: Step): Step {
  const { delegation } = command.asked.action;
  if (command.via === undefined && delegation.length === 0) return step;
  const more = data({ via: command.via, ...(delegation.length === 0 ? {} : { delegation }) });
  return {
    ...step,
    entries: step.entries.map((one) =>
      one.type === 'action.asked' ? { ...one, data: { ...one.data, ...more } } : one,
    ),
  };
}
