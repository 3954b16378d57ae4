/** A client of several gates: what ends without an answer is asked again under the same key, elsewhere. */
import type { Gate } from './gates.ts';
import { send, type Answer, type Said } from './http.ts';
import type { Ledger } from './ledger.ts';
import { pause, type Chance } from './random.ts';

/** What all clients of a run share. */
export interface Field {
  readonly gates: readonly Gate[];
  readonly ledger: Ledger;
  readonly tokens: Readonly<Record<string, string>>;
  /** Whether whoever waits since then was left alone: nothing has gone wrong for long, and the gates did not recover. */
  readonly isLate: (sinceMs: number) => boolean;
  /**
   * Waits for the standby are ended in this run: a primary then shows what it has committed alone, and may take it along when it
   * dies. What was only looked at is no promise then; what was done and acknowledged is.
   */
  readonly readsAhead: boolean;
}

/** Nobody answered, and the faults are long over. */
export class Unanswered extends Error {}

/** What a gate says when it could not do it, or does not know whether it did. */
const isNone = (status: number): boolean => status === 502 || status === 503 || status === 504;

/** Asks a gate, then others, until one answers. @param first which of the gates is asked first. */
export async function answered(
  field: Field,
  chance: Chance,
  { first = chance.below(field.gates.length), ...said }: Said & { readonly first?: number },
): Promise<Answer> {
  const { gates, ledger } = field;
  const sinceMs = Date.now();
  for (let tries = 0; ; tries += 1) {
    const gate = gates[(first + tries) % gates.length];
    if (gate === undefined) throw new RangeError('no gates');
    const answer = gate.running ? await send(gate.port, said) : null;
    if (answer === null) ledger.count('cut');
    else if (isNone(answer.status)) ledger.count(`answered ${answer.status}`);
    else if (answer.status === 500 || answer.status === 401) {
      // Neither is an answer to what was asked: the token is good.
      ledger.surprise(
        `${gate.name} ${said.method} ${said.path}: ${answer.status} ${JSON.stringify(answer.body)}`,
      );
    } else if (isForNow(answer)) ledger.count(`answered ${answer.status} ${answer.body.code}`);
    else return answer;
    if (field.isLate(sinceMs)) throw new Unanswered(`${said.method} ${said.path} was never answered`);
    await pause(chance.between(20, 150) * Math.min(4, 1 + tries));
  }
}

/** A no that says to ask again: policies could not be judged with while the world was read anew. */
const isForNow = ({ status, body }: Answer): boolean => status === 403 && body?.code === 'policy_error';
