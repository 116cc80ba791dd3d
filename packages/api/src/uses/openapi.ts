import { ERROR_CODES } from "@datawire/protocol";
import { z } from "zod";
import { type Endpoint, FILE_TYPE, OTLP_TYPES, paramsOf } from "../definitions/endpoint.ts";

const errorBody = z.strictObject({ error: z.strictObject({ code: z.enum(ERROR_CODES), message: z.string() }) });

/** What every request about services and routes may say beyond its own. */
const ENVIRONMENT = {
  name: "environment",
  in: "query",
  required: false,
  description: "whose services, routes and primaries; default: those of Watsons and Sherlocks",
  schema: { type: "string" },
};

/** Describes endpoints for programs, as OpenAPI 3.1. */
export function openApiPage(endpoints: Readonly<Record<string, Endpoint>>, { version }: { readonly version: string }) {
  const paths = new Map<string, Record<string, unknown>>();
  for (const [name, endpoint] of Object.entries(endpoints)) {
    const { path, method } = endpoint;
    paths.set(path, { ...paths.get(path), [method.toLowerCase()]: operation(name, endpoint) });
  }
  return {
    openapi: "3.1.0",
    info: { title: "Datawire directory", version, license: { name: "Apache-2.0", identifier: "Apache-2.0" } },
    paths: Object.fromEntries(paths),
  };
}

function operation(operationId: string, { path, summary, query, body, answer }: Endpoint) {
  const parameters = [
    ...paramsOf(path).map((name) => ({ name, in: "path", required: true, schema: { type: "string" } })),
    ...Object.entries(query?.shape ?? {}).map(([name, shape]) => ({
      name,
      in: "query",
      description: z.globalRegistry.get(shape)?.description,
      schema: { type: "string" },
    })),
    ...(path.startsWith("/v1/") ? [ENVIRONMENT] : []),
  ];
  return {
    operationId,
    summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined || body === "nothing"
      ? {}
      : { requestBody: { required: true, content: contentOf(body, "input") } }),
    responses: {
      ...(answer === "nothing"
        ? { 204: { description: "Done" } }
        : { 200: { description: "Done", content: contentOf(answer, "output") } }),
      default: { description: "Refused", content: contentOf(errorBody, "output") },
    },
  };
}

function contentOf(what: Exclude<Endpoint["answer"], "nothing">, io: "input" | "output") {
  if (what === "file") return { [FILE_TYPE]: { schema: { type: "string", format: "binary" } } };
  if (what === "events") return { "text/event-stream": { schema: { type: "string" } } };
  if (what === "text") return { "text/plain": { schema: { type: "string" } } };
  if (what === "otlp") {
    return {
      [OTLP_TYPES.protobuf]: { schema: { type: "string", format: "binary" } },
      [OTLP_TYPES.json]: { schema: { type: "object" } },
    };
  }
  const { $schema: _, ...schema } = z.toJSONSchema(what, { io, unrepresentable: "any" });
  return { "application/json": { schema } };
}
