/** Who speaks. A token or a session is looked up by its SHA-256; an unknown, ended or malformed one is nobody. */
import type { Way } from '../core/accounts.ts';
import type { Principal } from '../core/directory.ts';
import type { PersonId } from '../core/ids.ts';
import type { Result } from '../core/result.ts';
import type { Refusal } from '../core/refusal.ts';

/** A person at a browser. */
export interface SignedIn {
  readonly person: PersonId;
  /** What forms send back in `csrf`, and scripts in `x-csrf-token`. */
  readonly csrf: string;
  readonly way: Way;
  /** What this session is called in lists: `ses_…`. */
  readonly session: string;
}

export interface Identity {
  /** The principal of `Authorization: Bearer TOKEN`; refused `unauthenticated` otherwise. */
  bearer(request: Request): Promise<Result<Principal, Refusal>>;
  /** The person of the session cookie. For a request that changes something the origin and the CSRF token are checked too. */
  session(request: Request): Promise<Result<SignedIn, Refusal>>;
  /** `/sign-in` and `/sign-out`: GET is inert, POST consumes the link (design §9). */
  routes(request: Request): Promise<Response>;
}
