import { type Instance, parseServiceAddress } from "@datawire/protocol";
import type { MdkNode, ShownNode } from "./wire.ts";

/** What an original takes for the version of a node that has none: without any it freezes. */
const NO_VERSION = "0";

/** The key of an instance, `SERVICE@INSTANCE`, among those of all environments. */
export const keyOf = (environment: string, key: string): string => `${environment}\n${key}`;

/** The key of a node that is no instance; a blank stands in no name, so that no instance has such a key. */
export const relayedKey = (environment: string, { id, service }: MdkNode): string =>
  `${environment}\n ${service}\n${id ?? ""}`;

/** A node as originals are told of it where it is no instance. */
export const shownOf = ({ id, service, version, address, properties }: MdkNode, environment: string): ShownNode => ({
  id: id ?? "",
  service,
  version: version || NO_VERSION,
  address,
  properties,
  environment,
});

/** An instance as originals are told of it. */
export const shownInstance = (
  { name, service, version, url }: Instance,
  environment: string,
  properties: ShownNode["properties"] = {},
): ShownNode => ({ id: name, service, version: version ?? NO_VERSION, address: url, properties, environment });

/** An instance that is no more; an original forgets by the id alone, and wants the rest all the same. */
export function goneInstance(key: string, environment: string, node: MdkNode | undefined): ShownNode {
  const { service, instance } = parseServiceAddress(`//${key}`);
  const id = instance ?? "";
  return {
    id,
    service,
    version: node?.version || NO_VERSION,
    address: node?.address ?? id,
    properties: {},
    environment,
  };
}
