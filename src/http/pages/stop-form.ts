/** The form that stops an agent: on the agent's own page, and as the third button of an approval. */
import { html } from 'hono/html';
import { line } from '../../core/render/shown.ts';
import { reasonCharsMax } from '../../app/review.ts';
import { formFields, nothing, type Html } from './html.ts';

/** Stopping takes a reason and a tick: it refuses everything, at once, until an operator lifts it. */
export function stopForm(of: {
  readonly csrf: string;
  readonly action: string;
  readonly agent: string;
  readonly typed: string;
  readonly open: boolean;
}): Html {
  return html`<details class="stop-agent" id="stop" ${of.open ? html` open` : nothing}>
    <summary class="button">Stop the agent…</summary>
    <form method="post" action="${of.action}">
      ${formFields(of.csrf)}<input type="hidden" name="agent" value="${of.agent}" />
      <label for="stop-reason">Reason <span class="soft">the agent is told, word for word</span></label>
      <textarea id="stop-reason" name="reason" rows="2" maxlength="${reasonCharsMax}" required>
${of.typed}</textarea>
      <label class="check"
        ><input type="checkbox" name="sure" value="yes" required />
        <span
          >Stop ${line(of.agent)}
          <span class="soft"
            >everything it asks is refused and what waits is withdrawn, until an operator who does not own it
            lifts that</span
          ></span
        ></label
      >
      <button class="stop" type="submit">Stop the agent</button>
    </form>
  </details>`;
}
