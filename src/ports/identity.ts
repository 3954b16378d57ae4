/** Who speaks. A token or a session is looked up by its SHA-256; an unknown, ended or malformed one is nobody. */
import type { Principal } from '../core/directory.ts';
import type { PersonId } from '../core/ids.ts';
import type { Result } from '../core/result.ts';
import type { Refusal } from '../core/refusal.ts';

export interface Identity {
  /** The principal of `Authorization: Bearer TOKEN`; refused `unauthenticated` otherwise. */
  bearer(request: Request): Promise<Result<Principal, Refusal>>;
  /** The person of the session cookie. For a request that changes something the origin and the CSRF token are checked too. */
  session(request: Request): Promise<Result<{ readonly person: PersonId; readonly csrf: string }, Refusal>>;
  /** `/sign-in` and `/sign-out`: GET is inert, POST consumes the link (design §9). */
  routes(request: Request): Promise<Response>;
}
