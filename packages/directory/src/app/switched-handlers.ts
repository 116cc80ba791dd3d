import { endWithRefusal, type HttpHandlers, pathOf, send } from "@datawire/http";

/** What answers while the store is being loaded. */
const startingHandlers: HttpHandlers = {
  request(req, res) {
    if (pathOf(req) === "/healthz") return send(res, 200, "ok");
    send(res, 503, "the directory is starting", { "retry-after": "1" });
  },
  upgrade: (_req, socket) =>
    endWithRefusal(socket, { code: "unavailable", message: "Cannot open the link: the directory is starting" }),
  foreign: () => {},
  failed: () => {},
  tooManyConnections: () => {},
};

/** Answers as one set of handlers until there is another: a port is open before its directory is loaded. */
export class SwitchedHandlers implements HttpHandlers {
  #now: HttpHandlers = startingHandlers;

  /** From now on these answer. */
  switchTo(handlers: HttpHandlers): void {
    this.#now = handlers;
  }

  readonly request: HttpHandlers["request"] = (req, res) => this.#now.request(req, res);
  readonly upgrade: HttpHandlers["upgrade"] = (req, socket, head) => this.#now.upgrade(req, socket, head);
  readonly foreign: HttpHandlers["foreign"] = (reason) => this.#now.foreign(reason);
  readonly failed: HttpHandlers["failed"] = (error) => this.#now.failed(error);
  readonly tooManyConnections: HttpHandlers["tooManyConnections"] = (reason) => this.#now.tooManyConnections(reason);
}
