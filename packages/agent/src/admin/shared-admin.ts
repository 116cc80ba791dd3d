import { type AdminServer, type PageHandler, startAdmin, type StartAdmin } from "@datawire/http";
import type { ListenAddress, Logger, Readiness } from "@datawire/runtime";
import { mergeMetrics } from "./merge-metrics.ts";

type Mounted = Parameters<StartAdmin>[1];

interface SharedAdminDeps {
  /** Of all parts. */
  readonly readiness: Pick<Readiness, "missing">;
  readonly log: Logger;
}

/** One admin port for several parts: each opens it as it would its own, and adds its pages and metrics for as long as it runs. */
export class SharedAdmin {
  readonly #mounted = new Set<Mounted>();
  readonly #server: AdminServer;

  private constructor(server: AdminServer) {
    this.#server = server;
  }

  /** Listens until the signal aborts. @throws ExitError when it cannot listen */
  static async open(
    listen: ListenAddress,
    { readiness, log }: SharedAdminDeps,
    signal: AbortSignal,
  ): Promise<SharedAdmin> {
    let shared: SharedAdmin | null = null;
    const mounted = (): readonly Mounted[] => [...(shared === null ? [] : shared.#mounted)];
    const pages: PageHandler = async (req, res) => {
      for (const { handlers = [] } of mounted()) for (const page of handlers) if (await page(req, res)) return true;
      return false;
    };
    const registry = {
      contentType: "text/plain; version=0.0.4; charset=utf-8" as const,
      metrics: async () => mergeMetrics(await Promise.all(mounted().map((part) => part.registry.metrics()))),
    };
    const server = await startAdmin(
      { listen, setting: "admin" },
      { readiness, registry, log, handlers: [pages] },
      signal,
    );
    shared = new SharedAdmin(server);
    return shared;
  }

  /** What it is bound to. */
  get address(): ListenAddress {
    return this.#server.address;
  }

  /** Resolves once it has closed. */
  get closed(): Promise<void> {
    return this.#server.closed;
  }

  /** Opens an admin port for a part: what it has is on the one port until the signal aborts. */
  readonly open: StartAdmin = (_config, deps, signal) => {
    this.#mounted.add(deps);
    const closed = new Promise<void>((resolve) => {
      const leave = (): void => {
        this.#mounted.delete(deps);
        resolve();
      };
      if (signal.aborted) leave();
      else signal.addEventListener("abort", leave, { once: true });
    });
    return Promise.resolve({ address: this.#server.address, closed });
  };
}
