/**
 * The script of `/link#SECRET`. It takes the secret out of the address bar at once, keeps it for this tab while somebody signs in,
 * and asks the gate what it is of. It links nothing: that is a button which a person presses.
 */
export const linkScript = String.raw`'use strict';
(() => {
  const name = 'countersign.link';
  const take = () => {
    const secret = location.hash.slice(1);
    if (secret !== '') {
      history.replaceState(null, '', location.pathname);
      sessionStorage.setItem(name, secret);
    }
    // Signed out: kept until whoever signs in comes back.
    const form = document.getElementById('link-look');
    const kept = sessionStorage.getItem(name);
    if (form === null || kept === null) return;
    form.elements.namedItem('secret').value = kept;
    form.requestSubmit();
  };
  if (document.getElementById('link-over') !== null) sessionStorage.removeItem(name);
  else take();
  addEventListener('hashchange', take);
})();
`;
