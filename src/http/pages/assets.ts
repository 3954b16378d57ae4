/** The static files of the pages. They are text in modules, so that they ship with the code and need no bundler. */
import { sha256Hex } from '../../core/sha256.ts';
import { againScript } from './assets/again.ts';
import { icon } from './assets/icon.ts';
import { linkScript } from './assets/link.ts';
import { liveScript } from './assets/live.ts';
import { passkeyScript } from './assets/passkeys.ts';
import { styleApproval } from './assets/style-approval.ts';
import { styleBase } from './assets/style-base.ts';
import { styleCode } from './assets/style-code.ts';
import { styleLists } from './assets/style-lists.ts';
import { stylePages } from './assets/style-pages.ts';
import { useScript } from './assets/use.ts';

interface Asset {
  readonly type: string;
  readonly body: string;
  /** The start of the body's SHA-256: in its address, so that a new version is another file. */
  readonly version: string;
}

const asset = (type: string, body: string): Asset => ({ type, body, version: sha256Hex(body).slice(0, 12) });

const assets: ReadonlyMap<string, Asset> = new Map([
  [
    'style.css',
    asset('text/css; charset=utf-8', styleBase + styleLists + styleApproval + styleCode + stylePages),
  ],
  ['live.js', asset('text/javascript; charset=utf-8', liveScript + useScript + passkeyScript)],
  ['link.js', asset('text/javascript; charset=utf-8', linkScript)],
  ['again.js', asset('text/javascript; charset=utf-8', againScript)],
  ['icon.svg', asset('image/svg+xml', icon)],
]);

/** The address of a static file, with its version. */
export const assetPath = (name: string): string => `/assets/${name}?v=${assets.get(name)?.version ?? ''}`;

/** A static file, for anybody; undefined where there is none of that name. */
export function assetResponse(request: Request, name: string): Response | undefined {
  const found = assets.get(name);
  if (found === undefined) return undefined;
  const current = new URL(request.url).searchParams.get('v') === found.version;
  const headers = {
    'content-type': found.type,
    'cache-control': current ? 'public, max-age=31536000, immutable' : 'no-cache',
    etag: `"${found.version}"`,
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  };
  if (request.headers.get('if-none-match') === headers.etag)
    return new Response(null, { status: 304, headers });
  return new Response(found.body, { headers });
}
