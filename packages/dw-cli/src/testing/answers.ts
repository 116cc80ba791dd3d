import type { Answer } from "@datawire/api";
import { ago } from "./run.ts";

/** The status of a directory with which nothing is wrong. */
export const healthyStatus: Answer<"status"> = {
  directory: {
    address: "//a/directory",
    version: "0.1.0",
    epoch: "e",
    revision: 7,
    startedAt: ago(90_000),
    now: ago(0),
    state: "ready",
    store: "embedded",
    guard: null,
  },
  watsons: [],
  sherlocks: [],
  problems: [],
  counts: { services: 2, instances: 4, routes: 1 },
};

/** A Sherlock that is connected. */
export function callerOf(name: string, zone: string | null = null): Answer<"listCallers">["callers"][number] {
  return { name, kind: "sherlock", version: "0.1.0", zone, revision: 7, since: ago(60_000) };
}

/** An instance of version 1 that is live. */
export const liveInstance: Answer<"listInstances">["instances"][number] = {
  service: "barker",
  name: "vm1",
  version: "1",
  url: "http://vm1:80/barker",
  state: "live",
  role: "primary",
  reason: null,
  zone: null,
  since: ago(60_000),
  weight: 100,
  tags: [],
  watson: "vm1",
  drained: false,
};
