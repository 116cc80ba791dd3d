import { type PageHandler, pathOf, send } from "@datawire/http";

/** The instances that take heartbeats. */
export interface HeartbeatTargets {
  /** The keys of the instances with this name, or this key. */
  find(name: string): readonly string[];
  /** Passes the heartbeat on; returns how many checks waited for it. */
  beat(key: string): number;
}

const PREFIX = "/v1/heartbeat/";

/** `PUT /v1/heartbeat/INSTANCE`, where INSTANCE may be `SERVICE@INSTANCE` too: two services may share a name. */
export function heartbeatHandler(targets: HeartbeatTargets): PageHandler {
  return (req, res) => {
    const path = pathOf(req);
    if (!path.startsWith(PREFIX)) return false;
    req.resume(); // a body has no meaning
    if (req.method !== "PUT") {
      send(res, 405, "a heartbeat is sent with PUT", { allow: "PUT" });
      return true;
    }
    const name = decode(path.slice(PREFIX.length));
    const keys = targets.find(name);
    const [key] = keys;
    if (key === undefined) send(res, 404, `no instance ${JSON.stringify(name)} on this machine`);
    else if (keys.length > 1)
      send(res, 409, `${JSON.stringify(name)} is several instances, name one: ${keys.join(", ")}`);
    else if (targets.beat(key) === 0)
      send(res, 409, `${key} waits for no heartbeat: wanted \`liveness: { ttl: 10s }\``);
    else send(res, 200, "ok");
    return true;
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
