import { endpoints } from "@datawire/api";
import { rolloutLine } from "./rollout-text.ts";
import { flag, operand, optionText, type RunCommand } from "../../context/dw.ts";

const ENDPOINTS = {
  pause: endpoints.pauseRollout,
  resume: endpoints.resumeRollout,
  abort: endpoints.abortRollout,
  promote: endpoints.promoteRollout,
} as const;

/** Makes the command of a verb: it commands one rollout, and says how it stands by then. */
export function commandRollout(verb: keyof typeof ENDPOINTS): RunCommand {
  return async (dw, input) => {
    const dryRun = flag(input, "dryRun");
    const reason = optionText(input, "reason") ?? undefined;
    const step = flag(input, "step") ? { step: true } : {};
    const answer = await dw.client.ask(ENDPOINTS[verb], {
      params: { rollout: operand(input, 0) },
      body: { ...(reason !== undefined && { reason }), ...step, dryRun },
    });
    for (const note of answer.notes) dw.output.note(note);
    const [rollout] = answer.rollouts;
    if (rollout === undefined) throw new Error(`Cannot ${verb} the rollout: the directory has answered with none`);
    if (flag(input, "json")) {
      const { notes, changed, distribution } = answer;
      return dw.output.json({ ...rollout, notes, changed, distribution });
    }
    if (dryRun) dw.output.line("Nothing is changed; it would be:");
    dw.output.line(`rollout ${rollout.id}: ${rolloutLine(rollout)}`);
  };
}
