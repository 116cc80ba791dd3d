import type { IncomingDelivery, Receiver, Sender, Source } from "@datawire/amqp";
import type { FarAddress } from "../address/rules.ts";
import type { UpstreamSettings } from "../config/upstream-settings.ts";
import type { Room, Sink } from "../engine/ports.ts";
import { Refused } from "../engine/refused.ts";
import { ClientUpstream } from "./client-upstream.ts";
import type { FarClient } from "./far-connection.ts";
import { RelayNear, RelaySink } from "./relay-sink.ts";
import type { FarCounters, ThroughDeps } from "./through-link.ts";
import { ThroughReceiver } from "./through-receiver.ts";
import { ThroughSender } from "./through-sender.ts";
import { Upstream, type UpstreamDeps } from "./upstream.ts";

/** An address at an upstream that clients have links to. */
export class LinkAddress {
  readonly name: string;
  readonly upstream: Upstream;
  readonly counters: FarCounters = { in: 0, out: 0 };
  readonly senders = new Set<ThroughSender>();
  readonly consumers = new Set<ThroughReceiver>();

  constructor(name: string, upstream: Upstream) {
    this.name = name;
    this.upstream = upstream;
  }

  /** Whether some link waits for the upstream. */
  get waits(): boolean {
    return [...this.senders, ...this.consumers].some(({ isThrough }) => !isThrough);
  }

  get unsettled(): number {
    return [...this.consumers].reduce((sum, { unsettled }) => sum + unsettled, 0);
  }
}

/** Brokers behind the router, and the links through it to them. */
export class Upstreams {
  readonly #deps: UpstreamsDeps;
  readonly #byName: ReadonlyMap<string, Upstream>;
  readonly #addresses = new Map<string, LinkAddress>();

  constructor(settings: readonly UpstreamSettings[], deps: UpstreamsDeps) {
    this.#deps = deps;
    this.#byName = new Map(settings.map((one) => [one.name, new Upstream(one, deps)]));
  }

  /** What addresses had counted that have no links any more. */
  readonly retired: FarCounters = { in: 0, out: 0 };

  /** Addresses that have links, but for those at other processes of this router. */
  get addresses(): Iterable<LinkAddress> {
    return [...this.#addresses.values()].filter(({ upstream }) => upstream.settings.path === undefined);
  }

  find(name: string): LinkAddress | null {
    return this.#addresses.get(name) ?? null;
  }

  /** The links of one client. */
  client(who: FarClient, messageBytesMax: number): UpstreamClient {
    return new UpstreamClient(this, { ...this.#deps, who, messageBytesMax });
  }

  /** Where an address is at an upstream; null for those that are here. */
  farOf(name: string): FarAddress | null {
    return this.#deps.farOf(name);
  }

  /** @throws Refused where no upstream has the name: rules that are read from settings have one. */
  upstream(name: string): Upstream {
    const upstream = this.#byName.get(name);
    if (upstream === undefined) throw new Refused("amqp:not-found", `Cannot attach: there is no upstream ${name}`);
    return upstream;
  }

  address(name: string, upstream: Upstream): LinkAddress {
    const address = this.#addresses.get(name) ?? new LinkAddress(name, upstream);
    this.#addresses.set(name, address);
    return address;
  }

  /** Forgets an address that has no links any more. */
  release({ name, senders, consumers, counters, upstream }: LinkAddress): void {
    if (senders.size + consumers.size > 0) return;
    this.#addresses.delete(name);
    if (upstream.settings.path !== undefined) return;
    this.retired.in += counters.in;
    this.retired.out += counters.out;
  }
}

/** What upstreams are with, beside their settings. */
interface UpstreamsDeps extends UpstreamDeps {
  /** Where an address is at an upstream; null for those that are here. */
  readonly farOf: (name: string) => FarAddress | null;
}

interface ClientDeps extends UpstreamDeps {
  readonly who: FarClient;
  readonly messageBytesMax: number;
}

/** The links of one client through the router. */
export class UpstreamClient {
  readonly #upstreams: Upstreams;
  readonly #deps: ClientDeps;
  readonly #byName = new Map<string, ClientUpstream>();
  #lastRelay = 0;

  constructor(upstreams: Upstreams, deps: ClientDeps) {
    this.#upstreams = upstreams;
    this.#deps = deps;
  }

  /** Where an address is at an upstream; null for those that the router has. */
  farOf(name: string): FarAddress | null {
    return this.#upstreams.farOf(name);
  }

  /** Takes a client's link on which it sends to an upstream. @throws Refused */
  openSender(near: Receiver, name: string, far: FarAddress): ThroughSender {
    return this.#open(name, far, SENDERS, (deps) => new ThroughSender(near, near.name, deps));
  }

  /** Takes a client's link on which it receives to an upstream. @throws Refused */
  openReceiver(
    near: Sender,
    { name, source }: { readonly name: string; readonly source: Source },
    far: FarAddress,
  ): ThroughReceiver {
    return this.#open(name, far, CONSUMERS, (deps) => new ThroughReceiver(near, source, deps));
  }

  /** An end for messages of a relay. @throws Refused */
  openSink(name: string, far: FarAddress, room: Room): Sink<IncomingDelivery> {
    const near = new RelayNear(room);
    const linkName = `$relay/${++this.#lastRelay}/${name}`;
    return new RelaySink(
      near,
      this.#open(name, far, SENDERS, (deps) => new ThroughSender(near, linkName, deps)),
    );
  }

  /** The client is gone. */
  close(): void {
    for (const upstream of this.#byName.values()) upstream.close();
  }

  #open<L extends ThroughSender | ThroughReceiver>(
    name: string,
    { upstream: upstreamName, address: farAddress }: FarAddress,
    linksOf: (address: LinkAddress) => Set<L>,
    create: (deps: ThroughDeps) => L,
  ): L {
    const upstream = this.#upstreams.upstream(upstreamName);
    const client = this.#byName.get(upstreamName) ?? new ClientUpstream(upstream, this.#deps);
    this.#byName.set(upstreamName, client);
    const address = this.#upstreams.address(name, upstream);
    const links = linksOf(address);
    const link = create({
      name,
      farAddress,
      clock: this.#deps.clock,
      counters: address.counters,
      messageBytesMax: this.#deps.messageBytesMax,
      restart: () => client.restart(),
      held: (bytes) => client.held(bytes),
      over: () => {
        links.delete(link);
        this.#upstreams.release(address);
        client.over(link);
      },
    });
    links.add(link);
    client.add(link);
    return link;
  }
}

const SENDERS = ({ senders }: LinkAddress): Set<ThroughSender> => senders;
const CONSUMERS = ({ consumers }: LinkAddress): Set<ThroughReceiver> => consumers;
