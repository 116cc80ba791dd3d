import { request } from "node:http";
import { pipeline } from "node:stream";
import { type PageHandler, pathOf, send } from "@datawire/http";
import { explainSystemError } from "@datawire/runtime";

const PREFIX = "/haproxy";

/** `/haproxy` on the admin port: HAProxy's own statistics page, to read only. */
export function statsHandler(socketPath: string): PageHandler {
  return async (req, res) => {
    const path = pathOf(req);
    if (path !== PREFIX && !path.startsWith(`${PREFIX}/`) && !path.startsWith(`${PREFIX};`)) return false;
    if (req.method !== "GET" && req.method !== "HEAD") {
      send(res, 405, `${PREFIX} can only be read`, { allow: "GET, HEAD" });
      return true;
    }
    await new Promise<void>((resolve) => {
      const upstream = request(
        {
          socketPath,
          method: req.method,
          path: (req.url ?? "/").slice(PREFIX.length).replace(/^(?!\/)/, "/"),
          agent: false,
        },
        (answer) => {
          const type = answer.headers["content-type"] ?? "text/html";
          res.writeHead(answer.statusCode ?? 502, { "content-type": type, "cache-control": "no-store" });
          pipeline(answer, res, () => resolve()); // whichever side ends early ends the other
        },
      );
      upstream.on("error", (error) => {
        if (!res.headersSent) send(res, 502, `HAProxy does not answer: ${explainSystemError(error)}`);
        resolve();
      });
      upstream.end();
    });
    return true;
  };
}
