/** What the router serves as `/datawire.js`: messages by name for pages, over WebSocket; all but `serve`. */
export { Described, symbol, Typed, TypedArray } from "@datawire/amqp";
export { Reject } from "../app/inbox.ts";
export { MicroserverError } from "../core/microserver-error.ts";
export { connect, type ConnectOptions } from "./connect.ts";
