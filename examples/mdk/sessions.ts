// What a session carries: node examples/mdk/sessions.ts
import { init, MdkError } from "@datawire/mdk";

const mdk = init({ name: "sessions" });

// A property goes with the request to every service that is called.
const session = mdk.session();
session.setProperty("user", "ann");
session.setDeadline(1.5);
const header = session.externalize();

// What the service that is called makes of the header `X-MDK-Context`.
const joined = mdk.join(header);
console.log(`the same trace: ${joined.traceId === session.traceId}`);
console.log("the user:", joined.getProperty("user"));
console.log(`in time: ${(joined.getRemainingTime() ?? 0) > 1}`);

// A deadline is only ever lowered.
joined.setDeadline(60);
console.log(`still in time to be done: ${(joined.getRemainingTime() ?? 0) < 2}`);

// Work that goes on after the request: its own trace and deadline, the same properties.
const derived = mdk.derive(header);
console.log(`another trace: ${derived.traceId !== session.traceId}, without a deadline: ${derived.getRemainingTime()}`);
console.log("the user:", derived.getProperty("user"));

// What goes wrong has a code.
try {
  session.setProperty("large", "x".repeat(10_000));
} catch (error) {
  if (error instanceof MdkError) console.log(error.code);
}

await mdk.stop();
