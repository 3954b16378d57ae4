/** Time, as an argument of everything that needs it. */
export interface Clock {
  /** Milliseconds since 1970, as the operating system says. */
  nowMs(): number;
}
