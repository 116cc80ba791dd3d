/**
 * Messages by name, over AMQP 1.0:
 *
 *     await using microserver = await connect();
 *     await microserver.listen("orders", (message) => ({ ordered: message.body }));
 *     const answer = await microserver.request("orders", { book: 7 });
 *
 * The router may come and go: links are made anew, what is not accepted is sent again, and the router takes it once.
 */
export { Described, symbol, Typed, TypedArray } from "@datawire/amqp";
export type { Body } from "./core/body.ts";
export type { Message, Outgoing, SendFields } from "./core/message.ts";
export { type ErrorCode, MicroserverError } from "./core/microserver-error.ts";
export type { StallReason } from "@datawire/protocol";
export type { Stall } from "./core/stalls.ts";
export { type HandlerContext, Reject } from "./app/inbox.ts";
export type { Listener } from "./app/listening.ts";
export type { Handler, ListenOptions, Microserver, Receipt, SendOptions } from "./app/microserver.ts";
export type { Step } from "./app/pipeline.ts";
export type { RequestOptions } from "./app/requests.ts";
export type { ServeOptions } from "./app/served-port.ts";
export type { LinkStatus, Status } from "./app/status.ts";
export { connect, type ConnectOptions, type DirectOptions } from "./connect/connect.ts";
