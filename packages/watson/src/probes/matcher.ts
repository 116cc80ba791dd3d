import { createContext, Script } from "node:vm";

/** How long an expression may take: one that backtracks without end would hold up every other check. */
const MATCH_MS_MAX = 50;
/** How often it may run out of time for want of a processor. */
const TRIES_MAX = 4;

/** What a matcher works with; tests bring their own. */
export interface MatcherDeps {
  /** Runs a script on a text. @throws Error when it takes longer than that. */
  readonly run: (script: Script, text: string, msMax: number) => unknown;
  /** The processor time that this process has used. */
  readonly cpuMs: () => number;
}

/** Makes a function that says what is wrong with a text, or null. Only `vm` can stop an expression that is running. */
export function createMatcher(
  expression: string,
  { run, cpuMs }: MatcherDeps = systemDeps,
): (text: string) => string | null {
  const script = new Script(`new RegExp(${JSON.stringify(expression)}, "u").test(text)`);
  return (text) => {
    const beganMs = cpuMs();
    for (let tries = 1; ; tries++) {
      try {
        return run(script, text, MATCH_MS_MAX) === true ? null : "does not match";
      } catch {
        // On a busy machine the time passes without the expression being run: that is no fault of the instance.
        const isStalled = cpuMs() - beganMs < MATCH_MS_MAX / 2;
        if (!isStalled || tries === TRIES_MAX) return `took more than ${MATCH_MS_MAX}ms to compare with`;
      }
    }
  };
}

const systemDeps: MatcherDeps = {
  run: (script, text, timeout) => script.runInContext(createContext({ text }), { timeout }),
  cpuMs() {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  },
};
