/**
 * The page of one approval, in the order of design §7: what it is, what is not known, why, for whom, what is new, the exact
 * action, the agent's words; beside it, and under it on a phone, where it stands and what the reader can do.
 */
import { html } from 'hono/html';
import type { Case } from '../../core/case.ts';
import type { AgentId } from '../../core/ids.ts';
import type { Refusal } from '../../core/refusal.ts';
import type { Presentation, Side, Why } from '../../core/render/present.ts';
import { wouldHave } from '../../core/render/glance.ts';
import { tallyOf } from '../../core/render/people.ts';
import { counted, line, listed, say } from '../../core/render/shown.ts';
import { mayStopAgent } from '../../core/steps/stops.ts';
import { toldSection } from './channels.ts';
import { actions, standingCard, type Attempted } from './decide.ts';
import { receiptsSection } from './receipts.ts';
import { exactSection } from './exact.ts';
import { signingOf } from './passkeys.ts';
import { agentLink } from './frame.ts';
import { chip, fact, nothing, quote, timeAgo, timeAt, type Html } from './html.ts';
import { layout } from './layout.ts';
import { lookSections, specialSection } from './special.ts';
import { layoutOf, may, presented, waitingFor, type Visit } from './visit.ts';

/** @param attempted what was just posted and refused, so that nothing typed is lost. */
export async function approvalPage(
  visit: Visit,
  held: Case,
  attempted: (Attempted & { readonly refusal: Refusal }) | null,
): Promise<Html> {
  const [shown, waiting, stops, told, receipts] = await Promise.all([
    presented(visit, held),
    waitingFor(visit),
    visit.parts.store.stops(),
    held.approval === null ? nothing : toldSection(visit, held.approval.id),
    receiptsSection(visit, held),
  ]);
  const { agent } = held.asked.action;
  const stopped = stops.some((stop) => stop.agent === agent && stop.operation === null);
  const signing = await signingOf(visit, shown);
  const stopsAgent = mayStopAgent(agent, visit.person, { ...visit, case: held });
  const body = html`<div class="approval">
    <header class="title" data-live="title">${title(shown)}</header>
    ${held.asked.mode === 'observe' ? html`<p class="banner watch">${say`Observed: nobody was asked; ${wouldHave(held.asked.verdict)}. It passed.`}</p>` : nothing}
    ${stopped ? html`<p class="banner">${say`The agent ${agent} is stopped: nothing it asks for runs.`}</p>` : nothing}
    ${attempted === null ? nothing : html`<p class="banner" role="alert"><strong>Not done.</strong> ${line(attempted.refusal.detail)} <code>${attempted.refusal.code}</code></p>`}
    <div class="columns">
      <div class="facts">
        ${facts(shown, may(visit, 'read_agent', { kind: 'agent', agent }) ? agent : null, html`${told} ${receipts}`)}
      </div>
      <aside class="decide" aria-label="Decision">
        <div class="standing" data-live="standing">${standingCard(shown)}</div>
        ${actions(shown, visit.csrf, { attempted, signing, stops: stopsAgent && !stopped ? agent : null })}
      </aside>
    </div>
  </div>`;
  const options = layoutOf(visit, waiting, 'approval', announced(shown));
  return layout(
    shown.headline.text,
    body,
    attempted === null ? options : { ...options, self: `/approvals/${shown.approvalId ?? ''}` },
  );
}

/** Read out when it changes. */
function announced(shown: Presentation): string {
  const { count, quorum } = tallyOf(shown.needs);
  return `${shown.standing.title}. ${count} of ${counted(quorum, 'approval')}.`;
}

function title({ headline, reversible, consequence, standing, approvalId }: Presentation): Html {
  return html`<p class="crumbs">
      <a href="/inbox">Inbox</a><span aria-hidden="true">/</span><code>${approvalId ?? ''}</code>
    </p>
    <h1>
      ${headline.what}${headline.environment === null ? nothing : html`<span class="env"><span class="dot"> · </span>${headline.environment}</span>`}
    </h1>
    <p class="lead">
      ${chip(standing.tone, standing.title)}${reversible === false ? chip('bad', 'Cannot be undone') : nothing}${reversible === true ? chip('plain', 'Can be undone') : nothing}${reversible === null ? chip('unknown', 'Not known whether it can be undone') : nothing}
    </p>
    ${consequence === null ? nothing : html`<p class="consequence">${consequence}</p>`}`;
}

