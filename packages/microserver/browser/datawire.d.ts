/// <reference lib="esnext.disposable" />

/**
 * Messages by name, for pages, over WebSocket to the router that serves this:
 *
 *     import { connect } from "/datawire.js";
 *     const microserver = await connect();
 *     await microserver.send("orders", { book: 7 });
 *     for await (const { body } of microserver.subscribe("topic/orders", { from: -25 })) console.log(body);
 *
 * The router may come and go: links are made anew, what is not accepted is sent again, and the router takes it once.
 */

/** What a message carries: values as JSON has them, and bigint, Date and Uint8Array at any depth. */
export type Body =
  | null
  | boolean
  | number
  | bigint
  | string
  | Date
  | Uint8Array
  | Typed
  | Described
  | TypedArray
  | readonly Body[]
  | ReadonlyMap<Body, Body>
  | { readonly [key: string]: Body | undefined };

/** A value of a type of AMQP that JavaScript has none for, such as `new Typed("uint", 7)`. */
export declare class Typed {
  constructor(type: string, value: unknown);
  readonly type: string;
  readonly value: unknown;
}

/** A value with a descriptor. */
export declare class Described {
  constructor(descriptor: unknown, value: unknown);
  readonly descriptor: unknown;
  readonly value: unknown;
}

/** An array of AMQP: values of one type. */
export declare class TypedArray {
  constructor(type: string, values: readonly unknown[], descriptor?: unknown);
  readonly type: string;
  readonly values: readonly unknown[];
}

/** A symbol of AMQP. */
export declare function symbol(name: string): Typed;

/** A message that came. */
export interface Message {
  /** Where it was listened for. */
  readonly address: string;
  readonly id: string | null;
  readonly subject: string | null;
  readonly body: Body;
  /** Application properties. */
  readonly properties: Readonly<Record<string, Body>>;
  readonly annotations: Readonly<Record<string, Body>>;
  /** Where an answer goes; null where none is wanted. */
  readonly replyTo: string | null;
  readonly correlationId: string | null;
  /** Deliveries that failed before this one. */
  readonly deliveryCount: number;
  /** Its place in a topic; null elsewhere. */
  readonly offset: number | null;
  /** When it was made; null where its sender did not say so. */
  readonly at: Date | null;
}

/** What a sender may say beside the body. */
export interface SendFields {
  readonly id?: string;
  readonly subject?: string;
  readonly properties?: Readonly<Record<string, Body>>;
  readonly annotations?: Readonly<Record<string, Body>>;
  readonly replyTo?: string;
  readonly correlationId?: string;
  readonly ttlMs?: number;
}

/** What a step of a pipeline makes. */
export interface Outgoing extends SendFields {
  /** To which of the pipeline's addresses; default all of them. */
  readonly address?: string;
  readonly body: Body;
}

/** What became of a message: it is accepted. */
export interface Receipt {
  readonly address: string;
  readonly id: string | null;
}

/** Someone who listens at an address. */
export interface Listener extends AsyncDisposable {
  readonly address: string;
  /** Takes no more messages, and resolves when those that are being handled are done. */
  close(): Promise<void>;
}

/** Thrown by a handler, it rejects the message: it goes to the dead letters with this reason. */
export declare class Reject extends Error {}

/** All that this library throws. */
export declare class MicroserverError extends Error {
  readonly code:
    | "aborted"
    | "closed"
    | "timeout"
    | "invalid_argument"
    | "not_found"
    | "unauthorized"
    | "rejected"
    | "limit"
    | "storage";
}

/** Why nothing moves on a link. */
export type StallReason =
  | "no-credit"
  | "no-consumer"
  | "window"
  | "unsettled-limit"
  | "held"
  | "waits-for-upstream"
  | "limit"
  | "disk-full";

/** A link on which nothing has moved for a while. */
export interface Stall {
  readonly address: string;
  readonly role: "sender" | "receiver";
  readonly reason: StallReason;
  readonly forMs: number;
}

