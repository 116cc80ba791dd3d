import {
  appliedSchema,
  certifySchema,
  countersSchema,
  type ErrorCode,
  followLogsSchema,
  helloSchema,
  logsSchema,
  problemsSchema,
  type Registration,
  REGISTRATIONS_MAX,
  registerSchema,
  registrationSchema,
  routerReportSchema,
  updateSchema,
} from "@datawire/protocol";
import { check } from "@datawire/runtime";
import { z } from "zod";
import type { Refusal } from "../../registry/registry.ts";

const instances = z.array(z.unknown()).max(REGISTRATIONS_MAX);

/** As the protocol says, but with the instances unparsed: one that is wrong must not invalidate the others. */
const schemas = {
  hello: helloSchema,
  register: registerSchema.extend({ instances }),
  update: updateSchema.extend({ instances: instances.default([]) }),
  applied: appliedSchema,
  counters: countersSchema,
  problems: problemsSchema,
  logs: logsSchema,
  followLogs: followLogsSchema,
  router: routerReportSchema,
  certify: certifySchema,
} as const;

/** A message of a client, of which the instances are read apart. */
export type IncomingMessage = { [K in keyof typeof schemas]: z.infer<(typeof schemas)[K]> }[keyof typeof schemas];

/** A Map, since the type comes from a client: in a plain object, `constructor` would be found too. */
const SCHEMAS = new Map<string, z.ZodType<IncomingMessage>>(Object.entries(schemas));

/** What was read of a message of the link. */
export type MessageRead =
  | { readonly state: "read"; readonly message: IncomingMessage }
  | {
      readonly state: "refused";
      readonly code: ErrorCode;
      readonly message: string;
      /** Whether it is not even JSON: whoever sends that does not speak the link, and is cut. */
      readonly garbage: boolean;
    };

/** Reads one frame. */
export function readMessage(text: string): MessageRead {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return {
      state: "refused",
      code: "invalid_argument",
      message: "Cannot read the message: it is no JSON",
      garbage: true,
    };
  }
  const type = typeof value === "object" && value !== null && "type" in value ? value.type : undefined;
  const schema = typeof type === "string" ? SCHEMAS.get(type) : undefined;
  if (schema === undefined) {
    const found = type === undefined ? "it has no type" : `its type is ${JSON.stringify(type).slice(0, 100)}`;
    return {
      state: "refused",
      code: "unsupported",
      message: `Cannot read the message: ${found}; wanted one of ${[...SCHEMAS.keys()].join(", ")}`,
      garbage: false,
    };
  }
  const read = check(schema, value);
  if (read.ok) return { state: "read", message: read.value };
  const message = `Cannot take ${String(type)}: ${read.findings.map((finding) => finding.message).join("; ")}`.slice(
    0,
    1_000,
  );
  return { state: "refused", code: "invalid_argument", message, garbage: false };
}

/** Reads the instances of a message; those that cannot be read are refused one by one. */
export function readInstances(values: readonly unknown[]): { instances: Registration[]; refused: Refusal[] } {
  const read: Registration[] = [];
  const refused: Refusal[] = [];
  values.forEach((value, i) => {
    const parsed = registrationSchema.safeParse(value);
    if (parsed.success) {
      read.push(parsed.data);
      return;
    }
    const checked = check(registrationSchema, value);
    const why = checked.ok ? "malformed" : checked.findings.map((finding) => finding.message).join("; ");
    const instance = nameOf(value) ?? `instances[${i}]`;
    refused.push({
      instance,
      code: "invalid_argument",
      message: `Cannot register ${instance}: ${why}`.slice(0, 1_000),
    });
  });
  return { instances: read, refused };
}

function nameOf(value: unknown): string | null {
  if (typeof value !== "object" || value === null || !("service" in value) || !("name" in value)) return null;
  const { service, name } = value;
  // An object may not even have a text.
  return typeof service === "string" && typeof name === "string" ? `${service}@${name}`.slice(0, 300) : null;
}
