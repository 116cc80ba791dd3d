import type { Hello } from "@datawire/protocol";
import { Stream, type Source } from "../../feed/stream.ts";
import { FilteredStream } from "../../feed/filtered-stream.ts";
import type { Position } from "../../feed/delta-log.ts";
import type { Socket } from "./socket.ts";
import type { Subscriber } from "../../feed/publisher.ts";

/**
 * The most bytes that may wait to be sent to one subscriber. Beyond that the subscriber is slow, and what it lacks
 * stays in the log until there is room.
 */
const BUFFERED_BYTES_MAX = 2 * 1024 * 1024;

/** Where the table comes from, and who says that it has changed. */
interface SubscriptionSource extends Source {
  /** Makes revisions of what has changed, now. */
  flush(): void;
  /** The function returned ends it. */
  subscribe(subscriber: Subscriber): () => void;
}

interface SubscriptionDeps {
  readonly source: SubscriptionSource;
  readonly socket: Pick<Socket, "send" | "bufferedBytes">;
  /** What goes wrong with this subscriber is no concern of the others. */
  readonly failed: (error: unknown) => void;
}

/** Sends a client the table, and what changes of it, no faster than the client takes it, until it is ended. */
export class Subscription {
  readonly #source: SubscriptionSource;
  readonly #socket: SubscriptionDeps["socket"];
  readonly #failed: SubscriptionDeps["failed"];
  readonly #stream: Pick<Stream, "revision" | "next">;
  #unsubscribe: () => void = () => {};
  /** A frame filled the buffer, and nothing is sent until it has left. */
  #waiting = false;
  #ended = false;

  private constructor({ source, socket, failed }: SubscriptionDeps, stream: Pick<Stream, "revision" | "next">) {
    this.#source = source;
    this.#socket = socket;
    this.#failed = failed;
    this.#stream = stream;
  }

  /** Begins to send what a client wishes, from what it has. */
  static begin(deps: SubscriptionDeps, wish: NonNullable<Hello["subscribe"]>, nowMs: number): Subscription {
    const { source } = deps;
    source.flush();
    const stream =
      wish.services === null
        ? new Stream(source, wish.have, nowMs)
        : new FilteredStream(source, { services: wish.services, have: wish.have, nowMs });
    const subscription = new Subscription(deps, stream);
    subscription.#unsubscribe = source.subscribe(subscription);
    subscription.pump();
    return subscription;
  }

  /** What the client was sent. */
  get position(): Position {
    return { epoch: this.#source.log.epoch, revision: this.#stream.revision };
  }

  /** Sends what there is, as far as there is room for it. */
  pump(): void {
    try {
      this.#pump();
    } catch (error) {
      this.end();
      this.#failed(error);
    }
  }

  #pump(): void {
    while (!this.#ended && !this.#waiting) {
      const frame = this.#stream.next();
      if (frame === null) return;
      this.#waiting = this.#socket.bufferedBytes + frame.length > BUFFERED_BYTES_MAX;
      // Only a frame that fills the buffer is waited for.
      if (this.#waiting) this.#socket.send(frame, () => this.#resume());
      else this.#socket.send(frame);
    }
  }

  end(): void {
    this.#ended = true;
    this.#unsubscribe();
  }

  #resume(): void {
    this.#waiting = false;
    this.pump();
  }
}
