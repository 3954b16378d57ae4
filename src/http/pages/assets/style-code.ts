/** Style, fourth part: the exact action, diffs. Line numbers are drawn, not text, so that a copy is what stands there. */
export const styleCode = `
.notes { margin-top: .7rem; border: 1px solid var(--wait-line); border-radius: 7px; background: var(--wait-wash); overflow: hidden; }
.notes li { padding: .25rem .75rem .25rem 1.9rem; font-size: .9rem; position: relative; overflow-wrap: anywhere; }
.notes li + li { border-top: 1px solid color-mix(in srgb, var(--wait-line) 45%, transparent); }
.notes li::before { content: "!"; position: absolute; left: .8rem; font-weight: 700; color: var(--bad); }
.notes .masked::before, .notes .more::before { content: "–"; color: var(--soft); }
.notes code { font-weight: 600; }
.code-title { display: flex; justify-content: space-between; margin: 1rem 0 .35rem; font-size: .84rem; font-weight: 600; color: var(--soft); }
.code-title span { font-weight: 400; }
.code { background: var(--sunk); border: 1px solid var(--line); border-radius: 7px; font: .84rem/1.6 var(--mono); overflow: hidden; }
.code ol { counter-reset: line; padding: .5rem 0; }
.code li { counter-increment: line; display: grid; grid-template-columns: 3.1rem minmax(0, 1fr); }
.code li::before { content: counter(line); color: var(--soft); opacity: .75; text-align: right; padding-right: .9rem; user-select: none; -webkit-user-select: none; font-variant-numeric: tabular-nums; }
.code li > span { white-space: pre-wrap; overflow-wrap: anywhere; tab-size: 4; padding-right: .9rem; overflow: clip; direction: ltr; min-height: 1.6em; }
/* In the order that is sent, whatever the script: an Arabic word must not move what stands after it. */
.code bdi { unicode-bidi: isolate-override; direction: ltr; }
.code .block > span { border-left: 2px solid var(--line-strong); padding-left: .7rem; }
.code .key { color: #0a4f9e; }
.code .text { color: #17663a; }
.code .block .text { color: var(--text); }
.code .number { color: #97500a; }
.code .literal { color: #6b3fb5; }
.code .remark { color: var(--soft); font-style: italic; }
.code .hidden { background: #b3202b; color: #fff; border-radius: 3px; padding: 0 .15rem; font-weight: 600; }
.code .masked { background: var(--over-wash); color: var(--over); border-radius: 3px; padding: 0 .2rem; }
@media (prefers-color-scheme: dark) {
  .code .key { color: #7db8ff; }
  .code .text { color: #7fd6a0; }
  .code .number { color: #f0a868; }
  .code .literal { color: #c3a6ff; }
}
.d1 > span { margin-left: 1.6ch; } .d2 > span { margin-left: 3.2ch; } .d3 > span { margin-left: 4.8ch; } .d4 > span { margin-left: 6.4ch; }
.d5 > span { margin-left: 8ch; } .d6 > span { margin-left: 9.6ch; } .d7 > span { margin-left: 11.2ch; } .d8 > span { margin-left: 12.8ch; }
.d9 > span { margin-left: 14.4ch; } .d10 > span { margin-left: 16ch; } .d11 > span { margin-left: 17.6ch; } .d12 > span { margin-left: 19.2ch; }
.digest { margin-top: .7rem; color: var(--soft); font-size: .84rem; }
.digest code { color: var(--text); }

.diff li { grid-template-columns: 2.2rem minmax(0, 1fr); }
.diff li::before { content: ""; }
.diff .gone { background: var(--bad-wash); }
.diff .gone::before { content: "−"; color: var(--bad); opacity: 1; }
.diff .new { background: var(--good-wash); }
.diff .new::before { content: "+"; color: var(--good); opacity: 1; }
.diff .skipped { color: var(--soft); font-style: italic; }
@media (max-width: 40rem) {
  .code li { grid-template-columns: 2.3rem minmax(0, 1fr); }
  .code li::before { padding-right: .6rem; }
  .code { font-size: .8rem; }
  .d1 > span { margin-left: 1ch; } .d2 > span { margin-left: 2ch; } .d3 > span { margin-left: 3ch; } .d4 > span { margin-left: 4ch; }
}
`;
