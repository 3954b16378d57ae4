/** The people of the directory: their groups, what they could approve, what they decided lately. No token, link or session is here. */
import { html } from 'hono/html';
import { isAuditor, isOperator, personIn, type Person } from '../../core/directory.ts';
import { asPersonId } from '../../core/ids.ts';
import { mayReadGate } from '../../core/reads.ts';
import { requirementLines } from '../../core/render/policy-words.ts';
import { counted, line, listed, short } from '../../core/render/shown.ts';
import { channelWords } from '../../core/render/standing.ts';
import { seenBy } from '../../app/access.ts';
import type { LivePolicy } from '../../ports/policy.ts';
import type { Reviewed } from '../../ports/overview.ts';
import { agentLink, framed, notForYou, panel, table, type Answer } from './frame.ts';
import { chip, nothing, timeAgo, type Html } from './html.ts';
import { pathOf } from './routes.ts';
import { agentsOf, may, peopleOf, type Visit } from './visit.ts';

/** People on one page. */
const peopleMax = 100;
/** Policies that a person's page names. */
const policiesMax = 100;
/** Reviews that it lists. */
const reviewsMax = 25;

export async function peoplePage(visit: Visit, query: URLSearchParams): Promise<Answer> {
  const { directory, person } = visit;
  const all = peopleOf(visit);
  const from = /^\d{1,6}$/.test(query.get('from') ?? '') ? Number(query.get('from')) : 0;
  const rows = all.slice(from, from + peopleMax).map((one) => {
    const policies = approvesWith(visit, one).length;
    const agents = owned(visit, one).length;
    return [
      html`<a href="${pathOf('/person', { id: one.id })}">${short(one.name, 120)}</a>
        ${roleChips(visit, one)}`,
      one.groups.length === 0 ? '–' : short(listed(one.groups), 200),
      policies === 0 ? '–' : String(policies),
      agents === 0 ? '–' : String(agents),
    ];
  });
  const body = html`${table('People', ['Name', 'Groups', 'Policies that ask', 'Agents'], rows)}
    <p class="older">
      ${from > 0 ? html`<a href="${pathOf('/people', { from: String(Math.max(0, from - peopleMax)) })}">Before</a> ` : nothing}
      ${from + peopleMax < all.length ? html`<a href="${pathOf('/people', { from: String(from + peopleMax) })}">More</a>` : nothing}
    </p>`;
  const lead = mayReadGate(directory, person)
    ? html`<p>${counted(all.length, 'person', 'people')} of the configuration in force.</p>`
    : html`<p>You see yourself here. Operators and auditors see everybody.</p>`;
  return framed(visit, 'people', { title: 'People', lead, body });
}

export async function personPage(visit: Visit, id: string): Promise<Answer> {
  const { parts, directory } = visit;
  const one = peopleOf(visit).find((each) => each.id === asPersonId(id));
  if (one === undefined || personIn(directory, one.id) === undefined)
    return notForYou(visit, 'people', {
      title: 'Only for operators and auditors',
      text: line(
        'You see yourself here. Others are read by operators and auditors; there may be nobody of this name.',
      ),
    });
  const reviews = await readable(visit, await parts.store.reviewsBy(one.id, reviewsMax));
  const policies = approvesWith(visit, one);
  const agents = owned(visit, one);
  const body = html`${panel(
    'approves',
    'Policies that could ask them',
    policies.length === 0
      ? html`<p class="empty">None.</p>`
      : html`<ul class="bullets">
          ${policies.slice(0, policiesMax).map((policy) => policyRow(policy))}
        </ul>`,
  )}
  ${panel(
    'owns',
    'Agents of theirs',
    agents.length === 0
      ? html`<p class="empty">None.</p>`
      : html`<ul class="bullets">
          ${agents.map(
            (agent) =>
              html`<li>
                ${may(visit, 'read_agent', { kind: 'agent', agent: agent.id }) ? agentLink(agent.id) : line(agent.id)}
                ${agent.owners[0] === one.id ? html`<span class="soft">accountable</span>` : nothing}
              </li>`,
          )}
        </ul>`,
  )}
  ${panel(
    'decided',
    'Decided lately',
    reviews.length === 0
      ? html`<p class="empty">Nothing within the last 1,000 that people were asked about.</p>`
      : html`<ul class="glances">
          ${reviews.map((review) => reviewRow(review, visit.nowMs))}
        </ul>`,
  )}`;
  return framed(visit, 'people', {
    title: short(one.name, 120),
    crumb: html`<a href="/people">People</a>`,
    lead: html`<p>
      <code>${line(one.id)}</code>
      ${one.groups.length === 0 ? 'in no group' : html`in ${short(listed(one.groups), 300)}`}
      ${roleChips(visit, one)}
    </p>`,
    body,
  });
}

const policyRow = (policy: LivePolicy): Html =>
  html`<li>
    <a href="${pathOf('/policies', { q: policy.id })}">${short(policy.title, 200)}</a>
    <span class="soft">${requirementLines(policy.requirement).join(', ')}</span>
  </li>`;

const reviewRow = ({ approval, agent, operation, review }: Reviewed, nowMs: number): Html =>
  html`<li>
    <span class="what"
      ><a href="/approvals/${approval}"><code>${short(operation, 160)}</code></a>
      <span class="soft">${short(agent, 80)}</span></span
    >
    <span class="aside"
      >${chip(review.decision === 'approve' ? 'good' : 'bad', review.decision === 'approve' ? 'approved' : review.unsafe ? 'denied as unsafe' : 'denied')}
      ${timeAgo(review.atMs, nowMs)}</span
    >
    <span class="note">${channelWords(review.channel)}</span>
  </li>`;

/** Those of actions that the reader may read: where a policy hides some, they are looked at one by one. */
async function readable(visit: Visit, all: readonly Reviewed[]): Promise<readonly Reviewed[]> {
  const { parts, by } = visit;
  if (!parts.policy.narrows('read')) return all;
  const held = await Promise.all(all.map(({ approval }) => parts.store.caseBy({ approval })));
  return all.filter((_, at) => {
    const one = held[at];
    return one !== undefined && seenBy(parts, visit, by, one) !== undefined;
  });
}

/** The policies whose approvers they are today. What a `forbid` on approving keeps from them shows at each action. */
function approvesWith({ parts }: Visit, { groups }: Person): readonly LivePolicy[] {
  const mine = new Set(groups);
  return parts.policy.policies().filter(({ requirement }) => {
    if (requirement === null) return false;
    const { approvers, escalate } = requirement;
    return mine.has(approvers) || (escalate !== null && mine.has(escalate.group));
  });
}

/** Their agents, as far as the reader may read them. */
const owned = (visit: Visit, one: Person) => agentsOf(visit).filter((agent) => agent.owners.includes(one.id));

function roleChips({ directory }: Visit, one: Person): Html {
  return html`${isOperator(directory, one.id) ? chip('plain', 'operator') : nothing}${isAuditor(directory, one.id) ? chip('plain', 'auditor') : nothing}`;
}
