/** All open sessions. They belong to the agent that opened them; nobody else can tell that one exists. */
import { noChain, sameChain } from '../../core/directory.ts';
import type { AgentId } from '../../core/ids.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import type { Session } from './session.ts';
import type { Caller } from './stopped.ts';

export interface McpLimits {
  /** Sessions of one agent. */
  readonly sessionsPerAgentMax: number;
  /** Sessions altogether. */
  readonly sessionsMax: number;
  /** How long without a request before a process upstream is stopped. */
  readonly idleMs: number;
  /** How long a stream waits for an agent that lost its connection, or was sent away to poll. */
  readonly awayMs: number;
}

export const mcpLimits: McpLimits = {
  sessionsPerAgentMax: 64,
  sessionsMax: 1024,
  idleMs: 10 * 60_000,
  awayMs: 60_000,
};

export class Sessions {
  readonly #limits: McpLimits;
  readonly #open = new Map<string, Session>();
  #uses = 0;

  constructor(limits: McpLimits) {
    this.#limits = limits;
  }

  /** The session of this name, where it is this agent's with this server, acting for the same people; and so in use. */
  find(id: string, { agent, server, chain = noChain }: Caller): Session | undefined {
    const session = this.#open.get(id);
    if (session?.agent !== agent || session.server !== server || !sameChain(session.chain, chain))
      return undefined;
    this.#touch(session);
    return session;
  }

  add(session: Session): void {
    this.#open.set(session.id, session);
    this.#touch(session);
  }

  drop(session: Session): Promise<void> {
    this.#open.delete(session.id);
    return session.close();
  }

  /** Makes room for one more session of an agent, at the cost of the least recently used idle one. */
  makeRoom(agent: AgentId): Refusal | undefined {
    const all = [...this.#open.values()];
    const own = all.filter((one) => one.agent === agent);
    const full = own.length >= this.#limits.sessionsPerAgentMax;
    if (!full && all.length < this.#limits.sessionsMax) return undefined;
    // One agent's crowd costs that agent, never another.
    const idle = (full ? own : all).filter((one) => !one.busy).toSorted((a, b) => a.used - b.used)[0];
    if (idle === undefined)
      return refuse('quota', 'Too many MCP sessions are open and busy; close one, or wait.');
    void this.drop(idle);
    return undefined;
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#open.values()].map((session) => this.drop(session)));
  }

  /** Ends all of them because the gate stops; answers how many runs were cut off. */
  async handOver(graceMs: number): Promise<number> {
    const cut = await Promise.all([...this.#open.values()].map((session) => session.handOver(graceMs)));
    return cut.reduce((sum, one) => sum + one, 0);
  }

  /** How many calls run upstream. */
  get running(): number {
    return [...this.#open.values()].reduce((sum, session) => sum + session.running, 0);
  }

  #touch(session: Session): void {
    this.#uses += 1;
    session.used = this.#uses;
  }
}
