import { expect, test } from "vitest";
import { currentSession, withSession } from "../index.ts";
import { libraryOver } from "../testing/servers.ts";
import { handleMessage } from "./messages.ts";

interface Carrier {
  inject(): Readonly<Record<string, string>>;
  run<T>(message: { address: string; properties: object; replyTo: string | null }, handle: () => T): Promise<T>;
}
const carrier = (): Carrier =>
  (globalThis as { [key: symbol]: unknown })[Symbol.for("@datawire/mdk.messages")] as Carrier;

test("a message carries the session that is current, and is handled in it, as a span within that of who sent it", async () => {
  const { mdk, interactions } = libraryOver([]);
  expect(carrier().inject()).toEqual({});
  const properties = await mdk.session().interact((session) => {
    session.setDeadline(60);
    session.setProperty("user", "ann");
    return carrier().inject();
  });
  expect(Object.keys(properties)).toEqual(["X-MDK-Context", "X-MDK-Remaining", "traceparent"]);
  const handle = () => carrier().run({ address: "orders?from=first", properties, replyTo: "$temp/1" }, currentSession);
  const joined = await handle();
  expect([joined?.getProperty("user"), (joined?.getRemainingTime() ?? 0) > 50]).toEqual(["ann", true]);
  const [sent, handled] = interactions;
  expect(handled).toMatchObject({
    traceId: sent?.traceId,
    parentId: sent?.spanId,
    name: "orders process",
    kind: "consumer",
    failure: null,
  });
  await mdk.stop();
  expect(await handle()).toBe(undefined);
});

test("handleMessage() takes no deadline where nobody waits, begins a session where none came, and tells what failed", async () => {
  const { mdk, interactions } = libraryOver([]);
  const over = mdk.session();
  over.setDeadline(0);
  const properties = withSession(over, () => carrier().inject());
  const message = { address: "orders", properties, replyTo: null };
  expect(await handleMessage(mdk, message, () => currentSession()?.getRemainingTime())).toBe(null);
  expect(await handleMessage(mdk, message, () => currentSession()?.traceId)).toBe(over.traceId);
  const without = { ...message, properties: { traceparent: 7 } };
  expect(await handleMessage(mdk, without, () => currentSession()?.traceId)).not.toBe(over.traceId);
  const failing = handleMessage(mdk, message, () => Promise.reject(new Error("no money")));
  await expect(failing).rejects.toThrow("no money");
  expect(interactions.at(-1)).toMatchObject({ failure: "Error: no money", traceId: over.traceId });
});
