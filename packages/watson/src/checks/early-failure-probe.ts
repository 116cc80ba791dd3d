import { connect, type LookupFunction } from "node:net";
import type { Clock } from "@datawire/runtime";
import type { Check, ProbeSettings } from "../model/service-definition.ts";
import type { PortWatch } from "../machine/port-watch.ts";

/** Notices that an instance may have ended before its next check would. */
export interface EarlyFailureProbe {
  /** The instance has just passed: from here on its end is news. */
  arm(): void;
  close(): void;
}

/** Makes the probe of a check that wants one. */
export interface EarlyFailureProbes {
  /** Null where a check wants none, or cannot have one. */
  create(check: Check, onEnd: () => void): EarlyFailureProbe | null;
}

/** What probes for early failures work with. */
export interface EarlyFailureProbeDeps {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly lookup: LookupFunction;
  readonly ports: Pick<PortWatch, "watch">;
}

/** Makes the probes of `watch: port` and `watch: connection`. */
export function createEarlyFailureProbes(deps: EarlyFailureProbeDeps): EarlyFailureProbes {
  return {
    create(check, onEnd) {
      const target = targetOf(check.probe);
      if (target === null || check.watch === "none") return null;
      if (check.watch === "connection") return new HeldConnection({ ...target, ...check, ...deps, onEnd });
      const unwatch = deps.ports.watch(target.port, onEnd);
      return { arm() {}, close: unwatch };
    },
  };
}

interface Target {
  readonly host: string;
  readonly port: number;
}

function targetOf(probe: ProbeSettings): Target | null {
  switch (probe.kind) {
    case "http": {
      const { hostname, port, protocol } = new URL(probe.url);
      const host = hostname.replace(/^\[(.*)\]$/, "$1");
      return { host, port: port === "" ? (protocol === "https:" ? 443 : 80) : Number(port) };
    }
    case "tcp":
    case "grpc":
    case "amqp":
      return probe;
    case "consumers":
    case "exec":
    case "ttl":
      return null;
  }
}

interface HeldConfig extends Target, Omit<EarlyFailureProbeDeps, "ports"> {
  readonly intervalMs: number;
  readonly onEnd: () => void;
}

/**
 * A connection on which nothing is sent; its end means something only if it has lasted longer than the interval of the
 * check.
 */
class HeldConnection implements EarlyFailureProbe {
  readonly #config: HeldConfig;
  #socket: ReturnType<typeof connect> | null = null;

  constructor(config: HeldConfig) {
    this.#config = config;
  }

  arm(): void {
    if (this.#socket !== null) return;
    const { host, port, lookup, clock, intervalMs, onEnd } = this.#config;
    const openedMs = clock.monotonicMs();
    const socket = connect({ host, port, lookup });
    this.#socket = socket;
    socket.on("error", () => {}); // "close" follows
    socket.once("end", () => socket.destroy());
    socket.once("close", () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      // A server that ends idle connections at once would make its checks endless.
      if (clock.monotonicMs() - openedMs >= intervalMs) onEnd();
    });
    socket.resume();
  }

  close(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.destroy();
  }
}
