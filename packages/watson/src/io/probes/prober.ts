import type { LookupFunction } from "node:net";
import type { Probe } from "../../core/belief.ts";
import type { Check, ProbeSettings } from "../../core/instance.ts";
import { createExecProber } from "./exec.ts";
import { createGrpcProber } from "./grpc.ts";
import { createHttpProber } from "./http.ts";
import { createHttp2Prober } from "./http2.ts";
import { createTcpProber } from "./tcp.ts";

/** Something that looks once whether an instance is alive. */
export interface Prober {
  /** Never rejects. When the signal aborts it lets go of what it holds, and its result is of no interest. */
  probe(signal: AbortSignal): Promise<Probe>;
  /** Lets go of what it keeps between probes. */
  close(): void;
}

export interface ProberDeps {
  readonly lookup: LookupFunction;
  /** Authorities in PEM that a service may be certified by, beside those of the system; null for none. */
  readonly ca: string | null;
  /** What the environment of checked programs is made of. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export type ActiveProbe = Exclude<ProbeSettings, { kind: "ttl" }>;

/** Makes the prober of a check. */
export function createProber(probe: ActiveProbe, deps: ProberDeps): Prober {
  switch (probe.kind) {
    case "http":
      return probe.http2 ? createHttp2Prober(probe, deps) : createHttpProber(probe, deps);
    case "tcp":
      return createTcpProber(probe, deps);
    case "grpc":
      return createGrpcProber(probe, deps);
    case "exec":
      return createExecProber(probe, deps);
  }
}

/** Whether a check is one that Watson makes itself. */
export function isActive(check: Check): check is Check & { readonly probe: ActiveProbe } {
  return check.probe.kind !== "ttl";
}
