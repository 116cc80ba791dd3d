import {
  isName,
  parseInstanceUrl,
  ProtocolError,
  type Registration,
  registrationSchema,
  VERSION_PATTERN,
} from "@datawire/protocol";
import { xxHash32 } from "js-xxhash";
import type { MdkNode } from "./wire.ts";

/** What a node is to the directory: an instance as any other, or a thing that originals alone know what to do with. */
export type NodeReading =
  | { readonly state: "instance"; readonly registration: Registration }
  | { readonly state: "relayed"; readonly why: string };

/** The longest name of an instance. */
const NAME_MAX = 100;

/** Says what instance a node is, or why none. */
export function instanceOf({ service, version, address }: MdkNode): NodeReading {
  if (!isName(service)) return relayed(`${quoted(service)} is no name of a service`);
  if (version !== null && version !== "" && !VERSION_PATTERN.test(version))
    return relayed(`${quoted(version)} is no version`);
  const protocol = /^tcp:/i.test(address) ? "tcp" : "http";
  try {
    const name = nameOf(address, protocol);
    if (!isName(name)) return relayed(`${quoted(name)} is no name of an instance`);
    const registration = {
      service,
      name,
      version: version === "" ? null : version,
      url: address,
      protocol,
      state: "live",
    };
    const read = registrationSchema.safeParse(registration);
    if (read.success) return { state: "instance", registration: read.data };
    return relayed(read.error.issues[0]?.message ?? "it is no instance");
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return relayed(error.message);
  }
}

/** `HOST-PORT`, with a hash of the path where there is one: a machine may have several at one port. */
function nameOf(address: string, protocol: "http" | "tcp"): string {
  const { host, port, base } = parseInstanceUrl(address, protocol);
  const path = base === "" ? "" : `-${xxHash32(new TextEncoder().encode(base), 0).toString(16).padStart(8, "0")}`;
  const end = `-${port}${path}`;
  // As a Watson names an instance whose file does not: an IPv6 address has colons, which no name has.
  const text = host.replaceAll(/[^a-z0-9._-]/g, "-").replace(/^[^a-z0-9_]+/, "");
  return `${text.slice(0, NAME_MAX - end.length)}${end}`;
}

const relayed = (why: string): NodeReading => ({ state: "relayed", why });
const quoted = (text: string): string => JSON.stringify(text.slice(0, 100));
