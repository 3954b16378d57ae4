/**
 * The policies in force: each as it was written, its annotations in words, and what it has decided lately. For everybody in
 * the directory: whoever is asked must be able to read the rule.
 */
import { html } from 'hono/html';
import type { JsonValue } from '../../core/json.ts';
import { isJsonArray, isJsonObject } from '../../core/json.ts';
import { theGate } from '../../core/acts.ts';
import { mayReadPolicies } from '../../core/reads.ts';
import { effectWords, requirementLines } from '../../core/render/policy-words.ts';
import { counted, grouped, line, say, short, shortDigest } from '../../core/render/shown.ts';
import { byWords } from '../../core/render/standing.ts';
import type { AcceptedVersion, Glance } from '../../ports/overview.ts';
import type { LivePolicy } from '../../ports/policy.ts';
import { code } from './exact.ts';
import { framed, glanceRow, notForYou, panel, textLines, type Answer } from './frame.ts';
import { chip, nothing, timeAgo, type Html } from './html.ts';
import { rolesPanel } from './roles-panel.ts';
import { pathOf } from './routes.ts';
import { glancesOf, may, type Visit } from './visit.ts';

/** Policies on one page. */
const policiesMax = 50;
/** Actions that are looked through for what a policy decided. */
export const actionsMax = 1000;
export const lately = { ms: 7 * 24 * 3_600_000, words: '7 days' };
/** Newest decisions that a policy names. */
const newestMax = 3;
/** Accepted versions that the page tells of. */
const versionsMax = 5;
/** UTF-16 units of what is searched for. */
const searchCharsMax = 200;

export async function policiesPage(visit: Visit, query: URLSearchParams): Promise<Answer> {
  const { parts, directory, person, nowMs } = visit;
  if (!mayReadPolicies(directory, person))
    return notForYou(visit, 'policies', {
      title: 'The policies are for people of this gate',
      text: line('You are not in its directory any more.'),
    });
  const [versions, recent] = await Promise.all([
    parts.store.acceptedVersions('policies', versionsMax),
    parts.store.recentActions({ limit: actionsMax, sinceMs: nowMs - lately.ms }),
  ]);
  const wanted = (query.get('q') ?? '').slice(0, searchCharsMax);
  const from = /^\d{1,6}$/.test(query.get('from') ?? '') ? Number(query.get('from')) : 0;
  const all = parts.policy.policies().filter((one) => fits(one, wanted));
  const shown = all.slice(from, from + policiesMax);
  const decided = byPolicy(recent);
  const broken = parts.policy.broken();
  const body = html`${broken === null ? nothing : await brokenPanel(visit, broken)}
    <form class="filter" method="get" action="/policies" role="search">
      <label for="q">Find</label
      ><input
        id="q"
        name="q"
        type="search"
        value="${wanted}"
        maxlength="${searchCharsMax}"
        placeholder="id, title, group, text"
      />
      <button type="submit">Find</button>
    </form>
    ${
      shown.length === 0
        ? html`<p class="empty">${broken === null ? 'No policy fits.' : 'No policy is in force.'}</p>`
        : await Promise.all(shown.map((one) => policyPanel(visit, one, decided.get(one.id) ?? [])))
    }
    <p class="older">
      ${from > 0 ? html`<a href="${pathOf('/policies', { q: wanted, from: String(Math.max(0, from - policiesMax)) })}">Before</a> ` : nothing}
      ${from + policiesMax < all.length ? html`<a href="${pathOf('/policies', { q: wanted, from: String(from + policiesMax) })}">More</a>` : nothing}
    </p>
    ${wanted === '' && from === 0 ? rolesPanel(parts.policy) : nothing}
    ${versions.length < 2 ? nothing : panel('versions', 'Accepted before', versionList(visit, versions.slice(1)))}`;
  const count = parts.policy.policies().length;
  const lead = html`${broken === null ? html`<p>${counted(count, 'policy', 'policies')} in force. ${versions[0] === undefined ? nothing : versionLine(visit, versions[0])}</p>` : nothing}
    <p>Counts are of the last ${lately.words}, within the last ${grouped(actionsMax)} actions.</p>`;
  return framed(visit, 'policies', { title: 'Policies', lead, body });
}

function fits(one: LivePolicy, wanted: string): boolean {
  const words = wanted
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const text = [one.id, one.title, one.file, one.text].join('\n').toLowerCase();
  return words.every((word) => text.includes(word));
}

