/** Connections to routers by hand, for programs that are no microservers. */
export { type Login, tellingOfLogin } from "./login.ts";
export { driveSocket, openSocket } from "./socket-wire.ts";
export { parseRouterUrl, type RouterUrl } from "./router-url.ts";
export type { Wire, WireEvents } from "./wire.ts";
