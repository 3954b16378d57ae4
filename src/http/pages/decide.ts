/** Where an approval stands, and what the reader can do about it. Each button is a form of its own; nothing else decides. */
import { html } from 'hono/html';
import type { Need } from '../../core/render/people.ts';
import type { Presentation, Said } from '../../core/render/present.ts';
import type { AgentId } from '../../core/ids.ts';
import { listed } from '../../core/render/shown.ts';
import { reasonCharsMax } from '../../app/review.ts';
import { formFields, nothing, quote, timeAgo, timeAt, timeLeft, type Html } from './html.ts';
import { stopForm } from './stop-form.ts';

/** What was typed in a form that was refused. */
export interface Attempted {
  readonly form: 'approve' | 'deny' | 'cancel' | 'settle' | 'stop';
  readonly reason: string | null;
  readonly unsafe: boolean;
}

export function standingCard(shown: Presentation): Html {
  const { standing } = shown;
  return html`<div class="card">
    <p class="state ${standing.tone}">
      <strong>${standing.title}</strong
      >${standing.untilMs === null ? nothing : timeLeft(standing.untilMs, shown.nowMs)}
    </p>
    <p class="soft">${standing.text}</p>
    ${standing.said.length === 0 || shown.reviews.some((one) => one.decision === 'deny') ? nothing : quote(standing.said)}
    ${shown.needs.map((need) => needRow(need))}
    ${
      shown.reviews.length === 0
        ? nothing
        : html`<ul class="reviews">
            ${shown.reviews.map((one) => reviewRow(one, shown.nowMs))}
          </ul>`
    }
    ${standing.state === 'pending' ? people(shown) : nothing}
    <p class="short">Short digest <code>${shown.exact.shortDigest}</code></p>
  </div>`;
}

function needRow(need: Need): Html {
  const places = Array.from(
    { length: Math.min(need.quorum, 12) },
    (_, index) => html`<i class="${index < need.count ? 'filled' : 'open'}"></i>`,
  );
  const asks = [...(need.reasonRequired ? ['a reason'] : []), ...(need.passkey ? ['a passkey'] : [])];
  return html`<div class="need ${need.met ? 'met' : 'unmet'}">
    <p>
      <b>${need.count} of ${need.quorum}</b> from <strong>${need.approvers}</strong
      ><span class="places" aria-hidden="true">${places}</span>
    </p>
    ${need.escalated === null ? nothing : html`<p class="soft">escalated to <strong>${need.escalated.group}</strong> ${timeAt(need.escalated.atMs)}</p>`}
    ${asks.length === 0 && need.channels === null ? nothing : html`<p class="soft">${asks.length === 0 ? nothing : html`with ${listed(asks)}`}${need.channels === null ? nothing : html` only in: ${listed(need.channels)}`}</p>`}
  </div>`;
}

const reviewRow = (one: Said, nowMs: number): Html =>
  html`<li class="${one.decision}">
    <p>
      <strong>${one.name}</strong>
      ${one.decision === 'approve' ? 'approved' : one.unsafe ? 'denied it as unsafe' : 'denied'}${one.standingInFor === null ? nothing : html` for ${one.standingInFor}`}
      ${one.channel}${one.signed ? ', signed with a passkey' : nothing}, ${timeAgo(one.atMs, nowMs)}
    </p>
    ${one.reason.length === 0 ? nothing : quote(one.reason)}
  </li>`;

function people(shown: Presentation): Html {
  return html`<dl class="people">
    <div>
      <dt>Can approve</dt>
      <dd>${shown.canApprove.length === 0 ? 'nobody who has not yet' : listed(shown.canApprove)}</dd>
    </div>
    ${
      shown.cannotApprove.length === 0
        ? nothing
        : html`<div>
            <dt>Cannot approve</dt>
            <dd>
              <ul>
                ${shown.cannotApprove.map((one) => html`<li>${one.name} <span class="soft">${one.why}</span></li>`)}
              </ul>
            </dd>
          </div>`
    }
  </dl>`;
}

/** What the forms need besides what is shown. */
export interface Acts {
  readonly attempted: Attempted | null;
  /** The agent that the reader may stop here. */
  readonly stops: AgentId | null;
  /** How the reader signs where a policy asks for a passkey; a text says why they cannot. */
  readonly signing: { readonly origin: string } | string;
}

/** The forms; on a phone they stay at the bottom of the screen. */
export function actions(shown: Presentation, csrf: string, { attempted, stops, signing }: Acts): Html {
  const { reader, standing } = shown;
  if (reader === null) return nothing;
  const going = standing.state === 'pending' || standing.state === 'ready' || standing.state === 'started';
  const stop =
    stops === null || !going
      ? nothing
      : stopForm({
          csrf,
          action: `/approvals/${shown.approvalId ?? ''}/stop-agent`,
          agent: stops,
          typed: typed('stop', attempted),
          open: attempted?.form === 'stop',
        });
  const open = standing.state === 'pending' || standing.state === 'ready';
  const canApprove = reader.cannotApprove === null;
  const canDeny = reader.cannotDeny === null;
  const said = open && !canApprove && standing.state === 'pending';
  if (!open && !reader.canSettle && stop === nothing)
    return html`<div class="actions none" data-live="actions"></div>`;
  return html`<div class="actions" data-live="actions">
    ${said ? html`<p class="cannot" id="cannot">${reader.cannotApprove?.words ?? ''}</p>` : nothing}
    ${open && (canApprove || canDeny) ? html`<div class="buttons">${canApprove ? approveForm(shown, csrf, { attempted, signing }) : nothing}${canDeny ? denyForm(shown, csrf, attempted) : nothing}</div>` : nothing}
    ${open && reader.canCancel ? cancelForm(shown, csrf) : nothing}
    ${reader.canSettle ? settleForm(shown, csrf, attempted) : nothing} ${stop}
  </div>`;
}

