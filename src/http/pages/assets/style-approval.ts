/** Style, third part: the page of one approval. Facts in one column, the decision beside them; on a phone below, in reach. */
export const styleApproval = `
.title { padding: 1.5rem 0 1.25rem; }
.crumbs { display: flex; gap: .5rem; color: var(--soft); font-size: .84rem; margin-bottom: .55rem; min-width: 0; }
.crumbs code { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.approval h1 { font-size: 1.85rem; line-height: 1.22; font-weight: 680; letter-spacing: -.021em; text-wrap: balance; overflow-wrap: anywhere; unicode-bidi: isolate; overflow: clip; padding-bottom: .1em; }
.approval h1 .env { color: var(--soft); font-weight: 500; }
.lead { display: flex; flex-wrap: wrap; gap: .45rem; align-items: center; margin-top: .7rem; }
.consequence { margin-top: .65rem; max-width: 46rem; font-size: 1.02rem; }

.columns { display: grid; grid-template-columns: minmax(0, 1fr) 21rem; gap: 1.25rem 1.75rem; align-items: start; }
.facts { min-width: 0; }
.sheet { background: var(--card); border: 1px solid var(--line); border-radius: 10px; box-shadow: var(--shadow); }
.fact { display: grid; grid-template-columns: 8.5rem minmax(0, 1fr); gap: .35rem 1.25rem; padding: .95rem 1.4rem 1.05rem; }
.fact + .fact { border-top: 1px solid var(--line); }
.fact.wide { grid-template-columns: minmax(0, 1fr); }
.facts h2 { font-size: .84rem; line-height: 1.65; font-weight: 600; color: var(--soft); }
.fact.wide > h2 { font-size: 1rem; color: var(--text); font-weight: 650; }
.facts .determined { display: flex; gap: .5rem; align-items: baseline; margin-bottom: .8rem; color: var(--soft); font-size: .93rem; }
.determined::before { content: ""; flex: none; width: .75rem; height: .4rem; border: solid var(--good); border-width: 0 0 2px 2px; transform: rotate(-45deg) translate(.1rem, -.15rem); }
.facts .unknowns { margin-bottom: 1rem; padding: .9rem 1.4rem 1rem; background: var(--wait-wash); border: 1px solid var(--wait-line); border-radius: 10px; }
.unknowns h2 { color: var(--wait); font-size: .93rem; margin-bottom: .35rem; }
.unknowns dl > div { display: grid; grid-template-columns: 12.5rem 1fr; gap: 0 1.25rem; padding: .2rem 0; }
.unknowns dt { font-weight: 600; }
.unknowns dd { overflow-wrap: anywhere; }

.policy { font-size: 1.02rem; line-height: 1.45; }
.policy strong { font-weight: 620; }
.policy code { color: var(--soft); margin-left: .25rem; font-size: .8rem; }
.clauses { margin-top: .45rem; display: grid; gap: .25rem; justify-items: start; }
.clauses li { display: flex; flex-wrap: wrap; gap: .1rem 1rem; align-items: baseline; padding: .2rem .6rem; background: var(--sunk); border-radius: 5px; }
.sides { color: var(--soft); font-size: .88rem; }
.sides b { font: 600 .84rem var(--mono); color: var(--text); overflow-wrap: anywhere; }
.trail { display: flex; flex-wrap: wrap; gap: 0 .5rem; color: var(--soft); font-size: .93rem; }
.trail li { overflow-wrap: anywhere; }
.trail li:not(:last-child)::after { content: "·"; margin-left: .5rem; color: var(--line-strong); }
.trail code { color: var(--text); }
.pairs > div { display: grid; grid-template-columns: 7rem minmax(0, 1fr); gap: 0 1.25rem; padding: .18rem 0; }
.pairs dt { color: var(--soft); }
.pairs dt::first-letter { text-transform: uppercase; }
.pairs dd { overflow-wrap: anywhere; }
.pairs code { white-space: pre-wrap; }
.news li { position: relative; padding: 0 0 0 1.2rem; overflow-wrap: anywhere; }
.news li + li { margin-top: .1rem; }
.news li::before { content: ""; position: absolute; left: .05rem; top: .52em; width: .45rem; height: .45rem; border-radius: 50%; background: var(--line-strong); }
.news li.first { font-weight: 600; }
.news li.first::before { background: var(--accent); }
.news li.bad::before { background: var(--bad); border-radius: 1px; }

.measure { display: flex; flex-wrap: wrap; gap: 0 .8rem; align-items: baseline; }
.measure b { font-size: 1.25rem; line-height: 1.35; font-weight: 680; letter-spacing: -.015em; font-variant-numeric: tabular-nums; }
.measure span { color: var(--soft); }
.missing { color: var(--wait); }
.columns-list { display: flex; flex-wrap: wrap; gap: .35rem; margin: .5rem 0 .6rem; }
.columns-list li { padding: 0 .5rem; border: 1px solid var(--line); border-radius: 5px; line-height: 1.6rem; font-size: .88rem; }
.columns-list span { margin-left: .4rem; color: var(--soft); font-size: .78rem; font-weight: 500; }
.columns-list .grave { border-color: color-mix(in srgb, var(--bad) 40%, transparent); background: var(--bad-wash); }
.columns-list .grave span { color: var(--bad); font-weight: 600; }
.alarm { padding: .6rem .85rem; margin-bottom: .6rem; background: var(--bad-wash); border-left: 4px solid var(--bad); border-radius: 5px; font-weight: 600; overflow-wrap: anywhere; }
.things { margin-top: .5rem; border-top: 1px solid var(--line); }
.things li { display: flex; flex-wrap: wrap; gap: .1rem .7rem; align-items: baseline; padding: .45rem 0; border-bottom: 1px solid var(--line); }
.things .fate { min-width: 5rem; font-weight: 650; }
.things .destroy .fate, .things .replace .fate { color: var(--bad); }
.things .kind { color: var(--soft); }
.things code { font-weight: 600; }
.changed h3 { margin: .9rem 0 .3rem; font-size: .88rem; overflow-wrap: anywhere; }

.look summary { display: flex; flex-wrap: wrap; gap: .1rem .8rem; align-items: baseline; }
.look summary::before { content: "›"; color: var(--soft); font-weight: 700; width: .7rem; }
.look details[open] > summary::before { content: "⌄"; }
.look summary h2 { font-size: .93rem; color: var(--text); }
.look details > * + * { margin-top: .7rem; }
.table { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; }
caption { text-align: left; padding: .45rem .75rem; color: var(--soft); border-bottom: 1px solid var(--line); }
th, td { text-align: left; padding: .35rem .75rem; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; min-width: 5rem; }
th { color: var(--soft); font-weight: 600; }
tbody tr:last-child td { border-bottom: 0; }

.decide { position: sticky; top: 1rem; display: grid; gap: 1rem; max-height: calc(100vh - 2rem); overflow-y: auto; padding: 1px; }
.card, .actions { background: var(--card); border: 1px solid var(--line); border-radius: 10px; box-shadow: var(--shadow); padding: 1.1rem 1.2rem; }
.card > * + * { margin-top: .75rem; }
.state { display: flex; flex-wrap: wrap; justify-content: space-between; gap: .1rem .8rem; align-items: baseline; }
.state strong { font-size: 1rem; font-weight: 650; white-space: nowrap; }
.state time { color: var(--soft); font-size: .93rem; font-variant-numeric: tabular-nums; }
.state time.soon { color: var(--bad); }
.state::before { content: ""; flex: none; width: .62rem; height: .62rem; margin-right: -.3rem; border-radius: 50%; background: var(--over); align-self: center; }
.state strong { flex: 1; }
.state.waiting::before { background: var(--wait-dot); }
.state.good::before { background: var(--good); }
.state.bad::before { background: var(--bad); }
.state.unknown::before { background: var(--odd); }
.need { padding-top: .75rem; border-top: 1px solid var(--line); }
.need > p:first-child { display: flex; flex-wrap: wrap; gap: 0 .35rem; align-items: center; }
.need b { font-variant-numeric: tabular-nums; }
.need.met b { color: var(--good); }
.places { display: flex; gap: .25rem; margin-left: auto; }
.places i { width: .85rem; height: .85rem; border-radius: 50%; border: 1.5px dashed var(--line-strong); }
.places .filled { background: var(--good); border: 1.5px solid var(--good); }
.reviews { display: grid; gap: .6rem; padding-top: .75rem; border-top: 1px solid var(--line); }
.reviews p { overflow-wrap: anywhere; }
.reviews blockquote { margin-top: .3rem; }
.reviews .approve blockquote { border-left-color: var(--good); }
.reviews .deny blockquote { border-left-color: var(--bad); }
.people { padding-top: .75rem; border-top: 1px solid var(--line); display: grid; gap: .6rem; }
.people dt { color: var(--soft); font-size: .84rem; }
.people dd { overflow-wrap: anywhere; }
.people li .soft { display: block; font-size: .88rem; }
.people li + li { margin-top: .25rem; }
.short { padding-top: .75rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .84rem; }
.short code { color: var(--text); }

.actions > * + * { margin-top: .9rem; }
.actions.none { display: none; }
.buttons { display: grid; gap: .6rem; }
.approve, .deny form, .settle { display: grid; gap: .7rem; }
.add summary { color: var(--soft); font-size: .88rem; }
.add label { margin-top: .5rem; }
.deny > summary { display: block; list-style: none; }
.deny > summary::-webkit-details-marker { display: none; }
.deny[open] > summary { border-color: transparent; background: none; text-align: left; padding: .3rem 0; }
.deny form { padding-top: .2rem; }
.cannot { padding-left: .85rem; border-left: 3px solid var(--wait-line); }
.cancel { padding-top: .6rem; border-top: 1px solid var(--line); font-size: .88rem; }
.cancel .quiet { color: var(--accent); }
.choice { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; }

@media (max-width: 60rem) {
  .columns { grid-template-columns: minmax(0, 1fr); }
  .decide { display: contents; }
  .actions { position: sticky; bottom: 0; z-index: 2; max-height: 72vh; overflow-y: auto; margin: 0 -1.5rem -3rem; border-width: 1px 0 0; border-radius: 14px 14px 0 0; padding: .9rem 1.5rem calc(.9rem + env(safe-area-inset-bottom)); box-shadow: 0 -6px 24px rgb(10 20 35 / 12%); }
  .buttons { grid-template-columns: minmax(0, 1fr) auto; align-items: end; }
  .approve { display: contents; }
  .approve > :not(button), .deny[open] { grid-column: 1 / -1; }
  .buttons:not(:has(.approve)) { grid-template-columns: minmax(0, 1fr); }
  /* One thing at a time under a thumb. */
  .buttons:has(.deny[open]) .approve { display: none; }
  .actions > * + * { margin-top: .6rem; }
  .deny > summary { padding: .65rem 1rem; }
}
@media (max-width: 40rem) {
  .title { padding: 1rem 0 1rem; }
  .approval h1 { font-size: 1.42rem; }
  .columns { gap: 1rem; }
  .fact, .facts .unknowns { grid-template-columns: minmax(0, 1fr); padding: .85rem 1rem .95rem; }
  .unknowns dl > div, .pairs > div { grid-template-columns: 1fr; }
  .pairs dt, .unknowns dt { font-size: .84rem; }
  .pairs > div { padding: .2rem 0; }
  .trail { display: block; }
  .trail li::after { content: none !important; }
  .actions { margin: 0 -1rem -1.5rem; padding-left: 1rem; padding-right: 1rem; }
}
`;
