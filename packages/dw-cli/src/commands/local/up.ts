import { flag } from "../../context/dw.ts";
import type { RunLocal } from "../../grammar/command.ts";
import { Background } from "../../io/background/background.ts";

/** What `dw up` has running, and where. */
const PLACES = {
  directory: "//localhost/directory",
  router: "localhost:5672",
  web: "https://localhost:3423/",
} as const;

/** Starts a directory and a router for this user, in the background, unless they run. */
export const run: RunLocal = async ({ env, output }, input) => {
  const started = await new Background(env).up();
  if (flag(input, "json")) return output.json({ started, ...PLACES });
  output.line(
    started.length === 0 ? "The directory and the router run already" : `Started the ${started.join(" and the ")}`,
  );
  output.line(`Services at ${PLACES.directory}, messages at ${PLACES.router}, pages at ${PLACES.web}`);
};
