import type { ApiClient } from "@datawire/api";
import { useCallback, useState } from "react";
import { hasOptions, type ShareEdit, sharesCommand } from "../../core/command.ts";
import { useReply } from "../../data/console.ts";
import { callersQuestion } from "../../data/questions.ts";
import { ChangeDialog, type Outcome } from "../../parts/change-dialog.tsx";
import { ChoiceField, PercentField, TextField } from "../../parts/field.tsx";
import { type ServiceFacts, targetsOf } from "./data.ts";
import { askShares, changedShares, draftOf, readPercent } from "./shares-draft.ts";

interface SharesDialogProps {
  readonly facts: ServiceFacts;
  readonly onClose: () => void;
}

/** Sets how many of a caller's requests go to which version or instance. */
export function SharesDialog({ facts, onClose }: SharesDialogProps) {
  // What is edited is what stood there when the dialog opened; a change by others is a refusal, and a new preview.
  const [{ service, routes, distributions }] = useState(facts);
  const connected = useReply(callersQuestion).data?.callers ?? [];
  const name = service.service;
  const [caller, setCaller] = useState("*");
  const [draft, setDraft] = useState(() => draftOf(routes, "*"));
  const [when, setWhen] = useState("");
  const [sticky, setSticky] = useState("");
  const [lifetime, setLifetime] = useState("");
  const callers = [
    ...new Set(["*", ...distributions.map((each) => each.caller), ...connected.map((each) => each.name)]),
  ];
  const changed = changedShares(draft, draftOf(routes, caller));
  const given = { when: when.trim(), sticky: sticky.trim(), lifetime: lifetime.trim() };
  const optioned = hasOptions(given);
  const targets = optioned && changed.length === 0 ? [...draft] : changed;
  const edit: ShareEdit = { caller, service: name, ...given, targets: targets.flatMap(percentOf) };
  const key = JSON.stringify(edit);
  const change = useCallback(
    (client: ApiClient, dryRun: boolean): Promise<Outcome> =>
      askShares(client, { edit: JSON.parse(key) as ShareEdit, dryRun }),
    [key],
  );
  const left = targetsOf(name, service.instances).filter((target) => !draft.has(target));
  return (
    <ChangeDialog
      title="Edit shares"
      confirm="Set shares"
      isWide
      command={targets.length === 0 ? null : sharesCommand(edit)}
      missing={missingIn(targets, optioned)}
      change={change}
      done={`The shares of ${name} are set.`}
      isUndoable
      onClose={onClose}
    >
      <ChoiceField
        label="Caller"
        value={caller}
        onChange={(next) => {
          setCaller(next);
          setDraft(draftOf(routes, next));
        }}
        options={callers.map((value) => ({ value, text: value === "*" ? "any caller" : value }))}
      />
      {[...draft].map(([target, percent]) => (
        <PercentField
          key={target}
          label={target}
          value={percent}
          onChange={(next) => setDraft(new Map(draft).set(target, next))}
        />
      ))}
      <ChoiceField
        label="Add target"
        value=""
        onChange={(target) => {
          if (target !== "") setDraft(new Map(draft).set(target, ""));
        }}
        options={[{ value: "", text: "Choose …" }, ...left]}
        hint="What no target gets stays with the primary."
      />
      <div className="field-pair">
        <TextField label="Condition" value={when} onChange={setWhen} hint="Such as header:X-Beta=1 or path:/new" />
        <TextField label="Sticky" value={sticky} onChange={setSticky} hint="header:NAME, cookie:NAME or ip" />
        <TextField label="Ends after" value={lifetime} onChange={setLifetime} hint="Such as 30m or 2h" />
      </div>
    </ChangeDialog>
  );
}

function percentOf([target, text]: readonly [string, string]): { target: string; percent: number }[] {
  const percent = readPercent(text);
  return percent === null ? [] : [{ target, percent }];
}

function missingIn(targets: readonly (readonly [string, string])[], optioned: boolean): string | null {
  const unread = targets.find(([, text]) => readPercent(text) === null);
  if (unread !== undefined) return `Say how many percent ${unread[0]} gets, 0 to 100`;
  if (optioned && targets.length > 1)
    return "A condition, a sticky key and an end are set for one target at a time: change one share";
  return null;
}