const typed = (form: Attempted['form'], attempted: Attempted | null): string =>
  attempted?.form === form ? (attempted.reason ?? '') : '';

function approveForm(
  shown: Presentation,
  csrf: string,
  { attempted, signing }: Pick<Acts, 'attempted' | 'signing'>,
): Html {
  const required = shown.reader?.reasonRequired === true;
  const text = typed('approve', attempted);
  const id = shown.approvalId ?? '';
  const signs = shown.reader?.passkey === true;
  // Said where the button would be: there is nothing to press.
  if (signs && typeof signing === 'string')
    return html`<p class="cannot" id="cannot">${signing} <a href="/passkeys">Your passkeys</a></p>`;
  const field = html`<label for="approve-reason"
      >Reason${required ? html` <span class="soft">the policy asks for one</span>` : html` <span class="soft">optional, kept in the log</span>`}</label
    >
    <textarea
      id="approve-reason"
      name="reason"
      rows="2"
      maxlength="${reasonCharsMax}"
      ${required ? html` required` : nothing}
    >
${text}</textarea>`;
  return html`<form
    class="approve"
    id="approve-form"
    method="post"
    action="/approvals/${id}/review"
    ${signs && typeof signing !== 'string' ? html` data-ceremony="sign" data-options="/approvals/${id}/sign" data-origin="${signing.origin}"` : nothing}
  >
    ${formFields(csrf)}${signs ? html`<input type="hidden" name="proof" />` : nothing}<input
      type="hidden"
      name="decision"
      value="approve"
    /><input type="hidden" name="digest" value="${shown.exact.digest}" />
    ${
      required
        ? field
        : html`<details class="add" id="approve-more" ${text === '' ? nothing : html` open`}>
            <summary>Add a reason</summary>
            ${field}
          </details>`
    }
    ${
      signs
        ? html`<p class="cannot" data-say role="alert" hidden></p>
            <noscript><p class="cannot">Signing with a passkey needs scripts.</p></noscript>`
        : nothing
    }
    <button id="approve" class="go" type="submit">
      ${signs ? 'Sign with your passkey and approve' : 'Approve this exact action'}
    </button>
  </form>`;
}

function denyForm(shown: Presentation, csrf: string, attempted: Attempted | null): Html {
  const again = attempted?.form === 'deny';
  return html`<details class="deny" id="deny" ${again ? html` open` : nothing}>
    <summary class="button">Deny…</summary>
    <form method="post" action="/approvals/${shown.approvalId ?? ''}/review">
      ${formFields(csrf)}<input type="hidden" name="decision" value="deny" /><input
        type="hidden"
        name="digest"
        value="${shown.exact.digest}"
      />
      <label for="deny-reason">Reason <span class="soft">the agent is told, word for word</span></label>
      <textarea id="deny-reason" name="reason" rows="3" maxlength="${reasonCharsMax}">
${typed('deny', attempted)}</textarea>
      <label class="check"
        ><input
          type="checkbox"
          name="unsafe"
          value="yes"
          ${again && attempted.unsafe ? html` checked` : nothing}
        />
        <span>Unsafe <span class="soft">not a correction: it should never have been tried</span></span></label
      >
      <button class="stop" type="submit">Deny</button>
    </form>
  </details>`;
}

function cancelForm(shown: Presentation, csrf: string): Html {
  return html`<form class="cancel" method="post" action="/approvals/${shown.approvalId ?? ''}/cancel">
    ${formFields(csrf)}<button class="quiet" type="submit">Withdraw it</button>
    <span class="soft">as an owner or operator, without a judgement</span>
  </form>`;
}

function settleForm(shown: Presentation, csrf: string, attempted: Attempted | null): Html {
  if (shown.executionId === null) return nothing;
  return html`<form class="settle" method="post" action="/executions/${shown.executionId}/settle">
    ${formFields(csrf)}<input type="hidden" name="approval" value="${shown.approvalId ?? ''}" />
    <p>
      <strong>Settle the outcome</strong>
      <span class="soft">as an operator, once you have looked at the target</span>
    </p>
    <div class="choice">
      <label class="check"><input type="radio" name="status" value="succeeded" required /> It succeeded</label
      ><label class="check"
        ><input type="radio" name="status" value="failed" /> It failed or did not run</label
      >
    </div>
    <label for="settle-reason">How do you know?</label>
    <textarea id="settle-reason" name="reason" rows="2" maxlength="${reasonCharsMax}" required>
${typed('settle', attempted)}</textarea>
    <button type="submit">Settle</button>
  </form>`;
}
