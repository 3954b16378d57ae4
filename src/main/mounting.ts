/** Everything of a gate that answers requests, behind one function. */
import type { About } from '../app/about.ts';
import type { Parts } from '../app/parts.ts';
import type { CallbackRules } from '../core/callback.ts';
import type { PersonId } from '../core/ids.ts';
import { createMcpFront } from '../enforce/mcp/front.ts';
import { createObserved, type Access } from '../http/observed.ts';
import { createPages } from '../http/pages/pages.ts';
import { createHttp } from '../http/server.ts';
import { createIdentity } from '../identity/tokens.ts';
import type { Say } from '../ports/say.ts';
import type { Store } from '../ports/store.ts';
import type { Channels } from './channels.ts';
import type { Closers } from './closers.ts';
import type { Door } from './door.ts';
import { as } from './telemetry.ts';
import type { Stopping } from './stopping.ts';

/** What requests meet besides the parts. */
export interface Mounting {
  readonly about: About;
  readonly say: Say;
  readonly upstreams: (line: string) => void;
  readonly door: Door;
  readonly stopping: Stopping;
  /** Told of each request; null: nobody is. */
  readonly access: ((access: Access) => void) | null;
  readonly closers: Closers;
  readonly channels: Channels;
  readonly callbacks: CallbackRules | null;
  readonly timezone: string;
}

/** Builds it; what it starts is stopped by the closers. */
export function handlerOf(parts: Parts, at: Mounting): (request: Request) => Promise<Response> {
  const { store, origin, clock, random, world } = parts;
  const known = createIdentity({
    store,
    origin,
    clock,
    random,
    issuers: () => world.signIn().issuers,
    accountOf: personOfAccount(store),
    people: () => world.signIn().people,
    say: as(at.say, 'identity.trouble', 'warn'),
  });
  const { identity, observe } = createObserved(parts, known, at.access);
  const mcp = createMcpFront({
    parts,
    // Asked at every connection: a server that was removed a moment ago has none, nor one whose change waits for people.
    server: (name) => parts.world.inForce().servers.find((one) => one.name === name),
    log: at.upstreams,
  });
  at.closers.add(() => mcp.close());
  at.stopping.add(mcp);
  const http = createHttp({
    parts,
    identity,
    pages: createPages(parts, identity, at.about),
    mcp: (request, to) => mcp.handle(request, to),
    channels: (request) => at.channels.handle(request),
    authorizationServers: () =>
      world
        .signIn()
        .issuers.filter((one) => one.authorizationServer)
        .map((one) => one.issuer),
    ready: () => at.door.why,
    closing: at.stopping.closing.signal,
    callbacks: at.callbacks,
    timezone: at.timezone,
    report: (error) => at.say(`fault: ${wordsOf(error)}`),
  });
  return observe(http);
}

/** A store that is away is no bug, whose place would be wanted. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.name === 'SqlFault' ? error.message : (error.stack ?? error.message);
}

/** Whose account this is at an OpenID provider: attached, and not taken away. */
const personOfAccount =
  (store: Store) =>
  async (issuer: string, subject: string): Promise<PersonId | undefined> => {
    const account = await store.account({ kind: 'oidc', issuer, subject });
    return account?.endedAtMs === null ? account.person : undefined;
  };
