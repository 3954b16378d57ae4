/**
 * Turns: work about the same thing, one after another. Judging what is counted (`context.recent`) takes one, because of many
 * at once all but the first would be judged with counts that no longer hold, and judged again. The transaction counts for
 * itself: turns save work, and promise nothing.
 */
export interface Turns {
  /** Runs the work once all that was given before for the same key has ended; answers what it answers. */
  take<T>(key: string, work: () => Promise<T>): Promise<T>;
}

export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return {
    take: (key, work) => {
      const mine = (last.get(key) ?? Promise.resolve()).then(work, work);
      const over = mine.catch(() => undefined);
      last.set(key, over);
      void over.then(() => {
        if (last.get(key) === over) last.delete(key);
      });
      return mine;
    },
  };
}
