import type { Command, MapAction } from "../../core/model/commands.ts";
import { hexKey } from "../../core/model/escape.ts";
import { mapFiles } from "../../core/model/files.ts";
import { MAP_NAMES, type MapName, NOTHING, type Plan, type RequestKeys } from "../../core/model/plan.ts";
import { renamedEntry, standsIn } from "../../core/model/spares.ts";
import type { LoadedStructure, Running, RunningServer } from "../../core/model/running.ts";
import { runningFromHeld } from "../../core/observe/held.ts";
import { BLOCK_SIZE } from "../../core/model/prefixes.ts";

/** A request as far as it decides who may answer it. */
export interface SimulatedRequest {
  readonly service: string;
  /** What follows the name of the service. */
  readonly path: string;
  /** `h:x-user`, `c:name` or `q:name` → its value. */
  readonly values: Readonly<Record<string, string>>;
  /** `h:x-user` or `c:name` → the slot that the hash of its value gives. */
  readonly slots: Readonly<Record<string, number>>;
  /** The slot of a request that draws freely. */
  readonly drawn: number;
}

/**
 * What HAProxy does with a configuration, its maps and what is said on the runtime socket: the rules of the template,
 * in a model without a process. It knows nothing of how a plan comes to be followed, so that it can judge that.
 */
export class SimulatedProxy {
  readonly #maps: Record<MapName | "draw", Map<string, string>>;
  /** Its backends that stand in spare ones, by which: commands name them by their own name. */
  readonly #carried: Map<string, string>;
  readonly #servers: Map<string, Map<string, RunningServer>>;
  readonly #ordered: ReadonlySet<string>;
  readonly #keys: RequestKeys;
  /** What has been looked up since the lines changed. */
  readonly #looked = new Map<number, string | undefined>();

  /** A worker that has just read the files of a plan, with spare backends of these names. */
  constructor(plan: Plan, spares: readonly string[] = []) {
    const files = mapFiles(plan);
    this.#maps = Object.fromEntries(
      [...MAP_NAMES, "draw" as const].map((name) => [
        name,
        new Map(files[name].split("\n").filter(Boolean).map(wordAndRest)),
      ]),
    ) as Record<MapName | "draw", Map<string, string>>;
    this.#servers = new Map();
    this.#carried = new Map(plan.carried);
    for (const [name, spare] of this.#carried)
      if (!spares.includes(spare)) throw new Error(`${name} stands in ${spare}, which is not there`);
    for (const name of plan.structure.backends.keys()) {
      this.#servers.set(this.#named(name), new Map(plan.servers.get(name) ?? []));
    }
    for (const name of spares) if (!this.#servers.has(name)) this.#servers.set(name, new Map());
    const { backends, keys } = plan.structure;
    this.#ordered = new Set(
      [...backends.values()].filter((one) => one.balance.kind === "ordered").map((one) => one.name),
    );
    this.#keys = keys;
  }

