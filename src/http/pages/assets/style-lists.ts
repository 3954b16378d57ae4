/** Style, second part: the inbox and the log. */
export const styleLists = `
.inbox, .log { max-width: 60rem; margin: 0 auto; padding-top: 1.75rem; }
.inbox section + section { margin-top: 2.25rem; }
.inbox h2 { display: flex; align-items: center; gap: .5rem; margin-bottom: .6rem; font-size: .88rem; font-weight: 650; color: var(--soft); }
.rows { background: var(--card); border: 1px solid var(--line); border-radius: 10px; box-shadow: var(--shadow); }
.rows li + li { border-top: 1px solid var(--line); }
.row { display: grid; grid-template-columns: 1fr auto; gap: .15rem 1.5rem; padding: .8rem 1.1rem; color: var(--text); border-radius: 9px; }
.row:hover { background: var(--sunk); text-decoration: none; }
.row:focus-visible { outline-offset: -2px; }
.what { display: flex; flex-wrap: wrap; gap: .2rem .55rem; align-items: center; min-width: 0; }
.headline { font-weight: 600; font-size: 1.02rem; letter-spacing: -.005em; overflow-wrap: anywhere; unicode-bidi: isolate; overflow: clip; }
section[aria-labelledby="closed"] .headline, section[aria-labelledby="others"] .headline { font-weight: 500; }
.row .aside { display: flex; gap: .6rem; align-items: center; justify-self: end; color: var(--soft); font-size: .88rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
.under { grid-column: 1 / -1; display: flex; flex-wrap: wrap; gap: 0 .5rem; color: var(--soft); font-size: .88rem; min-width: 0; }
.under > *:not(:last-child)::after, .under .why-not::before { content: "·"; margin-left: .5rem; color: var(--line-strong); }
.under .why-not::before { margin-right: .5rem; }
time.soon { color: var(--bad); font-weight: 600; }
.calm { padding: 2.6rem 1.5rem; text-align: center; background: var(--card); border: 1px dashed var(--line-strong); border-radius: 10px; color: var(--soft); }
.calm .big { font-size: 1.15rem; font-weight: 600; color: var(--text); margin-bottom: .25rem; }
.empty { color: var(--soft); }
.older { margin-top: .9rem; display: flex; gap: 1rem; justify-content: flex-end; }

.log .title { padding: 0 0 1rem; border: 0; }
.log h1 { font-size: 1.35rem; }
.entries { background: var(--card); border: 1px solid var(--line); border-radius: 10px; box-shadow: var(--shadow); }
.entries > li { display: grid; grid-template-columns: 2.9rem 10rem 1fr; gap: 0 1rem; padding: .5rem 1.1rem .5rem .8rem; border-left: 3px solid transparent; }
.entries > li + li { border-top: 1px solid var(--line); }
.entries > li:target { background: var(--accent-wash); }
.entries .index { color: var(--soft); text-align: right; font: .84rem/1.75 var(--mono); }
.entries time { color: var(--soft); font: .84rem/1.75 var(--mono); white-space: nowrap; }
.entries > li > div { min-width: 0; }
.entries p { overflow-wrap: anywhere; }
.entries p a { font: .84rem var(--mono); white-space: nowrap; }
.entries summary { color: var(--soft); font-size: .8rem; width: fit-content; }
.entries summary code { color: var(--soft); }
.entries details[open] { padding-bottom: .4rem; }
.entries .code { margin-top: .4rem; }
.entries > li.good { border-left-color: var(--good); }
.entries > li.bad { border-left-color: var(--bad); }
.entries > li.waiting { border-left-color: var(--wait-line); }
.entries > li.unknown { border-left-color: var(--odd); }
.entries > li:first-child { border-top-left-radius: 9px; }
.entries > li:last-child { border-bottom-left-radius: 9px; }

@media (max-width: 40rem) {
  .inbox, .log { padding-top: 1.1rem; }
  .row { grid-template-columns: 1fr; padding: .8rem .9rem; gap: .3rem; }
  .row .aside { justify-self: start; grid-row: 3; }
  .entries > li { grid-template-columns: auto 1fr; padding: .6rem .8rem; gap: 0 .7rem; }
  .entries > li > div { grid-column: 1 / -1; }
}
`;
