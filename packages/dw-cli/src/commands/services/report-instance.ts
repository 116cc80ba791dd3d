import type { Answer } from "@datawire/api";
import { type Dw, flag, type Input } from "../../context/dw.ts";
import { reportDistributions } from "../routes/route-report.ts";

/** Prints what a drain or its end did, or would do. */
export function reportInstance(dw: Dw, input: Input, answer: Answer<"drainInstance">, done: string): void {
  if (flag(input, "json")) return dw.output.json(answer);
  for (const note of answer.notes) dw.output.note(note);
  if (flag(input, "dryRun")) {
    dw.output.line("Nothing is changed; it would be:");
    reportDistributions(dw, answer.distributions);
  } else if (answer.changed) dw.output.line(done);
}
