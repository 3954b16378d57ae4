/** A file that is made while it is taken: as fast as its reader reads and no faster, and given up where nobody reads it any more. */

/** How long a reader may take over one piece before the download is given up. */
export const stallMs = 2 * 60_000;

/** @param file its name is ours: letters, digits, dots and dashes. */
export function download(file: {
  readonly name: string;
  /** A media type. */
  readonly type: string;
  readonly pieces: {
    next(): Promise<IteratorResult<string, void>>;
    return(): Promise<unknown>;
  };
  readonly headers?: Readonly<Record<string, string>>;
}): Response {
  const { pieces } = file;
  const encoder = new TextEncoder();
  let stalled: NodeJS.Timeout | undefined;
  const wait = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    stalled = setTimeout(() => {
      void pieces.return();
      controller.error(new Error('nobody reads this download any more'));
    }, stallMs).unref();
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start: wait,
      async pull(controller) {
        clearTimeout(stalled);
        const next = await pieces.next();
        if (next.done === true) {
          controller.close();
          return;
        }
        controller.enqueue(encoder.encode(next.value));
        wait(controller);
      },
      async cancel() {
        clearTimeout(stalled);
        await pieces.return();
      },
    },
    // Nothing is made ahead of its reader.
    { highWaterMark: 0 },
  );
  return new Response(body, {
    headers: {
      'content-type': file.type,
      'content-disposition': `attachment; filename="${file.name}"`,
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'cache-control': 'no-store',
      ...file.headers,
    },
  });
}
