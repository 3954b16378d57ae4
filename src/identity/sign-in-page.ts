/**
 * The sign-in pages: static texts, and the names of providers. They work without their scripts (paste the token, press the
 * button); the script takes a link's token out of the address bar at once, so that neither history nor a glance keeps it.
 */

const escapes: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
]);

const escaped = (text: string): string => text.replace(/[&<>"']/g, (one) => escapes.get(one) ?? '');

/** What the sign-in page offers; the same for everybody. */
export interface Offered {
  readonly providers: readonly { readonly id: string; readonly name: string }[];
  /** Ids of those that are not offered until they are accepted. */
  readonly waiting?: readonly string[];
  /** Whether one-time links do anything. */
  readonly links: boolean;
}

const headOf = (title: string, more: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>${title} · Countersign</title>
<link rel="stylesheet" href="/sign-in.css">
${more}</head>
`;

/** `/sign-in`. Its forms have no action: they post to the page's own address, with its `?next=`. */
export const signInPage = (
  offered: Offered,
): string => `${headOf('Sign in', '<script src="/sign-in.js" defer></script>\n')}<body>
<main>
<p class="mark">Countersign</p>
<h1>Sign in</h1>
<p id="say" role="status">${firstWords(offered)}</p>
${(offered.waiting ?? []).map(waitingNote).join('')}${offered.providers.map(providerForm).join('')}${offered.links ? linkForm(offered.providers.length > 0) : ''}<p><a id="stay" href="/inbox" hidden>Continue</a></p>
</main>
</body>
</html>
`;

/** Its id and not its name: that is anybody's word still. */
const waitingNote = (id: string): string =>
  `<p class="note">The provider ${escaped(id)} was added or changed, and waits for people to accept it. Nobody can sign in with it yet.</p>\n`;

function firstWords({ providers, waiting = [], links }: Offered): string {
  if (providers.length > 0) return 'Sign in with the account that is linked to you.';
  return links
    ? 'Open the sign-in link that the gate’s operator gave you, or paste its token here. It works once.'
    : `Nobody can sign in now: no provider is ${waiting.length > 0 ? 'accepted' : 'configured'}, and one-time links are switched off.`;
}

const providerForm = ({ id, name }: Offered['providers'][number]): string =>
  `<form method="post"><p><button name="provider" value="${escaped(id)}">Continue with ${escaped(name)}</button></p></form>\n`;

const linkForm = (
  beside: boolean,
): string => `<form method="post" autocomplete="off"${beside ? ' class="beside"' : ''}>
<p id="paste"><label for="token">Token or link</label>
<input id="token" name="token" type="text" required autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="2000"></p>
<p><button id="go" type="submit">Continue</button></p>
<p class="note">One-time links are for the demo and the first set-up${beside ? '; whoever has an account uses that' : ''}.</p>
</form>
`;

/** On the way to a provider: a page and no redirect, because a form of ours goes nowhere else (content security policy). */
export const goingPage = (
  name: string,
  to: string,
): string => `${headOf('Sign in', `<meta http-equiv="refresh" content="0;url=${escaped(to)}">\n`)}<body>
<main>
<p class="mark">Countersign</p>
<h1>To ${escaped(name)}</h1>
<p>You sign in there, and come back.</p>
<p><a class="button" id="onward" rel="noreferrer" href="${escaped(to)}">Continue to ${escaped(name)}</a></p>
</main>
</body>
</html>
`;

/** Where providers send the browser back to. It holds nothing of the request: its form posts to its own address. */
export const backPage = `${headOf('Signing in', '<script src="/sign-in/continue.js" defer></script>\n')}<body>
<main>
<p class="mark">Countersign</p>
<h1>Signing in</h1>
<form method="post"><p><button type="submit">Continue</button></p></form>
</main>
</body>
</html>
`;

/** `/sign-in/continue.js`: presses the button of the page that a provider sent the browser back to. */
export const backScript = `'use strict';
document.forms[0].requestSubmit();
`;

/** `/sign-in.js`. Writes text, never markup. */
export const signInScript = `'use strict';
const at = (id) => document.getElementById(id);
const ours = (path) => (/^\\/(?![\\/\\\\])/.test(path ?? '') ? path : '/inbox');

async function start() {
  const token = location.hash.slice(1);
  history.replaceState(null, '', location.pathname + location.search);
  if (token === '') return already();
  if (at('token') === null) return say('One-time links are switched off here.');
  at('stay').hidden = true;
  at('go').disabled = true;
  const answer = await fetch('/sign-in/who', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  }).catch(() => null);
  at('go').disabled = false;
  if (answer === null) return say('The gate does not answer. Is it running?');
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) return say(said.detail ?? 'This sign-in link cannot be used; ask for a new one.');
  at('token').value = token;
  at('paste').hidden = true;
  at('go').textContent = 'Continue as ' + said.person.name;
  at('go').focus();
  say('This link signs you in as ' + said.person.name + ' (' + said.person.id + '), once.');
}

// Followed from another site, a link does not carry the session; asked from here, it does.
async function already() {
  const answer = await fetch('/sign-in/session').catch(() => null);
  if (answer === null || !answer.ok) return;
  const said = await answer.json();
  at('stay').textContent = 'Go on as ' + said.person.name;
  at('stay').href = ours(new URLSearchParams(location.search).get('next'));
  at('stay').hidden = false;
}

function say(text) {
  at('say').textContent = text;
}

addEventListener('hashchange', () => void start());
void start();
`;

/** `/sign-in.css`, light and dark. */
export const signInStyle = `:root { color-scheme: light dark; --text: #1f2328; --soft: #59636e; --line: #818b98; --page: #f6f8fa; --card: #fff; --act: #0a5fc4; --link: #0a5fc4; }
@media (prefers-color-scheme: dark) {
  :root { --text: #f0f6fc; --soft: #9ea8b3; --line: #656c76; --page: #0d1117; --card: #151b23; --act: #1a63d6; --link: #6cb0ff; }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 26rem; padding: 1.5rem 2rem; background: var(--card); border: 1px solid color-mix(in srgb, var(--line) 40%, transparent); border-radius: 12px; }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; }
.mark { margin: 0; color: var(--soft); font-weight: 600; }
#say { color: var(--soft); overflow-wrap: anywhere; }
a { color: var(--link); }
.note { color: var(--soft); font-size: .875rem; }
.beside { margin-top: 1.5rem; padding-top: .5rem; border-top: 1px solid color-mix(in srgb, var(--line) 40%, transparent); }
label { display: block; font-weight: 600; margin-bottom: .25rem; }
input { width: 100%; padding: .6rem .7rem; font: inherit; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: 6px; }
button, a#stay, a.button { display: block; width: 100%; padding: .65rem 1rem; font: inherit; font-weight: 600; text-align: center; text-decoration: none; color: #fff; background: var(--act); border: 0; border-radius: 6px; cursor: pointer; }
button:disabled { opacity: .6; cursor: default; }
:focus-visible { outline: 3px solid color-mix(in srgb, var(--act) 60%, transparent); outline-offset: 2px; }
`;

/** A page that says one sentence, and leads back. */
export const messagePage = (sentence: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Sign in · Countersign</title>
<link rel="stylesheet" href="/sign-in.css">
</head>
<body>
<main>
<p class="mark">Countersign</p>
<h1>Not signed in</h1>
<p role="alert">${escaped(sentence)}</p>
<p><a href="/sign-in">Back to signing in</a></p>
</main>
</body>
</html>
`;