/** Who accepted a version, and where that stands in the log. */
function versionLine(visit: Visit, { version, digest, atMs, entry }: AcceptedVersion): Html {
  const by = entry === null ? line('nobody knows whom') : byWords(entry.by, visit.directory);
  const where =
    entry !== null && may(visit, 'read_log', theGate)
      ? html` (<a href="/log/${entry.index}">entry ${grouped(entry.index)}</a>)`
      : nothing;
  return html`Set ${version}, <code>${shortDigest(digest)}</code>, accepted ${timeAgo(atMs, visit.nowMs)} by
    ${by}${where}.`;
}

const versionList = (visit: Visit, versions: readonly AcceptedVersion[]): Html =>
  html`<ul class="bullets">
    ${versions.map((one) => html`<li>${versionLine(visit, one)}</li>`)}
  </ul>`;

/** What each policy had a part in, newest first. */
function byPolicy(recent: readonly Glance[]): ReadonlyMap<string, readonly Glance[]> {
  const found = new Map<string, Glance[]>();
  for (const one of recent) {
    const { explanation } = one.verdict;
    const asks = one.verdict.effect === 'review' ? one.verdict.requirements : [];
    for (const id of new Set([...explanation.policies, ...asks].map((policy) => policy.id))) {
      const list = found.get(id) ?? [];
      list.push(one);
      found.set(id, list);
    }
  }
  return found;
}

async function policyPanel(visit: Visit, one: LivePolicy, decided: readonly Glance[]): Promise<Html> {
  const words = requirementLines(one.requirement);
  // Everybody reads how much it decides; what exactly, only whom it concerns.
  const seen = await glancesOf(visit, decided, newestMax);
  const tone = one.requirement !== null ? 'waiting' : one.effect === 'permit' ? 'good' : 'bad';
  return html`<article class="panel policy-card" id="policy-${one.id}" aria-labelledby="title-${one.id}">
    <h2 id="title-${one.id}">${short(one.title, 300)}</h2>
    <p class="marks">${chip(tone, effectWords(one.effect, one.requirement))}<code>${line(one.id)}</code></p>
    ${words.length === 0 ? nothing : html`<p>${words.join(', ')}.</p>`} ${tally(decided)}
    ${
      seen.length === 0
        ? nothing
        : html`<ul class="glances">
            ${seen.map((glance) => glanceRow(visit, glance, true))}
          </ul>`
    }
    <details id="text-${one.id}">
      <summary>As written, <code>${line(`${one.file}:${one.line}`)}</code></summary>
      ${code(textLines(one.text), `Text of ${one.id}`)}
    </details>
  </article>`;
}

/** "12 allowed · 3 asked · 1 denied", and how many of them were only observed. */
function tally(decided: readonly Glance[]): Html {
  if (decided.length === 0) return html`<p class="soft">It had no part in any action lately.</p>`;
  const count = (effect: Glance['verdict']['effect']): number =>
    decided.filter((one) => one.verdict.effect === effect).length;
  const observed = decided.filter((one) => one.mode === 'observe').length;
  const parts = [
    [count('allow'), 'allowed'],
    [count('review'), 'for people'],
    [count('deny'), 'denied'],
  ] as const;
  return html`<p class="tally">
    ${parts.filter(([many]) => many > 0).map(([many, what]) => html`<span><b>${grouped(many)}</b> ${what}</span>`)}
    ${observed === 0 ? nothing : html`<span class="soft">${grouped(observed)} of them only observed</span>`}
  </p>`;
}

/** Nothing is in force: why, and what was accepted last. */
async function brokenPanel(visit: Visit, reason: string): Promise<Html> {
  const accepted = await visit.parts.store.accepted('policies');
  const files = accepted === undefined ? [] : filesIn(accepted.body);
  return html`<section class="panel broken" aria-labelledby="broken">
    <h2 id="broken">No usable policies: everything is denied</h2>
    <p class="reason">${say`${reason}`}</p>
    <p class="soft">
      Mend the file; the gate reads it again by
      itself.${files.length === 0 ? nothing : html` Below is the set that was accepted last. It is not in force.`}
    </p>
    ${files.map(
      ({ file, text }) =>
        html`<details>
          <summary><code>${line(file)}</code></summary>
          ${code(textLines(text), file)}
        </details>`,
    )}
  </section>`;
}

/** The files of an accepted set, read with care: an older version may have written it. */
function filesIn(body: JsonValue): readonly { readonly file: string; readonly text: string }[] {
  const policies = isJsonObject(body) ? body['policies'] : undefined;
  return (isJsonArray(policies) ? policies : []).flatMap((one) => {
    if (!isJsonObject(one)) return [];
    const { file, text } = one;
    return typeof file === 'string' && typeof text === 'string' ? [{ file, text }] : [];
  });
}
