/** Pages that say one thing: not signed in, not found, refused. */
import { html } from 'hono/html';
import { titles, statusOf, type Refusal } from '../../core/refusal.ts';
import { line } from '../../core/render/shown.ts';
import type { Html } from './html.ts';
import { layout, type LayoutOptions } from './layout.ts';

const nobody: LayoutOptions = { page: 'message', reader: null, banners: [], announce: '' };

/**
 * For whoever is not signed in. Accounts are a provider's and links come from the operator: the gate keeps no passwords.
 * @param asksAgain true for a GET: a link from elsewhere brings no strict cookie, so the page asks once more itself.
 * @param takesLink true where the page keeps a link's secret until somebody is signed in.
 */
export const signInNeeded = (path: string, asksAgain: boolean, takesLink = false): Html =>
  layout(
    'Sign in',
    html`<section class="message">
      <h1>You are not signed in</h1>
      <p>
        Sign in with the account that is linked to you. For the first set-up the terminal in which this gate
        runs prints sign-in links; each works once, for one person. If you have neither, ask the operator of
        the gate.
      </p>
      <p><a class="button" href="/sign-in?next=${encodeURIComponent(path)}">Sign in</a></p>
    </section>`,
    { ...nobody, asksAgain, takesLink },
  );

/** A refusal in plain words with its code, and a way back. */
export const refused = (
  refusal: Refusal,
  options: LayoutOptions | null,
): { readonly status: number; readonly body: Html } => ({
  status: statusOf(refusal.code),
  body: layout(
    titles[refusal.code],
    html`<section class="message">
      <h1>${titles[refusal.code]}</h1>
      <p>${line(refusal.detail)}</p>
      <p class="code">code <code>${refusal.code}</code></p>
      <p><a class="button" href="/inbox">To the inbox</a></p>
    </section>`,
    options ?? nobody,
  ),
});
