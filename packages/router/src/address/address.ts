import {
  ADDRESS_BYTES_MAX,
  parseVersion,
  ProtocolError,
  quoteShort,
  SEGMENT_PATTERN,
  SEGMENT_RULE,
} from "@datawire/protocol";
import { type From, parseFrom } from "./from.ts";

/** Where messages go to, or come from: the one scheme of messaging (section 3). */
export interface MessageAddress {
  /** The normal form, which all spellings share: `orders/eu`. */
  readonly name: string;
  readonly instance: string | null;
  readonly version: string | null;
  /** Where in a topic reading begins; null where the address does not say. */
  readonly from: From | null;
}

/** What is fixed where addresses are read. */
export interface AddressContext {
  /** Whether a first segment after `//` names a directory or a router in use. */
  isAuthority(segment: string): boolean;
  /** Whether another process of this router says them: in their normal form, with the tenant that they are of. */
  readonly isInner?: boolean;
}

const FORM =
  /^(?<slashes>\/\/)?(?<path>[^@(?]*)(?:@(?<instance>[^(?]*))?(?:\((?<version>[^)]*)\))?(?:\?(?<options>.*))?$/s;

const DEAD = /^(?:\/\/)?(dead\/)/;

/** The address of a tenant begins with `@`, and has a segment behind that. */
const INNER_FORM = /^(?<name>.+?)(?:@(?<instance>[^@/(]+))?(?:\((?<version>[^)]*)\))?$/s;

/**
 * Reads `[//[AUTHORITY/]]name(/name)*[@instance][(version)][?options]`.
 * @throws ProtocolError `invalid_argument` that quotes the address and says what is wrong with it.
 */
export function parseMessageAddress(text: string, context: AddressContext): MessageAddress {
  const refuse = (why: string): ProtocolError =>
    new ProtocolError("invalid_argument", `Cannot use ${quoteShort(text)} as an address: ${why}`, { why });
  if (text === "") throw refuse("it is empty");
  if (context.isInner === true) {
    const [path = "", options] = text.split("?", 2);
    const { name = path, instance = null, version = null } = INNER_FORM.exec(path)?.groups ?? {};
    return { name, instance, version, from: readOptions(options, refuse) };
  }
  // The dead letters of the longest address have one too.
  const room = text.length - (DEAD.exec(text)?.[1]?.length ?? 0);
  if (room > ADDRESS_BYTES_MAX) throw refuse(`it is longer than ${ADDRESS_BYTES_MAX} bytes`);
  const groups = FORM.exec(text)?.groups;
  if (groups === undefined)
    throw refuse("wanted //NAME/NAME@INSTANCE(VERSION)?OPTIONS, of which NAME alone must be there");
  const segments = (groups["path"] ?? "").split("/");
  const [first = ""] = segments;
  if (groups["slashes"] !== undefined && segments.length > 1 && context.isAuthority(first)) segments.shift();
  for (const segment of segments) {
    if (!SEGMENT_PATTERN.test(segment))
      throw refuse(`its segment ${quoteShort(segment)} is none: wanted ${SEGMENT_RULE}`);
  }
  if (context.isAuthority(segments[0] ?? "")) {
    throw refuse(
      `${quoteShort(segments[0] ?? "")} is the name of a directory or router, and no address begins with one`,
    );
  }
  return {
    name: segments.join("/"),
    instance: readInstance(groups["instance"], refuse),
    version: readVersion(groups["version"], refuse),
    from: readOptions(groups["options"], refuse),
  };
}

/** Whether an address is one of the router's own: `$` in front is reserved. */
export function isReserved(name: string): boolean {
  return name.startsWith("$");
}

type Refuse = (why: string) => ProtocolError;

function readInstance(text: string | undefined, refuse: Refuse): string | null {
  if (text === undefined) return null;
  if (SEGMENT_PATTERN.test(text)) return text;
  throw refuse(`its instance ${quoteShort(text)} is none: wanted ${SEGMENT_RULE}`);
}

function readVersion(text: string | undefined, refuse: Refuse): string | null {
  if (text === undefined) return null;
  try {
    return parseVersion(text);
  } catch (error) {
    throw refuse((error instanceof ProtocolError && error.why) || `its version ${quoteShort(text)} is none`);
  }
}

function readOptions(text: string | undefined, refuse: Refuse): From | null {
  if (text === undefined || text === "") return null;
  let from: From | null = null;
  for (const option of text.split("&")) {
    const [key, value] = [option.split("=", 1)[0] ?? "", option.slice(option.indexOf("=") + 1)];
    if (key !== "from") throw refuse(`it has the option ${quoteShort(key)}: the only one is from`);
    if (from !== null) throw refuse("it has the option from twice");
    from = parseFrom(value);
    if (from === null)
      throw refuse(`from is ${quoteShort(value)}: wanted first, last, an offset, -N or an RFC 3339 time`);
  }
  return from;
}
