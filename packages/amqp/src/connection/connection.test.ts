import { expect, test } from "vitest";
import { makePair } from "../testing/pair.ts";

const message = new TextEncoder().encode("hello");

test("Connection passes a message from a client to a server, and its outcome back", () => {
  const { client, clientTold, serverTold, settle } = makePair();
  serverTold.onLinkAsked = (link) => {
    link.accept();
    if (link.isReceiver) link.setCredit(10);
  };
  const sender = client.begin().attachSender("s", { source: {}, target: { address: "orders" } });
  settle();
  expect(sender.credit).toBe(10);
  for (let i = 0; i < 3; i++) sender.send(message);
  settle();
  client.close();
  settle();
  expect(serverTold.told).toEqual([
    "opened client",
    "began 0",
    "asked s",
    "delivered s 5",
    "delivered s 5",
    "delivered s 5",
    "detached s",
    "ended 0",
    "closed by peer",
  ]);
  expect(clientTold.told).toEqual([
    "opened server",
    "began 0",
    "attached s",
    "accepted 0 settled",
    "accepted 1 settled",
    "accepted 2 settled",
    "detached s",
    "ended 0",
    "closed by us",
  ]);
});
