/** A broker beside others, in a folder of its own. */
export interface Broker {
  readonly name: string;
  readonly port: number;
  /** Of a queue that is there, or comes with its first use. */
  queue(name: "bench" | "backlog"): string;
  /** What has all its messages at three subscriptions, each with what to receive it from. */
  readonly fan: Fan;
  /** The processes that do its work. */
  pids(): readonly number[];
  /** Ends it as kill -9 does and starts it again; resolves when it listens. */
  restart(): Promise<void>;
  stop(): Promise<void>;
  /** Has its data. */
  readonly folder: string;
}

/** A topic with three subscriptions that outlive their links. */
export interface Fan {
  readonly to: string;
  readonly from: readonly { readonly address: string; readonly subscription?: string }[];
}

/** Of those that make a subscription of whoever receives. */
export function fanOf(address: string): Fan {
  return { to: address, from: ["one", "two", "three"].map((subscription) => ({ address, subscription })) };
}