/** @param readable the agent, where the reader may read its page. @param told where people were told, and receipts. */
function facts(shown: Presentation, readable: AgentId | null, told: Html): Html {
  const asked = shown.reader?.cannotApprove === null ? 'Why you are asked' : 'Why people are asked';
  const reason =
    shown.agentsReason === null ? html`<p class="soft">None given.</p>` : quote(shown.agentsReason);
  return html`${undetermined(shown)}
    <div class="sheet">
      ${fact('why', asked, why(shown.why))} ${fact('whom', 'For whom', forWhom(shown, readable))}
      ${fact(
        'news',
        'What is new',
        html`<ul class="news" data-live="news">
          ${shown.news.map((one) => html`<li class="${one.tone}">${one.text}</li>`)}
        </ul>`,
      )}
      ${specialSection(shown)} ${exactSection(shown)} ${lookSections(shown)}
      ${shown.forWhom.gates === undefined || shown.agentsReason !== null ? fact('reason', html`The agent’s reason <span class="mark">unverified</span>`, reason) : nothing}
      ${told}
    </div>`;
}

function undetermined(shown: Presentation): Html {
  if (shown.undetermined.length === 0) {
    return html`<p class="determined">Nothing that the gate looks for was left undetermined.</p>`;
  }
  return html`<section class="unknowns" aria-labelledby="unknowns">
    <h2 id="unknowns">What the gate could not determine</h2>
    <dl>
      ${shown.undetermined.map(
        (one) =>
          html`<div>
            <dt>${one.what}</dt>
            <dd>${one.why}</dd>
          </div>`,
      )}
    </dl>
  </section>`;
}

function why(one: Why): Html {
  const clauses = one.clauses.map((clause) => html`<li><code>${clause.text}</code>${sides(clause)}</li>`);
  return html`${one.policies.map((policy) => html`<p class="policy"><strong>${policy.title}</strong> <code>${policy.id}</code></p>`)}
  ${one.policies.length === 0 ? html`<p>${one.text}</p>` : nothing}
  ${
    clauses.length === 0
      ? nothing
      : html`<ul class="clauses">
          ${clauses}
        </ul>`
  }
  ${one.wouldAllow.length === 0 ? nothing : html`<p class="soft">It would be allowed without asking ${one.wouldAllow.join(', or ')}.</p>`}`;
}

const sides = ({ here, against }: Side): Html =>
  here === null
    ? nothing
    : html`<span class="sides"
        >here <b>${here}</b>${against === null ? nothing : html` against <b>${against}</b>`}</span
      >`;

function forWhom(shown: Presentation, readable: AgentId | null): Html {
  const one = shown.forWhom;
  const asked = html`asked ${timeAgo(shown.askedAtMs, shown.nowMs)}, ${timeAt(shown.askedAtMs)}`;
  if (one.gates !== undefined)
    return html`<p>${one.gates}</p>
      <ul class="trail">
        <li>${asked}</li>
      </ul>`;
  return html`<p>
      <strong>${readable === null ? one.agent : agentLink(readable)}</strong>, owned by
      ${one.owners.length === 0 ? 'nobody known' : listed(one.owners)}
    </p>
    <ul class="trail">
      ${one.startedBy === null ? nothing : html`<li>started by ${one.startedBy}</li>`}
      ${one.delegation.length === 0 ? nothing : html`<li>through ${say`${one.delegation.join(' › ')}`}</li>`}
      <li>
        ${one.session === null ? 'no session named' : html`session <code>${one.session}</code> <span class="mark">claimed</span>`}
      </li>
      <li>${asked}</li>
    </ul>`;
}
