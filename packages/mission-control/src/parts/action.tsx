import { type ReactNode, useId } from "react";
import { useConsole } from "../data/console.ts";
import { useStore } from "../data/store.ts";

/** What a role may do. */
export type Need = "read" | "change" | "administer";

const ROLE_FOR: Readonly<Record<Need, string>> = { read: "viewer", change: "operator", administer: "admin" };

/** Why this session may not do something right now; null where it may. */
export function useBarrier(need: Need): string | null {
  const { phase, session } = useStore(useConsole().connection.state);
  if (phase !== "ready") return "Needs the directory, which cannot be reached right now";
  if (session?.rights.includes(need) === true) return null;
  return `Needs the role ${ROLE_FOR[need]}; this is ${session?.role ?? "nobody"}`;
}

interface ActionProps {
  readonly need: Need;
  readonly kind?: "primary" | "danger" | "plain";
  /** Where several buttons have one name: whose it is. */
  readonly of?: string;
  readonly onAct: () => void;
  readonly children: ReactNode;
}

/** A button that changes something; what the role may not do stays in sight and says who may. */
export function Action({ need, kind = "plain", of, onAct, children }: ActionProps) {
  const barrier = useBarrier(need);
  const id = useId();
  const describedBy = [barrier === null ? null : `${id}-why`, of === undefined ? null : `${id}-of`].filter(Boolean);
  return (
    <>
      <button
        type="button"
        className={`button-${kind}`}
        aria-disabled={barrier === null ? undefined : true}
        aria-describedby={describedBy.length > 0 ? describedBy.join(" ") : undefined}
        title={barrier ?? undefined}
        onClick={() => {
          if (barrier === null) onAct();
        }}
      >
        {children}
      </button>
      {of === undefined ? null : (
        <span id={`${id}-of`} hidden>
          {of}
        </span>
      )}
      {barrier === null ? null : (
        <span id={`${id}-why`} hidden>
          {barrier}
        </span>
      )}
    </>
  );
}
