/** Tells the demo: what the agent asks, what the gate and the people do, as it happens, one line each. */
import type { Entry, Sealed } from '../core/entry.ts';
import { headlineOf } from '../core/render/headline.ts';
import { entryWords } from '../core/render/log-words.ts';
import { visibleLine } from '../core/visible.ts';
import type { Paint } from '../cli/io.ts';
import type { RunningGate } from '../main.ts';
import type { AgentEvent } from './events.ts';
import { agentId } from './scratch.ts';

export interface Teller {
  readonly out: (line: string) => void;
  readonly paint: Paint;
}

/** What of the log the story tells; the rest is told by the agent and the terminal's own notices. */
const told: ReadonlySet<string> = new Set([
  'person.signed_in',
  'review.recorded',
  'review.refused',
  'execution.succeeded',
  'execution.failed',
  'execution.unknown',
  'execution.refused',
]);

const whoWidth = 9;

/** One row: who, and what. */
export function row(teller: Teller, who: string, text: string): void {
  teller.out(`${teller.paint.strong(who.padStart(whoWidth))}  ${text}`);
}

/** What the agent told of itself. */
export function tellAgent(teller: Teller, event: AgentEvent): void {
  const { paint } = teller;
  const words = visibleLine(event.words);
  switch (event.kind) {
    case 'asks':
      return row(
        teller,
        agentId,
        event.again ? paint.soft(`asks once more, as it was told, to ${words}`) : `wants to ${words}`,
      );
    case 'waits':
      // That nobody has approved yet, the line of the gate says.
      return / 0 of \d/.test(words)
        ? undefined
        : row(
            teller,
            agentId,
            paint.soft(`waits on: ${words.replace(/^.*: (\d+ of \d+).*$/, '$1')} have approved`),
          );
    case 'got':
      return row(teller, agentId, `${paint.good('has')} ${words}`);
    case 'refused':
      return row(teller, agentId, `${paint.bad('is told')} “${words}”`);
  }
}

/** What the gate says to its operator's terminal: that people are asked, and how it ended. */
export function tellNotice(teller: Teller, line: string): void {
  const { paint } = teller;
  const needed = /^Approval needed: (.*) — (\S+)$/.exec(line);
  if (needed !== null)
    return row(teller, 'gate', `${paint.wait('held')}: ${needed[1] ?? ''}  ${paint.soft(needed[2] ?? '')}`);
  // The agent itself says what it has.
  if (line.startsWith('Ran and ')) return;
  const ended = /^(Approved|Denied|Expired|Cancelled): (.*)$/.exec(line);
  if (ended !== null) {
    const [, word = '', what = ''] = ended;
    return row(
      teller,
      'gate',
      `${(word === 'Approved' ? paint.good : paint.bad)(word.toLowerCase())}: ${what}`,
    );
  }
  row(teller, 'gate', line);
}

/** Follows the log; answers how to stop. */
export function followLog(gate: RunningGate, teller: Teller): { stop(): Promise<void> } {
  const { store } = gate.parts;
  let after: number | undefined;
  let stopped = false;
  const read = async (): Promise<void> => {
    // From where the log was when the story began.
    after ??= (await store.head()).size - 1;
    for (;;) {
      const page = await store.entries(after, 100);
      for (const sealed of page) {
        after = sealed.entry.index;
        if (!stopped && told.has(sealed.entry.type)) await tellEntry(gate, teller, sealed);
      }
      if (page.length < 100) return;
    }
  };
  let turn: Promise<unknown> = read();
  const unwatch = store.onChange(() => {
    turn = turn.then(read).catch(() => undefined); // a fault is told by the gate itself
  });
  return {
    stop: async () => {
      unwatch();
      await turn.catch(() => undefined);
      stopped = true;
    },
  };
}

async function tellEntry(gate: RunningGate, teller: Teller, { entry }: Sealed): Promise<void> {
  const { store } = gate.parts;
  const held = entry.about.action === null ? undefined : await store.caseBy({ action: entry.about.action });
  // An allowed read that ran is the agent's to tell.
  if (entry.type.startsWith('execution.') && held?.approval === null) return;
  const who = entry.by.kind === 'person' ? entry.by.id : 'gate';
  const what = held === undefined ? '' : headlineOf(held.asked).text;
  row(teller, who, sentence(teller.paint, entry, what) ?? entryWords(entry, await store.directory()).text);
}

/** The story's own words for what happens in every run of it; undefined for rarer things, which the log's words tell. */
function sentence(paint: Paint, { type, data }: Entry, what: string): string | undefined {
  const said = (name: string): string => {
    const value = data[name];
    return typeof value === 'string' ? visibleLine(value) : '';
  };
  if (type === 'person.signed_in') return 'signs in';
  if (type === 'review.refused') return `tries to review ${what}: ${paint.bad('refused')} (${said('code')})`;
  if (type === 'execution.succeeded') return `${paint.good('ran it, once')}: ${what}`;
  if (type !== 'review.recorded') return undefined;
  const reason = said('reason') === '' ? '' : paint.soft(` (“${said('reason')}”)`);
  return `${said('decision') === 'approve' ? paint.good('approves') : paint.bad('denies')} ${what}${reason}`;
}
