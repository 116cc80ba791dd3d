import type { Body } from "../core/body.ts";
import type { Message, SendFields } from "../core/message.ts";
import type { HandlerContext } from "./inbox.ts";
import type { Listener } from "./listening.ts";
import type { Step } from "./pipeline.ts";
import type { RequestOptions } from "./requests.ts";
import type { ServeOptions } from "./served-port.ts";
import type { Status } from "./status.ts";

/** What became of a message: it is accepted. */
export interface Receipt {
  readonly address: string;
  /** What the message was called; null where it was given no name. */
  readonly id: string | null;
}

/** What may be said of a message beside its body. */
export interface SendOptions extends SendFields {
  /**
   * What makes it the same message whoever sends it again, such as the key of a request: the address accepts the first
   * within 24 hours, of its last 10,000, and drops all others.
   */
  readonly once?: string;
  /** Ends the wait. What was on its way by then may arrive all the same. */
  readonly signal?: AbortSignal;
}

/** How to listen. */
export interface ListenOptions {
  /** How many messages are handled at a time: the credit of the link. Default: 10. */
  readonly concurrency?: number;
  /** Ends the wait, and closes the listener. */
  readonly signal?: AbortSignal;
}

/** Handles a message: what it returns answers `replyTo`. */
export type Handler = (message: Message, context: HandlerContext) => unknown;

/** A process that sends and receives messages by name. */
export interface Microserver extends AsyncDisposable {
  /** Sends a message; resolves when the router has accepted it, however long that takes. It arrives once. */
  send(to: string, body: Body, options?: SendOptions): Promise<Receipt>;
  /** Sends a message and resolves with the answer. Where the router loses the place for answers, it is asked again. */
  request(to: string, body: Body, options?: RequestOptions): Promise<Message>;
  /**
   * Handles what comes at an address, so many at a time (default 10). What the handler returns answers `replyTo`; where it
   * throws, the message comes again, and with `Reject` it does not. Resolves when the router has the link, or is found to
   * be out of reach: it gets it when it is there. `signal` closes the listener.
   */
  listen(at: string, handler: Handler, options?: ListenOptions): Promise<Listener>;
  /**
   * What comes at an address, one after the other; accepted when the loop asks for the next. `from`: where in a topic to
   * begin (`first`, `last`, an offset, `-N` or a time). With a `name` the router keeps the place between loops.
   */
  subscribe(
    at: string,
    options?: { readonly from?: string | number; readonly name?: string; readonly signal?: AbortSignal },
  ): AsyncIterable<Message>;
  /**
   * Makes messages of messages: an input is accepted when every output is. Outputs go to all of `to`, or to that of them
   * which they name. Whatever is killed meanwhile, each output arrives once, where the input has an identity. `signal` closes it.
   */
  pipeline(from: string, to: string | readonly string[], step: Step, options?: ListenOptions): Promise<Listener>;
  /** The offset of the last message that a topic has now, to know when a loop has come to it; null where it has none. */
  lastOffset(at: string, options?: { readonly signal?: AbortSignal }): Promise<number | null>;
  /**
   * Handles what comes to a service over links to a port of its own, so that no router is in the way: `listen` otherwise. The
   * directory knows it while it is open; with `isRegistered: false` a Watson tells of it.
   */
  serve(at: string, handler: Handler, options?: ServeOptions): Promise<Listener>;
  readonly status: Status;
  /** Takes no more messages, waits up to 5 s until all is handled and sent, and lets go of the router. */
  close(): Promise<void>;
}
