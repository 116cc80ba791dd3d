import type { IncomingMessage } from "node:http";
import type { Endpoint } from "@datawire/api";
import { nearest, ProtocolError } from "@datawire/protocol";
import { queryOf, readJson } from "@datawire/http";
import { check } from "@datawire/runtime";
import { z } from "zod";

/** What a request says beside its path, read by the schemas of its endpoint. */
interface Asked {
  readonly query: unknown;
  readonly body: unknown;
}

/** What a body may say where an endpoint has none of its own. */
const dryRunBody = z.strictObject({ dryRun: z.boolean().default(false) });

/** Made once: a schema makes its reader when it is first used, which takes longer than the reading. */
const NO_QUERY = z.object({});

/** Which environment is meant, which is looked at before a request comes to an endpoint. */
const ENVIRONMENT = "environment";

/**
 * Reads the query and the JSON body of a request. `dryRun` counts in either, whichever of them the endpoint has: one
 * that is overlooked is a change that nobody wanted. For the same reason no request has parameters that are not known,
 * and none twice: what a misspelt one should have narrowed would be answered whole.
 * @throws ProtocolError `invalid_argument` that says what was wanted.
 */
export async function readAsked(endpoint: Endpoint, req: IncomingMessage): Promise<Asked> {
  if (endpoint.method === "GET") return { query: readQuery(endpoint, req), body: undefined };
  const words = wordsOf(req);
  const schema = bodyOf(endpoint);
  const isDryInQuery = isDry(words["dryRun"]);
  if (schema !== undefined) {
    requireKnown(endpoint, words, ["dryRun"]);
    const body = await bodyJson(req);
    return { query: queryAs(endpoint, words), body: checked(schema, isDryInQuery ? withDryRun(body) : body) };
  }
  requireKnown(endpoint, words);
  const takesDryRun = endpoint.query?.shape["dryRun"] !== undefined;
  const said = takesDryRun && hasBody(req) ? checked(dryRunBody, await bodyJson(req)).dryRun : false;
  const query = takesDryRun ? { ...words, dryRun: String(isDryInQuery || said) } : words;
  return { query: queryAs(endpoint, query), body: undefined };
}

/** Reads what follows the question mark. Throws ProtocolError `invalid_argument` that says what was wanted. */
export function readQuery(endpoint: Endpoint, req: IncomingMessage): unknown {
  const words = wordsOf(req);
  requireKnown(endpoint, words);
  return queryAs(endpoint, words);
}

const queryAs = (endpoint: Endpoint, words: Words): unknown => checked(endpoint.query ?? NO_QUERY, words);

/** Throws ProtocolError `invalid_argument` for a parameter that its endpoint does not know. */
function requireKnown(endpoint: Endpoint, words: Words, more: string[] = []): void {
  const known = [...Object.keys(endpoint.query?.shape ?? {}), ENVIRONMENT, ...more];
  const unknown = Object.keys(words).find((word) => !known.includes(word));
  if (unknown === undefined) return;
  const near = nearest(unknown, known);
  const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
  const text = JSON.stringify(unknown.slice(0, 100));
  throw new ProtocolError("invalid_argument", `Cannot take the request: ${text} in its query is not known${hint}`);
}

/** Parameters by their names. */
type Words = Readonly<Record<string, string>>;

/** Reads what follows the question mark of a request. Throws ProtocolError `invalid_argument` for what is said twice. */
function wordsOf(req: IncomingMessage): Words {
  const words = [...queryOf(req)];
  const twice = words.find(([word], i) => words.findIndex(([other]) => other === word) !== i);
  if (twice === undefined) return Object.fromEntries(words);
  const text = JSON.stringify(twice[0].slice(0, 100));
  throw new ProtocolError("invalid_argument", `Cannot take the request: ${text} is in its query twice`);
}

const bodies = new WeakMap<IncomingMessage, Promise<unknown>>();

/** The JSON body of a request, which may be asked for again: a change that makes an environment is read twice. */
function bodyJson(req: IncomingMessage): Promise<unknown> {
  const body = bodies.get(req) ?? readJson(req);
  bodies.set(req, body);
  return body;
}

/** Reads a value by a schema. Throws ProtocolError `invalid_argument` that says what was wanted. */
export function checked<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const read = check(schema, value);
  if (read.ok) return read.value;
  const why = read.findings.map(({ message }) => message).join("; ");
  throw new ProtocolError("invalid_argument", `Cannot take the request: ${why}`);
}

function bodyOf({ body }: Endpoint): z.ZodType | undefined {
  return typeof body === "string" ? undefined : body;
}

/** `?dryRun` alone is one too. */
function isDry(word: string | undefined): boolean {
  if (word === undefined || word === "false" || word === "0") return false;
  if (word === "true" || word === "1" || word === "") return true;
  const text = JSON.stringify(word.slice(0, 100));
  throw new ProtocolError("invalid_argument", `Cannot use ${text} as dryRun: wanted true or false`);
}

function withDryRun(body: unknown): unknown {
  const isMapping = typeof body === "object" && body !== null && !Array.isArray(body);
  return isMapping ? { ...body, dryRun: true } : body;
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
