/** The pages' script, second part: times that run, and the keyboard. No key decides anything by itself. */
export const useScript = String.raw`
// ---- Times ----

const units = [['d', 86400000], ['h', 3600000], ['min', 60000], ['s', 1000]];
function words(ms) {
  const parts = [];
  let left = Math.max(0, ms);
  for (const [name, size] of units) {
    const count = Math.floor(left / size);
    if (count > 0) parts.push(count + ' ' + name);
    left -= count * size;
    if (parts.length === 2) break;
  }
  return parts.length > 0 ? parts.join(' ') : '0 s';
}

let overSince = 0;
function tick() {
  const now = Date.now();
  let over = false;
  for (const time of document.querySelectorAll('time[datetime]')) {
    const at = Date.parse(time.dateTime);
    if (!time.title) time.title = new Date(at).toLocaleString();
    let text = null;
    if ('left' in time.dataset) {
      text = words(at - now) + ' left';
      time.classList.toggle('soon', at - now < 600000);
      over ||= at <= now;
    }
    if ('ago' in time.dataset) text = now - at < 1000 ? 'just now' : words(now - at) + ' ago';
    if (text !== null && time.textContent !== text) time.textContent = text;
  }
  // Something's time is over: the gate knows what became of it. Asked at most every five seconds.
  if (over && now - overSince > 5000) {
    overSince = now;
    setTimeout(refresh, 300);
  }
}
tick();
setInterval(tick, 1000);

// Where the reader is, in a row of places that is wider than a phone.
document.querySelector('.top nav [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });

// ---- Keyboard ----

const keys = document.getElementById('keys');
const help = document.getElementById('help');
help.hidden = false;
help.addEventListener('click', () => keys.showModal());

function step(by) {
  const rows = [...document.querySelectorAll('a.row, .entries summary, .glances a, .sheets td:first-child a, .policy-card summary')];
  if (rows.length === 0) return;
  const at = rows.indexOf(document.activeElement);
  const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by))];
  next.focus();
  next.scrollIntoView({ block: 'nearest' });
}

function toApprove() {
  const button = document.getElementById('approve');
  const cannot = document.getElementById('cannot');
  if (button !== null) button.focus();
  else if (cannot !== null) document.getElementById('announce').textContent = cannot.textContent;
}

function toDeny() {
  const part = document.getElementById('deny');
  if (part === null) return;
  part.open = true;
  document.getElementById('deny-reason').focus();
}

const does = {
  j: () => step(1),
  k: () => step(-1),
  a: toApprove,
  d: toDeny,
  u: () => location.assign('/inbox'),
  '?': () => keys.showModal(),
};

addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || keys.open) return;
  if (event.target instanceof Element && event.target.closest('input, textarea, select, [contenteditable]') !== null) return;
  if (!Object.hasOwn(does, event.key)) return;
  event.preventDefault();
  does[event.key]();
});
`;
