import { ERROR_CODES } from "@datawire/protocol";
import { VERSION } from "@datawire/runtime";
import { z } from "zod";
import { FILE_TYPE } from "./body.ts";
import { type Description, descriptions } from "./descriptions.ts";
import type { Endpoint } from "./router.ts";

const errorBody = z.strictObject({ error: z.strictObject({ code: z.enum(ERROR_CODES), message: z.string() }) });

/** `GET /v1/openapi.json`: the interface, described for programs. */
export function openApiEndpoint(): Endpoint {
  const page = openApiPage();
  return { method: "GET", path: "/v1/openapi.json", handle: () => page };
}

/** Makes the OpenAPI 3.1 page of all endpoints. */
export function openApiPage() {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [key, description] of Object.entries(descriptions)) {
    const [method = "", pattern = ""] = key.split(" ");
    const path = pathOf(pattern, description.params ?? []);
    paths[path] = { ...paths[path], [method.toLowerCase()]: operation(description) };
  }
  return {
    openapi: "3.1.0",
    info: { title: "Datawire directory", version: VERSION, license: { name: "Apache-2.0", identifier: "Apache-2.0" } },
    paths,
  };
}

function pathOf(pattern: string, params: readonly string[]): string {
  let next = 0;
  return pattern.replaceAll("*", () => `{${params[next++] ?? "name"}}`);
}

function operation({ summary, params = [], query = {}, body, answer }: Description) {
  const parameters = [
    ...params.map((name) => ({ name, in: "path", required: true, schema: { type: "string" } })),
    ...Object.entries(query).map(([name, description]) => ({
      name,
      in: "query",
      description,
      schema: { type: "string" },
    })),
  ];
  return {
    summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: contentOf(body, "input") } }),
    responses: {
      200: { description: "Done", content: contentOf(answer, "output") },
      default: { description: "Refused", content: contentOf(errorBody, "output") },
    },
  };
}

function contentOf(what: z.ZodType | "file" | "text", io: "input" | "output") {
  if (what === "file") return { [FILE_TYPE]: { schema: { type: "string", format: "binary" } } };
  if (what === "text") return { "text/plain": { schema: { type: "string" } } };
  const { $schema: _, ...schema } = z.toJSONSchema(what, { io, unrepresentable: "any" });
  return { "application/json": { schema } };
}
