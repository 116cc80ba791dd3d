import { createServer, type IncomingMessage } from "node:http";
import { parseArgs } from "node:util";

/** Who an example is, from its command line. */
export interface Identity {
  readonly name: string;
  readonly version: string;
}

/**
 * Serves one of the examples: `--port N` (0 takes any), `--version V`, `--name N`. It is an ordinary HTTP service that
 * knows nothing of dstack: it answers `/liveness_check`, and on SIGTERM finishes what it has begun.
 * @param answer gives what any other path is answered with; what it throws becomes a 502.
 */
export function serve(answer: (identity: Identity, request: IncomingMessage) => Promise<object>): void {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "0" },
      version: { type: "string", default: "1" },
      name: { type: "string", default: "one" },
    },
  });
  const identity = { name: values.name, version: values.version };
  const server = createServer((request, response) => {
    const send = (status: number, body: object): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(`${JSON.stringify(body)}\n`);
    };
    if (request.url === "/liveness_check") return send(200, { live: true });
    answer(identity, request).then(
      (body) => send(200, body),
      (error: Error) => send(502, { error: error.message }),
    );
  });
  server.listen(Number(values.port), "127.0.0.1", () => {
    const { port } = server.address() as { port: number };
    process.stdout.write(`http://127.0.0.1:${port}\n`);
  });
  process.once("SIGTERM", () => server.close().closeIdleConnections());
}
