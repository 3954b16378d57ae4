/** What the store's threads say to each other, and where its file is. Importing it starts nothing. */
import { join } from 'node:path';

/** The database inside a store's folder. */
export const databaseFile = (directory: string): string => join(directory, 'countersign.db');

/** What the worker is started with. */
export interface WorkerOptions {
  readonly directory: string;
  readonly channels: readonly string[];
  readonly exclusive: boolean;
  /** The gate that writes (batch.ts). */
  readonly gate: string | null;
}

/** To the writer's thread. */
export type ToWorker =
  | {
      readonly kind: 'flush';
      readonly id: number;
      readonly nowMs: number;
      readonly jobs: string;
      /** The message `ahead` whose jobs are its first; null for none. */
      readonly ahead: number | null;
    }
  /** Jobs that the next flush will begin with. */
  | { readonly kind: 'ahead'; readonly id: number; readonly nowMs: number; readonly jobs: string }
  | { readonly kind: 'close' };

/** From it. */
export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly detail: string }
  /** `flushed`: the JSON text of a Flushed. */
  | { readonly kind: 'flushed'; readonly id: number; readonly flushed: string }
  /** Another connection has committed. */
  | { readonly kind: 'elsewhere' }
  | { readonly kind: 'closed' };

/** What the thread of a backup is started with. */
export interface CopyOptions {
  readonly from: string;
  readonly to: string;
}

/** Its one message: null, or what went wrong. */
export type CopyAnswer = { readonly fault: string | null };
