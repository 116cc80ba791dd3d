import { Catalog } from "@datawire/catalog";
import {
  compareGenerations,
  emptyChange,
  generationOf,
  type Instance,
  isName,
  NAME_RULE,
  parseVersion,
  plainInstance,
  serviceSchema,
} from "@datawire/protocol";
import { MdkError, translating } from "../../session/mdk-error.ts";

/** A node as a list of them says it. */
export interface ListedNode {
  readonly service: string;
  readonly version: string | null;
  readonly address: string;
  readonly id?: string;
}

/** A table of nodes that nobody registers: the lowest generation of each service is its primary. */
export function tableOf(nodes: readonly ListedNode[]): Catalog {
  const table = new Catalog();
  const change = emptyChange();
  const generations = new Map<string, string[]>();
  nodes.forEach((node, order) => {
    change.instances.push(instanceOf(node, order));
    const known = generations.get(node.service) ?? [];
    generations.set(node.service, [...known, generationOf(node.version)]);
  });
  for (const [name, all] of generations) {
    const [primary = null] = all.toSorted(compareGenerations);
    change.services.push(serviceSchema.parse({ name, primary, declared: true }));
  }
  table.apply(change);
  return table;
}

/** Reads the JSON of `static:nodes=`. @throws MdkError `invalid_argument` */
export function parseNodes(text: string): ListedNode[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw refusal(`the nodes are no JSON`, cause);
  }
  if (!Array.isArray(value)) throw refusal("wanted a list of nodes");
  return value.map((node: unknown, i) => {
    const { service, version = null, address, id } = (node ?? {}) as Record<string, unknown>;
    if (typeof service !== "string" || !isName(service))
      throw refusal(`the service of node ${i} is ${JSON.stringify(service)}: it must be ${NAME_RULE}`);
    if (typeof address !== "string" || address === "") throw refusal(`node ${i} has no address`);
    if (version !== null && typeof version !== "string") throw refusal(`the version of node ${i} is no text`);
    if (version !== null) translating(() => parseVersion(version));
    return { service, version, address, ...(typeof id === "string" && id !== "" && { id }) };
  });
}

function instanceOf({ service, version, address, id }: ListedNode, order: number): Instance {
  return {
    service,
    name: id ?? address,
    version,
    url: address,
    protocol: "http",
    ...plainInstance(),
    since: 0,
    order,
  };
}

const refusal = (why: string, cause?: unknown): MdkError =>
  new MdkError("invalid_argument", `Cannot use the discovery source static: ${why}`, { cause });
