import { type ApiClient, endpoints } from "@datawire/api";
import { useCallback, useState } from "react";
import { dwCommand } from "../../core/command.ts";
import { formatCount, formatMs } from "../../core/format.ts";
import { ChangeDialog, type Outcome } from "../../parts/change-dialog.tsx";
import { ChoiceField, TextField } from "../../parts/field.tsx";
import { type ServiceFacts, targetsOf } from "./data.ts";

const POLICIES = ["wait", "pause", "pass", "fail"] as const;
type Policy = (typeof POLICIES)[number];

interface StartDialogProps {
  readonly facts: ServiceFacts;
  readonly onClose: () => void;
}

/** Starts a rollout of another version. */
export function StartDialog({ facts: { service }, onClose }: StartDialogProps) {
  const [targets] = useState(() => {
    const primary = `//${service.service}(${service.primary ?? ""})`;
    return targetsOf(service.service, service.instances).filter((target) => target !== primary);
  });
  const [target, setTarget] = useState(targets[0] ?? "");
  const [steps, setSteps] = useState("1%:5m,10%:10m,50%:10m");
  const [checks, setChecks] = useState("error-rate <= primary + 1%");
  const [noData, setNoData] = useState<Policy>("wait");
  const [sticky, setSticky] = useState("");
  const list = checks
    .split(",")
    .map((check) => check.trim())
    .filter((check) => check !== "");
  const key = JSON.stringify({ target, steps: steps.trim(), checks: list, no_data: noData, sticky: sticky.trim() });
  const change = useCallback(
    async (client: ApiClient, dryRun: boolean): Promise<Outcome> => {
      const { sticky, steps, checks, ...file } = JSON.parse(key) as Draft;
      const answer = await client.ask(endpoints.startRollout, {
        body: {
          ...file,
          ...(steps === "" ? {} : { steps }),
          ...(checks.length === 0 ? {} : { checks }),
          ...(sticky === "" ? {} : { sticky }),
          dryRun,
        },
      });
      return { ...answer, notes: [...answer.needs.map(needText), ...answer.notes] };
    },
    [key],
  );
  return (
    <ChangeDialog
      title="Start rollout"
      confirm="Start"
      command={
        target === ""
          ? null
          : dwCommand(
              "rollout",
              "start",
              target,
              ...(steps.trim() === "" ? [] : ["--steps", steps.trim()]),
              ...(list.length === 0 ? [] : ["--check", ...list]),
              ...(noData === "wait" ? [] : ["--no-data", noData]),
              ...(sticky.trim() === "" ? [] : ["--sticky", sticky.trim()]),
            )
      }
      missing={targets.length === 0 ? `${service.service} has no other version or instance` : null}
      change={change}
      done={`The rollout of ${target} is started.`}
      onClose={onClose}
    >
      <ChoiceField label="Target" value={target} onChange={setTarget} options={targets} />
      <TextField label="Steps" value={steps} onChange={setSteps} hint="SHARE:DURATION, parted by commas" />
      <TextField
        label="Checks"
        value={checks}
        onChange={setChecks}
        hint="Such as error-rate <= 1% or p99 <= primary * 1.2, parted by commas"
      />
      <ChoiceField
        label="No data"
        value={noData}
        onChange={(value) => setNoData(value as Policy)}
        options={POLICIES}
        hint="What becomes of a step that gets too few requests in time"
      />
      <TextField label="Sticky" value={sticky} onChange={setSticky} hint="header:NAME, cookie:NAME or ip" />
    </ChangeDialog>
  );
}

interface Draft {
  readonly target: string;
  readonly steps: string;
  readonly checks: string[];
  readonly no_data: Policy;
  readonly sticky: string;
}

interface Need {
  readonly name: string;
  readonly requests: number | null;
  readonly seconds: readonly (number | null)[];
}

function needText({ name, requests, seconds }: Need): string {
  const [first] = seconds;
  const time = first === null || first === undefined ? "unknown at today's rate" : formatMs(first * 1000);
  return `${name} needs ${formatCount(requests)} good requests; in the first step that takes ${time}.`;
}
