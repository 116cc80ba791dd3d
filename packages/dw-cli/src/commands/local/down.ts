import { flag } from "../../context/dw.ts";
import type { RunLocal } from "../../grammar/command.ts";
import { Background } from "../../io/background/background.ts";

/** Ends what `dw up` has started, and nothing else. */
export const run: RunLocal = async ({ env, output }, input) => {
  const ended = await new Background(env).down();
  if (flag(input, "json")) return output.json({ ended });
  output.line(ended.length === 0 ? "Nothing runs that `dw up` has started" : `Ended the ${ended.join(" and the ")}`);
};
