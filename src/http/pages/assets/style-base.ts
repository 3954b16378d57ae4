/** Style, first part: colours, type, the bar at the top, buttons, forms, chips. System fonts; one accent; light and dark. */
export const styleBase = `:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #fff; --sunk: #f1f3f6; --line: #dde1e7; --line-strong: #b9c0ca;
  --text: #171c23; --soft: #57616d; --accent: #0a5fc4; --accent-press: #084c9e; --on-accent: #fff; --accent-wash: #eaf2fc;
  --good: #17703a; --good-wash: #e4f5ea; --bad: #b3202b; --bad-wash: #fdecec; --wait: #8a5a00; --wait-wash: #fff3d6; --wait-line: #e6c36a; --wait-dot: #dd9a12;
  --odd: #6b3fb5; --odd-wash: #f1eafc; --over: #57616d; --over-wash: #eceff3;
  --sans: -apple-system, BlinkMacSystemFont, "Segoe UI Variable Text", "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif;
  --mono: ui-monospace, SFMono-Regular, "SF Mono", Menlo, "Cascadia Mono", Consolas, "Liberation Mono", monospace;
  --shadow: 0 1px 2px rgb(20 30 45 / 5%);
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0d1116; --card: #151a21; --sunk: #10151b; --line: #29303a; --line-strong: #47515e;
    --text: #e7ebf0; --soft: #98a3b0; --accent: #62a6ff; --accent-press: #2f7fe6; --on-accent: #fff; --accent-wash: #14263d;
    --good: #57c785; --good-wash: #12291c; --bad: #ff8182; --bad-wash: #34181b; --wait: #e5b454; --wait-wash: #2b2312; --wait-line: #5d4a1e; --wait-dot: #e5b454;
    --odd: #b99bf8; --odd-wash: #241b38; --over: #98a3b0; --over-wash: #1f252d;
    --shadow: none;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 var(--sans); min-height: 100vh; display: flex; flex-direction: column; }
h1, h2, h3, p, ul, ol, dl, dd, blockquote, figure { margin: 0; padding: 0; }
ul, ol { list-style: none; }
code, kbd, pre { font-family: var(--mono); font-size: .9em; }
code { overflow-wrap: anywhere; unicode-bidi: isolate-override; direction: ltr; }
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
main { flex: 1; width: 100%; max-width: 80rem; margin: 0 auto; padding: 0 1.5rem 3rem; outline: none; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: .75rem; top: -4rem; z-index: 9; padding: .5rem .9rem; background: var(--card); border: 1px solid var(--line-strong); border-radius: 6px; }
.skip:focus { top: .6rem; }
.soft { color: var(--soft); font-weight: 400; }
.mark { display: inline-block; padding: 0 .4rem; border: 1px solid var(--line-strong); border-radius: 4px; color: var(--soft); font-size: .72rem; font-weight: 500; line-height: 1.35rem; vertical-align: .08em; }

.top { background: var(--card); border-bottom: 1px solid var(--line); }
.top > div { max-width: 80rem; margin: 0 auto; padding: 0 1.5rem; min-height: 3.25rem; display: flex; align-items: center; gap: 1.75rem; }
.brand { display: flex; align-items: center; gap: .55rem; color: var(--text); font-weight: 650; letter-spacing: -.01em; }
.brand:hover { text-decoration: none; }
.brand svg { fill: none; stroke: #fff; stroke-width: 2.6; stroke-linecap: round; stroke-linejoin: round; }
.brand rect { fill: #0a5fc4; stroke: none; }
.brand path + path { stroke-opacity: .65; }
.top nav { display: flex; gap: .25rem; align-self: stretch; }
.top nav a { display: flex; align-items: center; gap: .4rem; padding: 0 .7rem; color: var(--soft); border-bottom: 2px solid transparent; border-top: 2px solid transparent; }
.top nav a:hover { color: var(--text); text-decoration: none; }
.top nav a[aria-current] { color: var(--text); font-weight: 600; border-bottom-color: var(--accent); }
.count { display: inline-block; min-width: 1.35rem; padding: 0 .4rem; border-radius: 1rem; background: var(--accent-wash); color: var(--accent); font-size: .78rem; font-weight: 650; line-height: 1.35rem; text-align: center; font-variant-numeric: tabular-nums; }
.who { margin-left: auto; display: flex; align-items: center; gap: .9rem; min-width: 0; }
.who .name { font-weight: 500; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }

.banner { max-width: 77rem; margin: 1rem auto 0; padding: .7rem 1rem; background: var(--bad-wash); color: var(--text); border: 1px solid color-mix(in srgb, var(--bad) 35%, transparent); border-left: 4px solid var(--bad); border-radius: 6px; overflow-wrap: anywhere; }
[data-live="banners"] { padding: 0 1.5rem; }
main .banner { margin: 0 0 1.25rem; max-width: none; }
.banner code { color: var(--soft); }

.chip { display: inline-block; padding: 0 .55rem; border-radius: 1rem; font-size: .78rem; font-weight: 600; line-height: 1.5rem; white-space: nowrap; background: var(--over-wash); color: var(--over); }
.chip.waiting { background: var(--wait-wash); color: var(--wait); }
.chip.good { background: var(--good-wash); color: var(--good); }
.chip.bad { background: var(--bad-wash); color: var(--bad); }
.chip.unknown { background: var(--odd-wash); color: var(--odd); }
.chip.env { background: transparent; color: var(--soft); box-shadow: inset 0 0 0 1px var(--line-strong); border-radius: 5px; line-height: 1.35rem; padding: 0 .45rem; }

button, .button { display: inline-block; padding: .5rem 1rem; font: 600 .95rem/1.4 var(--sans); text-align: center; color: var(--text); background: var(--card); border: 1px solid var(--line-strong); border-radius: 7px; cursor: pointer; }
button:hover, .button:hover { background: var(--sunk); text-decoration: none; }
button.go { width: 100%; padding: .65rem 1rem; color: #fff; background: #0a5fc4; border-color: transparent; }
button.go:hover { background: #084c9e; }
button.stop { color: #fff; background: #b3202b; border-color: transparent; }
button.stop:hover { background: #8f1821; }
button.quiet { padding: .2rem .1rem; background: none; border: 0; color: var(--soft); font-weight: 500; font-size: .88rem; }
button.quiet:hover { color: var(--text); text-decoration: underline; }
label { display: block; font-size: .88rem; font-weight: 600; }
textarea, input[type="text"], input[type="number"] { width: 100%; margin-top: .3rem; padding: .5rem .6rem; font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line-strong); border-radius: 6px; resize: vertical; }
input[type="number"] { display: block; width: 7rem; }
form label + textarea { margin-top: -.35rem; }
.add label + textarea { margin-top: .3rem; }
.check { display: flex; gap: .5rem; align-items: baseline; font-weight: 500; }
.check .soft { display: block; }
input[type="checkbox"], input[type="radio"] { accent-color: var(--accent); margin: 0; flex: none; transform: translateY(.1em); }
summary { cursor: pointer; }
kbd { padding: .05rem .35rem; border: 1px solid var(--line-strong); border-bottom-width: 2px; border-radius: 4px; background: var(--card); color: var(--soft); font-size: .78rem; }
blockquote { border-left: 3px solid var(--line-strong); padding: .1rem 0 .1rem .85rem; overflow-wrap: anywhere; }
blockquote p { min-height: 1.5em; white-space: pre-wrap; unicode-bidi: isolate; overflow: clip; }

.foot { display: flex; justify-content: flex-end; align-items: center; gap: 1rem; max-width: 80rem; width: 100%; margin: 0 auto; padding: .75rem 1.5rem 1.25rem; color: var(--soft); font-size: .88rem; }
.foot kbd { margin-left: .3rem; }
.link-state { margin-right: auto; color: var(--wait); font-weight: 500; }
dialog { width: min(27rem, calc(100vw - 2rem)); padding: 1.4rem 1.6rem; color: var(--text); background: var(--card); border: 1px solid var(--line-strong); border-radius: 12px; }
dialog::backdrop { background: rgb(10 15 22 / 45%); }
dialog h2 { font-size: 1.05rem; margin-bottom: .8rem; }
.keys > div { display: grid; grid-template-columns: 5rem 1fr; padding: .3rem 0; align-items: baseline; }
.keys dt { display: flex; gap: .3rem; }
dialog form { margin-top: 1rem; text-align: right; }

.message { max-width: 34rem; margin: 12vh auto 0; padding: 1.8rem 2rem; background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.message h1 { font-size: 1.35rem; line-height: 1.3; margin-bottom: .6rem; }
.message p + p { margin-top: .9rem; }
.message .code { color: var(--soft); font-size: .88rem; }

@media (max-width: 40rem) {
  main { padding: 0 1rem 1.5rem; }
  .top > div { padding: 0 1rem; gap: .75rem; }
  .brand span { display: none; }
  .who { gap: .7rem; font-size: .9rem; }
  .foot button, .foot kbd { display: none; }
  .foot { padding: .5rem 1rem 1rem; }
  [data-live="banners"] { padding: 0 1rem; }
  textarea { font-size: 16px; }
  .message { margin-top: 6vh; padding: 1.4rem; }
}
@media (prefers-reduced-motion: no-preference) {
  button, .row, summary { transition: background-color .12s ease; }
}
@media (forced-colors: active) {
  .chip, .count, .mark { border: 1px solid; }
}
@media print {
  .top nav, .who form, .foot, .actions, .skip { display: none; }
}
`;
