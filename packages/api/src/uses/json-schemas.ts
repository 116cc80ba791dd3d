import { z } from "zod";
import { routeAddBody, routeRemoveBody, routeSetBody } from "../shapes/routes.ts";
import {
  clientMessageSchema,
  instanceSchema,
  registrationSchema,
  routeTableSchema,
  serverMessageSchema,
  serviceSchema,
  tableChangeSchema,
} from "@datawire/protocol";

/** What travels, with what it is. */
const SCHEMAS: Readonly<Record<string, readonly [schema: z.ZodType, title: string]>> = {
  "link-from-client": [clientMessageSchema, "A message of the link, from a client to a directory"],
  "link-from-directory": [serverMessageSchema, "A message of the link, from a directory to a client"],
  registration: [registrationSchema, "What a Watson says of one instance"],
  service: [serviceSchema, "A service, as the table holds it"],
  instance: [instanceSchema, "An instance, as the table holds it"],
  "route-table": [routeTableSchema, "All routes of one caller to one service, as the table holds them"],
  "table-change": [tableChangeSchema, "What is new and what is gone between two revisions of the table"],
  "route-add": [routeAddBody, "The body of POST /v1/routes"],
  "route-set": [routeSetBody, "The body of PUT /v1/routes"],
  "route-remove": [routeRemoveBody, "The body of DELETE /v1/routes"],
};

/** The JSON Schemas of the protocol: file names and texts. A field that may be left out on the wire is not required. */
export function schemaFiles(): Map<string, string> {
  return new Map(
    Object.entries(SCHEMAS).map(([name, [schema, title]]) => {
      const { $schema, ...rest } = z.toJSONSchema(schema, {
        io: "input",
        override: ({ jsonSchema }) => reword(jsonSchema),
      });
      return [`${name}.json`, `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n`];
    }),
  );
}

/** What is wanted, in words, is a description to readers of a schema. */
function reword(jsonSchema: Record<string, unknown>): void {
  const { wanted } = jsonSchema;
  if (wanted === undefined) return;
  delete jsonSchema["wanted"];
  jsonSchema["description"] = wanted;
}
