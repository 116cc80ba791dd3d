import { hintAt, ProtocolError } from "@datawire/protocol";
import type { Catalog } from "@datawire/catalog";

/** Refuses a service that nobody knows, with the name that was probably meant. */
export function noSuchService(table: Pick<Catalog, "serviceNames">, verb: string, name: string): ProtocolError {
  const hint = hintAt(name, table.serviceNames(), "//");
  return new ProtocolError("not_found", `Cannot ${verb} //${name}: there is no such service; ${hint}`);
}
