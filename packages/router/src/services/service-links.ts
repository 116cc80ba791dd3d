import type { AmqpError } from "@datawire/amqp";
import type { CatalogReader } from "@datawire/catalog";
import { instanceKey, type ReportedProblem } from "@datawire/protocol";
import type { ProblemBoard } from "@datawire/runtime";
import type { Broker } from "../engine/broker.ts";
import { serviceOf } from "../routing/service-of.ts";
import { endpointsOf, takesLinks } from "./instances.ts";
import { Redirects } from "./redirects.ts";
import { InstanceLink, type InstanceLinkDeps, keyOf } from "./instance-link.ts";

/** What the links to services go by. */
export interface ServiceLinksDeps extends Omit<InstanceLinkDeps, "broker"> {
  readonly board: Pick<ProblemBoard, "set">;
}

/** An instance that dies is out of the table before that: what lasts so long asks for an operator. */
const FAILURE_MS = 10_000;

/** The links of the router to the instances of those services that somebody sends to. */
export class ServiceLinks {
  readonly #deps: ServiceLinksDeps;
  readonly #links = new Map<string, InstanceLink[]>();
  readonly #ending = new Set<Promise<void>>();
  #table: CatalogReader | null = null;
  #broker: Broker | null = null;
  #tenant: string | null = null;
  readonly #redirects = new Redirects();

  constructor(deps: ServiceLinksDeps) {
    this.#deps = deps;
  }

  /** Goes by a table from now on, or by what it says anew. */
  follow(table: CatalogReader): void {
    this.#table = table;
    this.reconcile();
  }

  /** Whose table it is; null for those without a tenant. */
  belongTo(tenant: string | null): void {
    this.#tenant = tenant;
  }

  /** Has the links of a broker's addresses from now on. */
  serve(broker: Broker): void {
    this.#broker = broker;
  }

  /** Where a client goes itself; null where the router has the address, or nobody is there. */
  readonly redirect = (name: string, caller: string): AmqpError | null => {
    const table = this.#table;
    return table === null ? null : this.#redirects.of(name, { caller, table, tenant: this.#tenant });
  };

  /** Whether an address is that of a service whose instances take links themselves. */
  isService(name: string): boolean {
    const view = this.#view(name);
    return view !== null && takesLinks(view.view);
  }

  /** Has a link to each instance that is there, of each address that somebody sends to, and no other. */
  reconcile(): void {
    const broker = this.#broker;
    if (broker === null) return;
    const used = new Set<string>();
    for (const { name, kind, senders } of broker.direct) {
      if (kind !== "service" || senders === 0) continue;
      used.add(name);
      this.#bring(name, broker);
    }
    for (const name of this.#links.keys()) if (!used.has(name)) this.#keep(name, new Set());
    this.#deps.board.set("services", this.#problems());
  }

  /** Instances that the router does not reach, once each. */
  #problems(): ReportedProblem[] {
    const found = new Map<string, string>();
    for (const link of [...this.#links.values()].flat()) {
      const message = link.failureFor(FAILURE_MS);
      if (message !== null) found.set(`//${instanceKey(link.instance)}`, message);
    }
    const remedy =
      "a port that asks who comes (`allow`, `clientCa`) takes clients that go there themselves, by `direct: { user, password }` or `{ cert, key }`; any other has to be reached from the router";
    return [...found].map(([subject, message]) => ({ subject, message, remedy }));
  }

  /** Ends all of them. */
  async close(): Promise<void> {
    for (const name of this.#links.keys()) this.#keep(name, new Set());
    await Promise.all(this.#ending);
  }

  #bring(name: string, broker: Broker): void {
    const view = this.#view(name);
    const endpoints = view === null ? [] : endpointsOf(view.view, view.path);
    this.#keep(name, new Set(endpoints.map(keyOf)));
    const links = this.#links.get(name) ?? [];
    this.#links.set(name, links);
    const there = new Set(links.map(({ key }) => key));
    for (const endpoint of endpoints) {
      if (!there.has(keyOf(endpoint))) links.push(new InstanceLink(name, endpoint, { ...this.#deps, broker }));
    }
  }

  #keep(name: string, keys: ReadonlySet<string>): void {
    const links = this.#links.get(name) ?? [];
    for (const link of links) if (!keys.has(link.key)) this.#end(link);
    const left = links.filter(({ key }) => keys.has(key));
    if (left.length === 0) this.#links.delete(name);
    else this.#links.set(name, left);
  }

  #end(link: InstanceLink): void {
    link.close();
    const ending = link.ended.finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  #view(name: string) {
    const of = serviceOf(name, this.#tenant);
    const view = of === null ? null : (this.#table?.service(of.service) ?? null);
    return of === null || view === null ? null : { view, path: of.path };
  }
}
