/** A process that sends or receives as many messages as it is told, and tells how long that took. */
import { connect } from "node:net";
import { Connection, type ConnectionEvents, encodeMessage, type Sender, QUIET_EVENTS } from "@datawire/amqp";

const [role, port, address, countText, bytesText] = process.argv.slice(2);
const count = Number(countText);
/** Messages that a receiver lets come before it settles, and that a sender has on their way. */
const CREDIT = 1_000;

const message = encodeMessage({ body: { type: "data", parts: [new Uint8Array(Math.max(0, Number(bytesText) - 8))] } });
const socket = connect(Number(port), "127.0.0.1");
socket.setNoDelay(true);
let [sent, done] = [0, 0];
let firstMs = 0;

const events: ConnectionEvents = {
  ...QUIET_EVENTS,
  outputReady: () => void setImmediate(write),
  linkAttached(link) {
    process.send?.("attached");
    if (link.isReceiver) link.setCredit(CREDIT);
  },
  linkDetached: (_, { error }) => fail(error?.description ?? "detached"),
  closed: ({ error }) => fail(error?.description ?? "closed"),
  flow: pump,
  outcome(delivery) {
    if (!delivery.settled) delivery.settle();
    if (delivery.state?.type !== "accepted") fail(`a message was ${delivery.state?.type}`);
    pump(delivery.sender);
    if (++done === count) end();
  },
  delivered(delivery) {
    if (done === 0) firstMs = performance.now();
    delivery.accept();
    delivery.receiver.keepCredit(CREDIT);
    if (++done === count) end();
  },
};
const connection = new Connection(
  { role: "client", open: { containerId: `${role}-${process.pid}` } },
  events,
  performance.now(),
);
socket.on("data", (bytes) => connection.receive(bytes, performance.now()));
socket.on("drain", () => connection.setCongested(false));
socket.on("close", () => connection.disconnected());
connection.start();
const session = connection.begin();
if (role === "send") session.attachSender("load", { target: { address: address ?? "" } });
else session.attachReceiver("load", { source: { address: address ?? "" } });

function pump(sender: Sender): void {
  if (firstMs === 0) firstMs = performance.now();
  while (sent < count && sender.canSend()) {
    sender.send(message);
    sent++;
  }
}

function write(): void {
  const bytes = connection.takeOutput(performance.now());
  if (bytes !== null && !socket.write(bytes)) connection.setCongested(true);
}

function end(): void {
  const { rss } = process.memoryUsage();
  process.send?.({ ms: performance.now() - firstMs, rss }, () => socket.destroy());
}

function fail(why: string): void {
  if (done >= count) return;
  console.error(`Cannot ${role}: ${why}`);
  process.exit(1);
}
