import { Gauge, Registry, collectDefaultMetrics } from "prom-client";
import { VERSION } from "./version.ts";

/** Makes the metrics of a process, with those of Node itself and `datawire_build_info`. */
export function createRegistry(program: string): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: "datawire_build_info",
    help: "1, labelled with what runs.",
    labelNames: ["program", "version"],
    registers: [registry],
  }).set({ program, version: VERSION }, 1);
  return registry;
}
