import type { Instance, ServerMessage, Service, TableChange } from "@datawire/protocol";
import { emptyChange, instanceSchema, serviceSchema } from "@datawire/protocol";
import type { Welcome } from "../session/link-handler.ts";

/** Entities and messages for tests, each as plain as the schema allows. */
export const service = (name: string): Service => serviceSchema.parse({ name, primary: "1" });

export const instance = (service: string, name: string): Instance =>
  instanceSchema.parse({
    service,
    name,
    url: `http://${name}:8080`,
    state: "live",
    version: "1",
    since: 0,
    order: 0,
  });

export const welcome: Welcome = {
  type: "welcome",
  link: 1,
  directory: "//localhost/directory",
  version: "0.1.0",
  heartbeatMs: 5_000,
  leaseMs: 15_000,
};

export type SnapshotMessage = Extract<ServerMessage, { type: "snapshot" }>;

export const snapshot = (revision: number, parts: Partial<SnapshotMessage> = {}): SnapshotMessage => ({
  type: "snapshot",
  epoch: "e1",
  revision,
  part: 0,
  last: true,
  warming: false,
  services: [],
  instances: [],
  tables: [],
  ...parts,
});

export const delta = (
  from: number,
  change: Partial<TableChange>,
  epoch = "e1",
): Extract<ServerMessage, { type: "delta" }> => ({
  type: "delta",
  epoch,
  from,
  revision: from + 1,
  atMs: 1_000,
  change: { ...emptyChange(), ...change },
});
