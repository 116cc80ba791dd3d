import type { Choice } from "../session/node.ts";
import { Breaker } from "../session/breaker.ts";
import { type Environment, SANDBOX } from "../session/context.ts";
import type { LogEvent } from "../session/log-event.ts";
import type { Resolving } from "../session/deps.ts";
import { Sessions } from "../session/sessions.ts";

/** A clock that a test moves. */
export class TestClock {
  ms = 0;
  #timers: { readonly atMs: number; readonly fn: () => void }[] = [];

  nowMs(): number {
    return 1_800_000_000_000 + this.ms;
  }

  monotonicMs(): number {
    return this.ms;
  }

  setTimer(ms: number, fn: () => void): () => void {
    const timer = { atMs: this.ms + ms, fn };
    this.#timers.push(timer);
    return () => (this.#timers = this.#timers.filter((one) => one !== timer));
  }

  /** How many timers run. */
  get timers(): number {
    return this.#timers.length;
  }

  advance(ms: number): void {
    const untilMs = this.ms + ms;
    for (;;) {
      const [next] = this.#timers.filter(({ atMs }) => atMs <= untilMs).toSorted((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((one) => one !== next);
      this.ms = Math.max(this.ms, next.atMs);
      next.fn();
    }
    this.ms = untilMs;
  }
}

/** A node with a breaker of its own. */
export function choiceOf(id: string, settings = { failures: 3, pauseMs: 30_000 }): Choice {
  const node = { id, service: "barker", version: "1", address: `http://${id}`, properties: {}, environment: "sandbox" };
  return { node, breaker: new Breaker(settings) };
}

/** Sessions of a process without a directory, and all that they log. */
export function sessionsForTest({
  environment = SANDBOX,
  choices = [],
  experimental = false,
}: {
  readonly environment?: Environment;
  /** What `resolve` gives, one after the other, again and again. */
  readonly choices?: readonly Choice[];
  readonly experimental?: boolean;
} = {}) {
  const clock = new TestClock();
  const logged: LogEvent[] = [];
  const asked: { readonly service: string; readonly version: string | null }[] = [];
  let made = 0;
  const resolving: Resolving = {
    pick(_environment, service, version) {
      asked.push({ service, version });
      return choices[(asked.length - 1) % choices.length] ?? null;
    },
    wait: () => Promise.reject(new Error("nothing to wait for")),
  };
  const sessions = new Sessions(environment, {
    clock,
    node: "here",
    log: (event) => logged.push(event),
    resolving,
    interacted: () => {},
    called: () => {},
    calls: { knows: () => false, isOurs: () => false },
    runWith: (_session, run) => run(),
    experimental,
    newTraceId: () => `00000000-0000-4000-8000-${String(++made).padStart(12, "0")}`,
    newSpanId: () => "00000000000000aa",
    activeTraceId: () => null,
  });
  return { clock, sessions, logged, asked };
}
