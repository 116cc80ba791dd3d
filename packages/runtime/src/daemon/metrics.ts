import { Gauge, Registry, collectDefaultMetrics } from "prom-client";
import { VERSION } from "./version.ts";

/**
 * How often the lag of the event loop is measured, in milliseconds. The default of a hundred times a second would wake
 * an idle process for nothing else. Fewer samples say the same: how long somebody waits who comes at any moment.
 */
const LAG_PRECISION_MS = 500;

let ofProcess: Registry | null = null;

/**
 * The metrics of Node itself. They are about the process, so they are collected once, however many programs run in it.
 */
function processMetrics(): Registry {
  if (ofProcess !== null) return ofProcess;
  ofProcess = new Registry();
  collectDefaultMetrics({ register: ofProcess, eventLoopMonitoringPrecision: LAG_PRECISION_MS });
  return ofProcess;
}

/** Makes the metrics of a program, with those of Node itself and `datawire_build_info`. */
export function createRegistry(program: string): Registry {
  const registry = Registry.merge([processMetrics()]);
  new Gauge({
    name: "datawire_build_info",
    help: "1, labelled with what runs.",
    labelNames: ["program", "version"],
    registers: [registry],
    aggregator: "first",
  }).set({ program, version: VERSION }, 1);
  return registry;
}
