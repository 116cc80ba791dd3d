import { DURATION_RULE, formatDuration } from "@datawire/protocol";
import { z } from "zod";

/** One key of a settings file, for people. */
export interface DescribedSetting {
  /** `guard.share`; `services.NAME.timeout` where names are free. */
  readonly key: string;
  /** The values that are allowed; empty where the description says it. */
  readonly wanted: string;
  /** The default, or what happens without the setting. */
  readonly otherwise: string;
  readonly description: string;
}

/** A part of what `z.toJSONSchema` makes, with our own metadata in it. */
interface Node {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
  readonly allOf?: readonly Node[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly description?: string;
  readonly wanted?: string;
  readonly otherwise?: string;
}

/** Lists the keys of a schema of settings, in its order, with what its metadata says of each. */
export function describeSettings(schema: z.ZodType): DescribedSetting[] {
  const root = z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
    // JSON Schema would leave out the default of a setting that is parsed, as the parsed value is not of the type that
    // is written.
    override({ zodSchema, jsonSchema }) {
      const { def } = zodSchema._zod;
      if (def.type === "default" || def.type === "prefault") jsonSchema.default = def.defaultValue as never;
    },
  }) as Node;
  return keysOf(objectOf(root) ?? root, "");
}

function keysOf({ properties = {} }: Node, prefix: string): DescribedSetting[] {
  return Object.entries(properties).flatMap(([name, node]) => {
    const key = `${prefix}${name}`;
    const below = keysBelow(objectOf(node), key);
    // A group that is nothing but its keys needs no line of its own.
    return node.description === undefined && below.length > 0 ? below : [describe(key, node), ...below];
  });
}

/** The keys of what may stand below a key; `NAME` where names are free. */
function keysBelow(node: Node | null, key: string): DescribedSetting[] {
  if (node?.properties !== undefined) return keysOf(node, `${key}.`);
  const values = node?.additionalProperties;
  const inner = typeof values === "object" ? objectOf(values) : null;
  return inner === null ? [] : keysOf(inner, `${key}.NAME.`);
}

/** The mapping that a value may be, also where a short form or a list of them is allowed. */
function objectOf(node: Node): Node | null {
  if (node.type === "object") return node;
  if (node.items !== undefined) return objectOf(node.items);
  for (const one of alternatives(node)) {
    const found = objectOf(one);
    if (found !== null) return found;
  }
  return null;
}

const alternatives = ({ anyOf, oneOf, allOf }: Node): readonly Node[] => anyOf ?? oneOf ?? allOf ?? [];

function describe(key: string, node: Node): DescribedSetting {
  const wanted = wantedOf(node);
  const otherwise = node.otherwise ?? (node.default === undefined ? "" : valueText(node.default, wanted));
  return { key, wanted, otherwise, description: node.description ?? "" };
}

function wantedOf(node: Node): string {
  if (node.wanted !== undefined) return node.wanted;
  if (node.enum !== undefined) return node.enum.map(String).join(", ");
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.type === "boolean") return "true or false";
  if (node.type === "integer") return wholeNumber(node.minimum);
  for (const one of alternatives(node)) {
    const wanted = wantedOf(one);
    if (wanted !== "") return wanted;
  }
  return node.items === undefined ? "" : wantedOf(node.items);
}

/** JSON Schema names a smallest number even where the schema sets none. */
function wholeNumber(minimum = Number.MIN_SAFE_INTEGER): string {
  return minimum === Number.MIN_SAFE_INTEGER ? "a whole number" : `a whole number from ${minimum}`;
}

function valueText(value: unknown, wanted: string): string {
  if (typeof value === "number" && wanted.startsWith(DURATION_RULE)) return formatDuration(value);
  if (Array.isArray(value) && value.length > 0) return value.map(String).join(", ");
  const isEmpty = value === null || (typeof value === "object" && Object.keys(value).length === 0);
  return isEmpty ? "none" : typeof value === "string" ? value : JSON.stringify(value);
}
