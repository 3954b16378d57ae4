/** What has to be lost before something that was acknowledged is lost. */
export type Durability =
  /** The disk of this machine. */
  | { readonly kind: 'disk' }
  /**
   * `synchronous`: the primary and a standby, because each commit waits for both; false: the primary alone, or nothing can be
   * written. `detail` says it for operators; holds no secret.
   */
  | { readonly kind: 'standby'; readonly synchronous: boolean; readonly detail: string };
