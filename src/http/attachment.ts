/** Files that are handed out to be kept: never shown in the browser, never taken for anything else, never left in a cache. */

/** @param file its name is ours: letters, digits, dots and dashes. */
export const attachment = (file: {
  readonly name: string;
  readonly type: string;
  readonly text: string | Uint8Array<ArrayBuffer>;
}): Response =>
  new Response(file.text, {
    headers: {
      'content-type': file.type,
      'content-disposition': `attachment; filename="${file.name}"`,
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'cache-control': 'no-store',
    },
  });
