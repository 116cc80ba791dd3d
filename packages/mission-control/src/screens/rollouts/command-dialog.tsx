import { type ApiClient, endpoints, type RolloutListing } from "@datawire/api";
import { useCallback, useState } from "react";
import { dwCommand } from "../../core/command.ts";
import { formatShare } from "../../core/format.ts";
import { ChangeDialog, type Outcome } from "../../parts/change-dialog.tsx";
import { ChoiceField, TextField } from "../../parts/field.tsx";

/** What can be said to a rollout that goes on. */
export type RolloutVerb = "Pause" | "Resume" | "Abort" | "Promote";

const COMMANDS = {
  Pause: { endpoint: endpoints.pauseRollout, verb: "pause", done: "is paused." },
  Resume: { endpoint: endpoints.resumeRollout, verb: "resume", done: "goes on." },
  Abort: { endpoint: endpoints.abortRollout, verb: "abort", done: "is aborted; the routes from before are back." },
  Promote: { endpoint: endpoints.promoteRollout, verb: "promote", done: "goes to its end." },
} as const;

const ASKED: Readonly<Record<RolloutVerb, string>> = {
  Pause: "The shares stay as they are, and nothing is judged until it is resumed.",
  Resume: "It goes on at the step where it stands, which begins anew.",
  Abort: "It ends, and the routes from before it come back in one change.",
  Promote: "It goes on at once, without waiting for its checks.",
};

interface CommandDialogProps {
  readonly verb: RolloutVerb;
  readonly rollout: RolloutListing;
  readonly onClose: () => void;
}

/** Commands a rollout. */
export function CommandDialog({ verb, rollout, onClose }: CommandDialogProps) {
  // What is asked about is the rollout as it stood when the dialog opened.
  const [{ id, target, steps, step }] = useState(rollout);
  const { endpoint, verb: word, done } = COMMANDS[verb];
  const [reason, setReason] = useState("");
  const [isOneStep, setOneStep] = useState(false);
  const said = reason.trim();
  const change = useCallback(
    (client: ApiClient, dryRun: boolean): Promise<Outcome> =>
      client.ask(endpoint, {
        params: { rollout: id },
        body: { dryRun, ...(said === "" ? {} : { reason: said }), ...(isOneStep ? { step: true } : {}) },
      }),
    [endpoint, id, said, isOneStep],
  );
  const next = steps[step + 1];
  return (
    <ChangeDialog
      title={verb}
      confirm={verb}
      isAlert={verb === "Abort"}
      command={dwCommand("rollout", word, id, isOneStep ? "--step" : null, ...(said === "" ? [] : ["--reason", said]))}
      change={change}
      done={`The rollout of ${target} ${isOneStep ? "goes to its next step." : done}`}
      onClose={onClose}
    >
      <p>{ASKED[verb]}</p>
      {verb !== "Promote" || next === undefined ? null : (
        <ChoiceField
          label="How far"
          value={isOneStep ? "step" : "end"}
          onChange={(value) => setOneStep(value === "step")}
          options={[
            { value: "end", text: "to the end" },
            { value: "step", text: `to the next step, ${formatShare(next.share)}` },
          ]}
        />
      )}
      <TextField label="Reason" value={reason} onChange={setReason} hint="Goes into the history" />
    </ChangeDialog>
  );
}
