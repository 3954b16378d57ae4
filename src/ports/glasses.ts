/** Reads about break-glass (core/glass.ts). */
import type { Glass, GlassId } from '../core/glass.ts';
import type { ApprovalId } from '../core/ids.ts';

export interface Glasses {
  /** Those that are not reviewed yet, open or over, oldest first. */
  openGlasses(): Promise<readonly Glass[]>;
  /** All, newest first, after (older than) the given one, exclusive. */
  glasses(query: { readonly limit: number; readonly after?: GlassId }): Promise<readonly Glass[]>;
  glassBy(key: { readonly id: GlassId } | { readonly approval: ApprovalId }): Promise<Glass | undefined>;
  /** How many actions passed under it; counts no further than `limit`. */
  passedUnder(glass: GlassId, limit: number): Promise<number>;
}
