// How often a client connects, whatever the server says.

const second = 1000;
const longest = 30 * second;

/** A connection that lived for so long was a good one: what comes after it starts from no failures. */
const good = 10 * second;

/** Milliseconds that never go back, and the wait for some of them. */
const real = {
  now: () => performance.now(),
  sleep: (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds)),
};

/**
 * Paces the connections of one client: at most one a second, after ever longer pauses (up to 30 s, at random, so that
 * not everybody comes back at once) while they do not last, and an end after two refused tokens in a row.
 */
export class Pace {
  private next = 0; // the earliest time of the next connection
  private opened = 0;
  private failures = 0;
  private refusals = 0;

  private readonly clock: typeof real;

  constructor(clock = real) {
    this.clock = clock;
  }

  /** Waits until the next connection may be opened. */
  async wait(): Promise<void> {
    do await this.clock.sleep(this.next - this.clock.now());
    while (this.next > this.clock.now());
  }

  /** Waits until a connection may be opened, and notes that it is. */
  async turn(): Promise<void> {
    await this.wait();
    this.opened = this.clock.now();
    this.next = this.opened + second;
  }

  /** Notes that a connection was lost, or not made; the next one waits for `least` milliseconds. */
  lost(least = 0): void {
    this.failures = this.lived() ? 0 : this.failures + 1;
    const pause = Math.min(longest, second * 2 ** this.failures) * (0.5 + Math.random());
    this.next = Math.max(this.next, this.clock.now() + Math.max(pause, least));
  }

  /** Notes that the token was refused, or ran out. Returns whether to give up, since the token before it did not last either. */
  refused(): boolean {
    this.refusals = this.lived() ? 1 : this.refusals + 1;
    this.lost();
    if (this.refusals < 2) return false;
    this.refusals = this.failures = 0; // whoever tries again has signed in anew
    return true;
  }

  private lived(): boolean {
    return this.clock.now() - this.opened >= good;
  }
}
