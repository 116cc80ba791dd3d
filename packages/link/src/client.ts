// Apart from the link, so that a program that only asks does not load a WebSocket implementation.
export { type DirectoryClient, type DirectoryClientConfig, createDirectoryClient } from "./directory-client.ts";
export type { HttpAnswer, HttpExchange, HttpRequest } from "./io/http-exchange.ts";
export { credentialSettings } from "./credential-settings.ts";
export { type CredentialSettings, loadCredentials } from "./credentials.ts";
export type { Proof, TlsSettings } from "./tls.ts";
export { type Attempt, Unreachable } from "./unreachable.ts";
