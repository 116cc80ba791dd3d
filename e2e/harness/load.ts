import { Agent } from "undici";

/** A bound for what never comes: on a busy machine an answer may take long. */
const HANGS_MS = 120_000;

/** What became of the requests of a load. */
export interface LoadReport {
  readonly requests: number;
  readonly ok: number;
  /** Everything that was not 2xx, with when it happened. */
  readonly failures: readonly { readonly atMs: number; readonly what: string }[];
  /** How long the slowest one took, answered or not. */
  readonly slowestMs: number;
  /** Answers by the instance that gave them, as `name`; and by version. */
  readonly byInstance: ReadonlyMap<string, number>;
  readonly byVersion: ReadonlyMap<string, number>;
}

export interface Load {
  /** Ends the load and says what became of it. */
  stop(): Promise<LoadReport>;
  /** How many requests have been sent so far. */
  count(): number;
  /** How many of them have been answered well. */
  answered(): number;
}

export interface LoadOptions {
  readonly url: string;
  readonly connections: number;
  readonly method?: "GET" | "POST";
  /** Pause of each connection between two requests; default 0. */
  readonly pauseMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends requests over keep-alive connections, one at a time each, as a legacy application with a pool would. */
export function startLoad({ url, connections, method = "GET", pauseMs = 0, headers = {} }: LoadOptions): Load {
  const tally = { requests: 0, ok: 0, failures: [] as { atMs: number; what: string }[], slowestMs: 0 };
  const byInstance = new Map<string, number>();
  const byVersion = new Map<string, number>();
  const stopping = new AbortController();
  const agent = new Agent({ connections, pipelining: 1, connect: { timeout: HANGS_MS } });
  const { origin, pathname, search } = new URL(url);
  const one = async (): Promise<void> => {
    tally.requests += 1;
    const startedMs = performance.now();
    try {
      const response = await agent.request({
        origin,
        path: pathname + search,
        method,
        headers,
        headersTimeout: HANGS_MS,
      });
      const body = await response.body.text();
      if (response.statusCode < 200 || response.statusCode > 299) {
        tally.failures.push({ atMs: Date.now(), what: `${response.statusCode} ${body.slice(0, 200)}` });
        return;
      }
      tally.ok += 1;
      const { instance = "?", version = "?" } = JSON.parse(body) as { instance?: string; version?: string };
      byInstance.set(instance, (byInstance.get(instance) ?? 0) + 1);
      byVersion.set(version, (byVersion.get(version) ?? 0) + 1);
    } catch (error) {
      const { code = "", message } = error as { code?: string; message: string };
      tally.failures.push({ atMs: Date.now(), what: `${code} ${message}` });
    } finally {
      tally.slowestMs = Math.max(tally.slowestMs, Math.round(performance.now() - startedMs));
    }
  };
  const workers = Array.from({ length: connections }, async () => {
    while (!stopping.signal.aborted) {
      await one();
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  });
  return {
    count: () => tally.requests,
    answered: () => tally.ok,
    async stop() {
      stopping.abort();
      await Promise.all(workers);
      await agent.close();
      return { ...tally, byInstance, byVersion };
    },
  };
}

/** Sends exactly `count` requests over `connections` connections. */
export async function sendRequests(count: number, options: LoadOptions): Promise<LoadReport> {
  const load = startLoad(options);
  while (load.count() < count) await new Promise((resolve) => setTimeout(resolve, 10));
  return load.stop();
}
