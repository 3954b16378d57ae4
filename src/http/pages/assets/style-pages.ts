/** Style, fifth part: the pages that are read: policies, agents, people, servers, status, the search in the log. */
export const stylePages = `
.sheets { max-width: 60rem; margin: 0 auto; padding-top: 1.75rem; display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; }
.sheets > .title { padding: 0 0 .25rem; }
.sheets h1 { font-size: 1.35rem; line-height: 1.3; overflow-wrap: anywhere; unicode-bidi: isolate; overflow: clip; }
.sheets .title .soft { margin-top: .2rem; overflow-wrap: anywhere; }
.sheets > [data-live] { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; }
.panel { background: var(--card); border: 1px solid var(--line); border-radius: 10px; box-shadow: var(--shadow); padding: 1rem 1.2rem 1.1rem; min-width: 0; }
.panel > * + * { margin-top: .65rem; }
.panel h2 { display: flex; flex-wrap: wrap; gap: .2rem .6rem; align-items: center; font-size: 1rem; font-weight: 650; line-height: 1.4; overflow-wrap: anywhere; unicode-bidi: isolate; }
.sheets .panel > .banner { margin: .65rem 0 0; }
.panel .check + button { margin-top: .65rem; }
.panel .table { margin-left: -.1rem; margin-right: -.1rem; }
.panel.broken { border-color: color-mix(in srgb, var(--bad) 45%, transparent); background: var(--bad-wash); }
.panel .reason { font-family: var(--mono); font-size: .88rem; overflow-wrap: anywhere; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 26rem), 1fr)); gap: 1rem; align-items: stretch; }
.sheets .pairs > div { grid-template-columns: 9rem minmax(0, 1fr); }
.sheets .alarm { margin: 0; }
.sheets .panel .alarm { margin: .6rem 0; }
.sheets .names dt { overflow-wrap: anywhere; }
.sheets .names dt::first-letter { text-transform: none; }
.marks { display: flex; flex-wrap: wrap; gap: .3rem .6rem; align-items: center; color: var(--soft); }
.tally { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; }
.tally b { font-variant-numeric: tabular-nums; }
.panel summary { color: var(--soft); font-size: .88rem; width: fit-content; max-width: 100%; overflow-wrap: anywhere; }
.panel summary.button { color: var(--text); font-size: .95rem; }
.panel details .code { margin-top: .5rem; }
.glances { border-top: 1px solid var(--line); }
.glances li { display: flex; flex-wrap: wrap; gap: .1rem 1rem; justify-content: space-between; align-items: baseline; padding: .4rem 0; border-bottom: 1px solid var(--line); }
.glances li:last-child { border-bottom: 0; padding-bottom: 0; }
.glances.told { border-top: 0; }
.glances.told li:first-child { padding-top: 0; }
.receipts .glances { margin: .7rem 0; }
.receipts .note a { margin-right: 1rem; }
.glances .what { flex: 1 1 14rem; overflow-wrap: anywhere; }
.glances .aside { color: var(--soft); font-size: .88rem; }
.glances .note { flex-basis: 100%; color: var(--soft); font-size: .88rem; overflow-wrap: anywhere; }
.bullets { display: grid; gap: .3rem; }
.bullets li { overflow-wrap: anywhere; }
.stops { display: grid; gap: .9rem; }
.stops > li > * + * { margin-top: .4rem; }
.stops p { overflow-wrap: anywhere; }
.lift { display: flex; flex-wrap: wrap; gap: .5rem .7rem; align-items: end; }
.lift label { flex: 1 1 14rem; }
.stop-agent > summary { list-style: none; }
.stop-agent > summary::-webkit-details-marker { display: none; }
.stop-agent[open] > summary { margin-bottom: .6rem; }
.stop-agent form { display: grid; gap: .7rem; max-width: 34rem; }
.stop-agent button { justify-self: start; }
.actions .stop-agent { padding-top: .6rem; border-top: 1px solid var(--line); }
.actions .stop-agent > summary { padding: 0; border: 0; background: none; font-weight: 500; font-size: .88rem; color: var(--bad); text-align: left; }
.actions .stop-agent > summary:hover { text-decoration: underline; }
.accept { display: grid; gap: .7rem; justify-items: start; }
.accept > label:has(input, textarea) { width: 100%; max-width: 34rem; }
.accept > label + input { margin-top: -.5rem; max-width: 20rem; }
.glances + .accept, .empty + .accept { margin-top: .9rem; }
.diff b { font-weight: 700; text-decoration: underline; text-decoration-thickness: 2px; text-underline-offset: 2px; }
.diff .gone b { text-decoration-color: var(--bad); }
.diff .new b { text-decoration-color: var(--good); }
td { font-variant-numeric: tabular-nums; }
.sheets .table { background: var(--card); }
td .chip { vertical-align: .05em; }
.sheets td, .sheets th { min-width: 4.2rem; }
.sheets td:first-child { min-width: 9rem; }
.banner.watch { background: var(--odd-wash); border-color: color-mix(in srgb, var(--odd) 35%, transparent); border-left-color: var(--odd); }
input[type="search"], input[type="date"], select { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line-strong); border-radius: 6px; padding: .45rem .6rem; min-width: 0; }
.filter { display: flex; flex-wrap: wrap; gap: .5rem .6rem; align-items: center; }
.filter > label { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.filter > input { flex: 1 1 14rem; }
.filter details { flex-basis: 100%; }
.filter summary { color: var(--soft); font-size: .88rem; width: fit-content; }
.fields { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 10rem), 1fr)); gap: .7rem .9rem; margin-top: .6rem; }
.fields input, .fields select { width: 100%; margin-top: .3rem; }
.log .filter { margin-bottom: 1rem; }
.export { display: flex; flex-wrap: wrap; gap: .5rem .6rem; align-items: center; margin-bottom: 1rem; font-size: .88rem; }
.searched { margin-top: .9rem; padding: .7rem 1rem; background: var(--sunk); border: 1px solid var(--line); border-radius: 8px; }

@media (max-width: 62rem) {
  .top > div { flex-wrap: wrap; gap: 0 1.25rem; }
  .top nav { order: 3; flex-basis: 100%; min-width: 0; overflow-x: auto; overscroll-behavior-x: contain; scrollbar-width: none; min-height: 2.6rem; margin: 0 -1.5rem; padding: 0 .8rem; }
  .top nav a { flex: none; }
  .top .brand, .top .who { min-height: 3rem; }
}
@media (max-width: 40rem) {
  .export span { flex-basis: 100%; }
  .top nav { margin: 0 -1rem; padding: 0 .3rem; }
  .brand span { display: inline; }
  .sheets { padding-top: 1.1rem; gap: .8rem; }
  .panel { padding: .85rem 1rem .95rem; }
  .grid { gap: .8rem; }
  .sheets .pairs > div { grid-template-columns: minmax(0, 1fr); }
  .sheets thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .sheets table, .sheets tbody, .sheets tr { display: block; }
  .sheets tr { padding: .45rem .75rem; }
  .sheets tr + tr { border-top: 1px solid var(--line); }
  .sheets td { display: grid; grid-template-columns: 7rem minmax(0, 1fr); gap: 0 .75rem; padding: .1rem 0; border: 0; min-width: 0; }
  .sheets td::before { content: attr(data-head); color: var(--soft); }
  .sheets td:first-child { display: block; padding-bottom: .2rem; }
  .sheets td:first-child::before { content: none; }
  input[type="search"], input[type="date"], input[type="text"], select { font-size: 16px; }
}
`;
