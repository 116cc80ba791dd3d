// Apart from the link, so that a program that only asks does not load a WebSocket implementation.
export { type DirectoryClient, type DirectoryClientConfig, createDirectoryClient } from "./directory-client.ts";
export type { HttpAnswer, HttpExchange, HttpRequest } from "./io/http-exchange.ts";
export { type TlsSettings, speaksTls } from "./tls.ts";
export { type Attempt, Unreachable } from "./unreachable.ts";
