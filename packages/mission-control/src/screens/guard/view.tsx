import { type ApiClient, type Answer, endpoints } from "@datawire/api";
import { useCallback, useState } from "react";
import { dwCommand } from "../../core/command.ts";
import { plural } from "../../core/format.ts";
import { useReply } from "../../data/console.ts";
import { statusQuestion } from "../../data/questions.ts";
import { Action } from "../../parts/action.tsx";
import { Answered, Empty } from "../../parts/answered.tsx";
import { ChangeDialog, type Outcome } from "../../parts/change-dialog.tsx";
import { Page } from "../../parts/page.tsx";

type Held = NonNullable<Answer<"status">["directory"]["guard"]>;

/** What the guard holds, and why. */
export function Guard() {
  return (
    <Page title="Guard">
      <p className="lead">
        When many leases would end at once, the directory more likely lost its network than the services their machines:
        the guard keeps these instances until someone says otherwise.
      </p>
      <Answered reply={useReply(statusQuestion)}>{({ directory }) => <Holding guard={directory.guard} />}</Answered>
    </Page>
  );
}

function Holding({ guard }: { readonly guard: Held | null }) {
  const [isOpen, setOpen] = useState(false);
  if (guard === null) return <Empty title="The guard holds nothing">All leases end when they are due.</Empty>;
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
      {isOpen ? <ReleaseDialog guard={guard} onClose={() => setOpen(false)} /> : null}
    </>
  );
}

function ReleaseDialog({ guard: { held }, onClose }: { readonly guard: Held; readonly onClose: () => void }) {
  const change = useCallback(
    async (client: ApiClient, dryRun: boolean): Promise<Outcome> => {
      if (!dryRun) {
        const { released } = await client.ask(endpoints.releaseGuard);
        return { notes: [`${plural(released, "lease")} ended.`] };
      }
      return { text: `${plural(held, "instance")} whose lease is over will get no requests any more.` };
    },
    [held],
  );
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
