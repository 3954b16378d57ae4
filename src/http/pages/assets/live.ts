/**
 * The pages' script, first part, as it is served: pages work without it, and with it keep themselves current. It moves
 * markup that the server made and escaped, and makes none of its own.
 */
export const liveScript = String.raw`'use strict';

// ---- Keeping the page current ----
// A region is what [data-live] names. What the server said of it last is kept, so that only what changed is swapped.

const main = document.getElementById('main');
const address = document.body.dataset.self || location.href;
if (document.body.dataset.self) history.replaceState(null, '', document.body.dataset.self);

function shape(region) {
  const copy = region.cloneNode(true);
  for (const time of copy.querySelectorAll('time')) time.textContent = '';
  // Each form that is shown has another word.
  for (const once of copy.querySelectorAll('input[name=once]')) once.removeAttribute('value');
  return copy.innerHTML;
}
const regions = (root) => [...root.querySelectorAll('[data-live]')];
const served = new Map(regions(document).map((region) => [region.dataset.live, shape(region)]));

let held = false; // a pointer is down, or a letter is being composed: swapping now would lose it
let leaving = false; // a form was sent
let loading = false;
let again = false;

async function refresh() {
  if (leaving) return;
  if (loading || held) {
    again = true;
    return;
  }
  loading = true;
  again = false;
  try {
    const answer = await fetch(address, { credentials: 'same-origin', cache: 'no-store', redirect: 'error' });
    if (answer.status === 401) say('You are no longer signed in. Reload this page to sign in again.');
    else if (answer.ok || answer.status === 403 || answer.status === 404) apply(new DOMParser().parseFromString(await answer.text(), 'text/html'));
  } catch {
    // The stream says when the gate is back.
  }
  loading = false;
  if (again) setTimeout(refresh, 200);
}

function apply(next) {
  if (leaving) return;
  if (held) {
    again = true;
    return;
  }
  document.title = next.title;
  const now = new Map(regions(next).map((region) => [region.dataset.live, region]));
  for (const region of regions(document)) {
    const other = now.get(region.dataset.live);
    if (other === undefined) continue;
    const shaped = shape(other);
    if (served.get(region.dataset.live) === shaped) continue;
    served.set(region.dataset.live, shaped);
    swap(region, other);
  }
  const news = next.getElementById('main')?.dataset.announce ?? '';
  if (main.dataset.announce !== news) {
    main.dataset.announce = news;
    document.getElementById('announce').textContent = news;
  }
  tick();
}

// What a person did to a region survives its swap: typed text, ticks, open parts, focus and caret.
const nameOf = (element) => element.id || (element.getAttribute('href') ?? element.name + '=' + element.getAttribute('value'));

function swap(region, other) {
  const fields = [...region.querySelectorAll('textarea, input:not([type=hidden])')].map((one) => [nameOf(one), one.value, one.checked]);
  const open = new Map([...region.querySelectorAll('details[id]')].map((one) => [one.id, one.open]));
  const focused = region.contains(document.activeElement) ? document.activeElement : null;
  const caret = focused?.tagName === 'TEXTAREA' ? [focused.selectionStart, focused.selectionEnd] : null;
  const focusName = focused === null ? null : nameOf(focused);
  region.className = other.className;
  region.replaceChildren(...[...other.childNodes].map((node) => document.importNode(node, true)));
  for (const [name, value, checked] of fields) {
    const field = [...region.querySelectorAll('textarea, input:not([type=hidden])')].find((one) => nameOf(one) === name);
    if (field === undefined) continue;
    if (field.type !== 'checkbox' && field.type !== 'radio') field.value = value;
    field.checked = checked;
  }
  for (const part of region.querySelectorAll('details[id]')) if (open.has(part.id)) part.open = open.get(part.id);
  if (focusName === null) return;
  const target = [...region.querySelectorAll('a, button, textarea, input, summary, [tabindex]')].find((one) => nameOf(one) === focusName);
  (target ?? main).focus({ preventScroll: true });
  if (target !== undefined && caret !== null) target.setSelectionRange(caret[0], caret[1]);
}

const release = () => {
  held = false;
  if (again) setTimeout(refresh, 50);
};
addEventListener('pointerdown', () => (held = true), true);
for (const name of ['pointerup', 'pointercancel', 'blur']) addEventListener(name, release, true);
addEventListener('compositionstart', () => (held = true), true);
addEventListener('compositionend', release, true);

// One click, one decision: a second click while the first is on its way is none.
addEventListener('submit', (event) => {
  if (event.target.method === 'dialog') return;
  if (leaving) event.preventDefault();
  leaving = true;
});
addEventListener('pageshow', (event) => {
  leaving = false;
  if (event.persisted) refresh();
});
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') refresh();
});

// ---- The stream: one for all tabs where the browser can share it (connections to one host are few) ----

const state = document.getElementById('link');
let downTimer;

function say(text) {
  state.textContent = text;
  state.hidden = text === '';
}
function up() {
  clearTimeout(downTimer);
  downTimer = undefined;
  say('');
}
function down() {
  downTimer ??= setTimeout(() => say('Not live at the moment: connecting again.'), 3000);
}

const tabs = 'BroadcastChannel' in window ? new BroadcastChannel('countersign-live') : null;
const hear = (word) => {
  if (word === 'down') return down();
  up();
  if (word === 'changed') refresh();
};
const tell = (word) => {
  hear(word);
  tabs?.postMessage(word);
};
if (tabs !== null) tabs.onmessage = (event) => hear(event.data);

function listen() {
  const stream = new EventSource('/events');
  stream.addEventListener('changed', () => tell('changed'));
  // What changed before it was open, or while it was not, was not told.
  stream.onopen = () => tell('changed');
  stream.onerror = () => {
    tell('down');
    if (stream.readyState !== EventSource.CLOSED) return;
    setTimeout(listen, 5000);
    refresh();
  };
}
const lead = () => {
  listen();
  return new Promise(() => {}); // for as long as this tab lives
};
if ('locks' in navigator && tabs !== null) {
  navigator.locks.request('countersign-live', { ifAvailable: true }, (lock) => {
    if (lock !== null) return lead();
    refresh();
    navigator.locks.request('countersign-live', lead);
  });
} else listen();
`;
