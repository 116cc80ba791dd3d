// Apart from the link, so that a program that only asks does not load a WebSocket implementation.
export { type DirectoryClient, type DirectoryClientConfig, createDirectoryClient } from "./directory-client.ts";
export type { HttpAnswer, HttpExchange, HttpRequest } from "../transport/http-exchange.ts";
export { credentialSettings } from "../credentials/credential-settings.ts";
export { type CredentialSettings, loadCredentials } from "../credentials/credentials.ts";
export { connectRouter, whyNotRouter } from "../transport/secure-socket.ts";
export { fingerprintOf, type Proof, type TlsSettings } from "../credentials/tls.ts";
export { type Attempt, describeSilence, Unreachable } from "./unreachable.ts";
