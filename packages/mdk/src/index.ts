import { Application } from "./app/mdk.ts";
import { type MdkOptions, readSettings } from "./app/settings.ts";
import type { Mdk } from "./app/types.ts";
import { carryInMessages } from "./calls/messages.ts";

export { currentSession, withSession } from "./app/current-session.ts";
export type { MdkOptions } from "./app/settings.ts";
export type { Mdk } from "./app/types.ts";
export type { Registration } from "./connection/registrar.ts";
export type { RegisterOptions } from "./connection/registration.ts";
export type { LogsOptions } from "./logs/log-readers.ts";
export { CONTEXT_HEADER, type Environment } from "./session/context.ts";
export type { Json } from "./session/json.ts";
export type { Level } from "./session/levels.ts";
export type { LogEvent } from "./session/log-event.ts";
export { MdkError, type MdkErrorCode } from "./session/mdk-error.ts";
export type { Node } from "./session/node.ts";
export type { JoinOptions } from "./session/sessions.ts";
export type { LoggedMessage, RequestLike, ResolveOptions, Session } from "./session/types.ts";

/** Makes the library, not connected. @throws MdkError `invalid_argument` for an option or variable that cannot be used */
export function init(options: MdkOptions = {}): Mdk {
  const application = new Application(readSettings(options, process.env));
  carryInMessages(application);
  return application;
}

/** Makes the library and begins to connect; returns at once. @throws MdkError as `init` */
export function start(options: MdkOptions = {}): Mdk {
  return init(options).start();
}
