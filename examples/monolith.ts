import { setTimeout as sleep } from "node:timers/promises";
import { Agent } from "undici";

/** How the calls of a monolith went. */
export interface Tally {
  readonly requests: number;
  readonly failed: number;
  /** Answers by the version of the instance that gave them. */
  readonly byVersion: ReadonlyMap<string, number>;
}

export interface CallOptions {
  readonly connections: number;
  readonly requests?: number;
  readonly signal?: AbortSignal;
  /** Pause of each connection between two requests; default: none. */
  readonly pauseMs?: number;
}

const NEVER = new AbortController().signal;

/**
 * `monolith` calls a URL over a pool of keep-alive connections, as legacy applications do, until it has sent `requests`
 * or `signal` aborts. It never retries: what fails, counts.
 */
export async function callMany(
  url: string,
  { connections, requests = Infinity, signal = NEVER, pauseMs = 0 }: CallOptions,
): Promise<Tally> {
  const tally = { requests: 0, failed: 0, byVersion: new Map<string, number>() };
  const agent = new Agent({ connections });
  const { origin, pathname } = new URL(url);
  const caller = async (): Promise<void> => {
    while (tally.requests < requests && !signal.aborted) {
      tally.requests += 1;
      const version = await versionFrom(agent, origin, pathname);
      if (version === null) tally.failed += 1;
      else tally.byVersion.set(version, (tally.byVersion.get(version) ?? 0) + 1);
      if (pauseMs > 0) await sleep(pauseMs);
    }
  };
  await Promise.all(Array.from({ length: connections }, caller));
  await agent.close();
  return tally;
}

/** The version that answered; null for a failure of any kind. */
async function versionFrom(agent: Agent, origin: string, path: string): Promise<string | null> {
  try {
    const { statusCode, body } = await agent.request({ origin, path, method: "GET" });
    const text = await body.text();
    return statusCode === 200 ? (JSON.parse(text) as { version: string }).version : null;
  } catch {
    return null;
  }
}
