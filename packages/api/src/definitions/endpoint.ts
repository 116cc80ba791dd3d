import { own } from "@datawire/protocol";
import type { z } from "zod";

/** What a request can need a token for. */
export type Right = "register" | "subscribe" | "read" | "change" | "administer" | "log" | "trace" | "message" | "route";

/** The methods that endpoints have. */
export type Method = "GET" | "POST" | "PUT" | "DELETE";

/**
 * A body or an answer that is no JSON of ours: bytes of `application/octet-stream`, lines for people and for scrapers,
 * messages of OTLP, as protobuf or as JSON, `text/event-stream`, or nothing, which is 204.
 */
export type Plain = "file" | "text" | "otlp" | "events" | "nothing";

/** The type of a body or an answer that is a file. */
export const FILE_TYPE = "application/octet-stream";

/** The types of a body or an answer of OTLP. */
export const OTLP_TYPES = { protobuf: "application/x-protobuf", json: "application/json" } as const;

/** What may follow the question mark: each value is text, and may be left out. */
export type QueryShape = z.ZodObject<Readonly<Record<string, z.ZodOptional<z.ZodString>>>>;

/** One endpoint of the HTTP interface: the contract of its server, its clients and its description. */
export interface Endpoint {
  readonly method: Method;
  /** `/v1/services/{service}`: what is in braces stands for one segment, percent-encoded. */
  readonly path: string;
  /** For the OpenAPI page. */
  readonly summary: string;
  /** What the token of a request must be good for, `none` where it needs no token; default: see `rightOf`. */
  readonly right?: Right | "none";
  readonly query?: QueryShape;
  readonly body?: z.ZodType | Plain;
  /** What a request that is taken is answered with, by 200; by 204 where it is nothing. */
  readonly answer: z.ZodType | Plain;
}

/** What the token of a request must be good for; `none` for one that needs no token. */
export function rightOf({ right, method }: Endpoint): Right | "none" {
  return right ?? (method === "GET" ? "read" : "change");
}

/** The names in braces of a path. */
export type ParamOf<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParamOf<Rest>
  : never;

/** The segments that stand for the names of a path; null when the path of a request does not fit. */
export function matchPath(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return null;
  const params: [string, string][] = [];
  for (const [i, segment] of wanted.entries()) {
    const text = given[i] ?? "";
    const name = paramIn(segment);
    if (name === null) {
      if (segment !== text) return null;
      continue;
    }
    const decoded = decode(text);
    if (decoded === null) return null;
    params.push([name, decoded]);
  }
  return Object.fromEntries(params);
}

/** The path of a request, from its pattern and what stands for the names in it. */
export function fillPath(pattern: string, params: Readonly<Record<string, string>>): string {
  return pattern
    .split("/")
    .map((segment) => {
      const name = paramIn(segment);
      return name === null ? segment : encodeURIComponent(own(params, name) ?? "");
    })
    .join("/");
}

/** The names in braces, in their order. */
export function paramsOf(pattern: string): string[] {
  return pattern.split("/").flatMap((segment) => paramIn(segment) ?? []);
}

function paramIn(segment: string): string | null {
  return segment.startsWith("{") && segment.endsWith("}") ? segment.slice(1, -1) : null;
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null; // no percent-encoding, so no path of ours
  }
}
