import type { ApiClient, Explanation } from "@datawire/api";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useConsole } from "../data/console.ts";
import { messageOf, Refusal } from "../data/refusal.ts";
import { useBarrier, type Need } from "./action.tsx";
import { Command } from "./command.tsx";
import { Dialog } from "./dialog.tsx";
import { Distribution } from "./distribution.tsx";

/** What a change comes to, as the directory says it, before or after it is made. */
export interface Outcome {
  /** Null where it is no matter of shares. */
  readonly distribution?: Explanation | null;
  /** Of several callers, the one that matters most first. */
  readonly distributions?: readonly Explanation[] | undefined;
  readonly notes?: readonly string[] | undefined;
  /** One sentence, before the distributions. */
  readonly text?: string;
  readonly epoch?: string;
  readonly revision?: number;
}

interface ChangeDialogProps {
  /** The name of the button that opened it. */
  readonly title: string;
  /** What its last button says. */
  readonly confirm: string;
  readonly need?: Need;
  readonly isAlert?: boolean;
  readonly isWide?: boolean;
  /** The command that does the same; null while there is nothing to do. */
  readonly command: string | null;
  /** Tries it, or does it. Another function asks for another preview. */
  readonly change: (client: ApiClient, dryRun: boolean) => Promise<Outcome>;
  /** What the notice says. */
  readonly done: string;
  readonly isUndoable?: boolean;
  /** Why it cannot be done yet; null when it can. */
  readonly missing?: string | null;
  readonly onDone?: (outcome: Outcome) => void;
  readonly onClose: () => void;
  readonly children?: ReactNode;
}

/** While letters are typed no preview is asked for. */
const TYPING_MS = 120;

/** A change before it is made: what results, by which command, and the button that makes it. */
export function ChangeDialog(props: ChangeDialogProps) {
  const { title, confirm, need = "change", isAlert = false, command, change, done, missing = null } = props;
  const { connection, live, notices } = useConsole();
  const barrier = useBarrier(need);
  const [round, setRound] = useState(0);
  const preview = usePreview(command === null || missing !== null ? null : change, round);
  const [refused, setRefused] = useState<string | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const cannot = barrier ?? missing ?? (command === null ? "Nothing is changed yet" : null);
  const act = async (): Promise<void> => {
    if (cannot !== null || isBusy) return;
    setIsBusy(true);
    setRefused(null);
    try {
      const { outcome } = preview;
      const at = outcome?.revision === undefined ? null : `${outcome.epoch}.${outcome.revision}`;
      const made = await change(connection.clientFor(at), false);
      live.refresh();
      notices.add([done, ...(made.notes ?? [])].join(" "), { isUndoable: props.isUndoable ?? false });
      props.onDone?.(made);
      props.onClose();
    } catch (error) {
      setRefused(messageOf(error));
      setIsBusy(false);
      // Someone else was faster: what is confirmed next has to be what is so now.
      if (error instanceof Refusal && error.status === 409) setRound((before) => before + 1);
    }
  };
  const problem = refused ?? preview.error;
  return (
    <Dialog
      title={title}
      isAlert={isAlert}
      isWide={props.isWide ?? false}
      onClose={props.onClose}
      action={
        <button
          type="button"
          className={isAlert ? "button-danger" : "button-primary"}
          aria-disabled={cannot !== null || isBusy ? true : undefined}
          title={cannot ?? undefined}
          onClick={() => void act()}
        >
          {confirm}
        </button>
      }
    >
      {props.children}
      <div
        data-testid="preview"
        className="preview"
        role="region"
        aria-label="Preview"
        aria-live="polite"
        aria-busy={preview.isOld || undefined}
        tabIndex={0}
      >
        <Preview
          outcome={preview.outcome}
          wanting={cannot ?? (preview.error === null ? null : "There is no preview")}
        />
      </div>
      {problem === null ? null : (
        <p role="alert" className="banner banner-bad">
          {problem}
        </p>
      )}
      {command === null ? null : <Command line={command} />}
    </Dialog>
  );
}

function Preview({ outcome, wanting }: { readonly outcome: Outcome | null; readonly wanting: string | null }) {
  if (outcome === null) return <p className="quiet">{wanting ?? "Asking the directory …"}</p>;
  const { distribution, notes = [], text } = outcome;
  const distributions =
    outcome.distributions ?? (distribution === null || distribution === undefined ? [] : [distribution]);
  return (
    <>
      {text === undefined ? null : <p>{text}</p>}
      {distributions.map((each, i) => (
        <div key={`${each.caller} ${each.service}`} className="preview-part">
          <p className="preview-title">
            Then, of the requests of {each.caller === "*" ? "any caller" : each.caller} to {each.service}:
          </p>
          <Distribution explanation={each} isNamed={i === 0} />
        </div>
      ))}
      {notes.map((note) => (
        <p key={note} className="quiet">
          {note}
        </p>
      ))}
    </>
  );
}

interface PreviewState {
  readonly outcome: Outcome | null;
  readonly error: string | null;
  /** What it is the preview of. */
  readonly of: ChangeDialogProps["change"] | null;
}

const NONE: PreviewState = { outcome: null, error: null, of: null };

function usePreview(change: ChangeDialogProps["change"] | null, round: number) {
  const { connection } = useConsole();
  const [state, setState] = useState(NONE);
  const asked = useRef(0);
  useEffect(() => {
    const number = ++asked.current;
    if (change === null) {
      setState(NONE);
      return undefined;
    }
    // The first is asked for at once, and those after it when the typing pauses.
    const timer = setTimeout(
      () => {
        change(connection.client, true).then(
          (outcome) => number === asked.current && setState({ outcome, error: null, of: change }),
          (error: unknown) =>
            number === asked.current && setState({ outcome: null, error: messageOf(error), of: change }),
        );
      },
      number <= 2 ? 0 : TYPING_MS,
    );
    return () => clearTimeout(timer);
  }, [connection, change, round]);
  // Until the next one is there the last one stays, as what it is: of what was there before.
  return { ...state, isOld: state.outcome !== null && state.of !== change };
}
