/**
 * The script of the page for whoever is not signed in. A link followed from a chat or a mail carries no strict cookie, so
 * whoever is signed in lands here too; asked from our own page, the gate knows them, and the page opens itself once more.
 */
export const againScript = String.raw`'use strict';
(async () => {
  const last = Number(sessionStorage.getItem('again') ?? 0);
  if (Date.now() - last < 10000) return; // never in circles
  const answer = await fetch('/sign-in/session', { credentials: 'same-origin', cache: 'no-store' }).catch(() => null);
  if (answer === null || !answer.ok) return;
  sessionStorage.setItem('again', String(Date.now()));
  location.replace(location.href);
})();
`;
