import type { AmqpError } from "@datawire/amqp";
import type { CatalogReader } from "@datawire/catalog";
import { splitTraffic } from "@datawire/routing";
import { choosePool } from "../routing/choice.ts";
import { serviceOf } from "../routing/service-of.ts";
import { endpointsOf, takesLinks } from "./instances.ts";

interface Asking {
  readonly caller: string;
  readonly table: CatalogReader;
  /** Whose table it is. */
  readonly tenant: string | null;
}

/** Names an instance of a service to clients that go there themselves, by the routes of each. */
export class Redirects {
  #count = 0;

  /** Where a link to an address goes; null where the router itself has it, or nobody is there. */
  of(name: string, { caller, table, tenant }: Asking): AmqpError | null {
    const found = serviceOf(name, tenant);
    const view = found === null ? null : table.service(found.service);
    if (found === null || view === null || !takesLinks(view)) return null;
    const split = splitTraffic(table, found.service, { caller, zone: null });
    if (split === null) return null;
    const sequence = ++this.#count;
    const facts = { request: { path: found.path }, groupId: null, subject: null, property: () => null };
    const pool = new Set(choosePool(split, { service: found.service, sequence, facts }));
    const able = endpointsOf(view, found.path).filter(({ instance }) => pool.has(instance.name));
    const chosen = able[sequence % able.length];
    if (chosen === undefined) return null;
    const { host, port, address, isTls } = chosen;
    return {
      condition: "amqp:link:redirect",
      description: `${found.service} takes links itself, at ${host}:${port}`,
      info: new Map<string, string | number>([
        ["network-host", host],
        ["port", port],
        ["address", address],
        // As others have it beside the fields of the specification: without it, nobody speaks TLS there.
        ...(isTls ? [["scheme", "amqps"] as const] : []),
      ]),
    };
  }
}