  /** Does what a command says. @throws Error for what HAProxy would refuse. */
  apply(command: Command): void {
    switch (command.kind) {
      case "take-spare": {
        const { backend, spare } = command;
        if (this.#serversOf(spare).size > 0 || this.#maps.carried.has(spare)) throw new Error(`${spare} is taken`);
        this.#carried.set(backend, spare);
        this.#maps.carried.set(spare, backend);
        return;
      }
      case "add-server":
        this.#serversOf(command.backend).set(command.server.name, { ...command.server, ready: true });
        return;
      case "set-server": {
        const servers = this.#serversOf(command.backend);
        const server = servers.get(command.name);
        if (server === undefined) throw new Error(`No such server: ${command.backend}/${command.name}`);
        servers.set(command.name, { ...server, ...command.change });
        return;
      }
      case "map": {
        const { map } = command;
        const action = this.#placed(command);
        if (map === "draw") this.#looked.clear();
        const entries = this.#maps[map];
        if ((action.do === "add") === entries.has(action.key)) {
          throw new Error(
            `Cannot ${action.do} ${action.key} in ${map}: ${entries.has(action.key) ? "it is" : "it is not"} there`,
          );
        }
        if (action.do === "delete") entries.delete(action.key);
        else entries.set(action.key, action.value);
        return;
      }
      case "block":
    }
  }

  /** Deletes a server, by `backend/server`. */
  remove(id: string): void {
    const [backend = "", name = ""] = id.split("/");
    if (!this.#serversOf(backend).delete(name)) throw new Error(`No such server: ${id}`);
  }

  /** The servers that may answer, by name; `503` or `404` where nobody does. */
  answers(request: SimulatedRequest): ReadonlySet<string> {
    const { plain, routed, special, known } = this.#maps;
    const { service } = request;
    const whole = plain.get(service);
    if (whole !== undefined) return this.#enter(whole, service);
    const block = routed.get(service);
    if (block !== undefined) return this.#draw(Number(block), { ...request, slot: request.drawn });
    const base = special.get(service);
    if (base === undefined) return new Set([known.has(service) ? "503" : "404"]);
    const node = this.#when(base, request);
    if (node !== undefined) return this.#divide(node, service);
    return this.#draw(Number(base), { ...request, slot: this.#stickySlot(base, request) ?? request.drawn });
  }

  /** The same for a connection to the port of a TCP service. */
  tcpAnswers(service: string, drawn: number): ReadonlySet<string> {
    const { tcp_plain: plain, tcp_routed: routed } = this.#maps;
    const block = routed.get(service);
    const plainly = plain.get(service);
    if (block === undefined && plainly === undefined) return new Set(["503"]);
    const nodes = block === undefined ? [plainly as string] : this.#leaves(this.#look(Number(block) + drawn));
    const answers = nodes.flatMap((node) => {
      const taken = this.takersOf(node);
      if (taken.length > 0) return taken;
      const next = this.#maps.fallback.get(`${node}>${node}`);
      return next === undefined ? [] : this.takersOf(next);
    });
    return new Set(answers.length === 0 ? ["503"] : answers);
  }

  /** What it holds, as it would say itself. */
  holds(loaded: LoadedStructure): Running {
    const servers = new Map([...this.#servers].map(([name, members]) => [name, new Map(members)]));
    return structuredClone(runningFromHeld({ loaded, maps: this.#maps, servers }));
  }

  backends(): Iterable<string> {
    return this.#servers.keys();
  }

  has(backend: string): boolean {
    return this.#servers.has(backend);
  }

  /** Whether the first server of a backend takes all that it can. */
  isOrdered(backend: string): boolean {
    return this.#ordered.has(backend);
  }

  /** The servers of a backend that take requests. */
  takersOf(backend: string): string[] {
    const ready = [...(this.#servers.get(backend) ?? [])].filter(([, server]) => server.ready);
    if (!this.#ordered.has(backend)) return ready.map(([name]) => name);
    return ready
      .toSorted(([, a], [, b]) => a.id - b.id)
      .slice(0, 1)
      .map(([name]) => name);
  }

  #serversOf(backend: string): Map<string, RunningServer> {
    const servers = this.#servers.get(this.#named(backend));
    if (servers === undefined) throw new Error(`No such backend: ${backend}`);
    return servers;
  }

  /** By what name it has a backend. */
  #named(backend: string): string {
    return standsIn(this.#carried)(backend);
  }

  #placed({ map, action }: Extract<Command, { readonly kind: "map" }>): MapAction {
    const [key, value] = renamedEntry(
      map,
      [action.key, action.do === "delete" ? "" : action.value],
      standsIn(this.#carried),
    );
    return action.do === "delete" ? { ...action, key } : { ...action, key, value };
  }

  /** The service of a backend: its own name begins with it. */
  #ownerOf(backend: string): string {
    return (this.#maps.carried.get(backend) ?? backend).split(":")[0] as string;
  }

  #when(base: string, { service, path, values }: SimulatedRequest): string | undefined {
    const { whens, when, when_node: nodes, when_path: paths } = this.#maps;
    const whole = `${base}/${service}${path}`;
    const candidates = whens.get(base) === "path" ? [...paths.keys()] : [];
    const found = candidates.filter((prefix) => whole.startsWith(prefix)).sort((a, b) => b.length - a.length)[0];
    if (!whens.has(base)) return undefined;
    if (found !== undefined) return paths.get(found);
    const { whenHeaders, whenCookies, whenQueries } = this.#keys;
    const looked = [
      ...whenHeaders.map((name) => `h:${name}`),
      ...whenCookies.map((name) => `c:${name}`),
      ...whenQueries.map((name) => `q:${name}`),
    ];
    const ages = looked.flatMap((name) => {
      const value = values[name];
      const age = value === undefined ? undefined : when.get(`${base}|${name}=${hexKey(value)}`);
      return age === undefined ? [] : [Number(age)];
    });
    return ages.length === 0 ? undefined : nodes.get(`${base}|${Math.min(...ages)}`);
  }

  #stickySlot(base: string, { slots }: SimulatedRequest): number | undefined {
    const key = this.#maps.sticky.get(base);
    const { stickyHeaders, stickyCookies } = this.#keys;
    const looked = [...stickyHeaders.map((name) => `h:${name}`), ...stickyCookies.map((name) => `c:${name}`)];
    return key !== undefined && looked.includes(key) ? slots[key] : undefined;
  }

  #draw(base: number, { service, slot }: SimulatedRequest & { readonly slot: number }): ReadonlySet<string> {
    return this.#divide(this.#look(base + slot), service);
  }

  #divide(node: string | undefined, service: string): ReadonlySet<string> {
    const answers = this.#leaves(node).map((backend) => this.#enter(backend, service));
    return new Set(answers.length === 0 ? ["503"] : answers.flatMap((one) => [...one]));
  }

  /** The backends that a node leads to. */
  #leaves(node: string | undefined): string[] {
    if (node === undefined) return [];
    const base = this.#maps.split.get(node);
    if (base === undefined) return [node];
    const from = Number(base);
    const inside = (prefix: string): boolean => numberOf(prefix) >= from && numberOf(prefix) < from + BLOCK_SIZE;
    const found = new Set([...this.#maps.draw].flatMap(([prefix, leaf]) => (inside(prefix) ? [leaf] : [])));
    return [...found];
  }

  /** A backend with the hops after it, for a request to `service`. */
  #enter(backend: string, service: string): ReadonlySet<string> {
    let at = backend;
    for (let hops = 0; hops < HOPS_MAX; hops++) {
      if (at === NOTHING || !this.#servers.has(at)) return new Set(["503"]);
      const ready = this.takersOf(at);
      if (ready.length > 0) return new Set(ready);
      const last = this.#ownerOf(at) === service ? undefined : this.#maps.last.get(service);
      const next = this.#maps.fallback.get(`${backend}>${at}`) ?? last;
      if (next === undefined) return new Set(["503"]);
      at = next;
    }
    throw new Error(`The hops from ${backend} never end`);
  }

  #look(number: number): string | undefined {
    if (!this.#looked.has(number)) this.#looked.set(number, this.#lookUp(number));
    return this.#looked.get(number);
  }

  /** The longest prefix that covers a number. */
  #lookUp(number: number): string | undefined {
    for (let bits = 32; bits >= 18; bits--) {
      const start = number - (number % 2 ** (32 - bits));
      const address = [24, 16, 8, 0].map((shift) => Math.floor(start / 2 ** shift) % 256).join(".");
      const node = this.#maps.draw.get(`${address}/${bits}`);
      if (node !== undefined) return node;
    }
    return undefined;
  }
}

const HOPS_MAX = 20;

function wordAndRest(line: string): [string, string] {
  const blank = line.indexOf(" ");
  return [line.slice(0, blank), line.slice(blank + 1)];
}

function numberOf(prefix: string): number {
  return (prefix.split("/")[0] as string).split(".").reduce((number, byte) => number * 256 + Number(byte), 0);
}
