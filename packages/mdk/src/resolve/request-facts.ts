import { parseHeaderLines, type RequestFacts } from "@datawire/routing";
import { own } from "@datawire/protocol";
import type { RequestLike } from "../session/types.ts";

/** What the rules see of a request. */
function factsOf({ path, headers }: RequestLike): RequestFacts {
  return { ...(path !== undefined && { path }), ...parseHeaderLines([...linesOf(headers ?? {})]) };
}

/** What is known of a request: its facts are worked out when a rule asks for them, which most services have none of. */
export class KnownRequest {
  readonly key: string | null;
  readonly #request: RequestLike | undefined;
  #facts: RequestFacts | null = null;

  constructor(request: RequestLike | undefined, key: string | null) {
    this.#request = request;
    this.key = key;
  }

  get facts(): RequestFacts {
    return (this.#facts ??= this.#request === undefined ? {} : factsOf(this.#request));
  }
}

/** The value that a sticky table or a consistent balance goes by; null where the request has none. */
export function keyIn(facts: RequestFacts, by: { readonly kind: string; readonly name?: string }): string | null {
  switch (by.kind) {
    case "header":
      return own(facts.headers ?? {}, by.name ?? "") ?? null;
    case "cookie":
      return own(facts.cookies ?? {}, by.name ?? "") ?? null;
    case "path":
      return facts.path ?? null;
    default:
      return null;
  }
}

function* linesOf(headers: NonNullable<RequestLike["headers"]>): Generator<string> {
  for (const [name, value] of isIterable(headers) ? headers : Object.entries(headers)) {
    // What is no header field cannot meet a condition.
    if (!/^[^\s:]+$/.test(name) || value === undefined) continue;
    for (const one of typeof value === "string" ? [value] : value) yield `${name}: ${one}`;
  }
}

function isIterable(headers: object): headers is Iterable<readonly [string, string]> {
  return typeof (headers as { readonly [Symbol.iterator]?: unknown })[Symbol.iterator] === "function";
}
