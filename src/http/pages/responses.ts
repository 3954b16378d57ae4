/** Responses of the pages: every one with the headers that keep a page to itself. */
import type { Html } from './html.ts';

/**
 * Nothing by default; styles, scripts, images and connections of our own only; forms go nowhere else; no frame, no base.
 * Neither inline scripts nor inline styles run, so that markup which slipped through could still do nothing.
 */
export const contentPolicy =
  "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const pageHeaders: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': contentPolicy,
  'x-content-type-options': 'nosniff',
  // Not `no-referrer`: then browsers post our own forms with `Origin: null`.
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

export const page = async (status: number, body: Html): Promise<Response> =>
  new Response(String(await body), { status, headers: pageHeaders });

/** After a POST (RFC 9110 §15.4.4): what follows is a GET, and reloading it repeats nothing. */
export const seeOther = (path: string): Response =>
  new Response(null, { status: 303, headers: { location: path, 'cache-control': 'no-store' } });

export const otherMethod = (allow: string): Response =>
  new Response(`This path offers ${allow}.\n`, {
    status: 405,
    headers: { allow, 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' },
  });
