import {
  type InstanceUrl,
  isName,
  NAME_RULE,
  parseInstanceUrl,
  parseName,
  parseVersion,
  protocolOfUrl,
  type Registration as Said,
  TAGS_MAX,
  WEIGHT_MAX,
} from "@datawire/protocol";
import { xxHash32 } from "js-xxhash";
import { MdkError, translating } from "../session/mdk-error.ts";

/** What a registration says besides where the service is. */
export interface RegisterOptions {
  /** Unique within the service. Default: `HOST-PORT`, and of a URL with a path 8 hexadecimal digits of that too. */
  readonly instance?: string;
  /** Relative to the other instances, 1 to 256. Default: 100. */
  readonly weight?: number;
  /** Default: the zone of the library. */
  readonly zone?: string;
  readonly tags?: readonly string[];
}

/** The longest name (routing rules, section 1). */
const NAME_LENGTH_MAX = 100;

/** What the directory is told of an instance. @throws MdkError `invalid_argument` */
export function describeInstance(
  {
    service,
    version,
    address,
  }: { readonly service: string; readonly version: string | null; readonly address: string },
  { instance, weight = 100, zone, tags = [] }: RegisterOptions,
): Said {
  requireText(service, "service");
  requireText(address, "address");
  const url = address.includes("://") ? address : `http://${address}`;
  const protocol = protocolOfUrl(url);
  if (!Number.isInteger(weight) || weight < 1 || weight > WEIGHT_MAX)
    throw refusal(`Cannot register a weight of ${weight}: wanted 1 to ${WEIGHT_MAX}`);
  if (
    !Array.isArray(tags) ||
    tags.length > TAGS_MAX ||
    !tags.every((tag) => typeof tag === "string" && tag.length <= 100)
  )
    throw refusal(`Cannot register the tags: wanted ${TAGS_MAX} texts of up to 100 characters at the most`);
  return translating(() => {
    const parsed = parseInstanceUrl(url, protocol);
    return {
      service: parseName(service, "service"),
      name: instance === undefined ? nameOf(parsed) : parseName(instance, "instance"),
      version: version === null ? null : parseVersion(requireText(version, "version")),
      url,
      protocol,
      state: "live",
      reason: null,
      cause: null,
      weight,
      zone: zone === undefined ? null : requireZone(zone),
      tags: [...tags],
      proxyPort: null,
      drainMs: 10_000,
    };
  });
}

/** Several services may be at one port, each under a path of its own. */
function nameOf({ host, port, base }: InstanceUrl): string {
  const end = base === "" ? `-${port}` : `-${port}-${xxHash32(base, 0).toString(16).padStart(8, "0")}`;
  const start = host.replaceAll(/[^a-z0-9._-]/g, "-").replace(/^[^a-z0-9_]+/, "");
  return parseName(`${start.slice(0, NAME_LENGTH_MAX - end.length)}${end}`, "instance");
}

/** @throws MdkError `invalid_argument` */
export function requireZone(zone: unknown): string {
  if (typeof zone === "string" && isName(zone)) return zone;
  throw refusal(`Cannot use ${JSON.stringify(zone)} as a zone: it must be ${NAME_RULE}`);
}

function requireText(value: unknown, what: string): string {
  if (typeof value === "string") return value;
  throw refusal(`Cannot register ${String(value)} as the ${what}: wanted a text`);
}

const refusal = (message: string): MdkError => new MdkError("invalid_argument", message);
