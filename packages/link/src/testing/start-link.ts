import { noLog, type Logger } from "@datawire/runtime";
import { createFakeClock } from "@datawire/runtime/testing";
import { parseDirectoryAddress } from "@datawire/protocol";
import { expect, onTestFinished } from "vitest";
import { type LinkConfig, type LinkState, runLink } from "../session/link.ts";
import type { LinkHandler, LinkSession } from "../session/link-handler.ts";
import { welcome } from "./entities.ts";
import { createMemoryNetwork } from "./memory-directory.ts";

/** Starts a link over memory, which ends with the test; what happens to it is written down in `events`. */
export async function startLink(config: Partial<LinkConfig> = {}, handler: LinkHandler | null = null) {
  const clock = createFakeClock();
  const network = createMemoryNetwork();
  const events: string[] = [];
  const logs: string[] = [];
  const states: LinkState[] = [];
  const sessions: LinkSession[] = [];
  const write =
    (level: string) =>
    (message: string): void =>
      void logs.push(`${level}: ${message}`);
  const log: Logger = { ...noLog, info: write("info"), warn: write("warn"), error: write("error") };
  const stop = new AbortController();
  const done = runLink(
    {
      replicas: [parseDirectoryAddress("//one/directory")],
      identity: { kind: "sherlock", name: "monolith", id: "12345678", version: "0.1.0" },
      token: null,
      tls: null,
      subscribe: null,
      ...config,
    },
    {
      clock,
      log,
      random: () => 0.5,
      connect: network.connect,
      onState: (state) => states.push(state),
      handler: handler ?? {
        connected(session) {
          sessions.push(session);
          events.push("connected");
        },
        disconnected: (reason) => void events.push(`disconnected: ${reason}`),
        message: (message) => void events.push(message.type),
      },
    },
    stop.signal,
  ).then(() => void events.push("ended"));
  await clock.advance(0);
  const host = (): string => network.last().target.replica.host;
  /** The directory takes the newest connection. */
  const accept = async (): Promise<void> => {
    network.last().events.opened();
    network.last().send(welcome);
    await clock.advance(0);
  };
  const refuse = async (reason = "connection refused"): Promise<void> => {
    network.last().events.closed(reason, false);
    await clock.advance(0);
  };
  onTestFinished(async () => {
    stop.abort();
    await clock.advance(60_000);
    await done;
    expect(clock.pending()).toBe(0);
  });
  return { clock, network, events, logs, states, sessions, stop, done, host, accept, refuse };
}
