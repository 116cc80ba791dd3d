import type {
  ConnectionSettings,
  IncomingDelivery,
  LinkEnd,
  OutgoingDelivery,
  Receiver,
  Sender,
  Session,
} from "@datawire/amqp";
import { backoff, type Chance, type Clock } from "@datawire/runtime/time";
import type { Watched } from "../core/stalls.ts";
import type { Dial, Wire, WireEvents } from "../transport/wire.ts";

/** The owner of a link, which is called with what happens on it. */
export interface LinkOwner {
  attached(): void;
  ended(end: LinkEnd): void;
  flow?(): void;
  outcome?(delivery: OutgoingDelivery): void;
  delivered?(delivery: IncomingDelivery): void;
  /** The peer gave back the credit of a drain. */
  drained?(): void;
}

/** What wants a link on every connection. */
export interface Member extends LinkOwner {
  attach(session: Session): void;
  /** No connection could be had. */
  unreachable(): void;
  watched(): Watched;
  /** Nothing may move on it: the router is asked why, which shows in `watched` later. */
  inquire(): void;
}

/** Where an instance takes links. */
export interface InstancePlace {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
}

/** What a hub works with. */
export interface HubDeps {
  readonly dial: Dial;
  /** Connects to an instance that the router names; left out where it is not to be asked for any. */
  readonly dialAt?: (place: InstancePlace) => Dial;
  /** What proves us to instances; left out for nothing. */
  readonly instanceSasl?: NonNullable<ConnectionSettings["saslClients"]>;
  readonly clock: Clock;
  readonly chance: Chance;
}

/** Waits between attempts: full jitter below these. */
const WAIT = { baseMs: 100, capMs: 5_000 } as const;
/** How long a close waits for the router's answer. */
const CLOSE_MS_MAX = 1_000;

/** The one connection of a microserver: made anew for ever, with all links on it. */
export class Hub {
  readonly deps: HubDeps;
  readonly #settings: ConnectionSettings;
  readonly #members = new Set<Member>();
  readonly #stop = new AbortController();
  /** Connections to instances, by where these are. */
  readonly #instances = new Map<string, Hub>();
  #wire: Wire | null = null;
  #isOpen = false;
  #session: Session | null = null;
  #failure: string | null = null;
  readonly #ended: Promise<void>;

  constructor(settings: ConnectionSettings, deps: HubDeps) {
    this.#settings = settings;
    this.deps = deps;
    this.#ended = this.#run();
  }

  get isConnected(): boolean {
    return this.#isOpen;
  }

  /** Why there is no connection, as far as it is known. */
  get failure(): string | null {
    return this.#failure;
  }

  /** What an error says of it after its own words; empty while there is a connection. */
  get failureNote(): string {
    return this.#isOpen || this.#failure === null ? "" : ` (${this.#failure})`;
  }

  /** All that has a link, here or at an instance. */
  *members(): Generator<Member> {
    yield* this.#members;
    for (const hub of this.#instances.values()) yield* hub.members();
  }

  /** A wait before another attempt; see `backoff`. */
  newBackoff(): ReturnType<typeof backoff> {
    return backoff({ ...WAIT, random: () => this.deps.chance.number() });
  }

  join(member: Member): void {
    this.#members.add(member);
    this.attach(member);
    if (!this.#isOpen && this.#failure !== null) member.unreachable();
  }

  leave(member: Member): void {
    this.#members.delete(member);
    if (this.#members.size === 0) this.onEmpty();
  }

  onEmpty: () => void = () => {};

  /** The connection to an instance, which lasts while somebody has a link on it; null where there are to be none. */
  instanceAt({ host, port, isTls }: InstancePlace): Hub | null {
    const { dialAt, instanceSasl } = this.deps;
    const place = `${isTls ? "amqps" : "amqp"}://${host}:${port}`;
    const known = this.#instances.get(place);
    if (known !== undefined || dialAt === undefined || this.#stop.signal.aborted) return known ?? null;
    // What proves us to the router is none of its business.
    const { containerId, properties } = this.#settings.open;
    const open = { containerId, hostname: host, ...(properties !== undefined && { properties }) };
    const proof = instanceSasl === undefined ? {} : { saslClients: instanceSasl };
    const dial = dialAt({ host, port, isTls });
    const hub = new Hub({ role: "client", open, ...proof }, { ...this.deps, dial });
    this.#instances.set(place, hub);
    hub.onEmpty = () => {
      this.#instances.delete(place);
      void hub.close();
    };
    return hub;
  }

  /** Has a member ask for its link, where there is a connection. */
  attach(member: Member): void {
    const connection = this.#wire?.connection;
    if (!this.#isOpen || connection === undefined || !this.#members.has(member)) return;
    if (this.#session === null || this.#session.state === "ending" || this.#session.state === "ended")
      this.#session = connection.begin();
    member.attach(this.#session);
  }

  /** Closes the connection, and makes none any more. */
  async close(): Promise<void> {
    this.#stop.abort();
    const instances = [...this.#instances.values()].map((hub) => hub.close());
    const wire = this.#wire;
    if (wire !== null) {
      wire.connection.close();
      const cancel = this.deps.clock.setTimer(CLOSE_MS_MAX, () => wire.destroy());
      await wire.closed;
      cancel();
    }
    await Promise.all([this.#ended, ...instances]);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    let wait = this.newBackoff();
    while (!signal.aborted) {
      try {
        this.#wire = await this.deps.dial(this.#settings, this.#events(), signal);
        const wire = this.#wire;
        await wire.closed;
        if (this.#isOpen) wait = this.newBackoff();
        this.#failure ??= "the connection was lost";
      } catch (error) {
        this.#failure = error instanceof Error ? error.message : String(error);
      }
      this.#wire = null;
      this.#isOpen = false;
      this.#session = null;
      if (signal.aborted) return;
      for (const member of this.#members) member.unreachable();
      const { delayMs, backoff } = wait.next();
      wait = backoff;
      await this.deps.clock.sleep(delayMs, signal);
    }
  }

  #events(): WireEvents {
    const owner = (link: Sender | Receiver): LinkOwner | null => link.context as LinkOwner | null;
    const nothing = (): void => {};
    return {
      opened: () => {
        this.#isOpen = true;
        this.#failure = null;
        for (const member of this.#members) this.attach(member);
      },
      sessionBegan: nothing,
      sessionEnded: nothing,
      settled: nothing,
      senderFlow: (receiver) => {
        if (!receiver.draining) owner(receiver)?.drained?.();
      },
      linkAsked: (link) => link.refuse({ condition: "amqp:not-allowed" }),
      linkAttached: (link) => owner(link)?.attached(),
      linkDetached: (link, end) => owner(link)?.ended(end),
      flow: (sender) => owner(sender)?.flow?.(),
      outcome: (delivery) => owner(delivery.sender)?.outcome?.(delivery),
      delivered: (delivery) => owner(delivery.receiver)?.delivered?.(delivery),
      closed: ({ error }) => {
        if (error !== null) this.#failure = error.description ?? error.condition;
        this.#wire?.destroy();
      },
    };
  }
}
