// One stage of a pipeline, of which any number may run: node examples/messaging/stage.ts FROM TO
import { connect } from "@datawire/microserver";

const [from = "orders", to = "invoices"] = process.argv.slice(2);

// All who are called the same make the same outputs of the same inputs: whoever of them is killed, each arrives once.
const microserver = await connect({ name: `stage-${from}` });
await microserver.pipeline(from, to, ({ body }) => ({ body: { ...(body as object), [to]: true } }));
process.once("SIGTERM", () => void microserver.close());
