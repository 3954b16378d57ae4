/** Tells one person what became of their press, and nobody else. Never rejects: what was decided stands, told or not. */
import type { Place } from '../../core/chat.ts';
import { line } from '../../core/render/shown.ts';
import type { Refusal } from '../../core/refusal.ts';
import type { Word } from '../../ports/chat.ts';
import type { SlackWeb } from './bolt.ts';
import { modalOf, type Layout } from './layout.ts';
import { escaped } from './notes.ts';

export interface Words {
  /** Beside the message that was pressed; where that cannot be, in a direct message. No address out of a payload is called. */
  aside(at: Place | null, user: string, word: Word): Promise<void>;
  /** On top of the modal that was pressed in, else as `aside`. */
  onTop(trigger: string, user: string, word: Word): Promise<void>;
  /** Instead of what a modal shows, else as `aside`. */
  inPlace(view: string, user: string, word: Word): Promise<void>;
}

export function createWords(web: SlackWeb, layout: Pick<Layout, 'word'>): Words {
  const message = (word: Word): object => ({
    text: escaped(word.text),
    blocks: layout.word(word),
    unfurl_links: false,
    unfurl_media: false,
  });
  const aside = async (at: Place | null, user: string, word: Word): Promise<void> => {
    if (at !== null && !at.place.startsWith('view:')) {
      const told = await web.call('chat.postEphemeral', { channel: at.place, user, ...message(word) });
      if (told.ok) return;
    }
    await web.call('chat.postMessage', { channel: user, ...message(word) });
  };
  return {
    aside,
    async onTop(trigger, user, word) {
      const view = modalOf(layout.word(word));
      const pushed = await web.call('views.push', { trigger_id: trigger, view });
      if (!pushed.ok) await aside(null, user, word);
    },
    async inPlace(view_id, user, word) {
      const view = modalOf(layout.word(word));
      const updated = await web.call('views.update', { view_id, view });
      // Closed meanwhile.
      if (!updated.ok) await aside(null, user, word);
    },
  };
}

/** A refusal of this folder's own, as people read it. */
export const wordOf = ({ code, detail }: Refusal): Word => ({
  kind: 'refused',
  text: line(detail),
  code,
  link: null,
});
