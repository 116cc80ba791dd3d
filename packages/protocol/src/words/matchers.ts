import { ProtocolError } from "./errors.ts";
import { quoteShort } from "./names.ts";
import { nearest } from "./nearest.ts";

/** A condition that sends a request to a target before any percentage is drawn (`--when`). */
export type When =
  | { readonly kind: "header" | "cookie" | "query"; readonly name: string; readonly value: string }
  | { readonly kind: "path"; readonly prefix: string };

/** The part of a request that decides which share it gets, so that the same user keeps the same version (`--sticky`). */
export type Sticky = { readonly kind: "header" | "cookie"; readonly name: string } | { readonly kind: "ip" };

/** How a service spreads requests over the instances of one target (routing rules, section 6). */
export type Balance =
  | { readonly kind: "round-robin" | "random" | "least-connections" | "ordered" }
  | { readonly kind: "consistent"; readonly by: "header" | "cookie"; readonly name: string }
  | { readonly kind: "consistent"; readonly by: "path" | "ip" }
  /** Of messages: their address, group or subject, or an application property. */
  | { readonly kind: "consistent"; readonly by: "address" | "group-id" | "subject" }
  | { readonly kind: "consistent"; readonly by: "property"; readonly name: string }
  /** A cookie of the proxy's own brings a session back to the instance that has it in its memory. */
  | { readonly kind: "cookie"; readonly name: string };

/** RFC 9110 `token`: what a header or a cookie may be called. */
const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/;
/** Visible ASCII without blanks: values reach a proxy's map as one word. */
const VALUE = /^[!-~]{1,200}$/;
const QUERY_NAME = /^[A-Za-z0-9._~-]{1,100}$/;

/** @throws ProtocolError `invalid_argument` */
export function parseWhen(text: string): When {
  const [, kind, rest = ""] = /^(header|cookie|query|path):(.*)$/s.exec(text) ?? [];
  const wanted = "wanted header:NAME=VALUE, cookie:NAME=VALUE, query:NAME=VALUE or path:/PREFIX";
  if (kind === undefined) throw invalid("--when", text, wanted);
  if (kind === "path") {
    if (!rest.startsWith("/") || !VALUE.test(rest) || /[?#]/.test(rest)) {
      throw invalid(
        "--when",
        text,
        "a path prefix begins with / and is 1 to 200 visible ASCII characters without ? and #",
      );
    }
    return { kind, prefix: rest };
  }
  const equals = rest.indexOf("=");
  if (equals < 1) throw invalid("--when", text, wanted);
  const name = parseKeyName("--when", text, kind as "header" | "cookie" | "query", rest.slice(0, equals));
  const value = rest.slice(equals + 1);
  if (!VALUE.test(value))
    throw invalid("--when", text, "the value must be 1 to 200 visible ASCII characters without blanks");
  return { kind: kind as "header" | "cookie" | "query", name, value };
}

/** @throws ProtocolError `invalid_argument` */
export function parseSticky(text: string): Sticky {
  if (text === "ip") return { kind: "ip" };
  const [, kind, name] = /^(header|cookie):(.+)$/s.exec(text) ?? [];
  if (kind === undefined || name === undefined)
    throw invalid("--sticky", text, "wanted header:NAME, cookie:NAME or ip");
  return { kind: kind as "header" | "cookie", name: parseKeyName("--sticky", text, kind as "header" | "cookie", name) };
}

const BALANCES = [
  "round-robin",
  "random",
  "least-connections",
  "ordered",
  "consistent:path",
  "consistent:ip",
  "consistent:address",
  "consistent:group-id",
  "consistent:subject",
];
const BALANCE_RULE =
  "wanted round-robin, random, least-connections, ordered, cookie:NAME, or consistent: with header:NAME, cookie:NAME, path or ip; for messages consistent: with address, group-id, subject or property:NAME";

/** @throws ProtocolError `invalid_argument` */
export function parseBalance(text: string): Balance {
  switch (text) {
    case "round-robin":
    case "random":
    case "least-connections":
    case "ordered":
      return { kind: text };
    case "consistent:path":
    case "consistent:ip":
      return { kind: "consistent", by: text === "consistent:path" ? "path" : "ip" };
    case "consistent:address":
    case "consistent:group-id":
    case "consistent:subject":
      return { kind: "consistent", by: text.slice("consistent:".length) as "address" | "group-id" | "subject" };
  }
  const [, session] = /^cookie:(.+)$/s.exec(text) ?? [];
  if (session !== undefined) return { kind: "cookie", name: parseSessionCookie(text, session) };
  const [, property] = /^consistent:property:(.+)$/s.exec(text) ?? [];
  if (property !== undefined) {
    if (!TOKEN.test(property)) throw invalid("balance", text, `${quoteShort(property)} is no name of a property`);
    return { kind: "consistent", by: "property", name: property };
  }
  const [, by, name] = /^consistent:(header|cookie):(.+)$/s.exec(text) ?? [];
  if (by === undefined || name === undefined) {
    const near = nearest(text, BALANCES);
    throw invalid("balance", text, near === undefined ? BALANCE_RULE : `did you mean ${near}? ${BALANCE_RULE}`);
  }
  const key = by as "header" | "cookie";
  return { kind: "consistent", by: key, name: parseKeyName("balance", text, key, name) };
}

/** Browsers keep cookies of two kinds of names only under conditions (RFC 6265bis, section 4.1.3) that are not met. */
function parseSessionCookie(text: string, name: string): string {
  if (/^__(?:Host|Secure)-/i.test(name)) {
    throw invalid(
      "balance",
      text,
      `browsers keep a cookie called ${quoteShort(name)} only over TLS, with other attributes`,
    );
  }
  return parseKeyName("balance", text, "cookie", name);
}

/** Header names compare without regard to case, so they are kept in lower case; the others are kept as typed. */
function parseKeyName(option: string, text: string, kind: "header" | "cookie" | "query", name: string): string {
  const pattern = kind === "query" ? QUERY_NAME : TOKEN;
  if (!pattern.test(name)) throw invalid(option, text, `${quoteShort(name)} is no ${kind} name`);
  // RFC 2109, section 4.4: of `$Version` and its like, which are skipped by whoever reads cookies.
  if (kind === "cookie" && name.startsWith("$")) {
    throw invalid(option, text, `proxies take ${quoteShort(name)}, as it begins with $, for an attribute of a cookie`);
  }
  return kind === "header" ? name.toLowerCase() : name;
}

function invalid(option: string, text: string, why: string): ProtocolError {
  return new ProtocolError("invalid_argument", `Cannot use ${quoteShort(text)} as ${option}: ${why}`);
}