/** How it stands. */
export interface Status {
  readonly state: "connecting" | "connected" | "closed";
  readonly router: string;
  /** Why there is no connection, as far as it is known. */
  readonly failure: string | null;
  readonly links: readonly {
    readonly address: string;
    readonly role: "sender" | "receiver";
    readonly isAttached: boolean;
    readonly credit: number;
    readonly unsettled: number;
    readonly oldestUnsettledMs: number | null;
    readonly waitsFor: StallReason | null;
  }[];
  readonly outbox: { readonly messages: number; readonly bytes: number };
}

/** How to connect; nothing has to be said. */
export interface ConnectOptions {
  /** The web port of a router: `wss://HOST[:PORT]/`. Default: where the page comes from. */
  readonly url?: string;
  /** What this microserver is called: kept subscriptions and pipelines are known by it. Default: a name used once. */
  readonly name?: string;
  /** Of a directory or router: only over TLS, or on this machine. */
  readonly token?: string;
  /** The version of the service that this page is: what it listens for comes by the routes of that version. */
  readonly version?: string;
  /** Which instance of the service this page is. Default: what is made of `name`. */
  readonly instance?: string;
  /** As whom routes know what is sent. Default: `name`. */
  readonly caller?: string;
  /** What else the properties of the connection say, for whoever looks at it. */
  readonly properties?: Readonly<Record<string, string | number | boolean>>;
  /** Closes the microserver. */
  readonly signal?: AbortSignal;
  /** Bounds of what waits until it is accepted; default 10,000 messages and 32 MiB. */
  readonly outbox?: { readonly messages?: number; readonly bytes?: number };
  /** Called once for each link on which nothing has moved for `stallMs`. */
  readonly onStall?: (stall: Stall) => void;
  /** Milliseconds; default 5,000. */
  readonly stallMs?: number;
}

/** A page that sends and receives messages by name. */
export interface Microserver extends AsyncDisposable {
  /** Sends a message; resolves when the router has accepted it, however long that takes. It arrives once. */
  send(
    to: string,
    body: Body,
    options?: SendFields & { readonly once?: string; readonly signal?: AbortSignal },
  ): Promise<Receipt>;
  /** Sends a message and resolves with the answer; waits 30 s unless told otherwise. */
  request(
    to: string,
    body: Body,
    options?: { readonly signal?: AbortSignal; readonly timeoutMs?: number },
  ): Promise<Message>;
  /** Handles what comes at an address, `concurrency` (10) at a time; what the handler returns answers `replyTo`. */
  listen(
    at: string,
    handler: (message: Message, context: { readonly signal: AbortSignal }) => unknown,
    options?: { readonly concurrency?: number; readonly signal?: AbortSignal },
  ): Promise<Listener>;
  /**
   * What comes at an address, one after the other; accepted when the loop asks for the next. `from`: where in a topic to
   * begin (`first`, `last`, an offset, `-N` or a time). With a `name` the router keeps the place between loops.
   */
  subscribe(
    at: string,
    options?: { readonly from?: string | number; readonly name?: string; readonly signal?: AbortSignal },
  ): AsyncIterable<Message>;
  /** Makes messages of messages: an input is accepted when every output is. */
  pipeline(
    from: string,
    to: string | readonly string[],
    step: (message: Message) => Outgoing | readonly Outgoing[] | null | Promise<Outgoing | readonly Outgoing[] | null>,
    options?: { readonly concurrency?: number; readonly signal?: AbortSignal },
  ): Promise<Listener>;
  /** The offset of the last message that a topic has now; null where it has none. */
  lastOffset(at: string, options?: { readonly signal?: AbortSignal }): Promise<number | null>;
  readonly status: Status;
  /** Takes no more messages, waits up to 5 s until all is handled and sent, and lets go of the router. */
  close(): Promise<void>;
}

/** Makes a microserver of a page. It does not wait for the router, which may come and go. */
export declare function connect(options?: ConnectOptions): Promise<Microserver>;
