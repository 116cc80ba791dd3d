import { type ApiClient, endpoints } from "@datawire/api";
import { useCallback, useState } from "react";
import { dwCommand } from "../../core/command.ts";
import { useReply } from "../../data/console.ts";
import { callersQuestion } from "../../data/questions.ts";
import { ChangeDialog, type Outcome } from "../../parts/change-dialog.tsx";
import { ChoiceField, TextField } from "../../parts/field.tsx";
import { type ServiceFacts, targetsOf } from "./data.ts";
import {
  type RolloutDraft,
  needText,
  POLICIES,
  rolloutArguments,
  rolloutBody,
  STANDARD_DRAFT,
} from "./rollout-draft.ts";

interface StartDialogProps {
  readonly facts: ServiceFacts;
  readonly onClose: () => void;
}

const ANY = { value: "", text: "any caller" };

/** Starts a rollout of another version. */
export function StartDialog({ facts: { service, distributions }, onClose }: StartDialogProps) {
  const [targets] = useState(() => {
    const primary = `//${service.service}(${service.primary ?? ""})`;
    return targetsOf(service.service, service.instances).filter((target) => target !== primary);
  });
  const [draft, setDraft] = useState<RolloutDraft>({ ...STANDARD_DRAFT, target: targets[0] ?? "" });
  const connected = useReply(callersQuestion).data?.callers ?? [];
  const known = new Set([...connected.map(({ name }) => name), ...distributions.map(({ caller }) => caller)]);
  const callers = [...known].filter((caller) => caller !== "*").toSorted((a, b) => a.localeCompare(b));
  const key = JSON.stringify(draft);
  const change = useCallback(
    async (client: ApiClient, dryRun: boolean): Promise<Outcome> => {
      const body = { ...rolloutBody(JSON.parse(key) as RolloutDraft), dryRun };
      const answer = await client.ask(endpoints.startRollout, { body });
      return { ...answer, notes: [...answer.needs.map(needText), ...answer.notes] };
    },
    [key],
  );
  const text = (name: keyof RolloutDraft) => ({
    value: draft[name],
    onChange: (value: string) => setDraft({ ...draft, [name]: value }),
  });
  return (
    <ChangeDialog
      title="Start rollout"
      confirm="Start"
      isWide
      command={draft.target === "" ? null : dwCommand("rollout", "start", ...rolloutArguments(draft))}
      missing={targets.length === 0 ? `${service.service} has no other version or instance` : null}
      change={change}
      done={`The rollout of ${draft.target} is started.`}
      onClose={onClose}
    >
      <div className="field-pair">
        <ChoiceField label="Target" options={targets} {...text("target")} />
        <ChoiceField
          label="From"
          options={[ANY, ...callers.map((caller) => ({ value: `//${caller}`, text: caller }))]}
          {...text("from")}
        />
      </div>
      <TextField label="Steps" hint="SHARE:DURATION, parted by commas" {...text("steps")} />
      <TextField
        label="Checks"
        hint="Such as error-rate <= 1% or p99 <= primary * 1.2, parted by commas"
        {...text("checks")}
      />
      <div className="field-pair">
        <ChoiceField
          label="No data"
          options={POLICIES}
          hint="When a step gets too few requests in time"
          {...text("noData")}
        />
        <ChoiceField
          label="Undecided"
          options={POLICIES}
          hint="When a check says neither in time"
          {...text("undecided")}
        />
        <TextField label="Minimum" hint="Requests before a check says anything" {...text("minimum")} />
        <TextField label="Step time-out" hint="Such as 30m; empty: three times the step" {...text("stepTimeout")} />
        <TextField label="Confidence" hint="Such as 99.9%; at most the rest is chance" {...text("confidence")} />
        <TextField label="Sticky" hint="header:NAME, cookie:NAME or ip" {...text("sticky")} />
        <ChoiceField
          label="Finish"
          options={[
            { value: "", text: "as fits the target" },
            { value: "promote", text: "promote it" },
            { value: "keep", text: "keep the last share" },
          ]}
          {...text("finish")}
        />
      </div>
    </ChangeDialog>
  );
}
