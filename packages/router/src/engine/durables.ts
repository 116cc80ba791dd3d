import { plainName, tenantOf } from "../address/scope.ts";
import type { Subscription } from "../queue/subscription.ts";
import { Topic } from "../queue/topic.ts";
import type { Control } from "./notes/control.ts";
import type { KeptAddress } from "./kept-address.ts";
import type { Source, SourcePort, SourceRequest } from "./ports.ts";

/** By whom a subscription is kept. */
export interface Owner {
  /** The container and the name of the link. */
  readonly key: string;
  /** Null for nobody's. */
  readonly tenant: string | null;
}

/** A durable subscription, as far as a client that asks for it by name alone has to know it. */
export interface KeptSubscription {
  /** Of its topic, as those call it to whom it belongs. */
  readonly address: string;
  /** What it takes; null for everything. */
  readonly selector: string | null;
}

/** The other processes of this router, which may have what somebody had. */
export interface Siblings {
  /** The subscription that an owner has at another process; null for none. @throws Refused where one cannot be asked. */
  find(owner: Owner): Promise<KeptSubscription | null>;
  /** Ends what an owner has at any process, but for this address, where that is a topic: it is about to have its subscription there. */
  claim(owner: Owner, name: string, capability: SourceRequest["capability"]): Promise<void>;
}

/** Where subscriptions are. */
interface DurablesHost {
  readonly kept: Iterable<KeptAddress>;
}

interface Found {
  readonly address: KeptAddress;
  readonly topic: Topic;
  readonly subscription: Subscription;
}

const ELSEWHERE = "the subscription of this container and name was taken to another address";
const CHANGED = "the subscription was made anew, with another selector, by another link of the same container and name";
const TAKEN_UP = "the subscription was taken up by another link of the same container and name";

/**
 * Subscriptions that outlive their links. Container and link name alone identify one: asked for with another topic or
 * selector, the old one ends and a new one begins, as in JMS.
 */
export class Durables {
  readonly #host: DurablesHost;
  readonly #write: (value: Control) => void;

  /** @param write has it written into the log. */
  constructor(host: DurablesHost, write: (value: Control) => void) {
    this.#host = host;
    this.#write = write;
  }

  /** What an owner has; null for nothing. */
  find(owner: Owner): KeptSubscription | null {
    for (const { address, subscription } of this.#of(owner))
      return { address: plainName(address.name), selector: subscription.selector ?? null };
    return null;
  }

  /**
   * Ends what an owner has, but for what it has at one address.
   * @param isLate whether the owner has gone there before this process was there again: what it has taken here since the
   *   start stays. No clock says that, as those of two processes differ.
   */
  endElsewhere(owner: Owner, name: string | null, isLate = false): void {
    for (const found of this.#of(owner)) {
      if (found.address.name !== name && !(isLate && found.subscription.isTaken)) this.#end(found, ELSEWHERE);
    }
  }

  /** Gives a consumer the subscription that it asks for: the one that it has there, or a new one. */
  open(address: KeptAddress, topic: Topic, key: string, { from, selector }: SourceRequest, port: SourcePort): Source {
    const owner = { key, tenant: tenantOf(address.name) };
    this.endElsewhere(owner, address.name);
    const known = topic.find(key);
    // A subscription of an earlier version has no selector recorded.
    const isOther = known !== null && known.selector !== undefined && known.selector !== (selector ?? null);
    if (isOther) this.#end({ address, topic, subscription: known }, CHANGED);
    const { subscription, isNew } = topic.resume(key, from ?? { at: "last" });
    // The latest link gets it, as the one before may have lost its connection unnoticed.
    const before = subscription.port as SourcePort | null;
    subscription.detach();
    subscription.isTaken = true;
    before?.stolen(TAKEN_UP);
    if (isNew || subscription.selector === undefined) {
      subscription.selector = selector ?? null;
      this.#append(address, (id) => ({ is: "subscription", address: id, subscription: subscription.snapshot() }));
    }
    return address.openTopicSource(topic, subscription, port, (isClosed) => {
      if (isClosed) this.#end({ address, topic, subscription }, ELSEWHERE);
    });
  }

  *#of({ key, tenant }: Owner): Iterable<Found> {
    for (const address of this.#host.kept) {
      const { kept: topic, name } = address;
      if (!(topic instanceof Topic) || tenantOf(name) !== tenant) continue;
      const subscription = topic.find(key);
      if (subscription !== null) yield { address, topic, subscription };
    }
  }

  #end({ address, topic, subscription }: Found, why: string): void {
    const port = subscription.port as SourcePort | null;
    topic.end(subscription);
    this.#append(address, (id) => ({ is: "ended", address: id, id: subscription.id }));
    port?.stolen(why);
  }

  #append({ id }: KeptAddress, control: (id: number) => Control): void {
    if (id > 0) this.#write(control(id));
  }
}
