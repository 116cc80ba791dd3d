/**
 * A service, as small as one can be: it answers every request with who it is.
 *
 *     node examples/emitter.ts --port 8080 --version 1
 *     watson -d //localhost/directory //emitter:1 http://localhost:8080
 *
 * All that Datawire asks of it is an answer at /liveness_check.
 */
import { parseArgs } from "node:util";
import { serve } from "./serve.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" }, // 0: any free one
    host: { type: "string", default: "127.0.0.1" },
    service: { type: "string", default: "emitter" },
    version: { type: "string", default: "1" },
    instance: { type: "string", default: `${process.pid}` },
    drain: { type: "string", default: "2" }, // seconds between "I am leaving" and leaving
  },
});

let requests = 0;

await serve({
  host: values.host,
  port: Number(values.port),
  drainMs: Number(values.drain) * 1000,
  answer: (req, res) => {
    requests++;
    const { service, version, instance } = values;
    res.setHeader("content-type", "application/json");
    res.end(`${JSON.stringify({ service, version, instance, path: req.url, requests })}\n`);
  },
});
