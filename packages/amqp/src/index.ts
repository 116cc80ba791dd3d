/**
 * AMQP 1.0 for both ends of a connection: bytes and time in, bytes and events out. How a server drives it, with a socket:
 *
 *     class Peer implements ConnectionEvents {                  // one for each connection
 *       connection = new Connection({ role: "server", open: { containerId: "router" } }, this, clock.now());
 *       outputReady() { soon(() => this.write()); }              // once a tick, however much there is to say
 *       write() {
 *         const bytes = this.connection.takeOutput(clock.now()); // dispositions as ranges, one flow for each link
 *         if (bytes !== null && !socket.write(bytes)) {          // the socket is full: no message is added, and none read
 *           this.connection.setCongested(true); socket.pause();  // on "drain": setCongested(false), resume
 *         }
 *         if (this.connection.done) socket.end();
 *       }
 *       linkAsked(link) {                                        // answer now or later
 *         if (link.remote.target?.type === "coordinator") link.refuse({ condition: CONDITION.notImplemented });
 *         else link.accept({ maxMessageSize: 104857600 });       // the rest as the peer wanted it
 *         if (link.isReceiver) link.setCredit(100);              // the peer sends to us
 *       }
 *       delivered(delivery) {                                    // delivery.message: to be copied during this call
 *         log.append(delivery.message, () => delivery.accept()); // later, in any order: gathered until the next write
 *         delivery.receiver.keepCredit(100);
 *       }
 *       flow(sender) {                                           // credit came: send while canSend(), else flow comes again
 *         while (sender.canSend() && (message = queue.next())) {
 *           const delivery = sender.send(message.bytes, { head }); // head: header and delivery annotations anew
 *           delivery.context = message;
 *         }
 *         if (sender.drain) sender.drained();                    // nothing more: the credit goes back
 *       }
 *       outcome(delivery) {                                      // delivery.state, delivery.settled
 *         queue.acknowledge(delivery.context, () => delivery.settle());
 *       }
 *       linkDetached(link) { for (const delivery of link.unsettled) … }  // also when session or connection are lost
 *       …                                                        // opened, sessionBegan, sessionEnded, settled, senderFlow, closed
 *     }
 *     socket.on("data", (bytes) => peer.connection.receive(bytes, clock.now()));
 *     socket.on("close", () => peer.connection.disconnected());
 *     timer: at what connection.tick(now) returned, and after each receive: connection.tick(now)
 *
 * A client is the same with `role: "client"`: `start()`, then `begin().attachSender(name, { source, target })`, which all
 * may be called before anything came. Over a WebSocket (subprotocol `amqp`, binary) the messages are the bytes, cut anyhow.
 */
export { CONDITION, WireFailure } from "./types/conditions.ts";
export { decodeValue, type DecodeOptions } from "./types/decode-value.ts";
export { encodeValue } from "./types/encode-value.ts";
export { SequenceMap, SequenceSet } from "./types/sequence-map.ts";
export { serialAdd, serialAfter, serialDistance } from "./types/serial.ts";
export {
  type AmqpType,
  Described,
  symbol,
  textOf,
  Typed,
  TypedArray,
  type Value,
  type ValueMap,
} from "./types/values.ts";
export { ACCEPTED, type DeliveryState, isOutcome, RELEASED } from "./frames/delivery-state.ts";
export type { AmqpError } from "./frames/error.ts";
export { Budget } from "./link/budget.ts";
export type { Fields } from "./frames/fields.ts";
export { WEBSOCKET_PROTOCOL } from "./frames/protocol-header.ts";
export { type Attach, type Begin, type Open, RECEIVER_SETTLES, SENDER_SETTLES } from "./frames/performatives.ts";
export { type Coordinator, DURABILITY, type ExpiryPolicy, type Source, type Target } from "./frames/terminus.ts";
export { annotated } from "./messages/annotated.ts";
export { encodeHead, type Header } from "./messages/header.ts";
export { type Body, decodeMessage, encodeMessage, type Message } from "./messages/message.ts";
export { type MessageId, messageIdText, type Properties } from "./messages/properties.ts";
export { Sections } from "./messages/sections.ts";
export {
  anonymousClient,
  createSaslServer,
  externalClient,
  plainClient,
  type SaslServerOptions,
} from "./sasl/mechanisms.ts";
export { scramClient, type ScramUsers } from "./sasl/scram.ts";
export { deriveScramCredentials, type ScramCredentials } from "./sasl/scram-crypto.ts";
export type { SaslClient, SaslExchange, SaslServer, SaslStep } from "./sasl/contract.ts";
export { Connection } from "./connection/connection.ts";
export { type ConnectionEnd, type ConnectionEvents, QUIET_EVENTS } from "./connection/connection-events.ts";
export type { AttachOptions, LinkEnd, LinkState } from "./link/link.ts";
export type { IncomingDelivery, Receiver } from "./link/receiver.ts";
export type { OutgoingDelivery, Sender } from "./link/sender.ts";
export { COPIED_BYTES_MAX, type SendOptions } from "./link/transfer-writer.ts";
export type { LinkEvents } from "./session/link-events.ts";
export type { Session, SessionState } from "./session/session.ts";
export type { ConnectionSettings } from "./connection/settings.ts";
