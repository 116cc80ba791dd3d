// A stage with a port of its own, so that no router is in the way:
//   node examples/messaging/direct-stage.ts NAME PORT NEXT-ADDRESS [NEXT-HOST:PORT]
// Without the last, what is next is asked of the router, which names an instance where it is a service.
import { connect } from "@datawire/microserver";

const [name = "parse", port = "0", next = "invoices", url] = process.argv.slice(2);

const microserver = await connect({ name, direct: true, ...(url !== undefined && { url }) });
const served = await microserver.serve(
  name,
  // Accepted here when it is accepted there. Under the same name it is the same message, however often it comes.
  async ({ id, body }) => {
    const done = { ...(body as object), [name]: true };
    await microserver.send(next, done, id === null ? {} : { id, once: id });
  },
  { port: Number(port), concurrency: 100, isRegistered: url === undefined },
);
console.log(`${name} takes links at ${served.address}`);
process.once("SIGTERM", () => void microserver.close());
