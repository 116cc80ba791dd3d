import type { Clock } from "@datawire/runtime";
import { type ServerCounts, Statistics } from "../core/observe/statistics.ts";
import type { BackendNames } from "../haproxy/backend-names.ts";
import type { RuntimeApi } from "../haproxy/runtime-api.ts";

/** What HAProxy is asked for its counts with. */
export interface ProxyCountsDeps {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly runtime: Pick<RuntimeApi, "ask" | "read">;
  readonly names: Pick<BackendNames, "own">;
}

/** The frontends (1) of all proxies, as CSV: a few lines, whatever there is of services. */
const FRONTENDS = "show stat -1 1 -1";
/** The servers (4) of all proxies: half a kilobyte for each. */
const SERVERS = "show stat -1 4 -1";
/** A server may go down without a request, by HAProxy's own check, which comes as often. */
const WHOLE_LOOK_MS = 30_000;

/**
 * What HAProxy has counted of its servers. Where no frontend has counted anything since the last look, no server has: with
 * 1,000 services a machine without traffic would write and read half a megabyte each time, to find that nothing came.
 */
export class ProxyCounts {
  readonly #deps: ProxyCountsDeps;
  readonly #statistics = new Statistics();
  /** What the frontends had counted just before the servers were looked at last. */
  #frontends = "";
  #lookedMs = Number.NEGATIVE_INFINITY;
  /** One that is down comes up, or has been down for long enough to tell, without a request. */
  #isAnyDown = false;

  constructor(deps: ProxyCountsDeps) {
    this.#deps = deps;
  }

  /** The counts of all servers; null while they are those of the last look. @throws RuntimeApiError */
  async look(): Promise<readonly ServerCounts[] | null> {
    const { clock, runtime, names } = this.#deps;
    // First: what comes between the two questions is seen by the next look.
    const frontends = await runtime.ask(FRONTENDS);
    const isDue = this.#isAnyDown || clock.monotonicMs() - this.#lookedMs >= WHOLE_LOOK_MS;
    if (!isDue && frontends !== "" && frontends === this.#frontends) return null;
    const reading = this.#statistics.begin(names.own);
    await runtime.read(SERVERS, reading.take);
    const counts = reading.end();
    this.#frontends = frontends;
    this.#lookedMs = clock.monotonicMs();
    this.#isAnyDown = counts.some(({ down }) => down !== null);
    return counts;
  }
}
