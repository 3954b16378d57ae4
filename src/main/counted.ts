/** Presses in chats, counted with what became of them: each once, however often its platform sends it. */
import type { Click, ClickId } from '../core/chat.ts';
import type { Chat, Word } from '../ports/chat.ts';
import type { ChannelMeters } from '../ports/meters.ts';

/** Presses that are remembered as counted: platforms repeat within minutes. */
const countedMax = 1000;

/** The same chat, which counts. What is refused before it is recorded is counted as what it was refused for. */
export function counted(chat: Chat, meters: ChannelMeters): Chat {
  const known = new Set<ClickId>();
  const once = async (click: Click, work: () => Promise<Word>): Promise<Word> => {
    const word = await work();
    // What had become of it before was counted then.
    if (click.doneAtMs !== null || known.has(click.id)) return word;
    known.add(click.id);
    const [oldest] = known;
    if (known.size > countedMax && oldest !== undefined) known.delete(oldest);
    meters.pressed(click.channel, word.kind === 'done' ? 'done' : word.code);
    return word;
  };
  return {
    ...chat,
    async record(press) {
      const recorded = await chat.record(press);
      if (!recorded.ok) meters.pressed(press.account.kind, recorded.error.code);
      return recorded;
    },
    carryOut: (click) => once(click, () => chat.carryOut(click)),
    turnAway: (click, refusal, evidence) => once(click, () => chat.turnAway(click, refusal, evidence)),
  };
}
