import type { LinkMessage, LinkSession } from "@datawire/link";
import type { ClientMessage, Hello } from "@datawire/protocol";

/** A link that goes nowhere: what is sent over it can be looked at. */
export class TestLink implements LinkSession {
  readonly replica = { host: "localhost", port: 5430, tls: null };
  readonly welcome = {
    type: "welcome" as const,
    link: 1,
    directory: "//localhost/directory",
    version: "0.1.0",
    heartbeatMs: 1_000,
    leaseMs: 15_000,
  };
  readonly sent: Exclude<ClientMessage, Hello>[] = [];

  send(message: Exclude<ClientMessage, Hello>): boolean {
    this.sent.push(structuredClone(message));
    return true;
  }

  reconnect(): void {}

  /** What was sent of one type since the last call. */
  take<T extends ClientMessage["type"]>(type: T): Extract<ClientMessage, { type: T }>[] {
    const found = this.sent.filter((message) => message.type === type) as Extract<ClientMessage, { type: T }>[];
    this.sent.length = 0;
    return found;
  }
}

/** A refusal of the directory's. */
export const refusal = (code: Extract<LinkMessage, { type: "error" }>["code"], message: string): LinkMessage => ({
  type: "error",
  code,
  message,
  fatal: false,
});

/** What was begun in this turn of the event loop is done. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
