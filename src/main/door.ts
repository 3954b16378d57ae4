/** The door of a gate that is being built or taken apart: whoever comes then is told so, and to come again. */

/** Answers that it is not ready until everything is built, and again once it is being taken apart. */
export class Door {
  handler: ((request: Request) => Promise<Response>) | null = null;
  /** Why it is closed; null while it is open. */
  closed: string | null = 'The gate is starting.';

  handle(request: Request): Promise<Response> {
    if (this.closed === null && this.handler !== null) return this.handler(request);
    return Promise.resolve(
      new Response(`${this.closed ?? ''}\n`, { status: 503, headers: { 'retry-after': '1' } }),
    );
  }
}
