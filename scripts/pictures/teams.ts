/**
 * Draws Adaptive Cards with Microsoft's own library for pages, `adaptivecards`, in the sizes and colours that Microsoft publishes for
 * Teams. What is around a card is ours, and so is the look of buttons and fields: Teams draws those itself, and no client runs without it.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { escaped, iconSvg } from './page.ts';

const library = readFileSync(
  join(
    dirname(createRequire(import.meta.url).resolve('adaptivecards/package.json')),
    'dist/adaptivecards.min.js',
  ),
  'utf8',
);

/** The sizes, spaces and colours of Teams in samples/HostConfig of github.com/microsoft/AdaptiveCards; `#AARRGGBB` is known to the library. */
function hostConfig(dark: boolean): object {
  const pair = (usual: string, subtle: string) => ({ default: usual, subtle });
  const foregroundColors = {
    default: dark ? pair('#ffffff', '#bfffffff') : pair('#252424', '#bf252424'),
    accent: dark ? pair('#a6a7dc', '#8b8cc7') : pair('#6264a7', '#8b8cc7'),
    good: pair('#92c353', '#e592c353'),
    warning: pair('#f8d22a', '#e5f8d22a'),
    attention: dark ? pair('#d74654', '#e5d74654') : pair('#c4314b', '#e5c4314b'),
  };
  const sizes = { small: 12, default: 14, medium: 14, large: 18, extraLarge: 24 };
  const weights = { lighter: 200, default: 400, bolder: 600 };
  return {
    supportsInteractivity: true,
    spacing: { small: 8, default: 12, medium: 16, large: 20, extraLarge: 24, padding: 16 },
    separator: { lineThickness: 1, lineColor: dark ? '#484644' : '#eeeeee' },
    fontTypes: {
      default: {
        fontFamily: "'Segoe UI', Tahoma, Geneva, Verdana, 'Liberation Sans', sans-serif",
        fontSizes: sizes,
        fontWeights: weights,
      },
      monospace: {
        fontFamily: "'Courier New', Courier, 'Liberation Mono', monospace",
        fontSizes: sizes,
        fontWeights: weights,
      },
    },
    containerStyles: {
      default: { backgroundColor: dark ? '#2d2c2c' : '#ffffff', foregroundColors },
      emphasis: { backgroundColor: dark ? '#292828' : '#f9f8f7', foregroundColors },
    },
    actions: {
      maxActions: 6,
      spacing: 'Default',
      buttonSpacing: 8,
      showCard: { actionMode: 'Inline', inlineTopMargin: 16, style: 'emphasis' },
      actionsOrientation: 'Horizontal',
      actionAlignment: 'Left',
    },
  };
}

/** @param card as it is sent. @param open the number of an action that was pressed to open what it shows. */
export function teamsHtml(
  card: object,
  { at, dark, open }: { readonly at: string; readonly dark: boolean; readonly open?: number },
): string {
  const json = (value: object): string => JSON.stringify(value).replaceAll('<', '\\u003c');
  return `
  <div class="message"><div class="icon">${iconSvg}</div><div class="body">
    <div class="who"><b>Countersign</b> <span class="at">${escaped(at)}</span></div><div id="card"></div>
  </div></div>
  <script>${library}</script>
  <script>
    function draw(json) {
      const card = new AdaptiveCards.AdaptiveCard();
      card.hostConfig = new AdaptiveCards.HostConfig(${json(hostConfig(dark))});
      card.parse(json);
      document.getElementById('card').replaceChildren(card.render());
    }
    draw(${json(card)});
    ${open === undefined ? '' : `document.querySelectorAll('#card .ac-pushButton')[${open}].click();`}
  </script>`;
}

export const teamsCss = `
  :root { --ink: #252424; --dim: #616161; --paper: #f5f5f5; --edge: #d1d1d1; --card: #fff; --brand: #5b5fc7; --bad: #c4314b; }
  .dark { --ink: #fff; --dim: #adadad; --paper: #1f1f1f; --edge: #616161; --card: #2d2c2c; --brand: #7f85f5; --bad: #e37d80; }
  body { font: 14px/1.43 'Segoe UI', 'Liberation Sans', Arial, sans-serif; color: var(--ink); background: var(--paper); }
  .message { display: flex; gap: 8px; padding: 16px 16px 8px; }
  .body { min-width: 0; flex: 1; }
  .icon svg { width: 32px; height: 32px; border-radius: 50%; display: block; }
  .at { font-size: 12px; color: var(--dim); }
  #card { border: 1px solid var(--edge); border-radius: 6px; overflow: hidden; margin-top: 4px; }
  #card .ac-richTextBlock { line-height: 1.43; }
  #card .ac-actionSet { flex-wrap: wrap; row-gap: 8px; }
  #card button { font: 600 14px 'Segoe UI', 'Liberation Sans', Arial, sans-serif; color: var(--ink); background: var(--card); border: 1px solid var(--edge); border-radius: 4px; padding: 5px 12px; }
  #card button.style-positive { background: var(--brand); border-color: var(--brand); color: #fff; }
  #card button.style-destructive { color: var(--bad); border-color: var(--bad); }
  #card textarea, #card input[type=text] { width: 100%; min-height: 48px; box-sizing: border-box; font: inherit; border: 1px solid var(--edge); border-radius: 4px; background: var(--paper); }
`;
