/** The inbox's section for owners: what became lately of what their agents asked, so that an owner is told every outcome. */
import { html } from 'hono/html';
import type { Glance } from '../../ports/overview.ts';
import { glanceRow } from './frame.ts';
import { nothing, type Html } from './html.ts';
import { glancesOf, type Visit } from './visit.ts';

/** Outcomes that are listed. */
const listedMax = 15;
/** Actions of each agent that are looked through for them, and agents. */
const lookedMax = 100;
const agentsMax = 20;
const sinceMs = 7 * 24 * 3_600_000;

/** What people decided or policies denied, and what is over; an allowed action is on its agent's page. */
const isOutcome = ({ approval, verdict, state }: Glance): boolean =>
  (approval !== null || verdict.effect === 'deny') && state !== 'pending';

/** Nothing for whoever owns no agent. */
export async function ownAgents(visit: Visit): Promise<Html> {
  const { parts, directory, person, nowMs } = visit;
  const own = directory.agents.filter((agent) => agent.owners.includes(person)).slice(0, agentsMax);
  if (own.length === 0) return nothing;
  const recent = await Promise.all(
    own.map(({ id }) => parts.store.recentActions({ agent: id, limit: lookedMax, sinceMs: nowMs - sinceMs })),
  );
  const outcomes = recent
    .flat()
    .filter(isOutcome)
    .toSorted((a, b) => b.atMs - a.atMs);
  const shown = await glancesOf(visit, outcomes, listedMax);
  return html`<section aria-labelledby="own">
    <h2 id="own">Your agents</h2>
    ${
      shown.length === 0
        ? html`<p class="empty">Nothing of theirs was decided in the last seven days.</p>`
        : html`<ul class="glances">
            ${shown.map((one) => glanceRow(visit, one, true))}
          </ul>`
    }
  </section>`;
}
