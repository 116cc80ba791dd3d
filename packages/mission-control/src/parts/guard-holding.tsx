import { type ApiClient, type Answer, endpoints } from "@datawire/api";
import { useCallback, useState } from "react";
import { dwCommand } from "../core/command.ts";
import { plural } from "../core/format.ts";
import { Action } from "./action.tsx";
import { ChangeDialog, type Outcome } from "./change-dialog.tsx";

type Held = NonNullable<Answer<"status">["directory"]["guard"]>;

/** What the guard holds and why, with the button that lets it end. */
export function GuardHolding({ guard }: { readonly guard: Held }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <div className="banner banner-warn">
        <span>
          <strong>{plural(guard.held, "instance")} held.</strong> {guard.reason}
        </span>
        <Action need="change" kind="danger" onAct={() => setOpen(true)}>
          Release guard
        </Action>
      </div>
      {isOpen ? <ReleaseDialog onClose={() => setOpen(false)} /> : null}
    </>
  );
}

function ReleaseDialog({ onClose }: { readonly onClose: () => void }) {
  const change = useCallback(async (client: ApiClient, dryRun: boolean): Promise<Outcome> => {
    const answer = await client.ask(endpoints.releaseGuard, dryRun ? { query: { dryRun: "true" } } : {});
    if (!dryRun) return { notes: [`${plural(answer.released, "instance")} ended.`] };
    return {
      text: `${plural(answer.released, "instance")} whose lease is over will get no requests any more.`,
      notes: [...(answer.services ?? []).map(losesText), ...(answer.notes ?? [])],
    };
  }, []);
  return (
    <ChangeDialog
      title="Release guard"
      confirm="Release"
      isAlert
      command={dwCommand("guard", "release")}
      change={change}
      done="The guard is released."
      onClose={onClose}
    />
  );
}

interface Loss {
  readonly service: string;
  readonly released: number;
  readonly left: number;
}

function losesText({ service, released, left }: Loss): string {
  return `${service} loses ${plural(released, "instance")}; ${left === 0 ? "none is" : left === 1 ? "1 is" : `${left} are`} left.`;
}
