import { own } from "@datawire/protocol";
import type { Attributes, Json, Resource } from "../model/records.ts";
import { attributes, type Message, message } from "./values.ts";

/** Of more, what comes last is left out: the resource stands with each of its spans. */
const RESOURCE_BYTES_MAX = 8 * 1024;

/** What OpenTelemetry calls a program that says nothing of itself. */
const UNKNOWN_SERVICE = "unknown_service";

/** Keys that a resource has fields of its own for. */
const NAMED = new Set(["service.name", "service.version", "service.instance.id"]);

/** Reads who made what follows. */
export function readResource(parent: Message): Resource {
  const said = attributes(message(parent, "resource"), "attributes");
  const service = textOf(own(said, "service.name")) ?? UNKNOWN_SERVICE;
  const instance = textOf(own(said, "service.instance.id"));
  return {
    service,
    version: textOf(own(said, "service.version")),
    instance,
    node: instance ?? textOf(own(said, "host.name")) ?? service,
    environment: textOf(own(said, "deployment.environment.name")) ?? textOf(own(said, "deployment.environment")),
    attributes: bounded(said),
  };
}

function bounded(said: Attributes): Attributes {
  let bytes = 0;
  const kept = Object.entries(said).filter(([key, value]) => {
    if (NAMED.has(key)) return false;
    bytes += key.length + JSON.stringify(value).length;
    return bytes <= RESOURCE_BYTES_MAX;
  });
  return Object.fromEntries(kept);
}

const NAME_MAX = 1_024;

function textOf(value: Json | undefined): string | null {
  if (value === undefined || value === null || value === "") return null;
  return (typeof value === "string" ? value : JSON.stringify(value)).slice(0, NAME_MAX);
}
