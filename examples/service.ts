import { createServer, type IncomingMessage } from "node:http";
import { parseArgs } from "node:util";

/** Who an example is, from its command line. */
export interface Identity {
  readonly name: string;
  readonly version: string;
}

/**
 * Serves one of the examples: `--port N` (0 takes any), `--version V`, `--name N`, `--leave SECONDS`,
 * `--fail-every N` to answer each N-th request with 500. It is an ordinary
 * HTTP service that knows nothing of dstack: it answers `/liveness_check`, and leaves so that no request is lost. On
 * SIGTERM it fails that check and goes on serving, until Watson has looked again and nobody sends it anything new; then
 * it finishes what it has begun, and ends.
 * @param answer gives what any other path is answered with; what it throws becomes a 502.
 */
export function serve(answer: (identity: Identity, request: IncomingMessage) => Promise<object>): void {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "0" },
      version: { type: "string", default: "1" },
      name: { type: "string", default: "one" },
      leave: { type: "string", default: String(LEAVE_SECONDS) },
      "fail-every": { type: "string", default: "0" },
    },
  });
  const identity = { name: values.name, version: values.version };
  let leaving = false;
  let served = 0;
  const failEvery = Number(values["fail-every"]);
  const server = createServer((request, response) => {
    const send = (status: number, body: object): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(`${JSON.stringify(body)}\n`);
    };
    if (request.url === "/liveness_check") return send(leaving ? 503 : 200, { live: !leaving });
    served += 1;
    if (failEvery > 0 && served % failEvery === 0) return send(500, { error: "a fault of this version" });
    answer(identity, request).then(
      (body) => send(200, body),
      (error: Error) => send(502, { error: error.message }),
    );
  });
  server.listen(Number(values.port), "127.0.0.1", () => {
    const { port } = server.address() as { port: number };
    process.stdout.write(`http://127.0.0.1:${port}\n`);
  });
  process.once("SIGTERM", () => {
    leaving = true;
    setTimeout(() => server.close().closeIdleConnections(), Number(values.leave) * 1_000);
  });
}

/** Watson looks every 3 s, and once more 0.1 s after a failure; the rest is for the word to reach every caller. */
const LEAVE_SECONDS = 4;
