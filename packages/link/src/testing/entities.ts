import {
  emptyChange,
  type Instance,
  instanceSchema,
  type ServerMessage,
  type Service,
  serviceSchema,
  type TableChange,
} from "@datawire/protocol";
import type { Welcome } from "../session/link-handler.ts";

/** A service as plain as the schema allows, with version 1 as its primary. */
export const service = (name: string): Service => serviceSchema.parse({ name, primary: "1" });

/** A live instance of version 1. */
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

/** What a directory says first. */
export const welcome: Welcome = {
  type: "welcome",
  link: 1,
  directory: "//localhost/directory",
  version: "0.1.0",
  heartbeatMs: 5_000,
  leaseMs: 15_000,
};

/** A part of a whole table. */
export type SnapshotMessage = Extract<ServerMessage, { type: "snapshot" }>;

/** A whole table in one part, empty but for `parts`. */
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

/** What leads from the revision `from` to the next. */
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
