import type { ProbeSettings } from "../model/service-definition.ts";
import { createConsumersProber } from "./consumers.ts";
import { createExecProber } from "./exec.ts";
import { createGrpcProber } from "./grpc.ts";
import { createHttpProber } from "./http.ts";
import { createHttp2Prober } from "./http2.ts";
import { networkOf, type Prober, type ProberDeps } from "./prober.ts";
import { createTcpProber } from "./tcp.ts";

/** What Watson looks at itself: everything but heartbeats. */
export type ActiveProbe = Exclude<ProbeSettings, { kind: "ttl" }>;

/** Makes the prober of a check. */
export function createProber(probe: ActiveProbe, deps: ProberDeps): Prober {
  switch (probe.kind) {
    case "http":
      return (probe.http2 ? createHttp2Prober : createHttpProber)(probe, networkOf(probe, deps));
    case "tcp":
      return createTcpProber(probe, networkOf(probe, deps));
    case "grpc":
      return createGrpcProber(probe, networkOf(probe, deps));
    case "amqp":
      return later(async () => (await import("./amqp.ts")).createAmqpProber(probe, networkOf(probe, deps)));
    case "consumers":
      return createConsumersProber(probe, deps);
    case "exec":
      return createExecProber(probe, deps);
  }
}

/** A prober that is loaded by its first probe: most machines have no such check. */
function later(load: () => Promise<Prober>): Prober {
  let loading: Promise<Prober> | null = null;
  return {
    async probe(signal) {
      const prober = await (loading ??= load());
      // One that is over hears of no abort any more, and would hold what it opens.
      return signal.aborted ? { ok: false, reason: "the check was ended" } : prober.probe(signal);
    },
    close: () => void loading?.then((prober) => prober.close()),
  };
}
