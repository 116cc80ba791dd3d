import { createApiClient, endpoints } from "@datawire/api";
import { createDirectoryClient } from "@datawire/link/client";
import type { DirectoryAddress } from "@datawire/protocol";
import { sleep } from "../../e2e/harness/wait.ts";

export interface LookupReport {
  readonly lookups: number;
  /** Those that got no answer, or fewer instances than are registered. */
  readonly failures: readonly string[];
  readonly slowestMs: number;
}

/** Between two lookups of one client. */
const PAUSE_MS = 5;

/** Services to be looked up, and how many usable instances each has all the time. */
interface Wanted {
  readonly services: number;
  readonly instances: number;
}

/** Looks up services again and again as `dw` does, with a list of replicas of which any may be away. */
export function startLookups(
  lists: readonly (readonly DirectoryAddress[])[],
  { services, instances }: Wanted,
): { stop(): Promise<LookupReport> } {
  const stopping = new AbortController();
  const failures: string[] = [];
  let lookups = 0;
  let slowestMs = 0;
  const run = async (directories: readonly DirectoryAddress[]): Promise<void> => {
    const client = createDirectoryClient({ directories, token: null, user: null, tls: null });
    const api = createApiClient(client.exchange);
    while (!stopping.signal.aborted) {
      const name = `service-${Math.floor(Math.random() * services)}.internal`;
      const startMs = performance.now();
      try {
        const { service } = await api.ask(endpoints.showService, { params: { service: name } });
        const usable = service.instances.filter(({ state }) => state === "live" || state === "lost").length;
        if (usable < instances) failures.push(`${name} has ${usable} of ${instances} instances`);
      } catch (error) {
        failures.push(String(error));
      }
      lookups += 1;
      slowestMs = Math.max(slowestMs, performance.now() - startMs);
      await sleep(PAUSE_MS);
    }
    await client.close();
  };
  const running = Promise.all(lists.map(run));
  return {
    async stop() {
      stopping.abort();
      await running;
      return { lookups, failures, slowestMs };
    },
  };
}
