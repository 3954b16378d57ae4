/** Who reads and administers, on the page of policies: what ships with the gate, as it is evaluated, and how far it is narrowed. */
import { html } from 'hono/html';
import { acts } from '../../core/acts.ts';
import { line, listed } from '../../core/render/shown.ts';
import type { PolicyEngine } from '../../ports/policy.ts';
import { code } from './exact.ts';
import { panel, textLines } from './frame.ts';
import { nothing, type Html } from './html.ts';

/** One panel; the text of each policy waits closed. */
export function rolesPanel(policy: PolicyEngine): Html {
  const narrowed = policy.broken() === null ? acts.filter((act) => policy.narrows(act)) : [];
  const body = html`<p>
      These ship with the gate. A set may only forbid more; nobody is given more than they say.
      ${narrowed.length === 0 ? 'Nothing narrows them.' : html`Policies of this set narrow ${listed(narrowed.map((act) => line(act)))}.`}
      ${policy.broken() === null ? nothing : html`While no policies are usable, nobody sees an input or reads the log.`}
    </p>
    ${policy.roles().map(
      (one) =>
        html`<details id="role-${one.id}">
          <summary>${line(one.title)} <code>${line(one.id)}</code></summary>
          ${code(textLines(one.text), `Text of ${one.id}`)}
        </details>`,
    )}`;
  return panel('roles', 'Who reads and administers', body);
}
